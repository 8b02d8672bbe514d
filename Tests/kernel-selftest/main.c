// Every kernel of CKernels beside plain loops, on shapes that fill no vector, tile or chunk. It prints a line for each result that is
// wrong and exits with 1, so that the kernels can be tried where Swift does not run: under sanitizers, on another CPU class, in an
// emulator. It needs CKernels.h and libm only.
//
// The numbers are multiples of 1/64 from −1 to 1. They are the same in each type, and sums of up to 4,096 products of two are exact
// in float32 in any order: products are compared for equality. Arrays end where their memory ends, and begin where no vector does.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

enum { COUNT_OF_TYPES = 3 };
static const int types[COUNT_OF_TYPES] = {CK_FLOAT32, CK_BFLOAT16, CK_FLOAT16};

static int checked, wrong;
// What the kernel was given, for the message.
static char shape[160];
#define SHAPE(...) snprintf(shape, sizeof shape, __VA_ARGS__)
// All results, mixed: the same for any number of threads.
static uint64_t results;

// Arrays.

static void *taken[256];
static int taken_count;

// Memory of `count` elements, aligned as those must be and no better: behind one more.
static void *take(long count, long size) {
    char *memory = malloc((size_t)((count + 1) * size));
    if (!memory || taken_count == 256) abort();
    taken[taken_count++] = memory;
    return memory + size;
}

static void free_all(void) {
    while (taken_count > 0) free(taken[--taken_count]);
}

// One more in the exponent of a float32. That of fp16 counts from 15, not from 127, and ends at 31, not at 255.
static const uint32_t EXPONENT = 1u << 23;

static float at(const void *x, int type, long i) {
    if (type == CK_FLOAT32) return ((const float *)x)[i];
    uint32_t bits = ((const uint16_t *)x)[i];
    float value;
    if (type == CK_FLOAT16 && bits & 0x7C00)
        bits = (bits & 0x8000) << 16 | ((bits & 0x7FFF) << 13) + ((bits & 0x7C00) == 0x7C00 ? 224u : 112u) * EXPONENT;
    else
        bits <<= 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Stores a number that the type can hold.
static void put(void *x, int type, long i, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (type == CK_FLOAT32)
        ((float *)x)[i] = value;
    else if (type == CK_FLOAT16 && value != 0)
        ((uint16_t *)x)[i] = (uint16_t)((bits >> 16 & 0x8000) |
                                        ((bits & 0x7FFFFFFF) - (isfinite(value) ? 112u : 224u) * EXPONENT) >> 13);
    else
        ((uint16_t *)x)[i] = (uint16_t)(bits >> 16);
}

static uint64_t state;

static uint32_t random_below(uint32_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % bound;
}

static void *numbers(int type, long count) {
    void *x = take(count, ck_size(type));
    for (long i = 0; i < count; i++) put(x, type, i, ((float)random_below(129) - 64) / 64);
    return x;
}

static float *floats(long count) { return numbers(CK_FLOAT32, count); }

static void *copy(const void *x, int type, long count) {
    return memcpy(take(count, ck_size(type)), x, (size_t)(count * ck_size(type)));
}

static double *doubles(long count) {
    double *x = calloc((size_t)count + 1, sizeof *x);
    if (!x || taken_count == 256) abort();
    taken[taken_count++] = x;
    return x;
}

static int32_t *indices(long count, uint32_t bound) {
    int32_t *x = take(count, 4);
    for (long i = 0; i < count; i++) x[i] = (int32_t)random_below(bound);
    return x;
}

// Comparison.

static void mix_result(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    results = (results ^ bits) * 0x100000001B3u;
}

// Each element is the wanted one up to the tolerance, absolute below 1 and relative above, and the rounding of its type.
static void expect(const char *kernel, const void *x, int type, const double *wanted, long count, double tolerance) {
    checked++;
    for (long i = 0; i < count; i++) {
        const double value = at(x, type, i), magnitude = fabs(wanted[i]);
        const double rounding = type == CK_FLOAT32 ? 0 : magnitude / 256;
        mix_result((float)value);
        if (isnan(value) && isnan(wanted[i])) continue;
        if (value == wanted[i] || fabs(value - wanted[i]) <= tolerance * fmax(1, magnitude) + rounding) continue;
        printf("%s (%s): element %ld is %.9g, not %.9g\n", kernel, shape, i, value, wanted[i]);
        wrong++;
        return;
    }
}

static void expect_that(const char *kernel, int holds, const char *what) {
    checked++;
    if (holds) return;
    printf("%s (%s): %s\n", kernel, shape, what);
    wrong++;
}

// Products.

// c [m, n] += a·b, of element (i, p) of a in i·a_row + p·a_column, of element (p, j) of b likewise.
static void multiply(double *c, long c_row, long m, long n, long k, const void *a, int a_type, long a_row,
                     long a_column, const void *b, int b_type, long b_row, long b_column) {
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++)
            for (long p = 0; p < k; p++)
                c[i * c_row + j] +=
                    (double)at(a, a_type, i * a_row + p * a_column) * at(b, b_type, p * b_row + j * b_column);
}

static void check_product(long m, long n, long k, int a_type, int b_type, int transpose_a, int transpose_b,
                          int accumulate, long rank) {
    SHAPE("m %ld, n %ld, k %ld, types %d %d, transposed %d %d, accumulates %d, rank %ld", m, n, k, a_type, b_type,
          transpose_a, transpose_b, accumulate, rank);
    const void *a = numbers(a_type, m * k), *b = numbers(b_type, k * n);
    float *c = floats(m * n);
    double *wanted = doubles(m * n);
    for (long i = 0; accumulate && i < m * n; i++) wanted[i] = c[i];
    multiply(wanted, n, m, n, k, a, a_type, transpose_a ? 1 : k, transpose_a ? m : 1, b, b_type, transpose_b ? 1 : n,
             transpose_b ? k : 1);
    struct ck_update updates[2] = {{.begin = 0, .end = m / 2}, {.begin = m / 2, .end = m, .transpose_v = 1}};
    for (int i = 0; rank && i < 2; i++) {
        struct ck_update *u = &updates[i];
        u->rank = rank;
        u->u = numbers(a_type, (u->end - u->begin) * rank);
        u->v = numbers(a_type, rank * n);
        multiply(wanted + u->begin * n, n, u->end - u->begin, n, rank, u->u, a_type, rank, 1, u->v, a_type,
                 u->transpose_v ? 1 : n, u->transpose_v ? rank : 1);
    }
    const int status =
        ck_product(m, n, k, a, a_type, transpose_a, b, b_type, transpose_b, c, accumulate, updates, rank ? 2 : 0);
    expect_that("ck_product", status == 0, "its status is not 0");
    if (status == 0) expect("ck_product", c, CK_FLOAT32, wanted, m * n, 0);
    free_all();
}

static void check_few_rows(long m, long n, long k, int a_type, int b_type) {
    const void *a = numbers(a_type, m * k), *b = numbers(b_type, k * n);
    float *c = floats(m * n);
    double *wanted = doubles(m * n);
    multiply(wanted, n, m, n, k, a, a_type, k, 1, b, b_type, 1, k);
    SHAPE("m %ld, n %ld, k %ld, types %d %d", m, n, k, a_type, b_type);
    ck_product_rows(m, n, k, a, a_type, b, b_type, c);
    expect("ck_product_rows", c, CK_FLOAT32, wanted, m * n, 0);
    for (int transposed = 0; transposed < 2 && b_type != CK_FLOAT16; transposed++) {
        SHAPE("m %ld, n %ld, k %ld, types %d %d, transposed %d", m, n, k, a_type, b_type, transposed);
        const long bytes = ck_packed_bytes(n, k, b_type);
        void *packed = aligned_alloc(64, (size_t)bytes);
        if (!packed) abort();
        memset(packed, 0xFF, (size_t)bytes);
        ck_pack(b, b_type, transposed, n, k, packed);
        memset(wanted, 0, (size_t)(m * n) * sizeof *wanted);
        multiply(wanted, n, m, n, k, a, a_type, k, 1, b, b_type, transposed ? 1 : n, transposed ? k : 1);
        ck_product_packed(m, n, k, a, a_type, packed, b_type, c);
        expect("ck_product_packed", c, CK_FLOAT32, wanted, m * n, 0);
        free(packed);
    }
    free_all();
}

static void check_products(void) {
    static const long shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {17, 65, 33}, {130, 193, 31}, {64, 385, 50}, {257, 3, 129}};
    for (int a = CK_FLOAT32; a <= CK_BFLOAT16; a++)
        for (int b = 0; b < COUNT_OF_TYPES; b++)
            for (long i = 0; i < (long)(sizeof shapes / sizeof *shapes); i++)
                for (int way = 0; way < 8; way++)
                    check_product(shapes[i][0], shapes[i][1], shapes[i][2], a, types[b], way & 1, way >> 1 & 1,
                                  way >> 2, way % 3 ? 0 : 1 + 2 * i);
    static const long few[][3] = {{1, 1, 1},    {2, 3, 15},  {5, 65, 31}, {6, 64, 16},
                                  {7, 130, 97}, {65, 5, 33}, {13, 67, 2}};
    for (int a = CK_FLOAT32; a <= CK_BFLOAT16; a++)
        for (int b = 0; b < COUNT_OF_TYPES; b++)
            for (long i = 0; i < (long)(sizeof few / sizeof *few); i++)
                check_few_rows(few[i][0], few[i][1], few[i][2], a, types[b]);
}

// Elementwise.

static void check_elementwise(long count) {
    SHAPE("count %ld", count);
    const float *x = floats(count);
    float *y = floats(count);
    double *wanted = doubles(count);

    for (long i = 0; i < count; i++) wanted[i] = y[i] + 0.5 * x[i];
    ck_add_scaled(x, 0.5f, y, count);
    expect("ck_add_scaled", y, CK_FLOAT32, wanted, count, 0);
    for (long i = 0; i < count; i++) wanted[i] *= -0.25;
    ck_scale(y, -0.25f, count);
    expect("ck_scale", y, CK_FLOAT32, wanted, count, 0);

    uint32_t *words = (uint32_t *)floats(count), *before = copy(words, CK_FLOAT32, count);
    uint16_t *halves = numbers(CK_BFLOAT16, count), *halves_before = copy(halves, CK_BFLOAT16, count);
    ck_exclusive_or(x, words, count);
    ck_exclusive_or_bfloat16(x, halves, count);
    int same = 1, same_halves = 1;
    for (long i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        same &= words[i] == (bits ^ before[i]);
        same_halves &= halves[i] == (halves_before[i] ^ bits >> 16);
    }
    expect_that("ck_exclusive_or", same, "a word differs");
    expect_that("ck_exclusive_or_bfloat16", same_halves, "a word differs");

    const long chunks = (count + CK_SQUARES_CHUNK - 1) / CK_SQUARES_CHUNK;
    double *sums = doubles(chunks), *squares = doubles(chunks);
    for (long i = 0; i < count; i++) squares[i / CK_SQUARES_CHUNK] += (double)x[i] * x[i];
    ck_chunk_sums_of_squares(x, count, sums);
    for (long i = 0; i < chunks; i++) {
        const float sum = (float)sums[i];
        expect("ck_chunk_sums_of_squares", &sum, CK_FLOAT32, &squares[i], 1, 1e-6);
    }

    for (int type = 0; type < COUNT_OF_TYPES; type++) {
        SHAPE("count %ld, type %d", count, types[type]);
        void *z = numbers(types[type], count);
        for (long i = 0; i < count; i++) wanted[i] = -1.5;
        if (types[type] == CK_FLOAT32) ck_fill(z, -1.5f, count);
        if (types[type] == CK_BFLOAT16) ck_fill_bfloat16(z, -1.5f, count);
        if (types[type] <= CK_BFLOAT16) expect("ck_fill", z, types[type], wanted, count, 0);

        z = numbers(types[type], count);
        long bad = 0;
        for (long i = count % 3; i < count; i += 7, bad++) put(z, types[type], i, i & 1 ? NAN : -INFINITY);
        expect_that("ck_non_finite_count", ck_non_finite_count(z, types[type], count) == bad, "another count");
        for (int to = CK_FLOAT32; to <= CK_BFLOAT16; to++) {
            SHAPE("count %ld, from type %d to %d", count, types[type], to);
            void *converted = numbers(to, count);
            for (long i = 0; i < count; i++) wanted[i] = at(z, types[type], i);
            ck_convert(z, types[type], converted, to, count);
            int exact = 1;
            for (long i = 0; i < count; i++) {
                const float value = at(converted, to, i);
                exact &= isnan(wanted[i]) ? isnan(value) : value == wanted[i];
            }
            expect_that("ck_convert", exact, "an element changed");
        }
    }
    free_all();
}

// Numbers that bfloat16 has not: to nearest, ties to even.
static void check_rounding(void) {
    SHAPE("rounding");
    const float exact[] = {1 + 1.0f / 256, 1 + 3.0f / 256, 1 + 1.01f / 256, -1 - 0.99f / 256, 3.4e38f, 0x1.8p-133f, 0};
    const double wanted[] = {1, 1 + 4.0 / 256, 1 + 2.0 / 256, -1, INFINITY, 0x1p-132, 0};
    enum { COUNT = sizeof exact / sizeof *exact };
    uint16_t *rounded = take(COUNT, 2);
    ck_convert(exact, CK_FLOAT32, rounded, CK_BFLOAT16, COUNT);
    for (long i = 0; i < COUNT; i++)
        expect_that("ck_convert", at(rounded, CK_BFLOAT16, i) == wanted[i], "it rounds otherwise");
    free_all();
}

// Some columns of rows; the others stay as they are.
static void check_round_rows(long rows, long width) {
    SHAPE("rows %ld, width %ld", rows, width);
    const long stride = width + 3;
    float *x = floats(rows * stride);
    double *wanted = doubles(rows * stride);
    for (long i = 0; i < rows * stride; i++) {
        x[i] *= 1 + 1.0f / 512;
        uint16_t rounded[1];
        ck_convert(x + i, CK_FLOAT32, rounded, CK_BFLOAT16, 1);
        wanted[i] = i % stride < width ? at(rounded, CK_BFLOAT16, 0) : x[i];
    }
    ck_round_rows(x, rows, width, stride);
    expect("ck_round_rows", x, CK_FLOAT32, wanted, rows * stride, 0);
    free_all();
}

static void mix(uint32_t *x) {
    *x = (*x ^ *x >> 16) * 0x7FEB352Du;
    *x = (*x ^ *x >> 15) * 0x846CA68Bu;
    *x ^= *x >> 16;
}

static void check_dropout(long rows, long columns, int type, int adds) {
    SHAPE("rows %ld, columns %ld, type %d, adds %d", rows, columns, type, adds);
    const void *x = numbers(type, rows * columns);
    void *y = numbers(type, rows * columns);
    uint64_t keys[8];
    const uint32_t threshold = 0x40000000;
    double *wanted = doubles(rows * columns);
    for (long row = 0; row < rows; row++) {
        keys[row] = (uint64_t)random_below(1u << 31) << 32 | random_below(1u << 31);
        for (long j = 0; j < columns; j++) {
            uint32_t random = (uint32_t)j * 0x9E3779B9u + (uint32_t)keys[row];
            mix(&random);
            random ^= (uint32_t)(keys[row] >> 32);
            mix(&random);
            const long i = row * columns + j;
            wanted[i] = (adds ? at(y, type, i) : 0) + (random >= threshold ? 2 * at(x, type, i) : 0);
        }
    }
    ck_dropout(x, type, keys, rows, columns, threshold, 2, adds, y);
    expect("ck_dropout", y, type, wanted, rows * columns, 0);
    free_all();
}

static void check_hash(long count) {
    SHAPE("bytes %ld", count);
    unsigned char *x = take(count, 1);
    for (long i = 0; i < count; i++) x[i] = (unsigned char)random_below(256);
    uint64_t first = 0, same = 0, other = 0;
    int status = ck_hash(x, count, &first) | ck_hash(x, count, &same);
    if (count) x[count - 1] ^= 1;
    status |= ck_hash(x, count, &other);
    expect_that("ck_hash", status == 0 && first == same, "the same bytes, another hash");
    expect_that("ck_hash", count == 0 || first != other, "other bytes, the same hash");
    results = (results ^ first) * 0x100000001B3u;
    free_all();
}

// Rows.

static void check_rows(long n, long d, int type) {
    enum { TABLE = 11, PLACES = 9 };
    SHAPE("n %ld, d %ld, type %d", n, d, type);
    const void *table = numbers(type, TABLE * d), *places = numbers(type, PLACES * d);
    const int32_t *rows = indices(n, TABLE), *positions = indices(n, PLACES);
    double *wanted = doubles(n * d);
    for (int to = CK_FLOAT32; to <= CK_BFLOAT16; to++) {
        void *out = numbers(to, n * d);
        for (long i = 0; i < n * d; i++) wanted[i] = at(table, type, rows[i / d] * d + i % d);
        ck_gather_rows(table, type, rows, n, d, out, to);
        expect("ck_gather_rows", out, to, wanted, n * d, 0);
    }
    float *x = floats(n * d);
    for (long i = 0; i < n * d; i++)
        wanted[i] = at(table, type, rows[i / d] * d + i % d) + at(places, type, positions[i / d] * d + i % d);
    ck_embedding_forward(rows, positions, table, places, type, n, d, x);
    expect("ck_embedding_forward", x, CK_FLOAT32, wanted, n * d, 0);

    float *tokens = floats(TABLE * d), *gradients = floats(PLACES * d),
          *only_tokens = copy(tokens, CK_FLOAT32, TABLE * d);
    double *wanted_tokens = doubles(TABLE * d), *wanted_places = doubles(PLACES * d);
    for (long i = 0; i < TABLE * d; i++) wanted_tokens[i] = tokens[i];
    for (long i = 0; i < PLACES * d; i++) wanted_places[i] = gradients[i];
    for (long i = 0; i < n * d; i++) {
        wanted_tokens[rows[i / d] * d + i % d] += x[i];
        wanted_places[positions[i / d] * d + i % d] += x[i];
    }
    ck_embedding_backward(x, rows, positions, n, d, tokens, gradients);
    expect("ck_embedding_backward", tokens, CK_FLOAT32, wanted_tokens, TABLE * d, 0);
    expect("ck_embedding_backward", gradients, CK_FLOAT32, wanted_places, PLACES * d, 0);
    ck_embedding_backward(x, rows, positions, n, d, only_tokens, NULL);
    expect("ck_embedding_backward", only_tokens, CK_FLOAT32, wanted_tokens, TABLE * d, 0);

    // Rows of a scatter are different ones.
    int32_t *different = take(n, 4);
    for (long r = 0; r < n; r++) different[r] = (int32_t)(n - 1 - r);
    float *out = floats(n * d);
    for (long i = 0; i < n * d; i++) wanted[i] = out[i] + (double)x[(n - 1 - i / d) * d + i % d];
    ck_scatter_add_rows(x, different, n, d, out);
    expect("ck_scatter_add_rows", out, CK_FLOAT32, wanted, n * d, 0);
    free_all();
}

// Bias and activations.

static double gelu(double x) { return x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }

static double gelu_slope(double x) {
    const double t = tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
    return (1 + t) / 2 + x / 2 * (1 - t * t) * sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
}

static void check_bias(long n, long d) {
    SHAPE("n %ld, d %ld", n, d);
    const float *bias = floats(d), *residual = floats(n * d);
    float *x = floats(n * d), *y = floats(n * d);
    double *wanted = doubles(n * d), *sums = doubles(d);
    for (int with_bias = 0; with_bias < 2; with_bias++) {
        for (long i = 0; i < n * d; i++) wanted[i] = (double)x[i] + residual[i] + (with_bias ? bias[i % d] : 0);
        ck_add_residual(x, with_bias ? bias : NULL, residual, n, d, y);
        expect("ck_add_residual", y, CK_FLOAT32, wanted, n * d, 0);
    }
    for (long i = 0; i < n * d; i++) wanted[i] = (double)x[i] + bias[i % d];
    ck_add_bias(bias, n, d, x);
    expect("ck_add_bias", x, CK_FLOAT32, wanted, n * d, 0);
    float *gradient = floats(d);
    for (long i = 0; i < d; i++) sums[i] = gradient[i];
    for (long i = 0; i < n * d; i++) sums[i % d] += residual[i];
    ck_bias_backward(residual, n, d, gradient);
    expect("ck_bias_backward", gradient, CK_FLOAT32, sums, d, 0);

    for (int type = CK_FLOAT32; type <= CK_BFLOAT16; type++) {
        float *hidden = floats(n * d);
        void *out = numbers(type, n * d);
        double *before = doubles(n * d);
        for (long i = 0; i < n * d; i++) before[i] = (double)hidden[i] + bias[i % d], wanted[i] = gelu(before[i]);
        ck_gelu_forward(hidden, bias, n, d, out, type);
        expect("ck_gelu_forward", hidden, CK_FLOAT32, before, n * d, 0);
        expect("ck_gelu_forward", out, type, wanted, n * d, 2e-6);
    }
    for (int all = 0; all < 2; all++) {
        float *dy = floats(n * d), *bias_gradient = floats(d);
        uint16_t *half = numbers(CK_BFLOAT16, n * d);
        for (long i = 0; i < d; i++) sums[i] = bias_gradient[i];
        for (long i = 0; i < n * d; i++) sums[i % d] += wanted[i] = dy[i] * gelu_slope(x[i]);
        ck_gelu_backward(x, n, d, dy, all ? bias_gradient : NULL, all ? half : NULL);
        expect("ck_gelu_backward", dy, CK_FLOAT32, wanted, n * d, 2e-6);
        if (!all) continue;
        expect("ck_gelu_backward", half, CK_BFLOAT16, wanted, n * d, 2e-6);
        expect("ck_gelu_backward", bias_gradient, CK_FLOAT32, sums, d, 2e-5);
    }
    free_all();
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void check_swiglu(long count, int type) {
    SHAPE("count %ld, type %d", count, type);
    const float *gate = floats(count), *up = floats(count), *dy = floats(count);
    void *y = numbers(type, count), *dgate = numbers(type, count), *dup = numbers(type, count);
    double *wanted = doubles(count), *wanted_gate = doubles(count), *wanted_up = doubles(count);
    for (long i = 0; i < count; i++) {
        const double g = gate[i], s = sigmoid(g);
        wanted[i] = g * s * up[i];
        wanted_up[i] = dy[i] * g * s;
        wanted_gate[i] = dy[i] * up[i] * s * (1 + g * (1 - s));
    }
    ck_swiglu_forward(gate, up, count, y, type);
    ck_swiglu_backward(gate, up, dy, count, dgate, dup, type);
    expect("ck_swiglu_forward", y, type, wanted, count, 1e-6);
    expect("ck_swiglu_backward", dgate, type, wanted_gate, count, 1e-6);
    expect("ck_swiglu_backward", dup, type, wanted_up, count, 1e-6);
    free_all();
}

// Norms: layer norm where `centered`, RMS norm elsewhere.

static void check_norm(long n, long d, int type, int centered, int with_gains) {
    SHAPE("n %ld, d %ld, type %d, gains %d", n, d, type, with_gains);
    const float epsilon = 1e-3f, *x = floats(n * d), *gain = floats(d), *bias = floats(d), *dy = floats(n * d);
    float *mean = floats(n), *rstd = floats(n), *dx = floats(n * d), *dgain = floats(d), *dbias = floats(d);
    void *y = numbers(type, n * d);
    double *out = doubles(n * d), *means = doubles(n), *rstds = doubles(n), *gradient = doubles(n * d);
    double *gains = doubles(d), *biases = doubles(d);
    for (long i = 0; i < d; i++) gains[i] = dgain[i], biases[i] = dbias[i];
    for (long r = 0; r < n; r++) {
        double sum = 0, squares = 0, g_sum = 0, gx_sum = 0;
        for (long i = 0; centered && i < d; i++) sum += x[r * d + i];
        means[r] = sum / (double)d;
        for (long i = 0; i < d; i++) squares += pow(x[r * d + i] - means[r], 2);
        rstds[r] = 1 / sqrt(squares / (double)d + epsilon);
        for (long i = 0; i < d; i++) {
            const double hat = (x[r * d + i] - means[r]) * rstds[r], g = (double)dy[r * d + i] * gain[i];
            out[r * d + i] = hat * gain[i] + (centered ? bias[i] : 0);
            gains[i] += dy[r * d + i] * hat, biases[i] += dy[r * d + i];
            if (centered) g_sum += g;
            gx_sum += g * hat;
        }
        for (long i = 0; i < d; i++) {
            const double hat = (x[r * d + i] - means[r]) * rstds[r], g = (double)dy[r * d + i] * gain[i];
            gradient[r * d + i] = dx[r * d + i] + rstds[r] * (g - g_sum / (double)d - hat * gx_sum / (double)d);
        }
    }
    const char *forward = centered ? "ck_layer_norm_forward" : "ck_rms_norm_forward";
    const char *backward = centered ? "ck_layer_norm_backward" : "ck_rms_norm_backward";
    if (centered) {
        ck_layer_norm_forward(x, gain, bias, epsilon, n, d, y, type, mean, rstd);
        ck_layer_norm_backward(dy, x, gain, mean, rstd, n, d, dx, with_gains ? dgain : NULL, with_gains ? dbias : NULL);
        expect(forward, mean, CK_FLOAT32, means, n, 1e-6);
    } else {
        ck_rms_norm_forward(x, gain, epsilon, n, d, y, type, rstd);
        ck_rms_norm_backward(dy, x, gain, rstd, n, d, dx, with_gains ? dgain : NULL);
    }
    // Where all of a short row are alike, ε alone keeps 1/σ from infinity, and what is rounded grows by it.
    expect(forward, rstd, CK_FLOAT32, rstds, n, 1e-5);
    expect(forward, y, type, out, n * d, 1e-5);
    expect(backward, dx, CK_FLOAT32, gradient, n * d, 3e-4);
    if (with_gains) expect(backward, dgain, CK_FLOAT32, gains, d, 1e-4);
    if (with_gains && centered) expect(backward, dbias, CK_FLOAT32, biases, d, 0);
    free_all();
}

static void check_rotary(long n, long heads, long half) {
    SHAPE("n %ld, heads %ld, half %ld", n, heads, half);
    const int32_t *positions = indices(n, 5000);
    float *frequencies = floats(half), *cosines = floats(n * half), *sines = floats(n * half),
          *x = floats(n * heads * 2 * half);
    double *wanted = doubles(n * heads * 2 * half), *wanted_cosines = doubles(n * half),
           *wanted_sines = doubles(n * half);
    for (long i = 0; i < n * half; i++) {
        const float angle = (float)positions[i / half] * frequencies[i % half];
        wanted_cosines[i] = cos(angle), wanted_sines[i] = sin(angle);
    }
    ck_rotary_table(positions, frequencies, n, half, cosines, sines);
    expect("ck_rotary_table", cosines, CK_FLOAT32, wanted_cosines, n * half, 1e-6);
    expect("ck_rotary_table", sines, CK_FLOAT32, wanted_sines, n * half, 1e-6);
    for (int inverse = 0; inverse < 2; inverse++) {
        for (long i = 0; i < n * heads * half; i++) {
            const long row = i / half, pair = row * 2 * half + i % half, angle = row / heads * half + i % half;
            const double c = cosines[angle], s = inverse ? -sines[angle] : sines[angle];
            wanted[pair] = x[pair] * c - x[pair + half] * s;
            wanted[pair + half] = x[pair + half] * c + x[pair] * s;
        }
        ck_rotary(cosines, sines, n, heads, half, inverse, x);
        expect("ck_rotary", x, CK_FLOAT32, wanted, n * heads * 2 * half, 1e-6);
    }
    free_all();
}

// Attention. Queries, keys and values lie in one row of a token, as GPT-2 has them.

// The row of a sequence's token i: the first `shared` are those of the last sequence before that shares none.
static long token_row(const struct ck_sequences *sequences, long s, long i) {
    const long shared = sequences->shared[s];
    if (i >= shared) return sequences->offsets[s] + i - shared;
    while (sequences->shared[s] > 0) s--;
    return sequences->offsets[s] + i;
}

// The attention of one query, the last of the tokens whose rows are given, and its gradients where there are some.
struct attention {
    long d, count;
    const float *q, *keys[64], *values[64];
    double out[64], log_sum_exp;
    const float *dout;
    double *dq, *dkeys[64], *dvalues[64];
};

static void attend(struct attention *a) {
    double scores[64], sum = 0, delta = 0;
    memset(a->out, 0, sizeof a->out);
    for (long j = 0; j < a->count; j++) {
        scores[j] = 0;
        for (long c = 0; c < a->d; c++) scores[j] += (double)a->q[c] * a->keys[j][c];
        sum += exp(scores[j] /= sqrt((double)a->d));
    }
    a->log_sum_exp = log(sum);
    for (long j = 0; j < a->count; j++)
        for (long c = 0; c < a->d; c++) a->out[c] += exp(scores[j]) / sum * a->values[j][c];
    if (!a->dout) return;
    for (long c = 0; c < a->d; c++) delta += a->dout[c] * a->out[c];
    for (long j = 0; j < a->count; j++) {
        const double weight = exp(scores[j]) / sum;
        double dweight = 0;
        for (long c = 0; c < a->d; c++) {
            dweight += (double)a->dout[c] * a->values[j][c];
            a->dvalues[j][c] += weight * a->dout[c];
        }
        const double dscore = weight * (dweight - delta) / sqrt((double)a->d);
        for (long c = 0; c < a->d; c++) {
            a->dq[c] += dscore * a->keys[j][c];
            a->dkeys[j][c] += dscore * a->q[c];
        }
    }
}

static void check_attention(long heads, long kv_heads, long d, int type, int some) {
    SHAPE("heads %ld of %ld, d %ld, type %d, %s queries", heads, kv_heads, d, type, some ? "some" : "all");
    static const int32_t offsets[] = {0, 1, 36, 40, 57, 59}, shared[] = {0, 0, 33, 2, 0};
    enum { SEQUENCES = 5, ROWS = 59 };
    const struct ck_sequences sequences = {offsets, shared, SEQUENCES};
    int32_t asked[ROWS];
    struct ck_queries queries = {some ? asked : NULL, 0};
    for (int32_t row = 0; row < ROWS; row++)
        if (!some || row % 3 == 1) asked[queries.count++] = row;
    const long row = (heads + 2 * kv_heads) * d, k_first = heads * d, v_first = k_first + kv_heads * d,
               width = heads * d;
    float *x = floats(ROWS * row), *dx = floats(ROWS * row), *dout = floats(queries.count * width);
    float *log_sum_exp = floats(heads * queries.count);
    void *out = numbers(type, queries.count * width);
    double *wanted = doubles(queries.count * width), *wanted_sums = doubles(heads * queries.count),
           *gradients = doubles(ROWS * row);
    for (long s = 0; s < SEQUENCES; s++)
        for (long query = 0; query < queries.count; query++) {
            if (asked[query] < offsets[s] || asked[query] >= offsets[s + 1]) continue;
            for (long head = 0; head < heads; head++) {
                const long kv = head / (heads / kv_heads) * d, token = asked[query];
                struct attention a = {.d = d,
                                      .count = token - offsets[s] + shared[s] + 1,
                                      .q = x + token * row + head * d,
                                      .dout = dout + query * width + head * d,
                                      .dq = gradients + token * row + head * d};
                for (long j = 0; j < a.count; j++) {
                    const long at_row = token_row(&sequences, s, j) * row;
                    a.keys[j] = x + at_row + k_first + kv, a.values[j] = x + at_row + v_first + kv;
                    a.dkeys[j] = gradients + at_row + k_first + kv, a.dvalues[j] = gradients + at_row + v_first + kv;
                }
                attend(&a);
                wanted_sums[head * queries.count + query] = a.log_sum_exp;
                memcpy(wanted + query * width + head * d, a.out, (size_t)d * sizeof(double));
            }
        }
    const struct ck_heads layout = {x, x + k_first, x + v_first, row, row, heads, kv_heads, d};
    const struct ck_heads gradient = {dx, dx + k_first, dx + v_first, row, row, heads, kv_heads, d};
    ck_attention_forward(&layout, &sequences, &queries, out, type, log_sum_exp);
    expect("ck_attention_forward", out, type, wanted, queries.count * width, 3e-6);
    expect("ck_attention_forward", log_sum_exp, CK_FLOAT32, wanted_sums, heads * queries.count, 3e-6);
    ck_attention_backward(&layout, &sequences, &queries, out, type, log_sum_exp, dout, &gradient);
    expect("ck_attention_backward", dx, CK_FLOAT32, gradients, ROWS * row, type == CK_FLOAT32 ? 1e-5 : 2e-2);
    free_all();
}

static void check_decode(long heads, long kv_heads, long d, int cache_type, int type) {
    enum { BATCH = 3, CACHED = 40 };
    SHAPE("heads %ld of %ld, d %ld, types %d, %d", heads, kv_heads, d, cache_type, type);
    // A sequence without a row, one that shares a prefix with the next one, and that.
    const struct ck_cached sequences[BATCH] = {{0, 0, 39, 0}, {5, 4, 11, 20}, {5, 4, 30, 7}};
    const long row = (heads + 2 * kv_heads) * d, k_first = heads * d, v_first = k_first + kv_heads * d,
               width = kv_heads * d;
    float *x = floats(BATCH * row), *keys = floats(CACHED * width), *values = floats(CACHED * width);
    void *kept_keys = numbers(cache_type, CACHED * width), *kept_values = numbers(cache_type, CACHED * width);
    void *out = numbers(type, BATCH * heads * d);
    double *wanted = doubles(BATCH * heads * d), *wanted_keys = doubles(CACHED * width);
    for (long i = 0; i < CACHED * width; i++) {
        put(kept_keys, cache_type, i, keys[i]);
        put(kept_values, cache_type, i, values[i]);
        wanted_keys[i] = keys[i];
    }
    for (long b = 0; b < BATCH; b++) {
        const struct ck_cached s = sequences[b];
        const long last = (s.tail + s.length - s.prefix_length) * width;
        for (long i = 0; i < width; i++) wanted_keys[last + i] = x[b * row + k_first + i];
        for (long head = 0; head < heads; head++) {
            const long kv = head / (heads / kv_heads) * d;
            struct attention a = {.d = d, .count = s.length + 1, .q = x + b * row + head * d};
            for (long j = 0; j < a.count; j++) {
                const long at = (j < s.prefix_length ? s.prefix + j : s.tail + j - s.prefix_length) * width + kv;
                const int new = j == s.length;
                // clang-format off
                a.keys[j] = new ? x + b * row + k_first + kv : keys + at;
                a.values[j] = new ? x + b * row + v_first + kv : values + at;
                // clang-format on
            }
            attend(&a);
            memcpy(wanted + (b * heads + head) * d, a.out, (size_t)d * sizeof(double));
        }
    }
    const struct ck_heads layout = {x, x + k_first, x + v_first, row, row, heads, kv_heads, d};
    ck_attention_decode(&layout, kept_keys, kept_values, cache_type, sequences, BATCH, out, type);
    expect("ck_attention_decode", out, type, wanted, BATCH * heads * d, 3e-6);
    expect("ck_attention_decode", kept_keys, cache_type, wanted_keys, CACHED * width, 0);
    free_all();
}

// Distributions over tokens.

static void check_log_probabilities(long n, long v, int type) {
    SHAPE("n %ld, v %ld, type %d", n, v, type);
    const float temperature = 0.5f, *dlogp = floats(n);
    float *logits = floats(n * v), *log_probability = floats(n), *entropy = floats(n), *normalizer = floats(n);
    const int32_t *targets = indices(n, (uint32_t)v);
    if (v > 2) logits[(targets[0] + 1) % v] = -INFINITY;
    void *dlogits = numbers(type, n * v);
    double *p = doubles(n), *h = doubles(n), *z = doubles(n), *gradient = doubles(n * v);
    for (long r = 0; r < n; r++) {
        double sum = 0;
        for (long i = 0; i < v; i++) sum += exp((double)logits[r * v + i] / temperature);
        z[r] = log(sum);
        p[r] = (double)logits[r * v + targets[r]] / temperature - z[r];
        for (long i = 0; i < v; i++) {
            const double log_p = (double)logits[r * v + i] / temperature - z[r], weight = exp(log_p);
            if (weight > 0) h[r] -= weight * log_p;
            gradient[r * v + i] = dlogp[r] * ((i == targets[r]) - weight) / temperature;
        }
    }
    ck_log_probabilities_forward(logits, targets, temperature, n, v, log_probability, entropy, normalizer);
    expect("ck_log_probabilities_forward", log_probability, CK_FLOAT32, p, n, 3e-6);
    expect("ck_log_probabilities_forward", entropy, CK_FLOAT32, h, n, 3e-6);
    expect("ck_log_probabilities_forward", normalizer, CK_FLOAT32, z, n, 3e-6);
    ck_log_probabilities_backward(logits, targets, temperature, normalizer, dlogp, n, v, dlogits, type);
    expect("ck_log_probabilities_backward", dlogits, type, gradient, n * v, 3e-6);
    free_all();
}

static void check_draw(long n, long v) {
    SHAPE("n %ld, v %ld", n, v);
    const float *logits = floats(n * v);
    double uniforms[16];
    int32_t tokens[16];
    float log_probabilities[16];
    for (long r = 0; r < n; r++) uniforms[r] = random_below(1u << 31) / 2147483648.0;
    ck_draw(logits, 0.5f, uniforms, n, v, tokens, log_probabilities);
    for (long r = 0; r < n; r++) {
        double total = 0, below = 0;
        for (long i = 0; i < v; i++) total += exp(2.0 * logits[r * v + i]);
        for (long i = 0; i < tokens[r]; i++) below += exp(2.0 * logits[r * v + i]) / total;
        const double probability = exp(2.0 * logits[r * v + tokens[r]]) / total, log_probability = log(probability);
        expect_that("ck_draw", below - 1e-5 <= uniforms[r] && uniforms[r] <= below + probability + 1e-5,
                    "the number lies in another token's part");
        expect("ck_draw", &log_probabilities[r], CK_FLOAT32, &log_probability, 1, 1e-5);
    }
    ck_draw(logits, 0, NULL, n, v, tokens, log_probabilities);
    for (long r = 0; r < n; r++) {
        int largest = 1;
        for (long i = 0; i < v; i++) largest &= logits[r * v + i] <= logits[r * v + tokens[r]];
        expect_that("ck_draw", largest, "at temperature 0 not the most probable token");
    }
    free_all();
}

static void check_adamw(long count) {
    SHAPE("count %ld", count);
    const double rate = 0.125, beta1 = 0.5, beta2 = 0.75, epsilon = 0.0625, decay = 0.25, scale = 0.5, c1 = 0.5,
                 c2 = 0.25;
    float *parameters = floats(count), *gradients = floats(count), *first = floats(count), *second = floats(count);
    double *theta = doubles(count), *m = doubles(count), *v = doubles(count);
    for (long i = 0; i < count; i++) {
        second[i] = fabsf(second[i]);
        const double g = gradients[i] * scale;
        m[i] = beta1 * first[i] + (1 - beta1) * g;
        v[i] = beta2 * second[i] + (1 - beta2) * g * g;
        theta[i] = parameters[i] - rate * (m[i] / c1 / (sqrt(v[i] / c2) + epsilon) + decay * parameters[i]);
    }
    ck_adamw(parameters, gradients, first, second, count, (float)rate, (float)beta1, (float)beta2, (float)epsilon,
             (float)decay, (float)scale, (float)c1, (float)c2);
    expect("ck_adamw", parameters, CK_FLOAT32, theta, count, 2e-6);
    expect("ck_adamw", first, CK_FLOAT32, m, count, 1e-6);
    expect("ck_adamw", second, CK_FLOAT32, v, count, 1e-6);
    free_all();
}

// Memory.

static void check_memory(void) {
    enum { BYTES = 5 << 16 };
    SHAPE("%d bytes", BYTES);
    unsigned char *block = malloc(BYTES);
    if (!block) abort();
    memset(block, 1, BYTES);
    ck_use_small_pages(block, BYTES);
    ck_give_back(block + 1, BYTES - 2);
    long zeros = 0;
    for (long i = 0; i < BYTES; i++) zeros += block[i] == 0;
    expect_that("ck_give_back", block[0] == 1 && block[BYTES - 1] == 1, "what lies beside whole pages changed");
    expect_that("ck_give_back", zeros >= 3 << 16, "whole pages hold what they held");
    ck_give_back(block, 1);
    free(block);
    ck_release_memory();
}

static void check_all(void) {
    state = 1, results = 0;
    check_products();
    static const long counts[] = {1, 15, 16, 33, 16384, 50001};
    for (int i = 0; i < 6; i++) check_elementwise(counts[i]);
    check_rounding();
    static const long bytes[] = {0, 1, 31, 65, (1 << 18) + 3};
    for (int i = 0; i < 5; i++) check_hash(bytes[i]);
    for (int i = 0; i < COUNT_OF_TYPES; i++)
        for (long d = 1; d < 100; d += 33) check_rows(1 + d / 2, d, types[i]);
    static const long rows[][2] = {{1, 1}, {3, 17}, {65, 16}, {130, 67}, {2, 4100}};
    for (int i = 0; i < 5; i++) {
        const long n = rows[i][0], d = rows[i][1];
        check_bias(n, d);
        for (int type = CK_FLOAT32; type <= CK_BFLOAT16; type++) {
            check_swiglu(n * d, type);
            for (int way = 0; way < 4; way++) check_norm(n, d, type, way & 1, way >> 1);
            if (n < 8) check_dropout(n, d, type, i & 1);
            check_log_probabilities(n, d, type);
        }
        check_round_rows(n, d);
        check_adamw(n * d);
        check_rotary(n, 1 + i % 3, d < 100 ? d : 50);
        check_draw(n < 16 ? n : 16, d);
    }
    for (int type = CK_FLOAT32; type <= CK_BFLOAT16; type++) {
        static const long heads[][3] = {{1, 1, 1}, {6, 2, 17}, {4, 1, 32}, {3, 3, 50}, {18, 18, 8}};
        for (int i = 0; i < 5; i++) {
            check_attention(heads[i][0], heads[i][1], heads[i][2], type, 0);
            check_attention(heads[i][0], heads[i][1], heads[i][2], type, 1);
            check_decode(heads[i][0], heads[i][1], heads[i][2], CK_FLOAT32, type);
            check_decode(heads[i][0], heads[i][1], heads[i][2], CK_BFLOAT16, type);
        }
    }
    check_memory();
}

int main(void) {
    ck_set_threads(1);
    check_all();
    const uint64_t alone = results;
    ck_set_threads(3);
    check_all();
    SHAPE("all");
    expect_that("threads", results == alone, "three threads give other bits than one");
    printf("kernels: %d checked, %d wrong\n", checked, wrong);
    return wrong > 0;
}

#include <immintrin.h>

#include "parallel.h"
#include "times.h"
#include "transpose.h"

// c [m, n] = a [m, k]·b [k, n] for few rows, as decoding makes them: b is packed once into panels that the product reads
// from end to end, where a library packs it anew in every call (at 16 rows that takes longer than the product).
//
// Every element is one chain of sums over k in ascending order, so a row's result has the same bits whatever other rows
// are in the batch, and whatever the number of threads.
//
// A panel holds 64 columns. float32: k rows of 64 floats. bfloat16: ⌈k/2⌉ rows of 64 pairs (b[2i, j], b[2i+1, j]).

enum { PANEL = 64, ROWS = 6, VECTORS = PANEL / CK_LANES };

long ck_packed_bytes(long n, long k, int type) {
    long panels = (n + PANEL - 1) / PANEL;
    return panels * PANEL * (type == CK_FLOAT32 ? k * 4 : (k + 1) / 2 * 4);
}

struct packing {
    const void *b;
    long n, k;
    int type;
    void *packed;
};

// Rows of b lie side by side in a panel's rows: 16 columns at a time. Columns beyond the matrix are 0.
CK_CLONES static void pack_rows(void *context, long begin, long end) {
    const struct packing *p = context;
    const long pair = p->type == CK_FLOAT32 ? 1 : 2, depth = (p->k + pair - 1) / pair;
    for (long panel = begin; panel < end; panel++) {
        for (long i = 0; i < depth; i++) {
            for (long j = 0; j < PANEL; j += CK_LANES) {
                const long column = panel * PANEL + j, left = p->n > column ? p->n - column : 0;
                const long at = i * pair * p->n + column, to = (panel * depth + i) * PANEL + j;
                v16 x, y = {0};
                ck_load_any(&x, p->b, p->type, left ? at : 0, left);
                if (pair == 2) {
                    if (2 * i + 1 < p->k) ck_load_any(&y, p->b, p->type, left ? at + p->n : 0, left);
                    x = (v16)((v16u)x >> 16 | (v16u)y);
                }
                ck_store(&x, (float *)p->packed + to, CK_LANES);
            }
        }
    }
}

// b transposed: a panel's columns are rows of b. Sixteen of them are read side by side and their words transposed.
CK_CLONES static void pack_columns(void *context, long begin, long end) {
    const struct packing *p = context;
    const long size = p->type == CK_FLOAT32 ? 4 : 2, bytes = p->k * size, depth = (bytes + 3) / 4;
    for (long panel = begin; panel < end; panel++) {
        for (long j = 0; j < PANEL; j += CK_LANES) {
            for (long start = 0; start < depth; start += CK_LANES) {
                const long left = bytes - 4 * start < (long)sizeof(v16u) ? bytes - 4 * start : (long)sizeof(v16u);
                v16u x[CK_LANES] = {{0}};
                for (long i = 0; i < CK_LANES && panel * PANEL + j + i < p->n; i++) {
                    const char *row = (const char *)p->b + (panel * PANEL + j + i) * bytes + 4 * start;
                    if (left == sizeof(v16u))
                        x[i] = *(const v16u *)row;
                    else
                        memcpy(&x[i], row, (size_t)left);
                }
                ck_transpose(x);
                for (long i = 0; i < CK_LANES && start + i < depth; i++)
                    *(v16u *)((uint32_t *)p->packed + (panel * depth + start + i) * PANEL + j) = x[i];
            }
        }
    }
}

void ck_pack(const void *b, int type, int transposed, long n, long k, void *packed) {
    CK_TIMED(CK_PRODUCTS);
    ck_count_copy(ck_packed_bytes(n, k, type));
    struct packing p = {b, n, k, type, packed};
    ck_parallel((n + PANEL - 1) / PANEL, 1, transposed ? pack_columns : pack_rows, &p);
}

struct arguments {
    const void *a;
    const void *packed;
    float *c;
    long m, n, k;
};

// Writes `rows` × `vectors` sums, of which the panel's first `columns` exist.
CK_INLINE void write_sums(v16 sums[][VECTORS], long rows, long vectors, float *c, long c_row, long columns) {
    for (long r = 0; r < rows; r++)
        for (long v = 0; v < vectors; v++)
            if (columns > v * CK_LANES) ck_store(&sums[r][v], c + r * c_row + v * CK_LANES, columns - v * CK_LANES);
}

// `rows` rows by `vectors`·16 columns: as many sums as the registers hold.
CK_INLINE void tile_float32(long rows, long vectors, const float *a, long k, const float *b, float *c, long c_row,
                            long columns) {
    v16 sums[ROWS][VECTORS] = {{{0}}};
    for (long i = 0; i < k; i++) {
        v16 x[VECTORS];
#pragma clang loop unroll(full)
        for (long v = 0; v < vectors; v++) x[v] = *(const v16 *)(b + i * PANEL + v * CK_LANES);
#pragma clang loop unroll(full)
        for (long r = 0; r < rows; r++)
#pragma clang loop unroll(full)
            for (long v = 0; v < vectors; v++) sums[r][v] += a[r * k + i] * x[v];
    }
    write_sums(sums, rows, vectors, c, c_row, columns);
}

// bf16 without instructions for it: both numbers of a pair become float32.
CK_INLINE void tile_bfloat16(long rows, long vectors, const uint16_t *a, long k, const uint32_t *b, float *c, long c_row,
                             long columns) {
    v16 sums[ROWS][VECTORS] = {{{0}}};
    for (long i = 0; i < k; i++) {
        v16 x[VECTORS];
#pragma clang loop unroll(full)
        for (long v = 0; v < vectors; v++) {
            v16u pairs = *(const v16u *)(b + i / 2 * PANEL + v * CK_LANES);
            x[v] = (v16)(i % 2 ? pairs & 0xFFFF0000 : pairs << 16);
        }
#pragma clang loop unroll(full)
        for (long r = 0; r < rows; r++) {
            union { uint32_t bits; float number; } y = {(uint32_t)a[r * k + i] << 16};
#pragma clang loop unroll(full)
            for (long v = 0; v < vectors; v++) sums[r][v] += y.number * x[v];
        }
    }
    write_sums(sums, rows, vectors, c, c_row, columns);
}

// bf16 with AVX512-BF16: an instruction multiplies sixteen pairs and adds both products.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"), always_inline)) static inline void tile_avx512_bf16(
    long rows, const uint16_t *a, long k, const uint32_t *b, float *c, long c_row, long columns) {
    __m512 sums[ROWS][VECTORS];
#pragma clang loop unroll(full)
    for (long r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (long v = 0; v < VECTORS; v++) sums[r][v] = _mm512_setzero_ps();
    for (long i = 0; i < (k + 1) / 2; i++) {
        __m512i x[VECTORS];
#pragma clang loop unroll(full)
        for (long v = 0; v < VECTORS; v++) x[v] = _mm512_load_si512(b + i * PANEL + v * CK_LANES);
#pragma clang loop unroll(full)
        for (long r = 0; r < rows; r++) {
            uint32_t pair = a[r * k + 2 * i];
            if (2 * i + 1 < k) memcpy(&pair, a + r * k + 2 * i, sizeof pair);
            const __m512bh y = (__m512bh)_mm512_set1_epi32((int)pair);
#pragma clang loop unroll(full)
            for (long v = 0; v < VECTORS; v++) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], y, (__m512bh)x[v]);
        }
    }
#pragma clang loop unroll(full)
    for (long r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (long v = 0; v < VECTORS; v++) {
            long left = columns - v * CK_LANES;
            if (left > 0)
                _mm512_mask_storeu_ps(c + r * c_row + v * CK_LANES, left >= CK_LANES ? 0xFFFF : (1u << left) - 1,
                                      sums[r][v]);
        }
}

// Runs TILE for the blocks [begin, end) of at most six rows, those of a panel after one another.
#define BLOCKS(TILE, A, B, DEPTH)                                                                  \
    const struct arguments *p = context;                                                           \
    const long blocks = (p->m + ROWS - 1) / ROWS;                                                  \
    for (long block = begin; block < end; block++) {                                               \
        const long panel = block / blocks, row = block % blocks * ROWS;                            \
        const B *b = (const B *)p->packed + panel * (DEPTH) * PANEL;                               \
        const A *a = (const A *)p->a + row * p->k;                                                 \
        float *c = p->c + row * p->n + panel * PANEL;                                              \
        const long columns = p->n - panel * PANEL;                                                 \
        switch (p->m - row) {                                                                      \
        case 1: TILE(1, a, p->k, b, c, p->n, columns); break;                                      \
        case 2: TILE(2, a, p->k, b, c, p->n, columns); break;                                      \
        case 3: TILE(3, a, p->k, b, c, p->n, columns); break;                                      \
        case 4: TILE(4, a, p->k, b, c, p->n, columns); break;                                      \
        case 5: TILE(5, a, p->k, b, c, p->n, columns); break;                                      \
        default: TILE(6, a, p->k, b, c, p->n, columns); break;                                     \
        }                                                                                          \
    }

// Sixteen registers hold six sums of sixteen floats (AVX2), thirty-two hold 24 (AVX-512): narrow tiles go over the panel in
// strips of sixteen columns.
#define WIDE_FLOAT32(rows, a, k, b, c, c_row, columns) tile_float32(rows, VECTORS, a, k, b, c, c_row, columns)
#define NARROW(TILE, rows, a, k, b, c, c_row, columns)                                             \
    for (long v = 0; v < VECTORS; v++)                                                             \
    TILE(rows, 1, a, k, b + v * CK_LANES, c + v * CK_LANES, c_row, columns - v * CK_LANES)
#define NARROW_FLOAT32(rows, a, k, b, c, c_row, columns) NARROW(tile_float32, rows, a, k, b, c, c_row, columns)
#define NARROW_BFLOAT16(rows, a, k, b, c, c_row, columns) NARROW(tile_bfloat16, rows, a, k, b, c, c_row, columns)

// Not `arch=x86-64-v4`, with which the compiler prefers registers of half the width.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma"))) static void wide_float32(void *context, long begin, long end) {
    BLOCKS(WIDE_FLOAT32, float, float, p->k)
}

CK_CLONES static void narrow_float32(void *context, long begin, long end) {
    BLOCKS(NARROW_FLOAT32, float, float, p->k)
}

__attribute__((target("arch=x86-64-v4,avx512bf16"))) static void wide_bfloat16(void *context, long begin, long end) {
    BLOCKS(tile_avx512_bf16, uint16_t, uint32_t, (p->k + 1) / 2)
}

CK_CLONES static void narrow_bfloat16(void *context, long begin, long end) {
    BLOCKS(NARROW_BFLOAT16, uint16_t, uint32_t, (p->k + 1) / 2)
}

void ck_product_packed(long m, long n, long k, const void *a, int type, const void *packed, float *c) {
    CK_TIMED(CK_PRODUCTS);
    struct arguments p = {a, packed, c, m, n, k};
    void (*tiles)(void *, long, long);
    if (type == CK_FLOAT32)
        tiles = __builtin_cpu_supports("avx512f") ? wide_float32 : narrow_float32;
    else
        tiles = __builtin_cpu_supports("avx512bf16") ? wide_bfloat16 : narrow_bfloat16;
    ck_parallel((n + PANEL - 1) / PANEL * ((m + ROWS - 1) / ROWS), 1, tiles, &p);
}

#include "parallel.h"
#include "scratch.h"
#include "times.h"
#include "vector.h"

// Elements a thread takes at least: below this a second thread costs more than it brings.
enum { GRAIN = CK_SQUARES_CHUNK };

struct arguments {
    const void *x;
    void *y;
    float scalar;
    int x_type, y_type;
    double *sums;
    long *counts;
    long count;
};

CK_LOOP(fill) {
    const struct arguments *a = context;
    v16 value = (v16){0} + a->scalar;
    for (long i = begin; i < end; i += CK_LANES) ck_store_any(&value, a->y, a->y_type, i, end - i);
}

void ck_fill(float *x, float value, long count) {
    struct arguments a = {.y = x, .y_type = CK_FLOAT32, .scalar = value};
    ck_parallel(count, GRAIN, fill, &a);
}

void ck_fill_bfloat16(uint16_t *x, float value, long count) {
    struct arguments a = {.y = x, .y_type = CK_BFLOAT16, .scalar = value};
    ck_parallel(count, GRAIN, fill, &a);
}

CK_LOOP(add_scaled) {
    const struct arguments *a = context;
    const float *x = a->x;
    float *y = a->y, scale = a->scalar;
    for (long i = begin; i < end; i++) y[i] += scale * x[i];
}

void ck_add_scaled(const float *x, float scale, float *y, long count) {
    struct arguments a = {.x = x, .y = y, .scalar = scale};
    ck_parallel(count, GRAIN, add_scaled, &a);
}

CK_LOOP(scale) {
    const struct arguments *a = context;
    float *y = a->y, factor = a->scalar;
    for (long i = begin; i < end; i++) y[i] *= factor;
}

void ck_scale(float *x, float factor, long count) {
    struct arguments a = {.y = x, .scalar = factor};
    ck_parallel(count, GRAIN, scale, &a);
}

CK_LOOP(exclusive_or) {
    const struct arguments *a = context;
    const uint32_t *x = a->x;
    uint32_t *y = a->y;
    for (long i = begin; i < end; i++) y[i] ^= x[i];
}

void ck_exclusive_or(const void *x, void *y, long count) {
    struct arguments a = {.x = x, .y = y};
    ck_parallel(count, GRAIN, exclusive_or, &a);
}

CK_LOOP(exclusive_or_bfloat16) {
    const struct arguments *a = context;
    const uint32_t *x = a->x;
    uint16_t *y = a->y;
    for (long i = begin; i < end; i++) y[i] ^= (uint16_t)(x[i] >> 16);
}

void ck_exclusive_or_bfloat16(const void *x, uint16_t *y, long count) {
    struct arguments a = {.x = x, .y = y};
    ck_parallel(count, GRAIN, exclusive_or_bfloat16, &a);
}

CK_LOOP(convert) {
    const struct arguments *a = context;
    for (long i = begin; i < end; i += CK_LANES) {
        v16 x;
        ck_load_any(&x, a->x, a->x_type, i, end - i);
        ck_store_any(&x, a->y, a->y_type, i, end - i);
    }
}

static void copy(void *context, long begin, long end) {
    const struct arguments *a = context;
    long size = ck_size(a->x_type);
    memcpy((char *)a->y + begin * size, (const char *)a->x + begin * size, (size_t)((end - begin) * size));
}

void ck_convert(const void *x, int x_type, void *y, int y_type, long count) {
    ck_count_copy(count * ck_size(y_type));
    struct arguments a = {.x = x, .y = y, .x_type = x_type, .y_type = y_type};
    ck_parallel(count, GRAIN, x_type == y_type ? copy : convert, &a);
}

// Sums run over chunks of a fixed size, added in order: the same bits for any number of threads.

typedef double v8d __attribute__((vector_size(64)));
typedef float v8f __attribute__((vector_size(32), aligned(4), may_alias));

CK_TASK(sum_chunk) {
    const struct arguments *a = context;
    const float *x = (const float *)a->x + task * GRAIN;
    long count = a->count - task * GRAIN < GRAIN ? a->count - task * GRAIN : GRAIN, i = 0;
    v8d low = {0}, high = {0};
    for (; i + 16 <= count; i += 16) {
        v8d p = __builtin_convertvector(*(const v8f *)(x + i), v8d);
        v8d q = __builtin_convertvector(*(const v8f *)(x + i + 8), v8d);
        low += p * p;
        high += q * q;
    }
    low += high;
    double sum = 0;
    for (int j = 0; j < 8; j++) sum += low[j];
    for (; i < count; i++) sum += (double)x[i] * x[i];
    a->sums[task] = sum;
}

void ck_chunk_sums_of_squares(const float *x, long count, double *sums) {
    CK_TIMED(CK_OPTIMIZER);
    struct arguments a = {.x = x, .count = count, .sums = sums};
    ck_parallel_tasks(ck_threads(), (count + GRAIN - 1) / GRAIN, sum_chunk, &a);
}

CK_TASK(count_chunk) {
    const struct arguments *a = context;
    long begin = task * GRAIN, end = begin + GRAIN < a->count ? begin + GRAIN : a->count;
    int found = 0;
    if (a->x_type == CK_FLOAT32) {
        const uint32_t *x = a->x;
        for (long i = begin; i < end; i++) found += (x[i] & 0x7F800000) == 0x7F800000;
    } else {
        const uint16_t *x = a->x, exponent = a->x_type == CK_BFLOAT16 ? 0x7F80 : 0x7C00;
        for (long i = begin; i < end; i++) found += (x[i] & exponent) == exponent;
    }
    a->counts[task] = found;
}

long ck_non_finite_count(const void *x, int type, long count) {
    long chunks = (count + GRAIN - 1) / GRAIN;
    long *counts = ck_scratch(chunks * (long)sizeof(long));
    struct arguments a = {.x = x, .x_type = type, .count = count, .counts = counts};
    ck_parallel_tasks(ck_threads(), chunks, count_chunk, &a);
    long sum = 0;
    for (long i = 0; i < chunks; i++) sum += counts[i];
    return sum;
}

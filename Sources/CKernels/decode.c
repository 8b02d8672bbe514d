#include <math.h>
#include <stdlib.h>

#include "parallel.h"
#include "vector.h"

// Attention of one new token a sequence over its cache: bound by reading the cache once. A task takes many heads of
// one sequence together, so that it reads the cache in long runs.

enum { HEADS = 16 };

struct arguments {
    const float *qkv;
    float *keys, *values;
    const int32_t *slots, *lengths;
    long capacity, heads, d, width, groups;
    void *out;
    int type;
    float *scratch;
    long scratch_size;
};

CK_CLONES static void decode(void *context, long task, int thread) {
    const struct arguments *a = context;
    long sequence = task / a->groups, first = task % a->groups * HEADS, d = a->d, width = a->width;
    long heads = a->heads - first < HEADS ? a->heads - first : HEADS, length = a->lengths[sequence] + 1;
    const float *q = a->qkv + sequence * 3 * width + first * d;
    float *keys = a->keys + a->slots[sequence] * a->capacity * width + first * d;
    float *values = a->values + a->slots[sequence] * a->capacity * width + first * d;
    memcpy(keys + (length - 1) * width, q + width, (size_t)(heads * d) * sizeof(float));
    memcpy(values + (length - 1) * width, q + 2 * width, (size_t)(heads * d) * sizeof(float));
    float *scores = a->scratch + thread * a->scratch_size; // [HEADS, capacity padded]
    float *sums = scores + HEADS * (a->capacity + CK_LANES);
    long row = a->capacity + CK_LANES;
    float scale = 1.0f / sqrtf((float)d), most[HEADS];
    for (long h = 0; h < heads; h++) most[h] = -INFINITY;
    for (long j = 0; j < length; j++) {
        for (long h = 0; h < heads; h++) {
            const float *key = keys + j * width + h * d, *query = q + h * d;
            v16 sum = {0}, x, y;
            for (long i = 0; i < d; i += CK_LANES) {
                ck_load(&x, key + i, d - i);
                ck_load(&y, query + i, d - i);
                sum += x * y;
            }
            float score = ck_lane_sum(&sum) * scale;
            scores[h * row + j] = score;
            most[h] = score > most[h] ? score : most[h];
        }
    }
    float inverse[HEADS];
    for (long h = 0; h < heads; h++) {
        v16 sum = {0}, x;
        for (long j = 0; j < length; j += CK_LANES) {
            ck_load(&x, scores + h * row + j, CK_LANES);
            x -= most[h];
            ck_exp(&x);
            ck_keep(&x, length - j);
            ck_store(&x, scores + h * row + j, CK_LANES);
            sum += x;
        }
        inverse[h] = 1.0f / ck_lane_sum(&sum);
    }
    memset(sums, 0, (size_t)(heads * d) * sizeof(float));
    for (long j = 0; j < length; j++) {
        for (long h = 0; h < heads; h++) {
            const float *value = values + j * width + h * d;
            float weight = scores[h * row + j], *sum = sums + h * d;
            for (long i = 0; i < d; i += CK_LANES) {
                v16 x, y;
                ck_load(&x, sum + i, d - i);
                ck_load(&y, value + i, d - i);
                x += weight * y;
                ck_store(&x, sum + i, d - i);
            }
        }
    }
    for (long h = 0; h < heads; h++) {
        for (long i = 0; i < d; i += CK_LANES) {
            v16 x;
            ck_load(&x, sums + h * d + i, d - i);
            x *= inverse[h];
            ck_store_any(&x, a->out, a->type, sequence * width + (first + h) * d + i, d - i);
        }
    }
}

void ck_attention_decode(const float *qkv, float *keys, float *values, const int32_t *slots, const int32_t *lengths,
                         long batch, long capacity, long heads, long d, void *out, int out_type) {
    struct arguments a = {.qkv = qkv, .keys = keys, .values = values, .slots = slots, .lengths = lengths,
                          .capacity = capacity, .heads = heads, .d = d, .width = heads * d,
                          .groups = (heads + HEADS - 1) / HEADS, .out = out, .type = out_type};
    a.scratch_size = (HEADS * (capacity + CK_LANES + d) + 63) / 64 * 64;
    int threads = ck_threads();
    a.scratch = aligned_alloc(64, (size_t)(threads * a.scratch_size) * sizeof(float));
    ck_parallel_tasks(threads, batch * a.groups, decode, &a);
    free(a.scratch);
}

#include <math.h>

#include "parallel.h"
#include "scratch.h"
#include "times.h"
#include "vector.h"

// Attention of one new token a sequence over its cache: bound by reading the cache once. A task takes many heads of
// one sequence together, so that it reads the cache in long runs.

// Query heads of a task, unless one head of keys serves more.
enum { HEADS = 16 };

struct arguments {
    struct ck_heads x;
    float *keys, *values;
    const struct ck_cached *sequences;
    long most, kv_width, group, kv_step, tasks; // group: query heads of a head of keys; kv_step: those of a task
    void *out;
    int type;
    float *scratch;
    long scratch_size;
};

static long row_of(const struct ck_cached *x, long position) {
    return position < x->prefix_length ? x->prefix + position : x->tail + position - x->prefix_length;
}

CK_TASK(decode) {
    const struct arguments *a = context;
    long sequence = task / a->tasks, first = task % a->tasks * a->kv_step, d = a->x.d, width = a->kv_width;
    long kv_heads = a->x.kv_heads - first < a->kv_step ? a->x.kv_heads - first : a->kv_step;
    const struct ck_cached *cached = a->sequences + sequence;
    long group = a->group, heads = kv_heads * group, length = cached->length + 1;
    const float *q = a->x.q + sequence * a->x.q_row + first * group * d;
    float *keys = a->keys + first * d, *values = a->values + first * d;
    long added = sequence * a->x.kv_row + first * d, last = row_of(cached, length - 1) * width;
    memcpy(keys + last, a->x.k + added, (size_t)(kv_heads * d) * sizeof(float));
    memcpy(values + last, a->x.v + added, (size_t)(kv_heads * d) * sizeof(float));
    long row = a->most + CK_LANES;
    float *scores = a->scratch + thread * a->scratch_size; // [heads, longest padded]
    float *sums = scores + heads * row, *most = sums + heads * d, *inverse = most + heads;
    float scale = 1.0f / sqrtf((float)d);
    for (long h = 0; h < heads; h++) most[h] = -INFINITY;
    for (long j = 0; j < length; j++) {
        const float *key = keys + row_of(cached, j) * width;
        for (long h = 0, served = 0; h < heads; h++) {
            const float *query = q + h * d;
            v16 sum = {0}, x, y;
            for (long i = 0; i < d; i += CK_LANES) {
                ck_load(&x, key + i, d - i);
                ck_load(&y, query + i, d - i);
                sum += x * y;
            }
            float score = ck_lane_sum(&sum) * scale;
            scores[h * row + j] = score;
            most[h] = score > most[h] ? score : most[h];
            if (++served == group) key += d, served = 0;
        }
    }
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
        const float *value = values + row_of(cached, j) * width;
        for (long h = 0, served = 0; h < heads; h++) {
            float weight = scores[h * row + j], *sum = sums + h * d;
            for (long i = 0; i < d; i += CK_LANES) {
                v16 x, y;
                ck_load(&x, sum + i, d - i);
                ck_load(&y, value + i, d - i);
                x += weight * y;
                ck_store(&x, sum + i, d - i);
            }
            if (++served == group) value += d, served = 0;
        }
    }
    for (long h = 0; h < heads; h++) {
        for (long i = 0; i < d; i += CK_LANES) {
            v16 x;
            ck_load(&x, sums + h * d + i, d - i);
            x *= inverse[h];
            ck_store_any(&x, a->out, a->type, sequence * a->x.heads * d + (first * group + h) * d + i, d - i);
        }
    }
}

void ck_attention_decode(const struct ck_heads *x, float *keys, float *values, const struct ck_cached *sequences,
                         long batch, void *out, int out_type) {
    CK_TIMED(CK_ATTENTION);
    long most = 0;
    for (long i = 0; i < batch; i++) most = sequences[i].length >= most ? sequences[i].length + 1 : most;
    long group = x->heads / x->kv_heads, kv_step = group < HEADS ? HEADS / group : 1;
    struct arguments a = {.x = *x,
                          .keys = keys,
                          .values = values,
                          .sequences = sequences,
                          .most = most,
                          .kv_width = x->kv_heads * x->d,
                          .group = group,
                          .kv_step = kv_step,
                          .tasks = (x->kv_heads + kv_step - 1) / kv_step,
                          .out = out,
                          .type = out_type};
    a.scratch_size = (kv_step * group * (most + CK_LANES + x->d + 2) + 63) / 64 * 64;
    int threads = ck_threads();
    a.scratch = ck_scratch(threads * a.scratch_size * (long)sizeof(float));
    ck_parallel_tasks(threads, batch * a.tasks, decode, &a);
}

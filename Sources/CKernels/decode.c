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
    void *keys, *values;
    int cache_type;
    const struct ck_cached *sequences;
    long longest, kv_width, group, kv_step, tasks; // group: query heads of a head of keys; kv_step: those of a task
    void *out;
    int out_type;
    float *scratch;
    long scratch_size;
};

static long row_of(const struct ck_cached *x, long position) {
    return position < x->prefix_length ? x->prefix + position : x->tail + position - x->prefix_length;
}

// Writes n numbers to the cache, from its i-th on.
CK_INLINE void keep(const float *from, long n, void *cache, int type, long i) {
    for (long j = 0; j < n; j += CK_LANES) {
        v16 x;
        ck_load(&x, from + j, n - j);
        ck_store_any(&x, cache, type, i + j, n - j);
    }
}

CK_TASK(decode) {
    const struct arguments *a = context;
    long sequence = task / a->tasks, first = task % a->tasks * a->kv_step, d = a->x.d, width = a->kv_width;
    long kv_heads = a->x.kv_heads - first < a->kv_step ? a->x.kv_heads - first : a->kv_step;
    const struct ck_cached *cached = a->sequences + sequence;
    long group = a->group, heads = kv_heads * group, length = cached->length + 1;
    const float *q = a->x.q + sequence * a->x.q_row + first * group * d;
    long added = sequence * a->x.kv_row + first * d, last = row_of(cached, length - 1) * width + first * d;
    keep(a->x.k + added, kv_heads * d, a->keys, a->cache_type, last);
    keep(a->x.v + added, kv_heads * d, a->values, a->cache_type, last);
    long row = a->longest + CK_LANES;
    float *scores = a->scratch + thread * a->scratch_size; // [heads, longest padded]
    float *sums = scores + heads * row, *most = sums + heads * d, *inverse = most + heads;
    float scale = 1.0f / sqrtf((float)d);
    for (long h = 0; h < heads; h++) most[h] = -INFINITY;
    for (long j = 0; j < length; j++) {
        long key = row_of(cached, j) * width + first * d;
        for (long h = 0, served = 0; h < heads; h++) {
            const float *query = q + h * d;
            v16 sum = {0}, x, y;
            for (long i = 0; i < d; i += CK_LANES) {
                ck_load_any(&x, a->keys, a->cache_type, key + i, d - i);
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
        long value = row_of(cached, j) * width + first * d;
        for (long h = 0, served = 0; h < heads; h++) {
            float weight = scores[h * row + j], *sum = sums + h * d;
            for (long i = 0; i < d; i += CK_LANES) {
                v16 x, y;
                ck_load(&x, sum + i, d - i);
                ck_load_any(&y, a->values, a->cache_type, value + i, d - i);
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
            ck_store_any(&x, a->out, a->out_type, sequence * a->x.heads * d + (first * group + h) * d + i, d - i);
        }
    }
}

void ck_attention_decode(const struct ck_heads *x, void *keys, void *values, int cache_type,
                         const struct ck_cached *sequences, long batch, void *out, int out_type) {
    CK_TIMED(CK_ATTENTION);
    long longest = 0;
    for (long i = 0; i < batch; i++) longest = sequences[i].length >= longest ? sequences[i].length + 1 : longest;
    long group = x->heads / x->kv_heads, kv_step = group < HEADS ? HEADS / group : 1;
    struct arguments a = {.x = *x,
                          .keys = keys,
                          .values = values,
                          .cache_type = cache_type,
                          .sequences = sequences,
                          .longest = longest,
                          .kv_width = x->kv_heads * x->d,
                          .group = group,
                          .kv_step = kv_step,
                          .tasks = (x->kv_heads + kv_step - 1) / kv_step,
                          .out = out,
                          .out_type = out_type};
    a.scratch_size = (kv_step * group * (longest + CK_LANES + x->d + 2) + 63) / 64 * 64;
    int threads = ck_threads();
    a.scratch = ck_scratch(threads * a.scratch_size * (long)sizeof(float));
    ck_parallel_tasks(threads, batch * a.tasks, decode, &a);
}

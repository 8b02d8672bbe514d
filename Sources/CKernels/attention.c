#include <math.h>

#include "parallel.h"
#include "scratch.h"
#include "times.h"
#include "tile.h"
#include "transpose.h"

// Causal attention of packed sequences: one task for each sequence and head, which takes its query rows in blocks and
// holds a whole block of scores [BLOCK, t], so that the softmax needs no rescaling. Keys and values of the task are
// transposed once where the product needs them so.

enum { BLOCK = 32 };

struct arguments {
    struct ck_heads x, dx;
    const int32_t *offsets;
    long width, n; // width = heads·d, of the result; n: all rows
    const void *out;
    void *y;
    float *log_sum_exp;
    const float *dout;
    int type;
    float *scratch;
    long scratch_size;
};

static long round_up(long x, long step) { return (x + step - 1) / step * step; }

// A row of scores, or of transposed keys, for t tokens: whole blocks, and a vector more so that rows do not lie a power of two
// apart, which would have them share a few lines of the cache.
static long padded(long t) { return round_up(t, BLOCK) + CK_LANES; }

// y [d, row] = transpose of x [t, d], zero from t to the end of the block.
CK_INLINE void transpose(const float *x, long x_row, long t, long d, float *y, long row) {
    for (long j = 0; j < round_up(t, BLOCK); j += CK_LANES)
        for (long i = 0; i < d; i += CK_LANES) {
            v16u block[CK_LANES] = {{0}};
            for (long r = 0; r < CK_LANES && j + r < t; r++)
                ck_load((v16 *)&block[r], x + (j + r) * x_row + i, d - i);
            ck_transpose(block);
            for (long r = 0; r < CK_LANES && i + r < d; r++) *(v16u *)(y + (i + r) * row + j) = block[r];
        }
}

// Row of scores → weights: e^(scale·score − shift) for the first `visible`, 0 up to `width`; returns their sum.
CK_INLINE float exponentials(float *row, long visible, long width, float scale, float shift) {
    v16 sum = {0}, x;
    long j = 0;
    for (; j < visible; j += CK_LANES) {
        ck_load(&x, row + j, CK_LANES);
        x = x * scale - shift;
        ck_exp(&x);
        ck_keep(&x, visible - j);
        sum += x;
        ck_store(&x, row + j, CK_LANES);
    }
    x = (v16){0};
    for (; j < width; j += CK_LANES) ck_store(&x, row + j, CK_LANES);
    return ck_lane_sum(&sum);
}

// y [rows, d] = weights·values: each row with the tokens up to its own, in steps of a tile's rows.
CK_INLINE void weigh_values(long rows, long d, long i0, const float *weights, long row, const float *values, long kv_row,
                            float *y, long y_row) {
    for (long r = 0; r < rows; r += CK_TILE_ROWS)
        ck_small_product(rows - r < CK_TILE_ROWS ? rows - r : CK_TILE_ROWS, d,
                         i0 + (r + CK_TILE_ROWS < rows ? r + CK_TILE_ROWS : rows), weights + r * row, row, 1, values,
                         kv_row, y + r * y_row, y_row, 0);
}

// Adds weightsᵀ·x to y [i0 + rows, d]: all rows to the tokens before i0, and to the block's own those from each one on.
CK_INLINE void add_to_tokens(long rows, long d, long i0, const float *weights, long row, const float *x, long x_row,
                             float *y, long y_row) {
    ck_small_product(i0, d, rows, weights, 1, row, x, x_row, y, y_row, 1);
    for (long r = 0; r < rows; r += CK_TILE_ROWS)
        ck_small_product(rows - r < CK_TILE_ROWS ? rows - r : CK_TILE_ROWS, d, rows - r, weights + r * row + i0 + r, 1,
                         row, x + r * x_row, x_row, y + (i0 + r) * y_row, y_row, 1);
}

CK_CLONES static void forward(void *context, long task, int thread) {
    const struct arguments *a = context;
    const struct ck_heads *x = &a->x;
    long head = task % x->heads, sequence = task / x->heads, d = x->d, q_row = x->q_row, kv_row = x->kv_row;
    long start = a->offsets[sequence], t = a->offsets[sequence + 1] - start, row = padded(t);
    const float *q = x->q + start * q_row + head * d;
    long kv = start * kv_row + head / (x->heads / x->kv_heads) * d;
    const float *k = x->k + kv, *v = x->v + kv;
    float *keys = a->scratch + thread * a->scratch_size, *scores = keys + d * row;
    float *block = scores + BLOCK * row;
    float scale = 1.0f / sqrtf((float)d);
    transpose(k, kv_row, t, d, keys, row);
    for (long i0 = 0; i0 < t; i0 += BLOCK) {
        long rows = t - i0 < BLOCK ? t - i0 : BLOCK, width = i0 + BLOCK;
        ck_small_product(rows, width, d, q + i0 * q_row, q_row, 1, keys, row, scores, row, 0);
        float inverse[BLOCK];
        for (long r = 0; r < rows; r++) {
            float *score = scores + r * row, most = ck_largest(score, i0 + r + 1);
            float sum = exponentials(score, i0 + r + 1, width, scale, most * scale);
            inverse[r] = 1.0f / sum;
            a->log_sum_exp[head * a->n + start + i0 + r] = most * scale + logf(sum);
        }
        weigh_values(rows, d, i0, scores, row, v, kv_row, block, d);
        for (long r = 0; r < rows; r++) {
            for (long i = 0; i < d; i += CK_LANES) {
                v16 y;
                ck_load(&y, block + r * d + i, d - i);
                y *= inverse[r];
                ck_store_any(&y, a->y, a->type, (start + i0 + r) * a->width + head * d + i, d - i);
            }
        }
    }
}

static long longest_sequence(const int32_t *offsets, long sequences) {
    long longest = 0;
    for (long s = 0; s < sequences; s++)
        if (offsets[s + 1] - offsets[s] > longest) longest = offsets[s + 1] - offsets[s];
    return longest;
}

void ck_attention_forward(const struct ck_heads *x, const int32_t *offsets, long sequences, void *out, int out_type,
                          float *log_sum_exp) {
    CK_TIMED(CK_ATTENTION);
    struct arguments a = {.x = *x, .offsets = offsets, .width = x->heads * x->d, .n = offsets[sequences], .y = out,
                          .type = out_type, .log_sum_exp = log_sum_exp};
    long row = padded(longest_sequence(offsets, sequences));
    a.scratch_size = round_up((x->d + BLOCK) * row + BLOCK * x->d, 64);
    int threads = ck_threads();
    a.scratch = ck_scratch(threads * a.scratch_size * (long)sizeof(float));
    ck_parallel_tasks(threads, sequences * x->heads, forward, &a);
}

// With P the weights, dP = dO·Vᵀ and δ_i = Σ_c dO_ic·O_ic = Σ_j P_ij·dP_ij (FlashAttention-2, arXiv 2307.08691, §2.1):
//   dS = P∘(dP − δ)/√d,  dQ = dS·K,  dK = dSᵀ·Q,  dV = Pᵀ·dO.
// One head of queries; where it is the first of its group, dK and dV are overwritten, else added to.
CK_INLINE void backward_head(const struct arguments *a, long head, long start, long t, int is_first, const float *keys,
                             const float *values, float *weights, float *dscores) {
    const struct ck_heads *x = &a->x;
    long d = x->d, q_row = x->q_row, kv_row = x->kv_row, row = padded(t);
    long q_at = start * q_row + head * d, kv_at = start * kv_row + head / (x->heads / x->kv_heads) * d;
    const float *q = x->q + q_at, *k = x->k + kv_at;
    const float *dout = a->dout + start * a->width + head * d;
    float *dq = a->dx.q + q_at, *dk = a->dx.k + kv_at, *dv = a->dx.v + kv_at;
    float scale = 1.0f / sqrtf((float)d);
    for (long i0 = 0; i0 < t; i0 += BLOCK) {
        long rows = t - i0 < BLOCK ? t - i0 : BLOCK, width = i0 + BLOCK;
        ck_small_product(rows, width, d, q + i0 * q_row, q_row, 1, keys, row, weights, row, 0);
        ck_small_product(rows, width, d, dout + i0 * a->width, a->width, 1, values, row, dscores, row, 0);
        for (long r = 0; r < rows; r++) {
            long at = start + i0 + r;
            v16 sum = {0}, o, y, p;
            for (long i = 0; i < d; i += CK_LANES) {
                ck_load_any(&o, a->out, a->type, at * a->width + head * d + i, d - i);
                ck_load(&y, dout + (i0 + r) * a->width + i, d - i);
                sum += o * y;
            }
            float delta = ck_lane_sum(&sum);
            exponentials(weights + r * row, i0 + r + 1, width, scale, a->log_sum_exp[head * a->n + at]);
            for (long j = 0; j < width; j += CK_LANES) {
                ck_load(&p, weights + r * row + j, CK_LANES);
                ck_load(&y, dscores + r * row + j, CK_LANES);
                y = p * (y - delta) * scale;
                ck_store(&y, dscores + r * row + j, CK_LANES);
            }
        }
        // Keys of this block are met here for the first time, earlier ones are added to.
        for (long j = i0; is_first && j < i0 + rows; j++) {
            memset(dk + j * kv_row, 0, (size_t)d * sizeof(float));
            memset(dv + j * kv_row, 0, (size_t)d * sizeof(float));
        }
        weigh_values(rows, d, i0, dscores, row, k, kv_row, dq + i0 * q_row, q_row);
        add_to_tokens(rows, d, i0, dscores, row, q + i0 * q_row, q_row, dk, kv_row);
        add_to_tokens(rows, d, i0, weights, row, dout + i0 * a->width, a->width, dv, kv_row);
    }
}

// A task has the query heads of one head of keys, whose gradients they add to in order.
CK_CLONES static void backward(void *context, long task, int thread) {
    const struct arguments *a = context;
    const struct ck_heads *x = &a->x;
    long kv_head = task % x->kv_heads, sequence = task / x->kv_heads, group = x->heads / x->kv_heads;
    long start = a->offsets[sequence], t = a->offsets[sequence + 1] - start, row = padded(t);
    long kv_at = start * x->kv_row + kv_head * x->d;
    float *keys = a->scratch + thread * a->scratch_size, *values = keys + x->d * row;
    float *weights = values + x->d * row, *dscores = weights + BLOCK * row;
    transpose(x->k + kv_at, x->kv_row, t, x->d, keys, row);
    transpose(x->v + kv_at, x->kv_row, t, x->d, values, row);
    for (long g = 0; g < group; g++)
        backward_head(a, kv_head * group + g, start, t, g == 0, keys, values, weights, dscores);
}

void ck_attention_backward(const struct ck_heads *x, const int32_t *offsets, long sequences, const void *out,
                           int out_type, const float *log_sum_exp, const float *dout, const struct ck_heads *dx) {
    CK_TIMED(CK_ATTENTION);
    struct arguments a = {.x = *x, .dx = *dx, .offsets = offsets, .width = x->heads * x->d, .n = offsets[sequences],
                          .out = out, .type = out_type, .dout = dout, .log_sum_exp = (float *)log_sum_exp};
    long row = padded(longest_sequence(offsets, sequences));
    a.scratch_size = round_up((2 * x->d + 2 * BLOCK) * row, 64);
    int threads = ck_threads();
    a.scratch = ck_scratch(threads * a.scratch_size * (long)sizeof(float));
    ck_parallel_tasks(threads, sequences * x->kv_heads, backward, &a);
}

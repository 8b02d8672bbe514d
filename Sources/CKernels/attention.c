#include <math.h>

#include "parallel.h"
#include "scratch.h"
#include "times.h"
#include "tile.h"
#include "transpose.h"

// Causal attention of packed sequences: one task for each sequence and head, backward for each family and head of keys, which
// takes its query rows in blocks and holds a whole block of scores [BLOCK, t], so that the softmax needs no rescaling. Keys and
// values of the task are transposed once where the product needs them so. What a sequence shares with the first of its family
// is copied beside its own rows, so that it is read, and its gradient summed, as that of any other.

enum { BLOCK = 32 };

struct arguments {
    struct ck_heads x, dx;
    const struct ck_sequences *sequences;
    long width, n; // width = heads·d, of the result; n: all rows
    const void *out;
    void *y;
    float *log_sum_exp;
    const float *dout;
    int type;
    float *scratch;
    long scratch_size;
};

// A sequence of t tokens: the first `shared` lie from row `first` on; token i of the others, in row `start` + i.
struct sequence {
    long first, start, shared, t;
};

static struct sequence sequence_at(const struct ck_sequences *sequences, long s) {
    long first = s, shared = sequences->shared[s], start = sequences->offsets[s] - shared;
    while (sequences->shared[first] > 0) first--;
    return (struct sequence){sequences->offsets[first], start, shared, sequences->offsets[s + 1] - start};
}

static long longest_sequence(const struct ck_sequences *sequences) {
    long longest = 0;
    for (long s = 0; s < sequences->count; s++) {
        long t = sequences->offsets[s + 1] - sequences->offsets[s] + sequences->shared[s];
        if (t > longest) longest = t;
    }
    return longest;
}

// A sequence's rows of one head of keys or values, from its first token on: `*row` apart. Those of one that shares some are
// gathered in `copy` [t, d].
CK_INLINE const float *whole_sequence(const struct sequence *s, const float *x, long d, float *copy, long *row) {
    if (s->shared == 0) return x + s->start * *row;
    for (long i = 0; i < s->t; i++)
        memcpy(copy + i * d, x + ((i < s->shared ? s->first : s->start) + i) * *row, (size_t)d * sizeof(float));
    *row = d;
    return copy;
}

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
    struct sequence s = sequence_at(a->sequences, task / x->heads);
    long head = task % x->heads, d = x->d, t = s.t, row = padded(t), q_row = x->q_row, k_row = x->kv_row, v_row = x->kv_row;
    const float *q = x->q + s.start * q_row + head * d;
    long kv = head / (x->heads / x->kv_heads) * d;
    float *keys = a->scratch + thread * a->scratch_size, *scores = keys + d * row;
    float *block = scores + BLOCK * row, *copy = block + BLOCK * d;
    float scale = 1.0f / sqrtf((float)d);
    transpose(whole_sequence(&s, x->k + kv, d, copy, &k_row), k_row, t, d, keys, row);
    const float *v = whole_sequence(&s, x->v + kv, d, copy, &v_row);
    for (long i0 = s.shared; i0 < t; i0 += BLOCK) {
        long rows = t - i0 < BLOCK ? t - i0 : BLOCK, width = round_up(i0 + rows, BLOCK);
        ck_small_product(rows, width, d, q + i0 * q_row, q_row, 1, keys, row, scores, row, 0);
        float inverse[BLOCK];
        for (long r = 0; r < rows; r++) {
            float *score = scores + r * row, most = ck_largest(score, i0 + r + 1);
            float sum = exponentials(score, i0 + r + 1, width, scale, most * scale);
            inverse[r] = 1.0f / sum;
            a->log_sum_exp[head * a->n + s.start + i0 + r] = most * scale + logf(sum);
        }
        weigh_values(rows, d, i0, scores, row, v, v_row, block, d);
        for (long r = 0; r < rows; r++) {
            for (long i = 0; i < d; i += CK_LANES) {
                v16 y;
                ck_load(&y, block + r * d + i, d - i);
                y *= inverse[r];
                ck_store_any(&y, a->y, a->type, (s.start + i0 + r) * a->width + head * d + i, d - i);
            }
        }
    }
}

void ck_attention_forward(const struct ck_heads *x, const struct ck_sequences *sequences, void *out, int out_type,
                          float *log_sum_exp) {
    CK_TIMED(CK_ATTENTION);
    struct arguments a = {.x = *x, .sequences = sequences, .width = x->heads * x->d, .n = sequences->offsets[sequences->count],
                          .y = out, .type = out_type, .log_sum_exp = log_sum_exp};
    long t = longest_sequence(sequences);
    a.scratch_size = round_up((x->d + BLOCK) * padded(t) + (BLOCK + t) * x->d, 64);
    int threads = ck_threads();
    a.scratch = ck_scratch(threads * a.scratch_size * (long)sizeof(float));
    ck_parallel_tasks(threads, sequences->count * x->heads, forward, &a);
}

// With P the weights, dP = dO·Vᵀ and δ_i = Σ_c dO_ic·O_ic = Σ_j P_ij·dP_ij (FlashAttention-2, arXiv 2307.08691, §2.1):
//   dS = P∘(dP − δ)/√d,  dQ = dS·K,  dK = dSᵀ·Q,  dV = Pᵀ·dO.

// A sequence's rows of one head of keys, and of the gradients of keys and values.
struct keys_and_values {
    const float *k;
    float *dk, *dv;
    long row;
};

// One head of queries; where it is the first of its group, dK and dV of the sequence's own rows are overwritten, else added to.
CK_INLINE void backward_head(const struct arguments *a, const struct sequence *s, long head, int is_first,
                             const struct keys_and_values *kv, const float *keys, const float *values, float *weights,
                             float *dscores) {
    const struct ck_heads *x = &a->x;
    long d = x->d, t = s->t, row = padded(t), q_row = x->q_row, q_at = s->start * q_row + head * d;
    const float *q = x->q + q_at, *dout = a->dout + s->start * a->width + head * d;
    float *dq = a->dx.q + q_at, scale = 1.0f / sqrtf((float)d);
    for (long i0 = s->shared; i0 < t; i0 += BLOCK) {
        long rows = t - i0 < BLOCK ? t - i0 : BLOCK, width = round_up(i0 + rows, BLOCK);
        ck_small_product(rows, width, d, q + i0 * q_row, q_row, 1, keys, row, weights, row, 0);
        ck_small_product(rows, width, d, dout + i0 * a->width, a->width, 1, values, row, dscores, row, 0);
        for (long r = 0; r < rows; r++) {
            long at = s->start + i0 + r;
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
            memset(kv->dk + j * kv->row, 0, (size_t)d * sizeof(float));
            memset(kv->dv + j * kv->row, 0, (size_t)d * sizeof(float));
        }
        weigh_values(rows, d, i0, dscores, row, kv->k, kv->row, dq + i0 * q_row, q_row);
        add_to_tokens(rows, d, i0, dscores, row, q + i0 * q_row, q_row, kv->dk, kv->row);
        add_to_tokens(rows, d, i0, weights, row, dout + i0 * a->width, a->width, kv->dv, kv->row);
    }
}

// Gradients of a sequence that shares some of its rows, x [t, d]: those are added to, the others written.
CK_INLINE void hand_over(const struct sequence *s, const float *x, long d, float *y, long row) {
    for (long i = 0; i < s->shared; i++)
        for (long c = 0; c < d; c++) y[(s->first + i) * row + c] += x[i * d + c];
    for (long i = s->shared; i < s->t; i++) memcpy(y + (s->start + i) * row, x + i * d, (size_t)d * sizeof(float));
}

// Of a sequence, the query heads of one head of keys, whose gradients they add to in order.
CK_INLINE void backward_sequence(const struct arguments *a, const struct sequence *s, long kv_head, float *scratch) {
    const struct ck_heads *x = &a->x, *dx = &a->dx;
    long d = x->d, row = padded(s->t), at = kv_head * d, group = x->heads / x->kv_heads, copied = s->t * d;
    float *keys = scratch, *values = keys + d * row, *weights = values + d * row, *dscores = weights + BLOCK * row;
    float *copy = dscores + BLOCK * row;
    struct keys_and_values kv = {.dk = copy + copied, .dv = copy + 2 * copied, .row = x->kv_row};
    long v_row = x->kv_row;
    transpose(whole_sequence(s, x->v + at, d, copy, &v_row), v_row, s->t, d, values, row);
    kv.k = whole_sequence(s, x->k + at, d, copy, &kv.row);
    transpose(kv.k, kv.row, s->t, d, keys, row);
    if (s->shared > 0) {
        memset(kv.dk, 0, (size_t)(s->shared * d) * sizeof(float));
        memset(kv.dv, 0, (size_t)(s->shared * d) * sizeof(float));
    } else {
        kv.dk = dx->k + at + s->start * kv.row;
        kv.dv = dx->v + at + s->start * kv.row;
    }
    for (long g = 0; g < group; g++)
        backward_head(a, s, kv_head * group + g, g == 0, &kv, keys, values, weights, dscores);
    if (s->shared > 0) {
        hand_over(s, kv.dk, d, dx->k + at, x->kv_row);
        hand_over(s, kv.dv, d, dx->v + at, x->kv_row);
    }
}

// A task has a head of keys of a family: its first sequence, then those that share rows of it, in order.
CK_CLONES static void backward(void *context, long task, int thread) {
    const struct arguments *a = context;
    long first = task / a->x.kv_heads;
    if (a->sequences->shared[first] > 0) return;
    for (long i = first; i == first || (i < a->sequences->count && a->sequences->shared[i] > 0); i++) {
        struct sequence s = sequence_at(a->sequences, i);
        backward_sequence(a, &s, task % a->x.kv_heads, a->scratch + thread * a->scratch_size);
    }
}

void ck_attention_backward(const struct ck_heads *x, const struct ck_sequences *sequences, const void *out, int out_type,
                           const float *log_sum_exp, const float *dout, const struct ck_heads *dx) {
    CK_TIMED(CK_ATTENTION);
    struct arguments a = {.x = *x, .dx = *dx, .sequences = sequences, .width = x->heads * x->d,
                          .n = sequences->offsets[sequences->count], .out = out, .type = out_type, .dout = dout,
                          .log_sum_exp = (float *)log_sum_exp};
    long t = longest_sequence(sequences);
    a.scratch_size = round_up((2 * x->d + 2 * BLOCK) * padded(t) + 3 * t * x->d, 64);
    int threads = ck_threads();
    a.scratch = ck_scratch(threads * a.scratch_size * (long)sizeof(float));
    ck_parallel_tasks(threads, sequences->count * x->kv_heads, backward, &a);
}

#include <math.h>

#include "parallel.h"
#include "scratch.h"
#include "times.h"
#include "tile.h"
#include "transpose.h"

// Causal attention of packed sequences: one task for each sequence and head, backward for each family and head of keys, which
// takes its queries in blocks and holds a whole block of scores [BLOCK, t], so that the softmax needs no rescaling. Keys and
// values of the task are transposed once where the product needs them so. What a sequence shares with the first of its family
// is copied beside its own rows, so that it is read, and its gradient summed, as that of any other.

enum { BLOCK = 32 };

struct arguments {
    struct ck_heads x, dx;
    const struct ck_sequences *sequences;
    const struct ck_queries *queries;
    long width; // heads·d, of the result
    const void *out;
    void *y;
    float *log_sum_exp;
    const float *dout;
    int type;
    float *scratch;
    long scratch_size;
};

// A sequence of t tokens: the first `shared` lie from row `first` on; token i of the others, in row `start` + i. Its queries are
// those from `query` up to `end`.
struct sequence {
    long first, start, shared, t, query, end;
};

// How many queries lie before a row.
static long queries_before(const struct ck_queries *queries, long row) {
    if (!queries->rows) return row;
    long low = 0, high = queries->count;
    while (low < high) {
        long middle = (low + high) / 2;
        if (queries->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct sequence sequence_at(const struct arguments *a, long s) {
    const int32_t *offsets = a->sequences->offsets;
    long first = s, shared = a->sequences->shared[s], start = offsets[s] - shared;
    while (a->sequences->shared[first] > 0) first--;
    return (struct sequence){offsets[first],
                             start,
                             shared,
                             offsets[s + 1] - start,
                             queries_before(a->queries, offsets[s]),
                             queries_before(a->queries, offsets[s + 1])};
}

// A block of queries of a sequence: the tokens that they are, which ascend, and the tokens that one of them sees.
struct block {
    long count, tokens[BLOCK], width;
};

static long row_of(const struct ck_queries *queries, long query) {
    return queries->rows ? queries->rows[query] : query;
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

// The block from a query on; its rows of one head of x are gathered in `copy` [count, d].
CK_INLINE void take_block(const struct arguments *a, const struct sequence *s, long query, const float *x, float *copy,
                          struct block *block) {
    long d = a->x.d;
    block->count = s->end - query < BLOCK ? s->end - query : BLOCK;
    for (long r = 0; r < block->count; r++) {
        long row = row_of(a->queries, query + r);
        block->tokens[r] = row - s->start;
        memcpy(copy + r * d, x + row * a->x.q_row, (size_t)d * sizeof(float));
    }
    block->width = round_up(block->tokens[block->count - 1] + 1, BLOCK);
}

// A row of scores, or of transposed keys, for t tokens: whole blocks, and a vector more so that rows do not lie a power of two
// apart, which would have them share a few lines of the cache.
static long padded(long t) { return round_up(t, BLOCK) + CK_LANES; }

// y [d, row] = transpose of x [t, d], zero from t to the end of the block.
CK_INLINE void transpose(const float *x, long x_row, long t, long d, float *y, long row) {
    for (long j = 0; j < round_up(t, BLOCK); j += CK_LANES)
        for (long i = 0; i < d; i += CK_LANES) {
            v16u block[CK_LANES] = {{0}};
            for (long r = 0; r < CK_LANES && j + r < t; r++) ck_load((v16 *)&block[r], x + (j + r) * x_row + i, d - i);
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

// y [count, d] = weights·values: each query with the tokens up to its own, in steps of a tile's rows.
CK_INLINE void weigh_values(const struct block *block, long d, const float *weights, long row, const float *values,
                            long kv_row, float *y) {
    for (long r = 0; r < block->count; r += CK_TILE_ROWS) {
        long rows = block->count - r < CK_TILE_ROWS ? block->count - r : CK_TILE_ROWS;
        ck_small_product(rows, d, block->tokens[r + rows - 1] + 1, weights + r * row, row, 1, values, kv_row, y + r * d,
                         d, 0);
    }
}

// Adds weightsᵀ·x to y [t, d]: all queries to the tokens before the first, and to those from it on the queries from each one on.
CK_INLINE void add_to_tokens(const struct block *block, long d, const float *weights, long row, const float *x,
                             long x_row, float *y, long y_row) {
    const long *tokens = block->tokens, count = block->count;
    ck_small_product(tokens[0], d, count, weights, 1, row, x, x_row, y, y_row, 1);
    for (long r = 0; r < count; r += CK_TILE_ROWS) {
        long end = r + CK_TILE_ROWS < count ? tokens[r + CK_TILE_ROWS] : tokens[count - 1] + 1;
        ck_small_product(end - tokens[r], d, count - r, weights + r * row + tokens[r], 1, row, x + r * x_row, x_row,
                         y + tokens[r] * y_row, y_row, 1);
    }
}

CK_TASK(forward) {
    const struct arguments *a = context;
    const struct ck_heads *x = &a->x;
    struct sequence s = sequence_at(a, task / x->heads);
    if (s.query == s.end) return;
    long head = task % x->heads, d = x->d, t = s.t, row = padded(t), k_row = x->kv_row, v_row = x->kv_row;
    long kv = head / (x->heads / x->kv_heads) * d;
    float *keys = a->scratch + thread * a->scratch_size, *scores = keys + d * row;
    float *q = scores + BLOCK * row, *copy = q + BLOCK * d, *result = q; // The result takes the place of the queries.
    float scale = 1.0f / sqrtf((float)d);
    transpose(whole_sequence(&s, x->k + kv, d, copy, &k_row), k_row, t, d, keys, row);
    const float *v = whole_sequence(&s, x->v + kv, d, copy, &v_row);
    struct block block;
    for (long query = s.query; query < s.end; query += block.count) {
        take_block(a, &s, query, x->q + head * d, q, &block);
        ck_small_product(block.count, block.width, d, q, d, 1, keys, row, scores, row, 0);
        float inverse[BLOCK];
        for (long r = 0; r < block.count; r++) {
            long visible = block.tokens[r] + 1;
            float *score = scores + r * row, most = ck_largest(score, visible);
            float sum = exponentials(score, visible, block.width, scale, most * scale);
            inverse[r] = 1.0f / sum;
            a->log_sum_exp[head * a->queries->count + query + r] = most * scale + logf(sum);
        }
        weigh_values(&block, d, scores, row, v, v_row, result);
        for (long r = 0; r < block.count; r++) {
            for (long i = 0; i < d; i += CK_LANES) {
                v16 y;
                ck_load(&y, result + r * d + i, d - i);
                y *= inverse[r];
                ck_store_any(&y, a->y, a->type, (query + r) * a->width + head * d + i, d - i);
            }
        }
    }
}

void ck_attention_forward(const struct ck_heads *x, const struct ck_sequences *sequences,
                          const struct ck_queries *queries, void *out, int out_type, float *log_sum_exp) {
    CK_TIMED(CK_ATTENTION);
    struct arguments a = {.x = *x,
                          .sequences = sequences,
                          .queries = queries,
                          .width = x->heads * x->d,
                          .y = out,
                          .type = out_type,
                          .log_sum_exp = log_sum_exp};
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

// One head of queries, which adds to dK and dV.
CK_INLINE void backward_head(const struct arguments *a, const struct sequence *s, long head,
                             const struct keys_and_values *kv, const float *keys, const float *values, float *weights,
                             float *dscores, float *q) {
    const struct ck_heads *x = &a->x;
    long d = x->d, row = padded(s->t);
    float *dq = q + BLOCK * d, scale = 1.0f / sqrtf((float)d);
    // Rows that are no queries have no gradient.
    for (long i = s->shared; a->queries->rows && i < s->t; i++)
        memset(a->dx.q + (s->start + i) * x->q_row + head * d, 0, (size_t)d * sizeof(float));
    struct block block;
    for (long query = s->query; query < s->end; query += block.count) {
        const float *dout = a->dout + query * a->width + head * d;
        take_block(a, s, query, x->q + head * d, q, &block);
        ck_small_product(block.count, block.width, d, q, d, 1, keys, row, weights, row, 0);
        ck_small_product(block.count, block.width, d, dout, a->width, 1, values, row, dscores, row, 0);
        for (long r = 0; r < block.count; r++) {
            v16 sum = {0}, o, y, p;
            for (long i = 0; i < d; i += CK_LANES) {
                ck_load_any(&o, a->out, a->type, (query + r) * a->width + head * d + i, d - i);
                ck_load(&y, dout + r * a->width + i, d - i);
                sum += o * y;
            }
            float delta = ck_lane_sum(&sum);
            exponentials(weights + r * row, block.tokens[r] + 1, block.width, scale,
                         a->log_sum_exp[head * a->queries->count + query + r]);
            for (long j = 0; j < block.width; j += CK_LANES) {
                ck_load(&p, weights + r * row + j, CK_LANES);
                ck_load(&y, dscores + r * row + j, CK_LANES);
                y = p * (y - delta) * scale;
                ck_store(&y, dscores + r * row + j, CK_LANES);
            }
        }
        weigh_values(&block, d, dscores, row, kv->k, kv->row, dq);
        for (long r = 0; r < block.count; r++)
            memcpy(a->dx.q + (s->start + block.tokens[r]) * x->q_row + head * d, dq + r * d, (size_t)d * sizeof(float));
        add_to_tokens(&block, d, dscores, row, q, d, kv->dk, kv->row);
        add_to_tokens(&block, d, weights, row, dout, a->width, kv->dv, kv->row);
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
    float *q = dscores + BLOCK * row, *copy = q + 2 * BLOCK * d;
    struct keys_and_values kv = {.dk = copy + copied, .dv = copy + 2 * copied, .row = x->kv_row};
    long v_row = x->kv_row;
    transpose(whole_sequence(s, x->v + at, d, copy, &v_row), v_row, s->t, d, values, row);
    kv.k = whole_sequence(s, x->k + at, d, copy, &kv.row);
    transpose(kv.k, kv.row, s->t, d, keys, row);
    if (s->shared == 0) {
        kv.dk = dx->k + at + s->start * kv.row;
        kv.dv = dx->v + at + s->start * kv.row;
    }
    for (long i = 0; i < s->t; i++) {
        memset(kv.dk + i * kv.row, 0, (size_t)d * sizeof(float));
        memset(kv.dv + i * kv.row, 0, (size_t)d * sizeof(float));
    }
    for (long g = 0; g < group; g++) backward_head(a, s, kv_head * group + g, &kv, keys, values, weights, dscores, q);
    if (s->shared > 0) {
        hand_over(s, kv.dk, d, dx->k + at, x->kv_row);
        hand_over(s, kv.dv, d, dx->v + at, x->kv_row);
    }
}

// A task has a head of keys of a family: its first sequence, then those that share rows of it, in order.
CK_TASK(backward) {
    const struct arguments *a = context;
    long first = task / a->x.kv_heads;
    if (a->sequences->shared[first] > 0) return;
    for (long i = first; i == first || (i < a->sequences->count && a->sequences->shared[i] > 0); i++) {
        struct sequence s = sequence_at(a, i);
        backward_sequence(a, &s, task % a->x.kv_heads, a->scratch + thread * a->scratch_size);
    }
}

void ck_attention_backward(const struct ck_heads *x, const struct ck_sequences *sequences,
                           const struct ck_queries *queries, const void *out, int out_type, const float *log_sum_exp,
                           const float *dout, const struct ck_heads *dx) {
    CK_TIMED(CK_ATTENTION);
    struct arguments a = {.x = *x,
                          .dx = *dx,
                          .sequences = sequences,
                          .queries = queries,
                          .width = x->heads * x->d,
                          .out = out,
                          .type = out_type,
                          .dout = dout,
                          .log_sum_exp = (float *)log_sum_exp};
    long t = longest_sequence(sequences);
    a.scratch_size = round_up((2 * x->d + 2 * BLOCK) * padded(t) + (2 * BLOCK + 3 * t) * x->d, 64);
    int threads = ck_threads();
    a.scratch = ck_scratch(threads * a.scratch_size * (long)sizeof(float));
    ck_parallel_tasks(threads, sequences->count * x->kv_heads, backward, &a);
}

#include "parallel.h"
#include "vector.h"

struct arguments {
    const void *x;
    void *out;
    const int32_t *rows, *positions;
    const void *position_table;
    float *token_gradient, *position_gradient;
    long n, d, stride;
    int x_type, out_type;
};

// Rows a thread takes at least.
static long grain(long d) { return 1 + 8192 / (d + 1); }

CK_LOOP(round_rows) {
    const struct arguments *a = context;
    for (long row = begin; row < end; row++) {
        float *x = (float *)a->out + row * a->stride;
        for (long i = 0; i < a->d; i += CK_LANES) {
            v16 y;
            uint16_t rounded[CK_LANES] = {0};
            ck_load(&y, x + i, a->d - i);
            ck_store_bfloat16(&y, rounded, CK_LANES);
            ck_load_bfloat16(&y, rounded, CK_LANES);
            ck_store(&y, x + i, a->d - i);
        }
    }
}

void ck_round_rows(float *x, long rows, long width, long stride) {
    struct arguments a = {.out = x, .d = width, .stride = stride};
    ck_parallel(rows, grain(width), round_rows, &a);
}

CK_LOOP(gather) {
    const struct arguments *a = context;
    for (long r = begin; r < end; r++) {
        for (long i = 0; i < a->d; i += CK_LANES) {
            v16 x;
            ck_load_any(&x, a->x, a->x_type, a->rows[r] * a->d + i, a->d - i);
            ck_store_any(&x, a->out, a->out_type, r * a->d + i, a->d - i);
        }
    }
}

void ck_gather_rows(const void *x, int x_type, const int32_t *rows, long n, long d, void *out, int out_type) {
    ck_count_copy(n * d * ck_size(out_type));
    struct arguments a = {.x = x, .x_type = x_type, .rows = rows, .d = d, .out = out, .out_type = out_type};
    ck_parallel(n, grain(d), gather, &a);
}

CK_LOOP(scatter_add) {
    const struct arguments *a = context;
    for (long r = begin; r < end; r++) {
        const float *x = (const float *)a->x + r * a->d;
        float *out = (float *)a->out + a->rows[r] * a->d;
        for (long i = 0; i < a->d; i++) out[i] += x[i];
    }
}

void ck_scatter_add_rows(const float *x, const int32_t *rows, long n, long d, float *out) {
    struct arguments a = {.x = x, .rows = rows, .d = d, .out = out};
    ck_parallel(n, grain(d), scatter_add, &a);
}

CK_LOOP(embed) {
    const struct arguments *a = context;
    for (long r = begin; r < end; r++) {
        for (long i = 0; i < a->d; i += CK_LANES) {
            v16 token, position;
            ck_load_any(&token, a->x, a->x_type, a->rows[r] * a->d + i, a->d - i);
            ck_load_any(&position, a->position_table, a->x_type, a->positions[r] * a->d + i, a->d - i);
            token += position;
            ck_store(&token, (float *)a->out + r * a->d + i, a->d - i);
        }
    }
}

void ck_embedding_forward(const int32_t *tokens, const int32_t *positions, const void *token_table,
                          const void *position_table, int type, long n, long d, float *x) {
    struct arguments a = {.rows = tokens,
                          .positions = positions,
                          .x = token_table,
                          .x_type = type,
                          .position_table = position_table,
                          .d = d,
                          .out = x};
    ck_parallel(n, grain(d), embed, &a);
}

// Threads own columns, so tokens that repeat are added in order by one thread.
CK_LOOP(embed_backward) {
    const struct arguments *a = context;
    for (long r = 0; r < a->n; r++) {
        const float *dx = (const float *)a->x + r * a->d;
        float *token = a->token_gradient + a->rows[r] * a->d;
        for (long i = begin; i < end; i++) token[i] += dx[i];
        if (!a->position_gradient) continue;
        float *position = a->position_gradient + a->positions[r] * a->d;
        for (long i = begin; i < end; i++) position[i] += dx[i];
    }
}

void ck_embedding_backward(const float *dx, const int32_t *tokens, const int32_t *positions, long n, long d,
                           float *token_gradient, float *position_gradient) {
    struct arguments a = {.x = dx,
                          .rows = tokens,
                          .positions = positions,
                          .n = n,
                          .d = d,
                          .token_gradient = token_gradient,
                          .position_gradient = position_gradient};
    ck_parallel(d, 32, embed_backward, &a);
}

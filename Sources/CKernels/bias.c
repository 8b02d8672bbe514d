#include "columns.h"
#include "parallel.h"
#include "vector.h"

struct arguments {
    const float *x, *bias, *residual;
    float *y;
    long n, d;
};

static long grain(long d) { return 1 + 8192 / (d + 1); }

CK_LOOP(add_bias) {
    const struct arguments *a = context;
    const float *bias = a->bias;
    for (long r = begin; r < end; r++) {
        float *y = a->y + r * a->d;
        for (long i = 0; i < a->d; i++) y[i] += bias[i];
    }
}

void ck_add_bias(const float *bias, long n, long d, float *x) {
    struct arguments a = {.bias = bias, .y = x, .d = d};
    ck_parallel(n, grain(d), add_bias, &a);
}

CK_LOOP(add_residual) {
    const struct arguments *a = context;
    for (long r = begin; r < end; r++) {
        for (long i = 0; i < a->d; i += CK_LANES) {
            const long at = r * a->d + i, left = a->d - i;
            v16 x, y;
            ck_load(&x, a->x + at, left);
            if (a->bias) {
                ck_load(&y, a->bias + i, left);
                x += y;
            }
            ck_load(&y, a->residual + at, left);
            x += y;
            ck_store(&x, a->y + at, left);
        }
    }
}

void ck_add_residual(const float *x, const float *bias, const float *residual, long n, long d, float *y) {
    struct arguments a = {.x = x, .bias = bias, .residual = residual, .y = y, .d = d};
    ck_parallel(n, grain(d), add_residual, &a);
}

CK_TASK(sum_rows) {
    const struct arguments *a = context;
    long begin = task * CK_CHUNK, end = begin + CK_CHUNK < a->n ? begin + CK_CHUNK : a->n;
    float *partial = a->y + task * a->d;
    for (long r = begin; r < end; r++) {
        const float *x = a->x + r * a->d;
        for (long i = 0; i < a->d; i++) partial[i] += x[i];
    }
}

void ck_bias_backward(const float *dy, long n, long d, float *gradient) {
    float *partials = ck_zeroed_partials(n, d);
    struct arguments a = {.x = dy, .y = partials, .n = n, .d = d};
    ck_parallel_tasks(ck_threads(), ck_chunks(n), sum_rows, &a);
    ck_add_partials(partials, n, d, 0, d, gradient);
}

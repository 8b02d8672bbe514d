#include "columns.h"
#include "parallel.h"
#include "vector.h"

// gelu(x) = x/2·(1 + tanh u) = x·σ(2u), u = √(2/π)·(x + 0.044715·x³)   (Hendrycks & Gimpel, arXiv 1606.08415)

#define TWICE_ROOT 1.5957691216057308f // 2·√(2/π)
#define CUBIC 0.044715f

struct arguments {
    float *x;
    const float *bias;
    void *y;
    float *dy, *partials;
    uint16_t *copy;
    long n, d;
    int y_type;
};

// σ(2u) of x.
CK_INLINE void gate(const v16 *x, v16 *sigma) {
    *sigma = *x * (-TWICE_ROOT - TWICE_ROOT * CUBIC * (*x * *x));
    ck_exp(sigma);
    *sigma = 1.0f / (1.0f + *sigma);
}

CK_LOOP(forward) {
    const struct arguments *a = context;
    for (long r = begin; r < end; r++) {
        float *row = a->x + r * a->d;
        for (long i = 0; i < a->d; i += CK_LANES) {
            v16 x, bias, sigma;
            ck_load(&x, row + i, a->d - i);
            ck_load(&bias, a->bias + i, a->d - i);
            x += bias;
            ck_store(&x, row + i, a->d - i);
            gate(&x, &sigma);
            x *= sigma;
            ck_store_any(&x, a->y, a->y_type, r * a->d + i, a->d - i);
        }
    }
}

void ck_gelu_forward(float *x, const float *bias, long n, long d, void *y, int y_type) {
    struct arguments a = {.x = x, .bias = bias, .y = y, .y_type = y_type, .d = d};
    ck_parallel(n, 1 + 4096 / (d + 1), forward, &a);
}

CK_TASK(backward) {
    const struct arguments *a = context;
    long first = task * CK_CHUNK, last = first + CK_CHUNK < a->n ? first + CK_CHUNK : a->n;
    float *partial = a->partials ? a->partials + task * a->d : NULL;
    for (long r = first; r < last; r++) {
        for (long i = 0; i < a->d; i += CK_LANES) {
            v16 x, dy, sigma;
            long at = r * a->d + i, rest = a->d - i;
            ck_load(&x, a->x + at, rest);
            ck_load(&dy, a->dy + at, rest);
            gate(&x, &sigma);
            // gelu' = σ + x·σ·(1 − σ)·2u',  2u' = 2·√(2/π)·(1 + 3·0.044715·x²)
            v16 slope = TWICE_ROOT + 3.0f * TWICE_ROOT * CUBIC * (x * x);
            dy *= sigma + x * sigma * (1.0f - sigma) * slope;
            ck_store(&dy, a->dy + at, rest);
            if (a->copy) ck_store_bfloat16(&dy, a->copy + at, rest);
            if (partial) {
                v16 sum;
                ck_load(&sum, partial + i, rest);
                sum += dy;
                ck_store(&sum, partial + i, rest);
            }
        }
    }
}

void ck_gelu_backward(const float *x, long n, long d, float *dy, float *bias_gradient, uint16_t *copy) {
    float *partials = bias_gradient ? ck_zeroed_partials(n, d) : NULL;
    struct arguments a = {.x = (float *)x, .dy = dy, .copy = copy, .partials = partials, .n = n, .d = d};
    ck_parallel_tasks(ck_threads(), ck_chunks(n), backward, &a);
    if (bias_gradient) ck_add_partials(partials, n, d, 0, d, bias_gradient);
}

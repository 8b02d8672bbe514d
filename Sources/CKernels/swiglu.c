#include "parallel.h"
#include "vector.h"

// y = silu(g)·u, silu(g) = g·σ(g)   (Shazeer, arXiv 2002.05202, eq. 6).

enum { GRAIN = 4096 };

struct arguments {
    const float *gate, *up, *dy;
    void *y, *dgate, *dup;
    int type;
};

CK_INLINE void sigmoid(const v16 *x, v16 *sigma) {
    *sigma = -*x;
    ck_exp(sigma);
    *sigma = 1.0f / (1.0f + *sigma);
}

CK_LOOP(forward) {
    const struct arguments *a = context;
    for (long i = begin; i < end; i += CK_LANES) {
        v16 g, u, sigma;
        ck_load(&g, a->gate + i, end - i);
        ck_load(&u, a->up + i, end - i);
        sigmoid(&g, &sigma);
        u *= g * sigma;
        ck_store_any(&u, a->y, a->type, i, end - i);
    }
}

void ck_swiglu_forward(const float *gate, const float *up, long count, void *y, int y_type) {
    struct arguments a = {.gate = gate, .up = up, .y = y, .type = y_type};
    ck_parallel(count, GRAIN, forward, &a);
}

// du = dy·silu(g),  dg = dy·u·silu'(g),  silu'(g) = σ·(1 + g·(1 − σ)).
CK_LOOP(backward) {
    const struct arguments *a = context;
    for (long i = begin; i < end; i += CK_LANES) {
        v16 g, u, dy, sigma, t;
        ck_load(&g, a->gate + i, end - i);
        ck_load(&u, a->up + i, end - i);
        ck_load(&dy, a->dy + i, end - i);
        sigmoid(&g, &sigma);
        t = dy * g * sigma;
        ck_store_any(&t, a->dup, a->type, i, end - i);
        t = dy * u * sigma * (1.0f + g * (1.0f - sigma));
        ck_store_any(&t, a->dgate, a->type, i, end - i);
    }
}

void ck_swiglu_backward(const float *gate, const float *up, const float *dy, long count, void *dgate, void *dup,
                        int type) {
    struct arguments a = {.gate = gate, .up = up, .dy = dy, .dgate = dgate, .dup = dup, .type = type};
    ck_parallel(count, GRAIN, backward, &a);
}

#include "parallel.h"
#include "times.h"
#include "vector.h"

struct arguments {
    float *parameters;
    const float *gradients;
    float *first, *second;
    float rate, beta1, beta2, epsilon, decay, gradient_scale, correction1, correction2;
};

// m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  θ ← θ − η·(m̂/(√v̂ + ε) + λθ),  m̂ = m/c₁, v̂ = v/c₂, cᵢ = 1 − βᵢ^step
// (Loshchilov & Hutter, arXiv 1711.05101, algorithm 2, with the decay multiplied by the rate as PyTorch does).
CK_LOOP(step) {
    const struct arguments *a = context;
    const float inverse1 = 1.0f / a->correction1, inverse2 = 1.0f / a->correction2, keep = 1.0f - a->rate * a->decay;
    for (long i = begin; i < end; i += CK_LANES) {
        long n = end - i;
        v16 theta, g, m, v;
        ck_load(&theta, a->parameters + i, n);
        ck_load(&g, a->gradients + i, n);
        ck_load(&m, a->first + i, n);
        ck_load(&v, a->second + i, n);
        g *= a->gradient_scale;
        m = a->beta1 * m + (1.0f - a->beta1) * g;
        v = a->beta2 * v + (1.0f - a->beta2) * g * g;
        theta = theta * keep - a->rate * (m * inverse1) / (__builtin_elementwise_sqrt(v * inverse2) + a->epsilon);
        ck_store(&theta, a->parameters + i, n);
        ck_store(&m, a->first + i, n);
        ck_store(&v, a->second + i, n);
    }
}

void ck_adamw(float *parameters, const float *gradients, float *first, float *second, long count, float rate,
              float beta1, float beta2, float epsilon, float decay, float gradient_scale, float correction1,
              float correction2) {
    CK_TIMED(CK_OPTIMIZER);
    struct arguments a = {parameters, gradients, first, second,         rate,        beta1,
                          beta2,      epsilon,   decay, gradient_scale, correction1, correction2};
    ck_parallel(count, 8192, step, &a);
}

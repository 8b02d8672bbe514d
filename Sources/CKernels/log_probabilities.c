#include <math.h>

#include "parallel.h"
#include "vector.h"

struct arguments {
    const float *logits;
    const int32_t *targets;
    float temperature;
    long v;
    float *log_probability, *entropy, *log_normalizer;
    const float *dlogp;
    void *dlogits;
    int type;
    const float *other, *other_normalizer;
    float *divergence;
};

// With z = logits/T, m = max z, s = Σ e^(z−m):  log p_i = z_i − m − log s,  H = log s − Σ e^(z−m)·(z−m)/s.
CK_LOOP(forward) {
    const struct arguments *a = context;
    long v = a->v;
    float inverse = 1.0f / a->temperature;
    for (long r = begin; r < end; r++) {
        const float *row = a->logits + r * v;
        const float m = ck_largest(row, v);
        v16 x;
        v16 sum = {0}, moment = {0};
        for (long i = 0; i < v; i += CK_LANES) {
            ck_load(&x, row + i, v - i);
            x = (x - m) * inverse;
            // A logit of −∞ has weight 0 and must not make 0·∞ in the entropy.
            v16 z = CK_SELECT(x < -200.0f, (v16){0} - 200.0f, x);
            x = z;
            ck_exp(&x);
            ck_keep(&x, v - i);
            sum += x;
            moment += x * z;
        }
        float s = ck_lane_sum(&sum), log_s = logf(s);
        a->log_probability[r] = (row[a->targets[r]] - m) * inverse - log_s;
        a->entropy[r] = log_s - ck_lane_sum(&moment) / s;
        a->log_normalizer[r] = m * inverse + log_s;
    }
}

void ck_log_probabilities_forward(const float *logits, const int32_t *targets, float temperature, long n, long v,
                                  float *log_probability, float *entropy, float *log_normalizer) {
    struct arguments a = {.logits = logits,
                          .targets = targets,
                          .temperature = temperature,
                          .v = v,
                          .log_probability = log_probability,
                          .entropy = entropy,
                          .log_normalizer = log_normalizer};
    ck_parallel(n, 1 + 4096 / (v + 1), forward, &a);
}

// dlogits = dlogp·(1[target] − p)/T,  p = e^(logit/T − log Σ).
CK_LOOP(backward) {
    const struct arguments *a = context;
    long v = a->v;
    float inverse = 1.0f / a->temperature;
    for (long r = begin; r < end; r++) {
        const float *row = a->logits + r * v;
        float factor = a->dlogp[r] * inverse, shift = a->log_normalizer[r];
        long target = a->targets[r];
        for (long i = 0; i < v; i += CK_LANES) {
            v16 x;
            ck_load(&x, row + i, v - i);
            x = x * inverse - shift;
            ck_exp(&x);
            x *= -factor;
            const v16i lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
            x += (v16)((v16i)((v16){0} + factor) & (lane == (int)(target - i)));
            ck_store_any(&x, a->dlogits, a->type, r * v + i, v - i);
        }
    }
}

void ck_log_probabilities_backward(const float *logits, const int32_t *targets, float temperature,
                                   const float *log_normalizer, const float *dlogp, long n, long v, void *dlogits,
                                   int type) {
    struct arguments a = {.logits = logits,
                          .targets = targets,
                          .temperature = temperature,
                          .v = v,
                          .log_normalizer = (float *)log_normalizer,
                          .dlogp = dlogp,
                          .dlogits = dlogits,
                          .type = type};
    ck_parallel(n, 1 + 4096 / (v + 1), backward, &a);
}

// KL(p ‖ q) = Σ p·(log p − log q), each logarithm −200 at least: so 0·∞ is 0, and what q forbids costs 200 nats.
CK_LOOP(divergence) {
    const struct arguments *a = context;
    long v = a->v;
    float inverse = 1.0f / a->temperature;
    for (long r = begin; r < end; r++) {
        const float *p = a->logits + r * v, *q = a->other + r * v;
        float p_shift = a->log_normalizer[r], q_shift = a->other_normalizer[r];
        v16 sum = {0};
        for (long i = 0; i < v; i += CK_LANES) {
            v16 x, y;
            ck_load(&x, p + i, v - i);
            ck_load(&y, q + i, v - i);
            x = x * inverse - p_shift;
            y = y * inverse - q_shift;
            x = CK_SELECT(x < -200.0f, (v16){0} - 200.0f, x);
            y = CK_SELECT(y < -200.0f, (v16){0} - 200.0f, y);
            v16 difference = x - y;
            ck_exp(&x);
            ck_keep(&x, v - i);
            sum += x * difference;
        }
        a->divergence[r] = ck_lane_sum(&sum);
    }
}

void ck_divergence(const float *logits, const float *log_normalizer, const float *other, const float *other_normalizer,
                   float temperature, long n, long v, float *divergence_of_row) {
    struct arguments a = {.logits = logits,
                          .temperature = temperature,
                          .v = v,
                          .log_normalizer = (float *)log_normalizer,
                          .other = other,
                          .other_normalizer = other_normalizer,
                          .divergence = divergence_of_row};
    ck_parallel(n, 1 + 4096 / (v + 1), divergence, &a);
}

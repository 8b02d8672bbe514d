#include <math.h>
#include "columns.h"
#include "parallel.h"
#include "vector.h"

struct arguments {
    const float *x, *dy, *gain, *bias;
    void *y;
    float *mean, *rstd, *dx, *partials;
    float epsilon;
    long n, d;
    int y_type;
};

// y = (x − mean)·rstd·gain + bias, rstd = 1/√(variance + ε), variance = mean of (x − mean)².
CK_LOOP(forward) {
    const struct arguments *a = context;
    long d = a->d;
    for (long r = begin; r < end; r++) {
        const float *row = a->x + r * d;
        v16 sum = {0}, squares = {0}, x, gain, bias;
        for (long i = 0; i < d; i += CK_LANES) {
            ck_load(&x, row + i, d - i);
            sum += x;
        }
        float mean = ck_lane_sum(&sum) / (float)d;
        for (long i = 0; i < d; i += CK_LANES) {
            ck_load(&x, row + i, d - i);
            x -= mean;
            ck_keep(&x, d - i);
            squares += x * x;
        }
        float rstd = 1.0f / sqrtf(ck_lane_sum(&squares) / (float)d + a->epsilon);
        for (long i = 0; i < d; i += CK_LANES) {
            ck_load(&x, row + i, d - i);
            ck_load(&gain, a->gain + i, d - i);
            ck_load(&bias, a->bias + i, d - i);
            x = (x - mean) * rstd * gain + bias;
            ck_store_any(&x, a->y, a->y_type, r * d + i, d - i);
        }
        a->mean[r] = mean;
        a->rstd[r] = rstd;
    }
}

void ck_layer_norm_forward(const float *x, const float *gain, const float *bias, float epsilon, long n, long d, void *y,
                           int y_type, float *mean, float *rstd) {
    struct arguments a = {.x = x,
                          .gain = gain,
                          .bias = bias,
                          .epsilon = epsilon,
                          .d = d,
                          .y = y,
                          .y_type = y_type,
                          .mean = mean,
                          .rstd = rstd};
    ck_parallel(n, 1 + 4096 / (d + 1), forward, &a);
}

// With x̂ = (x − mean)·rstd and g = dy·gain:  dx += rstd·(g − mean(g) − x̂·mean(g·x̂)),  dgain += dy·x̂,  dbias += dy.
CK_TASK(backward) {
    const struct arguments *a = context;
    long d = a->d, first = task * CK_CHUNK, last = first + CK_CHUNK < a->n ? first + CK_CHUNK : a->n;
    float *dgain = a->partials ? a->partials + task * 2 * d : NULL, *dbias = dgain ? dgain + d : NULL;
    for (long r = first; r < last; r++) {
        const float *x_row = a->x + r * d, *dy_row = a->dy + r * d;
        float *dx_row = a->dx + r * d;
        float mean = a->mean[r], rstd = a->rstd[r];
        v16 sum_g = {0}, sum_gx = {0}, x, dy, gain, t;
        for (long i = 0; i < d; i += CK_LANES) {
            ck_load(&x, x_row + i, d - i);
            ck_load(&dy, dy_row + i, d - i);
            ck_load(&gain, a->gain + i, d - i);
            x = (x - mean) * rstd;
            if (dgain) {
                ck_load(&t, dgain + i, d - i);
                t += dy * x;
                ck_store(&t, dgain + i, d - i);
                ck_load(&t, dbias + i, d - i);
                t += dy;
                ck_store(&t, dbias + i, d - i);
            }
            gain *= dy;
            sum_g += gain;
            sum_gx += gain * x;
        }
        float mean_g = ck_lane_sum(&sum_g) / (float)d, mean_gx = ck_lane_sum(&sum_gx) / (float)d;
        for (long i = 0; i < d; i += CK_LANES) {
            ck_load(&x, x_row + i, d - i);
            ck_load(&dy, dy_row + i, d - i);
            ck_load(&gain, a->gain + i, d - i);
            ck_load(&t, dx_row + i, d - i);
            x = (x - mean) * rstd;
            t += rstd * (gain * dy - mean_g - x * mean_gx);
            ck_store(&t, dx_row + i, d - i);
        }
    }
}

void ck_layer_norm_backward(const float *dy, const float *x, const float *gain, const float *mean, const float *rstd,
                            long n, long d, float *dx, float *gain_gradient, float *bias_gradient) {
    float *partials = gain_gradient ? ck_zeroed_partials(n, 2 * d) : NULL;
    struct arguments a = {.dy = dy,
                          .x = x,
                          .gain = gain,
                          .mean = (float *)mean,
                          .rstd = (float *)rstd,
                          .n = n,
                          .d = d,
                          .dx = dx,
                          .partials = partials};
    ck_parallel_tasks(ck_threads(), ck_chunks(n), backward, &a);
    if (gain_gradient) {
        ck_add_partials(partials, n, 2 * d, 0, d, gain_gradient);
        ck_add_partials(partials, n, 2 * d, d, d, bias_gradient);
    }
}

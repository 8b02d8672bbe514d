#include <math.h>
#include "columns.h"
#include "parallel.h"
#include "vector.h"

struct arguments {
    const float *x, *dy, *gain;
    void *y;
    float *rstd, *dx, *partials;
    float epsilon;
    long n, d;
    int y_type;
};

// y = x·rstd·gain, rstd = 1/√(mean of x² + ε)   (Zhang & Sennrich, arXiv 1910.07467, eq. 4).
CK_LOOP(forward) {
    const struct arguments *a = context;
    long d = a->d;
    for (long r = begin; r < end; r++) {
        const float *row = a->x + r * d;
        v16 squares = {0}, x, gain;
        for (long i = 0; i < d; i += CK_LANES) {
            ck_load(&x, row + i, d - i);
            squares += x * x;
        }
        float rstd = 1.0f / sqrtf(ck_lane_sum(&squares) / (float)d + a->epsilon);
        for (long i = 0; i < d; i += CK_LANES) {
            ck_load(&x, row + i, d - i);
            ck_load(&gain, a->gain + i, d - i);
            x = x * rstd * gain;
            ck_store_any(&x, a->y, a->y_type, r * d + i, d - i);
        }
        a->rstd[r] = rstd;
    }
}

void ck_rms_norm_forward(const float *x, const float *gain, float epsilon, long n, long d, void *y, int y_type,
                         float *rstd) {
    struct arguments a = {.x = x, .gain = gain, .epsilon = epsilon, .d = d, .y = y, .y_type = y_type, .rstd = rstd};
    ck_parallel(n, 1 + 4096 / (d + 1), forward, &a);
}

// With x̂ = x·rstd and g = dy·gain:  dx += rstd·(g − x̂·mean(g·x̂)),  dgain += dy·x̂.
CK_TASK(backward) {
    const struct arguments *a = context;
    long d = a->d, first = task * CK_CHUNK, last = first + CK_CHUNK < a->n ? first + CK_CHUNK : a->n;
    float *dgain = a->partials ? a->partials + task * d : NULL;
    for (long r = first; r < last; r++) {
        const float *x_row = a->x + r * d, *dy_row = a->dy + r * d;
        float *dx_row = a->dx + r * d, rstd = a->rstd[r];
        v16 sum = {0}, x, dy, gain, t;
        for (long i = 0; i < d; i += CK_LANES) {
            ck_load(&x, x_row + i, d - i);
            ck_load(&dy, dy_row + i, d - i);
            ck_load(&gain, a->gain + i, d - i);
            x *= rstd;
            if (dgain) {
                ck_load(&t, dgain + i, d - i);
                t += dy * x;
                ck_store(&t, dgain + i, d - i);
            }
            sum += gain * dy * x;
        }
        float mean = ck_lane_sum(&sum) / (float)d;
        for (long i = 0; i < d; i += CK_LANES) {
            ck_load(&x, x_row + i, d - i);
            ck_load(&dy, dy_row + i, d - i);
            ck_load(&gain, a->gain + i, d - i);
            ck_load(&t, dx_row + i, d - i);
            t += rstd * (gain * dy - x * rstd * mean);
            ck_store(&t, dx_row + i, d - i);
        }
    }
}

void ck_rms_norm_backward(const float *dy, const float *x, const float *gain, const float *rstd, long n, long d,
                          float *dx, float *gain_gradient) {
    float *partials = gain_gradient ? ck_zeroed_partials(n, d) : NULL;
    struct arguments a = {
        .dy = dy, .x = x, .gain = gain, .rstd = (float *)rstd, .n = n, .d = d, .dx = dx, .partials = partials};
    ck_parallel_tasks(ck_threads(), ck_chunks(n), backward, &a);
    if (gain_gradient) ck_add_partials(partials, n, d, 0, d, gain_gradient);
}

#include <math.h>

#include "parallel.h"
#include "vector.h"

// Draws a token from each row of logits: from softmax(x/temperature), by inverting the cumulative sum in order of token id, or the
// most probable at temperature 0. Nothing is sorted: the sums of at most CHUNKS stretches of a row are kept, and the
// stretch where the sum passes the uniform number is gone through again, token by token.

enum { CHUNKS = 256 };

struct arguments {
    const float *logits;
    float temperature;
    const double *uniforms;
    long v;
    int32_t *tokens;
    float *log_probabilities;
};

// e^((x − most)/temperature) of the sixteen logits from j on, 0 beyond v.
CK_INLINE void weights(const struct arguments *a, const float *x, float most, long j, v16 *y) {
    ck_load(y, x + j, a->v - j);
    *y = (*y - most) * (1.0f / a->temperature);
    ck_exp(y);
    ck_keep(y, a->v - j);
}

CK_TASK(draw) {
    const struct arguments *a = context;
    const long row = task;
    const float *x = a->logits + row * a->v;
    const float most = ck_largest(x, a->v);
    long chosen = 0;
    if (a->temperature == 0) {
        while (chosen + 1 < a->v && x[chosen] != most) chosen++;
        a->tokens[row] = (int32_t)chosen;
        a->log_probabilities[row] = 0;
        return;
    }
    const long vectors = (a->v + CK_LANES - 1) / CK_LANES, step = (vectors + CHUNKS - 1) / CHUNKS * CK_LANES;
    double sums[CHUNKS], total = 0, cumulated = 0;
    v16 y;
    for (long chunk = 0; chunk * step < a->v; chunk++) {
        const long end = (chunk + 1) * step < a->v ? (chunk + 1) * step : a->v;
        v16 sum = {0};
        for (long j = chunk * step; j < end; j += CK_LANES) {
            weights(a, x, most, j, &y);
            sum += y;
        }
        sums[chunk] = ck_lane_sum(&sum);
        total += sums[chunk];
    }
    const double goal = a->uniforms[row] * total;
    long chunk = 0;
    while ((chunk + 1) * step < a->v && cumulated + sums[chunk] <= goal) cumulated += sums[chunk++];
    // Where rounding leaves the sum below the goal, the last possible token of the row is drawn.
    for (long j = chunk * step; j < a->v; j += CK_LANES) {
        weights(a, x, most, j, &y);
        for (long lane = 0; lane < CK_LANES; lane++) {
            if (y[lane] <= 0) continue;
            chosen = j + lane;
            cumulated += y[lane];
            if (cumulated > goal) goto found;
        }
    }
found:
    a->tokens[row] = (int32_t)chosen;
    a->log_probabilities[row] = (float)((double)(x[chosen] - most) / a->temperature - log(total));
}

void ck_draw(const float *logits, float temperature, const double *uniforms, long n, long v, int32_t *tokens,
             float *log_probabilities) {
    struct arguments a = {logits, temperature, uniforms, v, tokens, log_probabilities};
    ck_parallel_tasks(ck_threads(), n, draw, &a);
}

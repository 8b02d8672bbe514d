#include <math.h>

#include "parallel.h"
#include "vector.h"

// Rotary positions (Su et al., arXiv 2104.09864, eq. 34) in the halves' arrangement of Llama: at position m, the pair
// (x_i, x_{i + half}) of a head is turned by the angle m·f_i.

struct arguments {
    const int32_t *positions;
    const float *frequencies;
    float *cosines, *sines, *x;
    long heads, half;
    float sign;
};

// The angle is rounded to float32, as in `transformers`.
static void table(void *context, long begin, long end) {
    const struct arguments *a = context;
    for (long r = begin; r < end; r++) {
        for (long i = 0; i < a->half; i++) {
            float angle = (float)a->positions[r] * a->frequencies[i];
            a->cosines[r * a->half + i] = (float)cos(angle);
            a->sines[r * a->half + i] = (float)sin(angle);
        }
    }
}

void ck_rotary_table(const int32_t *positions, const float *frequencies, long n, long half, float *cosines,
                     float *sines) {
    struct arguments a = {
        .positions = positions, .frequencies = frequencies, .cosines = cosines, .sines = sines, .half = half};
    ck_parallel(n, 1 + 256 / (half + 1), table, &a);
}

CK_LOOP(turn) {
    const struct arguments *a = context;
    long half = a->half;
    for (long r = begin; r < end; r++) {
        const float *cosines = a->cosines + r * half, *sines = a->sines + r * half;
        for (long h = 0; h < a->heads; h++) {
            float *low = a->x + (r * a->heads + h) * 2 * half, *high = low + half;
            for (long i = 0; i < half; i += CK_LANES) {
                v16 x, y, c, s, t;
                ck_load(&x, low + i, half - i);
                ck_load(&y, high + i, half - i);
                ck_load(&c, cosines + i, half - i);
                ck_load(&s, sines + i, half - i);
                s *= a->sign;
                t = x * c - y * s;
                y = y * c + x * s;
                ck_store(&t, low + i, half - i);
                ck_store(&y, high + i, half - i);
            }
        }
    }
}

void ck_rotary(const float *cosines, const float *sines, long n, long heads, long half, int inverse, float *x) {
    struct arguments a = {.cosines = (float *)cosines,
                          .sines = (float *)sines,
                          .heads = heads,
                          .half = half,
                          .x = x,
                          .sign = inverse ? -1.0f : 1.0f};
    ck_parallel(n, 1 + 4096 / (heads * half + 1), turn, &a);
}

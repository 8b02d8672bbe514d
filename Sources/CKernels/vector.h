#pragma once

// Sixteen floats at a time, for any CPU: the compiler lowers these types to AVX-512, AVX2, SSE or NEON registers (cpu.h).
// Vectors pass by pointer, never by value: passing them would tie the calling convention to the instruction set. Sums
// keep sixteen partial sums, in the same order on every CPU.

#include <stdint.h>
#include <string.h>

#include "cpu.h"

enum { CK_LANES = 16 };
typedef float v16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t v16i __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint32_t v16u __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint16_t v16h __attribute__((vector_size(32), aligned(2), may_alias));

// mask ? a : b, lane by lane.
#define CK_SELECT(mask, a, b) ((v16)(((mask) & (v16i)(a)) | (~(mask) & (v16i)(b))))

// The first `n` floats at p (all sixteen when n ≥ 16); the other lanes are 0. The partial case goes through a variable
// of its own: copying into *x would keep it in memory in the whole loop around.
CK_INLINE void ck_load(v16 *x, const float *p, long n) {
    if (n >= CK_LANES) {
        *x = *(const v16 *)p;
    } else {
        v16 part = {0};
        memcpy(&part, p, (size_t)n * sizeof(float));
        *x = part;
    }
}

CK_INLINE void ck_store(const v16 *x, float *p, long n) {
    if (n >= CK_LANES) {
        *(v16 *)p = *x;
    } else {
        v16 part = *x;
        memcpy(p, &part, (size_t)n * sizeof(float));
    }
}

// Lanes from n on become 0.
CK_INLINE void ck_keep(v16 *x, long n) {
    const v16i lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    if (n < CK_LANES) *x = (v16)((v16i)*x & (lane < (int)(n < 0 ? 0 : n)));
}

// The bits of the first `n` numbers of 16 bits at p, in the lower halves of words; the other lanes are 0.
CK_INLINE void ck_load_halves(v16u *x, const uint16_t *p, long n) {
    if (n >= CK_LANES) {
        *x = __builtin_convertvector(*(const v16h *)p, v16u);
    } else {
        v16h part = {0};
        memcpy(&part, p, (size_t)n * sizeof(uint16_t));
        *x = __builtin_convertvector(part, v16u);
    }
}

CK_INLINE void ck_load_bfloat16(v16 *x, const uint16_t *p, long n) {
    v16u bits;
    ck_load_halves(&bits, p, n);
    *x = (v16)(bits << 16);
}

// fp16, exactly: its exponent and fraction, read as a float, are the number times 2⁻¹¹²; an exponent of ones stays one.
CK_INLINE void ck_load_float16(v16 *x, const uint16_t *p, long n) {
    v16u bits;
    ck_load_halves(&bits, p, n);
    const v16u magnitude = (bits & 0x7FFF) << 13, sign = (bits & 0x8000) << 16;
    const v16u endless = (v16u)((bits & 0x7C00) == 0x7C00) & 0x7F800000;
    *x = (v16)((v16u)((v16)magnitude * 0x1p112f) | endless | sign);
}

// Rounds to nearest, ties to even; a NaN stays one.
CK_INLINE void ck_store_bfloat16(const v16 *x, uint16_t *p, long n) {
    v16u u = (v16u)*x;
    v16u rounded = (u + 0x7FFF + ((u >> 16) & 1)) >> 16;
    v16u nan = (u >> 16) | 0x40;
    v16u is_nan = (v16u)((u & 0x7FFFFFFF) > 0x7F800000);
    v16h h = __builtin_convertvector((is_nan & nan) | (~is_nan & rounded), v16h);
    if (n >= CK_LANES) {
        *(v16h *)p = h;
    } else {
        v16h part = h;
        memcpy(p, &part, (size_t)n * sizeof(uint16_t));
    }
}

CK_INLINE void ck_load_any(v16 *x, const void *p, int type, long i, long n) {
    if (type == CK_FLOAT32)
        ck_load(x, (const float *)p + i, n);
    else if (type == CK_BFLOAT16)
        ck_load_bfloat16(x, (const uint16_t *)p + i, n);
    else
        ck_load_float16(x, (const uint16_t *)p + i, n);
}

// Nothing is written as fp16.
CK_INLINE void ck_store_any(const v16 *x, void *p, int type, long i, long n) {
    if (type == CK_FLOAT32)
        ck_store(x, (float *)p + i, n);
    else
        ck_store_bfloat16(x, (uint16_t *)p + i, n);
}

// x with its lanes moved round by `step`, for the folds below.
#define CK_ROTATED(x, step)                                                                                            \
    __builtin_shufflevector(x, x, (step), (step) + 1, (step) + 2, (step) + 3, (step) + 4, (step) + 5, (step) + 6,      \
                            (step) + 7, (step) + 8, (step) + 9, (step) + 10, (step) + 11, (step) + 12, (step) + 13,    \
                            (step) + 14, (step) + 15)

// Pairwise sum of the lanes.
CK_INLINE float ck_lane_sum(const v16 *x) {
    v16 t = *x;
    t += CK_ROTATED(t, 8);
    t += CK_ROTATED(t, 4);
    t += CK_ROTATED(t, 2);
    t += CK_ROTATED(t, 1);
    return t[0];
}

CK_INLINE float ck_lane_max(const v16 *x) {
    v16 t = *x, u;
    u = CK_ROTATED(t, 8), t = CK_SELECT(t > u, t, u);
    u = CK_ROTATED(t, 4), t = CK_SELECT(t > u, t, u);
    u = CK_ROTATED(t, 2), t = CK_SELECT(t > u, t, u);
    u = CK_ROTATED(t, 1), t = CK_SELECT(t > u, t, u);
    return t[0];
}

// The largest of `count` floats.
CK_INLINE float ck_largest(const float *x, long count) {
    v16 most = (v16){0} - __builtin_inff(), y;
    long j = 0;
    for (; j + CK_LANES <= count; j += CK_LANES) {
        ck_load(&y, x + j, CK_LANES);
        most = CK_SELECT(y > most, y, most);
    }
    float m = ck_lane_max(&most);
    for (; j < count; j++) m = x[j] > m ? x[j] : m;
    return m;
}

// x := exp(x), relative error below 2e-7; 0 below −87.3 and infinite above 88.7. exp(x) = 2^k·exp(r) with
// k = round(x/ln 2) and |r| ≤ ln(2)/2; coefficients of the minimax polynomial from Cephes (expf).
CK_INLINE void ck_exp(v16 *x) {
    // clang-format off
    v16i small = *x < -87.3f, large = *x > 88.7f;
    // clang-format on
    const v16 shift = (v16){0} + 12582912.0f; // 1.5·2²³: adding it rounds to an integer held in the low bits
    v16 shifted = *x * 1.44269504088896341f + shift;
    v16 k = shifted - shift;
    v16 r = *x - k * 0.693359375f;
    r = r + k * 2.12194440e-4f;
    v16 p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    v16i power = ((v16i)shifted << 23) + 0x3F800000; // bits of 2^k
    p = p * (v16)power;
    p = CK_SELECT(small, (v16){0}, p);
    *x = CK_SELECT(large, (v16){0} + __builtin_inff(), p);
}

#pragma once

// Small products inside one thread, for attention: c [m, n] = a·b (+ c), kept in registers in tiles of 4 × 32.

#include "vector.h"

enum { CK_TILE_ROWS = 4 };

// One tile. Rows of `a` beyond m repeat the last one: the same values are then stored twice, which does no harm.
CK_INLINE void ck_tile(long m, long n, long k, const float *a, long a_row, long a_column, const float *b, long b_row,
                       float *c, long c_row, int accumulate) {
    const float *a0 = a, *a1 = a + (m > 1 ? 1 : 0) * a_row, *a2 = a + (m > 2 ? 2 : m - 1) * a_row,
                *a3 = a + (m > 3 ? 3 : m - 1) * a_row;
    float *c0 = c, *c1 = c + (m > 1 ? 1 : 0) * c_row, *c2 = c + (m > 2 ? 2 : m - 1) * c_row,
          *c3 = c + (m > 3 ? 3 : m - 1) * c_row;
    long rest = n > CK_LANES ? n - CK_LANES : 0;
    v16 x00 = {0}, x01 = {0}, x10 = {0}, x11 = {0}, x20 = {0}, x21 = {0}, x30 = {0}, x31 = {0};
    if (accumulate) {
        ck_load(&x00, c0, n);
        ck_load(&x01, c0 + CK_LANES, rest);
        ck_load(&x10, c1, n);
        ck_load(&x11, c1 + CK_LANES, rest);
        ck_load(&x20, c2, n);
        ck_load(&x21, c2 + CK_LANES, rest);
        ck_load(&x30, c3, n);
        ck_load(&x31, c3 + CK_LANES, rest);
    }
    for (long p = 0; p < k; p++) {
        v16 low, high;
        ck_load(&low, b + p * b_row, n);
        ck_load(&high, b + p * b_row + CK_LANES, rest);
        x00 += a0[p * a_column] * low;
        x01 += a0[p * a_column] * high;
        x10 += a1[p * a_column] * low;
        x11 += a1[p * a_column] * high;
        x20 += a2[p * a_column] * low;
        x21 += a2[p * a_column] * high;
        x30 += a3[p * a_column] * low;
        x31 += a3[p * a_column] * high;
    }
    ck_store(&x00, c0, n);
    ck_store(&x01, c0 + CK_LANES, rest);
    ck_store(&x10, c1, n);
    ck_store(&x11, c1 + CK_LANES, rest);
    ck_store(&x20, c2, n);
    ck_store(&x21, c2 + CK_LANES, rest);
    ck_store(&x30, c3, n);
    ck_store(&x31, c3 + CK_LANES, rest);
}

// Element (i, p) of `a` is a[i·a_row + p·a_column]; rows of b and c are contiguous.
CK_INLINE void ck_small_product(long m, long n, long k, const float *a, long a_row, long a_column, const float *b,
                                long b_row, float *c, long c_row, int accumulate) {
    for (long j = 0; j < n; j += 2 * CK_LANES) {
        for (long i = 0; i < m; i += CK_TILE_ROWS) {
            const float *rows = a + i * a_row;
            if (n - j >= 2 * CK_LANES)
                ck_tile(m - i, 2 * CK_LANES, k, rows, a_row, a_column, b + j, b_row, c + i * c_row + j, c_row,
                        accumulate);
            else
                ck_tile(m - i, n - j, k, rows, a_row, a_column, b + j, b_row, c + i * c_row + j, c_row, accumulate);
        }
    }
}

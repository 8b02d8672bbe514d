#pragma once

// Sixteen vectors of sixteen words as a matrix, transposed in place.

#include "vector.h"

// One step: vectors `step` apart exchange lanes `step` apart.
#define EXCHANGE(x, step, low, high)                                                                                   \
    _Pragma("clang loop unroll(full)")                                                                                 \
    for (long i = 0; i < CK_LANES; i++)                                                                                \
        if (!(i & (step))) {                                                                                           \
            const v16u one = x[i], other = x[i + (step)];                                                              \
            x[i] = __builtin_shufflevector(one, other, low);                                                           \
            x[i + (step)] = __builtin_shufflevector(one, other, high);                                                 \
        }
#define LOW8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define LOW4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31

CK_INLINE void ck_transpose(v16u x[CK_LANES]) {
    EXCHANGE(x, 8, LOW8, HIGH8)
    EXCHANGE(x, 4, LOW4, HIGH4)
    EXCHANGE(x, 2, LOW2, HIGH2)
    EXCHANGE(x, 1, LOW1, HIGH1)
}

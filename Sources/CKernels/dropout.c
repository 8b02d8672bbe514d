#include "parallel.h"
#include "vector.h"

// Dropout: elements become 0 at random, the others are scaled. What becomes of element (i, j) is a function of keys[i] and j
// alone, so that a backward pass makes the same choice again and nothing has to be kept.

struct dropping {
    const void *x;
    void *y;
    const uint64_t *keys;
    long columns;
    uint32_t threshold;
    float scale;
    int type, adds;
};

// A bijection of 32 bits in which every bit of x moves every bit of the result (multiplications by odd numbers and shifts).
CK_INLINE void mix(v16u *x) {
    *x = (*x ^ *x >> 16) * 0x7FEB352Du;
    *x = (*x ^ *x >> 15) * 0x846CA68Bu;
    *x ^= *x >> 16;
}

CK_LOOP(drop_rows) {
    const struct dropping *d = context;
    const v16u lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (long row = begin; row < end; row++) {
        for (long j = 0; j < d->columns; j += CK_LANES) {
            const long at = row * d->columns + j, left = d->columns - j;
            v16u random = ((uint32_t)j + lane) * 0x9E3779B9u + (uint32_t)d->keys[row];
            mix(&random);
            random ^= (uint32_t)(d->keys[row] >> 32);
            mix(&random);
            v16 x, y = {0};
            ck_load_any(&x, d->x, d->type, at, left);
            x = (v16)((v16i)(x * d->scale) & (v16i)(random >= d->threshold));
            if (d->adds) ck_load_any(&y, d->y, d->type, at, left);
            y += x;
            ck_store_any(&y, d->y, d->type, at, left);
        }
    }
}

void ck_dropout(const void *x, int type, const uint64_t *keys, long rows, long columns, uint32_t threshold, float scale,
                int adds, void *y) {
    struct dropping d = {x, y, keys, columns, threshold, scale, type, adds};
    ck_parallel(rows, 1, drop_rows, &d);
}

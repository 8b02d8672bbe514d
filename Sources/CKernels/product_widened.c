#include "parallel.h"
#include "product.h"
#include "scratch.h"
#include "vector.h"

// A product of operands for which the CPU, or its library, has no instructions: what is not float32 becomes float32, exactly, some of
// k at a time, in memory that the second cache holds, and OpenBLAS multiplies it. So weights stay as their file has them.

// As deep as the parts into which OpenBLAS cuts k.
enum { DEPTH = 320 };

struct part {
    const void *x;
    long row, rows, columns;
    int type;
    float *y;
};

CK_LOOP(widen) {
    const struct part *p = context;
    for (long r = begin; r < end; r++)
        for (long i = 0; i < p->columns; i += CK_LANES) {
            v16 x;
            ck_load_any(&x, p->x, p->type, r * p->row + i, p->columns - i);
            ck_store(&x, p->y + r * p->columns + i, p->columns - i);
        }
}

// An operand's part from `start` on of k, as float32: where it lies if it is so already, else in `room`.
static const float *operand(const void *x, int type, long *row, int k_is_down, long side, long start, long depth,
                            float *room) {
    const long size = ck_size(type);
    x = (const char *)x + size * start * (k_is_down ? *row : 1);
    if (type == CK_FLOAT32) return x;
    struct part part = {x, *row, k_is_down ? depth : side, k_is_down ? side : depth, type, room};
    widen(&part, 0, part.rows);
    *row = part.columns;
    return room;
}

int ck_block_widened(const struct ck_block *p) {
    float *a_room = ck_scratch((p->m + p->n) * DEPTH * (long)sizeof(float)), *b_room = a_room + p->m * DEPTH;
    for (long start = 0; start < p->k; start += DEPTH) {
        struct ck_block part = *p;
        part.k = p->k - start < DEPTH ? p->k - start : DEPTH;
        part.a = operand(p->a, p->a_type, &part.a_row, p->transpose_a, p->m, start, part.k, a_room);
        part.b = operand(p->b, p->b_type, &part.b_row, !p->transpose_b, p->n, start, part.k, b_room);
        part.accumulate = p->accumulate || start > 0;
        ck_block_float32(&part);
    }
    return 0;
}

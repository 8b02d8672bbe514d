#include "product.h"

#include <stdatomic.h>

#include "CKernels.h"
#include "parallel.h"
#include "times.h"

// A library splits a product by the number of threads, sums in another order for each split, and so gives other bits. Here
// the result is cut into blocks that depend on its shape alone, and each is computed by one thread: the same bits for
// any number of threads.
//
// A side is cut into `parts`, fewer where blocks would be smaller than `least`, since every block packs its operands anew;
// more where they would be larger than `most`, so that many threads can share them.
static long cut(long side, long parts, long grain, long least, long most) {
    const long part = (side + parts * grain - 1) / (parts * grain) * grain;
    return part < least ? least : part > most ? most : part;
}

struct product {
    struct ck_block whole;
    int type;
    long rows, columns, across; // Of a block; blocks side by side.
    _Atomic int status;
};

static void multiply(void *context, long task, int thread) {
    struct product *p = context;
    struct ck_block block = p->whole;
    const long row = task / p->across * p->rows, column = task % p->across * p->columns;
    const long a = row * (block.transpose_a ? 1 : block.a_row), b = column * (block.transpose_b ? block.b_row : 1);
    const long size = p->type == CK_FLOAT32 ? 4 : 2;
    block.a = (const char *)block.a + a * size;
    block.b = (const char *)block.b + b * size;
    block.c += row * block.c_row + column;
    block.m = block.m - row < p->rows ? block.m - row : p->rows;
    block.n = block.n - column < p->columns ? block.n - column : p->columns;
    const int status = p->type == CK_FLOAT32 ? ck_block_float32(&block) : ck_block_bfloat16(&block);
    if (status) atomic_store(&p->status, status);
}

int ck_product(long m, long n, long k, const void *a, int transpose_a, const void *b, int transpose_b, int type, float *c,
               int accumulate) {
    CK_TIMED(CK_PRODUCTS);
    const long rows = cut(m, 2, 8, 128, 1024), columns = cut(n, 4, 48, 192, 384);
    const long down = (m + rows - 1) / rows, across = (n + columns - 1) / columns;
    struct product product = {
        .whole = {m, n, k, a, b, transpose_a ? m : k, transpose_b ? k : n, n, transpose_a, transpose_b, accumulate, c},
        .type = type,
        .rows = rows,
        .columns = columns,
        .across = across,
    };
    ck_enter_library();
    ck_parallel_tasks(ck_threads(), down * across, multiply, &product);
    return atomic_load(&product.status);
}

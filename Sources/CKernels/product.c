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
    long rows, columns, across; // Of a block; blocks side by side.
    const struct ck_update *updates;
    long update_count;
    _Atomic int status;
};

static void compute(struct product *p, const struct ck_block *block) {
    const int a = block->a_type, b = block->b_type;
    const int status = a == CK_FLOAT32 && b == CK_FLOAT32                           ? ck_block_float32(block)
                       : a == CK_BFLOAT16 && b == CK_BFLOAT16 && ck_bfloat16_fast() ? ck_block_bfloat16(block)
                                                                                    : ck_block_widened(block);
    if (status) atomic_store(&p->status, status);
}

static const char *element(const void *x, int type, long index) { return (const char *)x + index * ck_size(type); }

// The update's part of a block that begins at this row and column.
static void add_update(struct product *p, const struct ck_update *u, struct ck_block block, long row, long column) {
    const long begin = u->begin > row ? u->begin : row, end = u->end < row + block.m ? u->end : row + block.m;
    if (begin >= end) return;
    block.c += (begin - row) * block.c_row;
    block.m = end - begin;
    block.k = block.a_row = u->rank;
    block.a = element(u->u, block.a_type, (begin - u->begin) * u->rank);
    block.b_row = u->transpose_v ? u->rank : p->whole.n;
    block.b_type = block.a_type;
    block.b = element(u->v, block.b_type, column * (u->transpose_v ? u->rank : 1));
    block.transpose_a = 0, block.transpose_b = u->transpose_v, block.accumulate = 1;
    compute(p, &block);
}

static void multiply(void *context, long task, int thread) {
    struct product *p = context;
    struct ck_block block = p->whole;
    const long row = task / p->across * p->rows, column = task % p->across * p->columns;
    block.a = element(block.a, block.a_type, row * (block.transpose_a ? 1 : block.a_row));
    block.b = element(block.b, block.b_type, column * (block.transpose_b ? block.b_row : 1));
    block.c += row * block.c_row + column;
    block.m = block.m - row < p->rows ? block.m - row : p->rows;
    block.n = block.n - column < p->columns ? block.n - column : p->columns;
    compute(p, &block);
    for (long i = 0; i < p->update_count; i++) add_update(p, &p->updates[i], block, row, column);
}

int ck_product(long m, long n, long k, const void *a, int a_type, int transpose_a, const void *b, int b_type,
               int transpose_b, float *c, int accumulate, const struct ck_update *updates, long update_count) {
    CK_TIMED(CK_PRODUCTS);
    const long rows = cut(m, 2, 8, 128, 1024), columns = cut(n, 4, 48, 192, 384);
    const long down = (m + rows - 1) / rows, across = (n + columns - 1) / columns;
    struct product product = {
        .whole = {m, n, k, a, b, transpose_a ? m : k, transpose_b ? k : n, n, a_type, b_type, transpose_a, transpose_b,
                  accumulate, c},
        .rows = rows,
        .columns = columns,
        .across = across,
        .updates = updates,
        .update_count = update_count,
    };
    ck_enter_library();
    ck_parallel_tasks(ck_threads(), down * across, multiply, &product);
    return atomic_load(&product.status);
}

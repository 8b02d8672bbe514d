#include <cblas.h>

#include "product.h"

int ck_block_float32(const struct ck_block *p) {
    cblas_sgemm(CblasRowMajor, p->transpose_a ? CblasTrans : CblasNoTrans, p->transpose_b ? CblasTrans : CblasNoTrans,
                (int)p->m, (int)p->n, (int)p->k, 1.0f, p->a, (int)p->a_row, p->b, (int)p->b_row,
                p->accumulate ? 1.0f : 0.0f, p->c, (int)p->c_row);
    return 0;
}

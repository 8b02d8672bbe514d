#include "CKernels.h"
#include "parallel.h"

#include <cblas.h>

void ck_product_float32(long m, long n, long k, const float *a, int transpose_a, const float *b, int transpose_b,
                        float *c, int accumulate) {
    ck_enter_library();
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (int)m,
                (int)n, (int)k, 1.0f, a, (int)(transpose_a ? m : k), b, (int)(transpose_b ? k : n),
                accumulate ? 1.0f : 0.0f, c, (int)n);
}

// What the kernels call of OpenBLAS, as it is defined, for machines without the library.

#include <cblas.h>

char *openblas_get_config(void) { return "a plain product"; }
char *openblas_get_corename(void) { return "none"; }
int openblas_get_parallel(void) { return OPENBLAS_SEQUENTIAL; }
void openblas_set_num_threads(int count) {}

void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b, blasint m, blasint n,
                 blasint k, float alpha, const float *a, blasint a_row, const float *b, blasint b_row, float beta,
                 float *c, blasint c_row) {
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) {
            float sum = 0;
            for (long p = 0; p < k; p++)
                sum += a[transpose_a == CblasTrans ? p * a_row + i : i * a_row + p] *
                       b[transpose_b == CblasTrans ? j * b_row + p : p * b_row + j];
            c[i * c_row + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * c_row + j]);
        }
}

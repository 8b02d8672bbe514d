#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "parallel.h"
#include "times.h"
#include "vector.h"

// c [m, n] = a [m, k]·bᵀ for few rows, as decoding makes them: b [n, k] is read once and where it lies, be it a mapped file. A
// library lays it out anew in every call, which at 16 rows takes longer than the product. For few columns, as adapters make them,
// the same holds of a.
//
// Every element is a dot product of its own: each lane's sum goes down k, then the lanes are added in one fixed order. So a
// row's result has the same bits whatever other rows are in the batch, and for any number of threads.

// The sums of a tile fill half of AVX-512's registers. A task has COLUMNS of b, and takes CHUNK rows of a at a time, which the
// second cache holds.
enum { TILE = 4, SUMS = TILE * TILE, COLUMNS = 64, CHUNK = 64 };

struct arguments {
    const void *a, *b;
    float *c;
    long m, n, k, chunks;
};

// Adds vectors `half` apart, each folded in two: the first one's sums take the lanes where lane & half is 0, the second one's the
// others. `KEEP` and `MOVE` list lanes of both, the second one's from 16 on.
// clang-format off
#define FOLD(x, half, KEEP, MOVE)                                                                  \
    _Pragma("clang loop unroll(full)") for (long i = 0; i < (half); i++)                           \
        x[i] = __builtin_shufflevector(x[i], x[i + (half)], KEEP) + __builtin_shufflevector(x[i], x[i + (half)], MOVE)
// clang-format on
#define KEEP8 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31
#define MOVE8 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23
#define KEEP4 0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31
#define MOVE4 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27
#define KEEP2 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27, 12, 13, 30, 31
#define MOVE2 2, 3, 16, 17, 6, 7, 20, 21, 10, 11, 24, 25, 14, 15, 28, 29
#define KEEP1 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31
#define MOVE1 1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30

// Writes the sums of lanes of x[TILE·r + j] as element (r, j), where it exists.
CK_INLINE void write_sums(v16 x[SUMS], float *c, long c_row, long rows, long columns) {
    FOLD(x, 8, KEEP8, MOVE8);
    FOLD(x, 4, KEEP4, MOVE4);
    FOLD(x, 2, KEEP2, MOVE2);
    FOLD(x, 1, KEEP1, MOVE1);
    float total[SUMS];
    memcpy(total, &x[0], sizeof total);
    for (long r = 0; r < TILE && r < rows; r++) {
        const size_t bytes = sizeof(float) * (size_t)(columns < TILE ? columns : TILE);
        memcpy(c + r * c_row, total + r * TILE, bytes);
    }
}

// Adds the products of the first `n` of a tile's sixteen next numbers. Rows and columns that do not exist repeat the last one.
CK_INLINE void add_products(const void *a, int a_type, const void *b, int b_type, long k, long p, long n, long rows,
                            long columns, v16 sums[SUMS]) {
    v16 x[TILE], y;
#pragma clang loop unroll(full)
    for (long j = 0; j < TILE; j++) ck_load_any(&x[j], b, b_type, (j < columns ? j : columns - 1) * k + p, n);
#pragma clang loop unroll(full)
    for (long r = 0; r < TILE; r++) {
        ck_load_any(&y, a, a_type, (r < rows ? r : rows - 1) * k + p, n);
#pragma clang loop unroll(full)
        for (long j = 0; j < TILE; j++) sums[r * TILE + j] += y * x[j];
    }
}

// The sums of a tile's lanes. `ahead` is read soon, and so fetched.
CK_INLINE void sum_tile(const void *a, int a_type, const void *b, int b_type, const void *ahead, long k, long rows,
                        long columns, v16 sums[SUMS]) {
    long p = 0;
#pragma clang loop unroll(full)
    for (long i = 0; i < SUMS; i++) sums[i] = (v16){0};
    for (; p + CK_LANES <= k; p += CK_LANES) {
        __builtin_prefetch((const char *)ahead + p * ck_size(b_type), 0, 2);
        add_products(a, a_type, b, b_type, k, p, CK_LANES, rows, columns, sums);
    }
    if (p < k) add_products(a, a_type, b, b_type, k, p, k - p, rows, columns, sums);
}

// Each pass over four columns fetches one of the next four.
#define TASK(SUM_TILE, A_TYPE, B_TYPE)                                                                                 \
    const struct arguments *p = context;                                                                               \
    const char *a = p->a, *b = p->b;                                                                                   \
    const long a_row = p->k * ck_size(A_TYPE), b_row = p->k * ck_size(B_TYPE);                                         \
    const long first = task / p->chunks * COLUMNS, chunk = task % p->chunks * CHUNK;                                   \
    const long end = first + COLUMNS < p->n ? first + COLUMNS : p->n;                                                  \
    for (long j = first; j < end; j += TILE)                                                                           \
        for (long i = chunk; i < p->m && i < chunk + CHUNK; i += TILE) {                                               \
            const long pass = (i - chunk) / TILE, next = j + TILE + pass;                                              \
            const void *ahead = b + (pass < TILE && next < end ? next : j) * b_row;                                    \
            v16 sums[SUMS];                                                                                            \
            SUM_TILE((const void *)(a + i * a_row), A_TYPE, (const void *)(b + j * b_row), B_TYPE, ahead, p->k,        \
                     p->m - i, p->n - j, sums);                                                                        \
            write_sums(sums, p->c + i * p->n + j, p->n, p->m - i, p->n - j);                                           \
        }

CK_TASK(rows_float32) { TASK(sum_tile, CK_FLOAT32, CK_FLOAT32) }
CK_TASK(rows_bfloat16) { TASK(sum_tile, CK_BFLOAT16, CK_BFLOAT16) }
CK_TASK(rows_float32_bfloat16) { TASK(sum_tile, CK_FLOAT32, CK_BFLOAT16) }
CK_TASK(rows_float32_float16) { TASK(sum_tile, CK_FLOAT32, CK_FLOAT16) }
CK_TASK(rows_bfloat16_float16) { TASK(sum_tile, CK_BFLOAT16, CK_FLOAT16) }
CK_TASK(rows_bfloat16_float32) { TASK(sum_tile, CK_BFLOAT16, CK_FLOAT32) }

#if defined(__x86_64__)

// The same with AVX512-BF16: an instruction multiplies 32 pairs of numbers and adds them up in twos.
CK_AVX512_BF16 __attribute__((always_inline)) static inline void
sum_tile_pairs(const uint16_t *a, int a_type, const uint16_t *b, int b_type, const uint16_t *ahead, long k, long rows,
               long columns, v16 sums[SUMS]) {
    __m512 s[SUMS];
#pragma clang loop unroll(full)
    for (long i = 0; i < SUMS; i++) s[i] = _mm512_setzero_ps();
    for (long p = 0; p < k; p += 2 * CK_LANES) {
        const __mmask32 mask = k - p >= 2 * CK_LANES ? ~0u : (1u << (k - p)) - 1;
        __m512bh x[TILE];
        _mm_prefetch((const char *)(ahead + p), _MM_HINT_T1);
#pragma clang loop unroll(full)
        for (long j = 0; j < TILE; j++)
            x[j] = (__m512bh)_mm512_maskz_loadu_epi16(mask, b + (j < columns ? j : columns - 1) * k + p);
#pragma clang loop unroll(full)
        for (long r = 0; r < TILE; r++) {
            const __m512bh y = (__m512bh)_mm512_maskz_loadu_epi16(mask, a + (r < rows ? r : rows - 1) * k + p);
#pragma clang loop unroll(full)
            for (long j = 0; j < TILE; j++) s[r * TILE + j] = _mm512_dpbf16_ps(s[r * TILE + j], y, x[j]);
        }
    }
    memcpy(sums, s, sizeof s);
}

CK_AVX512_BF16 static void rows_pairs(void *context, long task, int thread) {
    TASK(sum_tile_pairs, CK_BFLOAT16, CK_BFLOAT16)
}

#define PAIRS_OR_BFLOAT16 (ck_cpu_class() >= CK_CPU_AVX512_BF16 ? rows_pairs : rows_bfloat16)

#else

#define PAIRS_OR_BFLOAT16 rows_bfloat16

#endif

void ck_product_rows(long m, long n, long k, const void *a, int a_type, const void *b, int b_type, float *c) {
    CK_TIMED(CK_PRODUCTS);
    struct arguments p = {a, b, c, m, n, k, (m + CHUNK - 1) / CHUNK};
    void (*body)(void *, long, int);
    if (a_type == CK_FLOAT32)
        body = b_type == CK_FLOAT32    ? rows_float32
               : b_type == CK_BFLOAT16 ? rows_float32_bfloat16
                                       : rows_float32_float16;
    else
        body = b_type == CK_FLOAT32    ? rows_bfloat16_float32
               : b_type == CK_BFLOAT16 ? PAIRS_OR_BFLOAT16
                                       : rows_bfloat16_float16;
    ck_parallel_tasks(ck_threads(), (n + COLUMNS - 1) / COLUMNS * p.chunks, body, &p);
}

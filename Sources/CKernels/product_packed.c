#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "parallel.h"
#include "times.h"
#include "transpose.h"

// c [m, n] = a [m, k]·b [k, n] for few rows, as decoding makes them: b is packed once into panels that the product reads
// from end to end, where a library packs it anew in every call (at 16 rows that takes longer than the product).
//
// Every element is one chain of sums over k in ascending order, so a row's result has the same bits whatever other rows
// are in the batch, and whatever the number of threads.
//
// A panel holds 64 columns. float32: k rows of 64 floats. bfloat16: ⌈k/2⌉ rows of 64 pairs (b[2i, j], b[2i+1, j]).

enum { PANEL = 64, ROWS = 6, VECTORS = PANEL / CK_LANES };

// fp16 has no panels of its own: it is packed as float32.
static int packed_as(int type) { return type == CK_BFLOAT16 ? CK_BFLOAT16 : CK_FLOAT32; }

// Rows of a panel.
static long panel_depth(long k, int packed_type) { return packed_type == CK_BFLOAT16 ? (k + 1) / 2 : k; }

long ck_packed_bytes(long n, long k, int type) {
    return (n + PANEL - 1) / PANEL * PANEL * panel_depth(k, packed_as(type)) * 4;
}

struct packing {
    const void *b;
    long n, k;
    int type;
    void *packed;
};

// Rows of b lie side by side in a panel's rows: 16 columns at a time. Columns beyond the matrix are 0.
CK_INLINE void pack_rows_of(int type, const struct packing *p, long begin, long end) {
    const long pair = type == CK_BFLOAT16 ? 2 : 1, depth = panel_depth(p->k, packed_as(type));
    for (long panel = begin; panel < end; panel++) {
        for (long i = 0; i < depth; i++) {
            for (long j = 0; j < PANEL; j += CK_LANES) {
                const long column = panel * PANEL + j, left = p->n > column ? p->n - column : 0;
                const long at = i * pair * p->n + column, to = (panel * depth + i) * PANEL + j;
                v16 x, y = {0};
                ck_load_any(&x, p->b, type, left ? at : 0, left);
                if (pair == 2) {
                    if (2 * i + 1 < p->k) ck_load_any(&y, p->b, type, left ? at + p->n : 0, left);
                    x = (v16)((v16u)x >> 16 | (v16u)y);
                }
                ck_store(&x, (float *)p->packed + to, CK_LANES);
            }
        }
    }
}

CK_LOOP(pack_rows) {
    const struct packing *p = context;
    switch (p->type) {
    case CK_FLOAT32: pack_rows_of(CK_FLOAT32, p, begin, end); break;
    case CK_BFLOAT16: pack_rows_of(CK_BFLOAT16, p, begin, end); break;
    default: pack_rows_of(CK_FLOAT16, p, begin, end); break;
    }
}

// The words of a row of b from `start` on, sixteen at most: floats, or pairs of bfloat16; 0 beyond the row.
CK_INLINE void load_words(v16u *x, const struct packing *p, long row, long start) {
    if (p->type == CK_BFLOAT16) {
        const long left = 2 * (p->k - 2 * start);
        *x = (v16u){0};
        memcpy(x, (const uint16_t *)p->b + row * p->k + 2 * start, left < 64 ? (size_t)left : 64);
    } else {
        ck_load_any((v16 *)x, p->b, p->type, row * p->k + start, p->k - start);
    }
}

// b transposed: a panel's columns are rows of b. Sixteen of them are read side by side and their words transposed.
CK_LOOP(pack_columns) {
    const struct packing *p = context;
    const long depth = panel_depth(p->k, packed_as(p->type));
    for (long panel = begin; panel < end; panel++) {
        for (long j = 0; j < PANEL; j += CK_LANES) {
            for (long start = 0; start < depth; start += CK_LANES) {
                v16u x[CK_LANES] = {{0}};
                for (long i = 0; i < CK_LANES && panel * PANEL + j + i < p->n; i++)
                    load_words(&x[i], p, panel * PANEL + j + i, start);
                ck_transpose(x);
                for (long i = 0; i < CK_LANES && start + i < depth; i++)
                    *(v16u *)((uint32_t *)p->packed + (panel * depth + start + i) * PANEL + j) = x[i];
            }
        }
    }
}

void ck_pack(const void *b, int type, int transposed, long n, long k, void *packed) {
    CK_TIMED(CK_PRODUCTS);
    ck_count_copy(ck_packed_bytes(n, k, type));
    struct packing p = {b, n, k, type, packed};
    ck_parallel((n + PANEL - 1) / PANEL, 1, transposed ? pack_columns : pack_rows, &p);
}

struct arguments {
    const void *a;
    const void *packed;
    float *c;
    long m, n, k;
};

// Writes `rows` × `vectors` sums, of which the panel's first `columns` exist.
CK_INLINE void write_sums(v16 sums[][VECTORS], long rows, long vectors, float *c, long c_row, long columns) {
    for (long r = 0; r < rows; r++)
        for (long v = 0; v < vectors; v++)
            if (columns > v * CK_LANES) ck_store(&sums[r][v], c + r * c_row + v * CK_LANES, columns - v * CK_LANES);
}

CK_INLINE float number(const void *x, int type, long i) {
    if (type == CK_FLOAT32) return ((const float *)x)[i];
    union {
        uint32_t bits;
        float number;
    } widened = {(uint32_t)((const uint16_t *)x)[i] << 16};
    return widened.number;
}

// `rows` rows by `vectors`·16 columns: as many sums as the registers hold. bfloat16 becomes float32 as it is read.
CK_INLINE void tile(long rows, long vectors, const void *a, int a_type, long k, const uint32_t *b, int b_type, float *c,
                    long c_row, long columns) {
    v16 sums[ROWS][VECTORS] = {{{0}}};
    for (long i = 0; i < k; i++) {
        v16 x[VECTORS];
#pragma clang loop unroll(full)
        for (long v = 0; v < vectors; v++) {
            v16u words = *(const v16u *)(b + (b_type == CK_FLOAT32 ? i : i / 2) * PANEL + v * CK_LANES);
            x[v] = (v16)(b_type == CK_FLOAT32 ? words : i % 2 ? words & 0xFFFF0000 : words << 16);
        }
#pragma clang loop unroll(full)
        for (long r = 0; r < rows; r++)
#pragma clang loop unroll(full)
            for (long v = 0; v < vectors; v++) sums[r][v] += number(a, a_type, r * k + i) * x[v];
    }
    write_sums(sums, rows, vectors, c, c_row, columns);
}

// Runs TILE for the blocks [begin, end) of at most six rows, those of a panel after one another.
#define BLOCKS(TILE, A_TYPE, B_TYPE)                                                                                   \
    const struct arguments *p = context;                                                                               \
    const long blocks = (p->m + ROWS - 1) / ROWS, depth = panel_depth(p->k, B_TYPE);                                   \
    for (long block = begin; block < end; block++) {                                                                   \
        const long panel = block / blocks, row = block % blocks * ROWS;                                                \
        const uint32_t *b = (const uint32_t *)p->packed + panel * depth * PANEL;                                       \
        const void *a = (const char *)p->a + row * p->k * ck_size(A_TYPE);                                             \
        float *c = p->c + row * p->n + panel * PANEL;                                                                  \
        const long columns = p->n - panel * PANEL;                                                                     \
        switch (p->m - row) {                                                                                          \
        case 1: TILE(1, A_TYPE, B_TYPE); break;                                                                        \
        case 2: TILE(2, A_TYPE, B_TYPE); break;                                                                        \
        case 3: TILE(3, A_TYPE, B_TYPE); break;                                                                        \
        case 4: TILE(4, A_TYPE, B_TYPE); break;                                                                        \
        case 5: TILE(5, A_TYPE, B_TYPE); break;                                                                        \
        default: TILE(6, A_TYPE, B_TYPE); break;                                                                       \
        }                                                                                                              \
    }

// Sixteen registers hold six sums of sixteen floats (AVX2), thirty-two hold 24 (AVX-512): narrow tiles go over the panel in
// strips of sixteen columns.
#define NARROW(rows, A_TYPE, B_TYPE)                                                                                   \
    for (long v = 0; v < VECTORS; v++)                                                                                 \
    tile(rows, 1, a, A_TYPE, p->k, b + v * CK_LANES, B_TYPE, c + v * CK_LANES, p->n, columns - v * CK_LANES)

CK_LOOP(narrow_float32) { BLOCKS(NARROW, CK_FLOAT32, CK_FLOAT32) }
CK_LOOP(narrow_bfloat16) { BLOCKS(NARROW, CK_BFLOAT16, CK_BFLOAT16) }
CK_LOOP(narrow_float32_bfloat16) { BLOCKS(NARROW, CK_FLOAT32, CK_BFLOAT16) }
CK_LOOP(narrow_bfloat16_float32) { BLOCKS(NARROW, CK_BFLOAT16, CK_FLOAT32) }

#if defined(__x86_64__)

#define WIDE(rows, A_TYPE, B_TYPE) tile(rows, VECTORS, a, A_TYPE, p->k, b, B_TYPE, c, p->n, columns)

CK_AVX512_WIDE static void wide_float32(void *context, long begin, long end) { BLOCKS(WIDE, CK_FLOAT32, CK_FLOAT32) }
CK_AVX512_WIDE static void wide_bfloat16(void *context, long begin, long end) { BLOCKS(WIDE, CK_BFLOAT16, CK_BFLOAT16) }
CK_AVX512_WIDE static void wide_float32_bfloat16(void *context, long begin, long end) {
    BLOCKS(WIDE, CK_FLOAT32, CK_BFLOAT16)
}
CK_AVX512_WIDE static void wide_bfloat16_float32(void *context, long begin, long end) {
    BLOCKS(WIDE, CK_BFLOAT16, CK_FLOAT32)
}

// With AVX512-BF16 an instruction multiplies sixteen pairs and adds both products.
CK_AVX512_BF16 __attribute__((always_inline)) static inline void
tile_pairs(long rows, const uint16_t *a, long k, const uint32_t *b, float *c, long c_row, long columns) {
    __m512 sums[ROWS][VECTORS];
#pragma clang loop unroll(full)
    for (long r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (long v = 0; v < VECTORS; v++) sums[r][v] = _mm512_setzero_ps();
    for (long i = 0; i < (k + 1) / 2; i++) {
        __m512i x[VECTORS];
#pragma clang loop unroll(full)
        for (long v = 0; v < VECTORS; v++) x[v] = _mm512_load_si512(b + i * PANEL + v * CK_LANES);
#pragma clang loop unroll(full)
        for (long r = 0; r < rows; r++) {
            uint32_t pair = a[r * k + 2 * i];
            if (2 * i + 1 < k) memcpy(&pair, a + r * k + 2 * i, sizeof pair);
            const __m512bh y = (__m512bh)_mm512_set1_epi32((int)pair);
#pragma clang loop unroll(full)
            for (long v = 0; v < VECTORS; v++) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], y, (__m512bh)x[v]);
        }
    }
#pragma clang loop unroll(full)
    for (long r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (long v = 0; v < VECTORS; v++) {
            long left = columns - v * CK_LANES;
            if (left > 0)
                _mm512_mask_storeu_ps(c + r * c_row + v * CK_LANES, left >= CK_LANES ? 0xFFFF : (1u << left) - 1,
                                      sums[r][v]);
        }
}

#define PAIRS(rows, A_TYPE, B_TYPE) tile_pairs(rows, a, p->k, b, c, p->n, columns)

CK_AVX512_BF16 static void wide_pairs(void *context, long begin, long end) { BLOCKS(PAIRS, CK_BFLOAT16, CK_BFLOAT16) }

#define WIDE_IF_AVX512(name) (ck_cpu_class() >= CK_CPU_AVX512 ? wide_##name : narrow_##name)
#define PAIRS_OR_BFLOAT16 (ck_cpu_class() >= CK_CPU_AVX512_BF16 ? wide_pairs : WIDE_IF_AVX512(bfloat16))

#else

#define WIDE_IF_AVX512(name) narrow_##name
#define PAIRS_OR_BFLOAT16 narrow_bfloat16

#endif

void ck_product_packed(long m, long n, long k, const void *a, int a_type, const void *packed, int packed_type,
                       float *c) {
    CK_TIMED(CK_PRODUCTS);
    struct arguments p = {a, packed, c, m, n, k};
    void (*blocks)(void *, long, long);
    if (a_type == CK_FLOAT32)
        blocks = packed_type == CK_FLOAT32 ? WIDE_IF_AVX512(float32) : WIDE_IF_AVX512(float32_bfloat16);
    else
        blocks = packed_type == CK_FLOAT32 ? WIDE_IF_AVX512(bfloat16_float32) : PAIRS_OR_BFLOAT16;
    ck_parallel((n + PANEL - 1) / PANEL * ((m + ROWS - 1) / ROWS), 1, blocks, &p);
}

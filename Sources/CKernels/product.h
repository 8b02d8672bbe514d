#pragma once

// A block of a product, as the libraries compute it: c [m, n] = op(a)·op(b) (+ c), rows `a_row`, `b_row` and `c_row`
// elements apart as stored (a as [k, m] and b as [n, k] where transposed).
struct ck_block {
    long m, n, k;
    const void *a, *b;
    long a_row, b_row, c_row;
    int transpose_a, transpose_b, accumulate;
    float *c;
};

// Computes the block on the calling thread alone. Returns 0, or the library's status.
int ck_block_float32(const struct ck_block *block);
int ck_block_bfloat16(const struct ck_block *block);

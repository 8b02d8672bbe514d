#pragma once

// A block of a product: c [m, n] = op(a)·op(b) (+ c), rows `a_row`, `b_row` and `c_row` elements apart as stored (a as [k, m] and
// b as [n, k] where transposed).
struct ck_block {
    long m, n, k;
    const void *a, *b;
    long a_row, b_row, c_row;
    int a_type, b_type, transpose_a, transpose_b, accumulate;
    float *c;
};

// Each computes the block on the calling thread alone and returns 0, or the library's status.

// Both operands float32.
int ck_block_float32(const struct ck_block *block);
// Both bfloat16, on a CPU with instructions for them.
int ck_block_bfloat16(const struct ck_block *block);
// Any types, on any CPU.
int ck_block_widened(const struct ck_block *block);

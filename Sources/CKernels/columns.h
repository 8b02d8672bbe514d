#pragma once

// Sums over rows, one result a column, for the gradients of biases and gains.
//
// Rows are cut into chunks of CK_CHUNK, each summed into a buffer of its own, and the buffers are added in order: the
// same bits for any number of threads.

enum { CK_CHUNK = 64 };

static inline long ck_chunks(long n) { return (n + CK_CHUNK - 1) / CK_CHUNK; }

// Zeroed partial sums, `width` floats for each chunk of n rows, in the calling thread's scratch memory.
float *ck_zeroed_partials(long n, long width);

// sum[j] += Σ over chunks of partials[chunk·width + first + j] for j < d.
void ck_add_partials(const float *partials, long n, long width, long first, long d, float *sum);

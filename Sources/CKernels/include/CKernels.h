#pragma once

// The numeric kernels: plain C over row-major float32 and bfloat16 arrays, run on one OpenMP pool.
//
// Shapes: n rows (tokens), d columns. `type` arguments say what the `void *` beside them points to; fp16 is read, never
// written. Arrays must not overlap unless a comment says so. The Swift room `Tensors` is the only caller and checks every shape.

#include <stdint.h>

enum { CK_FLOAT32 = 0, CK_BFLOAT16 = 1, CK_FLOAT16 = 2 };

// Bytes of an element.
static inline long ck_size(int type) { return type == CK_FLOAT32 ? 4 : 2; }

// The class of CPU whose instructions the kernels use (cpu.c); each has those of the classes before it. `ONEDNN_MAX_CPU_ISA` lowers
// it. Results have the same bits on all CPUs of a class.
enum { CK_CPU_PORTABLE = 1, CK_CPU_AVX2, CK_CPU_AVX512, CK_CPU_AVX512_BF16, CK_CPU_AMX };
int ck_cpu_class(void);

// Threads (threads.c).
void ck_set_threads(int count);
int ck_threads(void);
// Kernels that the calling thread starts from now on run on it alone.
void ck_use_only_this_thread(void);

// Seconds that kernels of each kind took on the calling thread since it last asked (times.c); other kernels are not timed.
enum { CK_PRODUCTS, CK_ATTENTION, CK_OPTIMIZER, CK_KINDS };
void ck_take_times(double *taken);

// Memory allocated and bytes copied on the calling thread since it last asked (counts.c); the callers of these count.
void ck_count_allocation(void);
void ck_count_copy(long bytes);
void ck_take_counts(long *allocations, long *copied_bytes);

// Products (product.c): c [m, n] = op(a)·op(b) (+ c). float32 goes through OpenBLAS (product_float32.c), bfloat16 through oneDNN
// where the CPU has instructions for it (product_bfloat16.c); all else becomes float32, part by part
// (product_widened.c). Returns 0, or oneDNN's status. A block of c gets its part of the updates right after it is computed,
// while it is in a cache.
struct ck_update {
    // u·op(v), of a's type, u [end − begin, rank], is added to the rows [begin, end) of c; v is [n, rank] where
    // transposed.
    long begin, end, rank;
    const void *u, *v;
    int transpose_v;
};
int ck_product(long m, long n, long k, const void *a, int a_type, int transpose_a, const void *b, int b_type,
               int transpose_b, float *c, int accumulate, const struct ck_update *updates, long update_count);
// Whether bfloat16 products run on instructions for them: then they are faster than float32 ones.
int ck_bfloat16_fast(void);

// Products of few rows with a matrix packed once (product_packed.c): c [m, n] = a [m, k]·b. `b` is [k, n], or [n, k]
// where transposed; `packed` holds ck_packed_bytes and is 64-byte aligned. Neither is fp16.
long ck_packed_bytes(long n, long k, int type);
void ck_pack(const void *b, int type, int transposed, long n, long k, void *packed);
void ck_product_packed(long m, long n, long k, const void *a, int a_type, const void *packed, int packed_type,
                       float *c);

// Products with a matrix where it lies, for few rows or few columns (product_rows.c): c [m, n] = a [m, k]·bᵀ, b [n, k]. `a` is not
// fp16.
void ck_product_rows(long m, long n, long k, const void *a, int a_type, const void *b, int b_type, float *c);

// Elementwise (elementwise.c).
void ck_fill(float *x, float value, long count);
void ck_fill_bfloat16(uint16_t *x, float value, long count);
void ck_add_scaled(const float *x, float scale, float *y, long count);
void ck_scale(float *x, float factor, long count);
// y ^= x, the bits of `count` words of four bytes.
void ck_exclusive_or(const void *x, void *y, long count);
// The same of y and the upper halves of x.
void ck_exclusive_or_bfloat16(const void *x, uint16_t *y, long count);
// The sum of squares of each CK_SQUARES_CHUNK elements.
enum { CK_SQUARES_CHUNK = 16384 };
void ck_chunk_sums_of_squares(const float *x, long count, double *sums);
long ck_non_finite_count(const void *x, int type, long count);
void ck_convert(const void *x, int x_type, void *y, int y_type, long count);

// Dropout (dropout.c): y [rows, columns] = x, or += x, where a random number of keys[row] and the column is at least `threshold`
// of 2³², scaled; elsewhere 0. x and y are of one type.
void ck_dropout(const void *x, int type, const uint64_t *keys, long rows, long columns, uint32_t threshold, float scale,
                int adds, void *y);

// Gives memory that was freed back to the system, which the allocator otherwise keeps for later (memory.c).
void ck_release_memory(void);
// Blocks from this size on get pages of their own, which go back to the system when they are freed.
void ck_map_large_blocks(long bytes);
// Gives the memory of the whole pages in a block back to the system; what they held is zero when they are next read.
void ck_give_back(void *start, long bytes);
// Has a block lie in small pages: the kernel would fill up huge ones of which a part has been given back.
void ck_use_small_pages(void *start, long bytes);

// Libraries and the instructions that choose kernels (libraries.c).
const char *ck_openblas_version(void);
const char *ck_openblas_kernels(void);
void ck_onednn_version(char *text, long capacity);
int ck_onednn_kernels(void);

// Hash of bytes (hash.c): the same for any number of threads. Returns 0, or −1 without memory.
int ck_hash(const void *x, long count, uint64_t *hash);

// Rows (rows.c).
// Rounds the first `width` numbers of each row of x, `stride` apart, to what bf16 can hold; they stay float32.
void ck_round_rows(float *x, long rows, long width, long stride);
void ck_gather_rows(const void *x, int x_type, const int32_t *rows, long n, long d, void *out, int out_type);
void ck_scatter_add_rows(const float *x, const int32_t *rows, long n, long d, float *out);
// Tables of one type.
void ck_embedding_forward(const int32_t *tokens, const int32_t *positions, const void *token_table,
                          const void *position_table, int type, long n, long d, float *x);
// `position_gradient` may be null.
void ck_embedding_backward(const float *dx, const int32_t *tokens, const int32_t *positions, long n, long d,
                           float *token_gradient, float *position_gradient);

// Bias and activation (bias.c, activation.c).
void ck_add_bias(const float *bias, long n, long d, float *x);
// y = residual + (x + bias); y may be `residual` itself, `bias` null.
void ck_add_residual(const float *x, const float *bias, const float *residual, long n, long d, float *y);
void ck_bias_backward(const float *dy, long n, long d, float *gradient);
void ck_gelu_forward(float *x, const float *bias, long n, long d, void *y, int y_type);
// `bias_gradient` and `copy` (of type bfloat16) may be null.
void ck_gelu_backward(const float *x, long n, long d, float *dy, float *bias_gradient, uint16_t *copy);

// Layer norm (layer_norm.c). The two gradients may be null together.
void ck_layer_norm_forward(const float *x, const float *gain, const float *bias, float epsilon, long n, long d, void *y,
                           int y_type, float *mean, float *rstd);
void ck_layer_norm_backward(const float *dy, const float *x, const float *gain, const float *mean, const float *rstd,
                            long n, long d, float *dx, float *gain_gradient, float *bias_gradient);

// RMS norm (rms_norm.c). `gain_gradient` may be null.
void ck_rms_norm_forward(const float *x, const float *gain, float epsilon, long n, long d, void *y, int y_type,
                         float *rstd);
void ck_rms_norm_backward(const float *dy, const float *x, const float *gain, const float *rstd, long n, long d,
                          float *dx, float *gain_gradient);

// Rotary positions (rotary.c). `cosines` and `sines` are [n, half]; x is [n, heads, 2·half], turned in place.
void ck_rotary_table(const int32_t *positions, const float *frequencies, long n, long half, float *cosines,
                     float *sines);
void ck_rotary(const float *cosines, const float *sines, long n, long heads, long half, int inverse, float *x);

// SwiGLU (swiglu.c). `dgate` and `dup` may not be `gate` or `up`.
void ck_swiglu_forward(const float *gate, const float *up, long count, void *y, int y_type);
void ck_swiglu_backward(const float *gate, const float *up, const float *dy, long count, void *dgate, void *dup,
                        int type);

// Attention (attention.c, decode.c). Row i of query head h starts at q[i·q_row + h·d]; `kv_heads` heads of keys and values
// serve heads / kv_heads query heads each, which follow each other.
struct ck_heads {
    float *q, *k, *v;
    long q_row, kv_row, heads, kv_heads, d;
};
// Sequence s has the rows from offsets[s] up to offsets[s + 1], and before them the first shared[s] of the last sequence before it
// that shares none.
struct ck_sequences {
    const int32_t *offsets, *shared;
    long count;
};
// The rows whose results are asked for, which ascend; all, where `rows` is null.
struct ck_queries {
    const int32_t *rows;
    long count;
};
// A row of `out` and `dout` for each query.
void ck_attention_forward(const struct ck_heads *x, const struct ck_sequences *sequences,
                          const struct ck_queries *queries, void *out, int out_type, float *log_sum_exp);
// The rows of `dx` are laid out as those of `x`.
void ck_attention_backward(const struct ck_heads *x, const struct ck_sequences *sequences,
                           const struct ck_queries *queries, const void *out, int out_type, const float *log_sum_exp,
                           const float *dout, const struct ck_heads *dx);
// Where a sequence lies in a cache of rows: `prefix_length` rows from `prefix`, which others may share, and what follows
// them from `tail`; it has `length` rows so far.
struct ck_cached {
    int32_t prefix, prefix_length, tail, length;
};
// A new token of each of `batch` sequences: its keys and values become the next row of its own, rounded where the cache
// is of bf16.
void ck_attention_decode(const struct ck_heads *x, void *keys, void *values, int cache_type,
                         const struct ck_cached *sequences, long batch, void *out, int out_type);

// Log-probabilities (log_probabilities.c). `dlogits` may be `logits` itself when it is float32.
void ck_log_probabilities_forward(const float *logits, const int32_t *targets, float temperature, long n, long v,
                                  float *log_probability, float *entropy, float *log_normalizer);
void ck_log_probabilities_backward(const float *logits, const int32_t *targets, float temperature,
                                   const float *log_normalizer, const float *dlogp, long n, long v, void *dlogits,
                                   int type);
// KL of softmax(logits/temperature) from softmax(other/temperature), row by row.
void ck_divergence(const float *logits, const float *log_normalizer, const float *other, const float *other_normalizer,
                   float temperature, long n, long v, float *divergence);

// Draws (draw.c): a token from each row of softmax(logits/temperature), [n, v], by its number in [0, 1), and its
// log-probability; at temperature 0 the most probable, which reads no numbers.
void ck_draw(const float *logits, float temperature, const double *uniforms, long n, long v, int32_t *tokens,
             float *log_probabilities);

// Optimizer (adamw.c).
void ck_adamw(float *parameters, const float *gradients, float *first, float *second, long count, float rate,
              float beta1, float beta2, float epsilon, float decay, float gradient_scale, float correction1,
              float correction2);

#include "CKernels.h"
#include "product.h"

#ifndef CK_ONEDNN

int ck_bfloat16_fast(void) { return 0; }
int ck_block_bfloat16(const struct ck_block *block) { return -1; }

#else

#include <pthread.h>

#include "onednn.h"

// oneDNN compiles a product into a primitive, which takes milliseconds; one made without fixed dimensions serves every
// shape, so there is one for each combination of transpositions and accumulation. Measured on Zen 4 with two threads,
// these (`gemm:jit`) run as fast as primitives made for the exact shape (`brg:avx512_core_bf16`) or faster: 1 × 2304 ×
// 768 in 0.03 ms against 0.08, 64 × 960 × 320 in 0.11 against 0.13, 512 × 1280 × 320 in 1.1 against 1.1.

static dnnl_engine_t engine;
static dnnl_status_t engine_status;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;
// A primitive's scratch memory belongs to the thread that made it, so each thread makes its own.
static _Thread_local dnnl_stream_t stream;
static _Thread_local dnnl_primitive_t primitives[2][2][2]; // [transpose_a][transpose_b][accumulate]

static void create_engine(void) { engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0); }

int ck_bfloat16_fast(void) { return ck_cpu_class() >= CK_CPU_AVX512_BF16; }

// [any, any], of dimensions given at run time; stored as [columns, rows] where transposed.
static dnnl_status_t describe_any(dnnl_memory_desc_t *desc, int transposed, dnnl_data_type_t type) {
    dnnl_dims_t dims = {DNNL_RUNTIME_DIM_VAL, DNNL_RUNTIME_DIM_VAL}, strides = {1, 1};
    strides[transposed ? 1 : 0] = DNNL_RUNTIME_DIM_VAL;
    return ck_describe(desc, dims, strides, type);
}

static dnnl_status_t compile(int transpose_a, int transpose_b, int accumulate, dnnl_primitive_t *primitive) {
    dnnl_memory_desc_t a, b, c;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe_any(&a, transpose_a, dnnl_bf16);
    if (!status) status = describe_any(&b, transpose_b, dnnl_bf16);
    if (!status) status = describe_any(&c, 0, dnnl_f32);
    if (!status) status = dnnl_primitive_attr_create(&attributes);
    if (!status && accumulate) {
        status = dnnl_post_ops_create(&post);
        if (!status) status = ck_append_sum(post);
        if (!status) status = dnnl_primitive_attr_set_post_ops(attributes, post);
    }
    if (!status) status = ck_describe_product(&description, engine, &a, &b, &c, attributes);
    if (!status) status = dnnl_primitive_create(primitive, description);
    if (description) dnnl_primitive_desc_destroy(description);
    if (post) dnnl_post_ops_destroy(post);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    return status;
}

// A matrix [rows, columns], rows as stored `row` elements apart; stored as [columns, rows] where transposed.
static dnnl_status_t matrix(dnnl_memory_t *memory, const void *x, long rows, long columns, long row, int transposed,
                            dnnl_data_type_t type) {
    dnnl_dims_t dims = {rows, columns}, strides = {transposed ? 1 : row, transposed ? row : 1};
    dnnl_memory_desc_t desc;
    dnnl_status_t status = ck_describe(&desc, dims, strides, type);
    if (status) return status;
    status = ck_create_memory(memory, &desc, engine, (void *)x);
    ck_destroy_description(&desc);
    return status;
}

int ck_block_bfloat16(const struct ck_block *p) {
    pthread_once(&engine_once, create_engine);
    dnnl_status_t status = engine_status;
    if (!status && !stream) status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    dnnl_primitive_t *primitive = &primitives[p->transpose_a][p->transpose_b][p->accumulate];
    if (!status && !*primitive) status = compile(p->transpose_a, p->transpose_b, p->accumulate, primitive);
    dnnl_memory_t a = NULL, b = NULL, c = NULL;
    if (!status) status = matrix(&a, p->a, p->m, p->k, p->a_row, p->transpose_a, dnnl_bf16);
    if (!status) status = matrix(&b, p->b, p->k, p->n, p->b_row, p->transpose_b, dnnl_bf16);
    if (!status) status = matrix(&c, p->c, p->m, p->n, p->c_row, 0, dnnl_f32);
    if (!status) {
        dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}};
        status = dnnl_primitive_execute(*primitive, stream, 3, arguments);
        if (!status) status = dnnl_stream_wait(stream);
    }
    if (a) dnnl_memory_destroy(a);
    if (b) dnnl_memory_destroy(b);
    if (c) dnnl_memory_destroy(c);
    return (int)status;
}

#endif

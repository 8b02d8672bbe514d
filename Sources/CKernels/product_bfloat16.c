#include "CKernels.h"
#include "product.h"

#ifndef CK_ONEDNN

int ck_bfloat16_fast(void) { return 0; }
int ck_block_bfloat16(const struct ck_block *block) { return -1; }

#else

#include <dnnl.h>
#include <pthread.h>

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

// [rows, columns], rows as stored `row` elements apart; stored as [columns, rows] where transposed.
static dnnl_status_t describe(dnnl_memory_desc_t *desc, long rows, long columns, long row, int transposed,
                              dnnl_data_type_t type) {
    dnnl_dims_t dims = {rows, columns}, strides = {transposed ? 1 : row, transposed ? row : 1};
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides);
}

// The same, of dimensions given at run time.
static dnnl_status_t describe_any(dnnl_memory_desc_t *desc, int transposed, dnnl_data_type_t type) {
    dnnl_dims_t dims = {DNNL_RUNTIME_DIM_VAL, DNNL_RUNTIME_DIM_VAL}, strides = {1, 1};
    strides[transposed ? 1 : 0] = DNNL_RUNTIME_DIM_VAL;
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides);
}

static dnnl_status_t compile(int transpose_a, int transpose_b, int accumulate, dnnl_primitive_t *primitive) {
    dnnl_memory_desc_t a, b, c;
    dnnl_matmul_desc_t matmul;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe_any(&a, transpose_a, dnnl_bf16);
    if (!status) status = describe_any(&b, transpose_b, dnnl_bf16);
    if (!status) status = describe_any(&c, 0, dnnl_f32);
    if (!status) status = dnnl_matmul_desc_init(&matmul, &a, &b, NULL, &c);
    if (!status) status = dnnl_primitive_attr_create(&attributes);
    if (!status && accumulate) {
        status = dnnl_post_ops_create(&post);
        if (!status) status = dnnl_post_ops_append_sum(post, 1.0f);
        if (!status) status = dnnl_primitive_attr_set_post_ops(attributes, post);
    }
    if (!status) status = dnnl_primitive_desc_create(&description, &matmul, attributes, engine, NULL);
    if (!status) status = dnnl_primitive_create(primitive, description);
    if (description) dnnl_primitive_desc_destroy(description);
    if (post) dnnl_post_ops_destroy(post);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    return status;
}

int ck_block_bfloat16(const struct ck_block *p) {
    pthread_once(&engine_once, create_engine);
    dnnl_status_t status = engine_status;
    if (!status && !stream) status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    dnnl_primitive_t *primitive = &primitives[p->transpose_a][p->transpose_b][p->accumulate];
    if (!status && !*primitive) status = compile(p->transpose_a, p->transpose_b, p->accumulate, primitive);
    dnnl_memory_desc_t a_desc, b_desc, c_desc;
    if (!status) status = describe(&a_desc, p->m, p->k, p->a_row, p->transpose_a, dnnl_bf16);
    if (!status) status = describe(&b_desc, p->k, p->n, p->b_row, p->transpose_b, dnnl_bf16);
    if (!status) status = describe(&c_desc, p->m, p->n, p->c_row, 0, dnnl_f32);
    dnnl_memory_t a_memory = NULL, b_memory = NULL, c_memory = NULL;
    if (!status) status = dnnl_memory_create(&a_memory, &a_desc, engine, (void *)p->a);
    if (!status) status = dnnl_memory_create(&b_memory, &b_desc, engine, (void *)p->b);
    if (!status) status = dnnl_memory_create(&c_memory, &c_desc, engine, p->c);
    if (!status) {
        dnnl_exec_arg_t arguments[] = {
            {DNNL_ARG_SRC, a_memory}, {DNNL_ARG_WEIGHTS, b_memory}, {DNNL_ARG_DST, c_memory}};
        status = dnnl_primitive_execute(*primitive, stream, 3, arguments);
        if (!status) status = dnnl_stream_wait(stream);
    }
    if (a_memory) dnnl_memory_destroy(a_memory);
    if (b_memory) dnnl_memory_destroy(b_memory);
    if (c_memory) dnnl_memory_destroy(c_memory);
    return (int)status;
}

#endif

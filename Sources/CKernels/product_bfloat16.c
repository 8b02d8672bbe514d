#include "CKernels.h"
#include "parallel.h"

#ifndef CK_ONEDNN

int ck_bfloat16_compiled(void) { return 0; }
int ck_bfloat16_fast(void) { return 0; }
int ck_product_bfloat16(long m, long n, long k, const uint16_t *a, int transpose_a, const uint16_t *b, int transpose_b,
                        float *c, int accumulate) {
    return -1;
}

#else

#include <dnnl.h>
#include <pthread.h>
#include <string.h>

// oneDNN compiles a product into a primitive, which takes milliseconds, so primitives are kept: by shape for few rows,
// where the shape-exact kernel is many times faster, and one without fixed dimensions for each combination of
// transpositions otherwise. Sets of four, the least recently used one replaced, bound the cache.

enum { SETS = 128, WAYS = 4 };

struct key {
    long m, n, k; // all 0: dimensions given at run time
    int transpose_a, transpose_b, accumulate;
};

struct entry {
    struct key key;
    unsigned long used; // 0: free
    dnnl_primitive_t primitive;
};

static struct entry cache[SETS][WAYS];
static unsigned long uses;
static dnnl_engine_t engine;
static dnnl_stream_t stream;
// Held over the whole product: primitives and their scratch memory serve one caller at a time.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int ck_bfloat16_compiled(void) { return 1; }

int ck_bfloat16_fast(void) {
    int isa = (int)dnnl_get_effective_cpu_isa();
    return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

// Row-major [rows, columns], stored transposed where asked. `runtime` leaves dimensions open.
static dnnl_status_t describe(dnnl_memory_desc_t *desc, long rows, long columns, int transposed, dnnl_data_type_t type,
                              int runtime) {
    dnnl_dims_t dims = {rows, columns}, strides = {transposed ? 1 : columns, transposed ? rows : 1};
    if (runtime) {
        dims[0] = dims[1] = DNNL_RUNTIME_DIM_VAL;
        strides[transposed ? 1 : 0] = DNNL_RUNTIME_DIM_VAL;
    }
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides);
}

static dnnl_status_t compile(const struct key *key, dnnl_primitive_t *primitive) {
    int runtime = key->m == 0;
    dnnl_memory_desc_t a, b, c;
    dnnl_matmul_desc_t matmul;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = describe(&a, key->m, key->k, key->transpose_a, dnnl_bf16, runtime);
    if (!status) status = describe(&b, key->k, key->n, key->transpose_b, dnnl_bf16, runtime);
    if (!status) status = describe(&c, key->m, key->n, 0, dnnl_f32, runtime);
    if (!status) status = dnnl_matmul_desc_init(&matmul, &a, &b, NULL, &c);
    if (!status) status = dnnl_primitive_attr_create(&attributes);
    if (!status && key->accumulate) {
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

static dnnl_status_t find(const struct key *key, dnnl_primitive_t *primitive) {
    unsigned long hash = (unsigned long)key->m * 0x9E3779B97F4A7C15UL;
    hash = (hash ^ (unsigned long)key->n) * 0x9E3779B97F4A7C15UL;
    hash = (hash ^ (unsigned long)key->k) * 0x9E3779B97F4A7C15UL;
    hash ^= (unsigned long)(key->transpose_a * 4 + key->transpose_b * 2 + key->accumulate) << 57;
    struct entry *set = cache[hash >> 57], *oldest = set;
    for (int way = 0; way < WAYS; way++) {
        struct entry *entry = set + way;
        if (entry->used && memcmp(&entry->key, key, sizeof *key) == 0) {
            entry->used = ++uses;
            *primitive = entry->primitive;
            return dnnl_success;
        }
        if (entry->used < oldest->used) oldest = entry;
    }
    dnnl_status_t status = compile(key, primitive);
    if (status) return status;
    if (oldest->used) dnnl_primitive_destroy(oldest->primitive);
    *oldest = (struct entry){*key, ++uses, *primitive};
    return dnnl_success;
}

static dnnl_status_t multiply(long m, long n, long k, const void *a, int transpose_a, const void *b, int transpose_b,
                              float *c, int accumulate) {
    dnnl_status_t status = dnnl_success;
    if (!engine) status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    if (!status && !stream) status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    struct key key;
    memset(&key, 0, sizeof key);
    key.transpose_a = transpose_a;
    key.transpose_b = transpose_b;
    key.accumulate = accumulate;
    if (m <= 128) {
        key.m = m;
        key.n = n;
        key.k = k;
    }
    dnnl_primitive_t primitive = NULL;
    if (!status) status = find(&key, &primitive);
    dnnl_memory_desc_t a_desc, b_desc, c_desc;
    if (!status) status = describe(&a_desc, m, k, transpose_a, dnnl_bf16, 0);
    if (!status) status = describe(&b_desc, k, n, transpose_b, dnnl_bf16, 0);
    if (!status) status = describe(&c_desc, m, n, 0, dnnl_f32, 0);
    dnnl_memory_t a_memory = NULL, b_memory = NULL, c_memory = NULL;
    if (!status) status = dnnl_memory_create(&a_memory, &a_desc, engine, (void *)a);
    if (!status) status = dnnl_memory_create(&b_memory, &b_desc, engine, (void *)b);
    if (!status) status = dnnl_memory_create(&c_memory, &c_desc, engine, c);
    if (!status) {
        dnnl_exec_arg_t arguments[] = {
            {DNNL_ARG_SRC, a_memory}, {DNNL_ARG_WEIGHTS, b_memory}, {DNNL_ARG_DST, c_memory}};
        status = dnnl_primitive_execute(primitive, stream, 3, arguments);
        if (!status) status = dnnl_stream_wait(stream);
    }
    if (a_memory) dnnl_memory_destroy(a_memory);
    if (b_memory) dnnl_memory_destroy(b_memory);
    if (c_memory) dnnl_memory_destroy(c_memory);
    return status;
}

int ck_product_bfloat16(long m, long n, long k, const uint16_t *a, int transpose_a, const uint16_t *b, int transpose_b,
                        float *c, int accumulate) {
    ck_enter_library();
    pthread_mutex_lock(&lock);
    dnnl_status_t status = multiply(m, n, k, a, transpose_a, b, transpose_b, c, accumulate);
    pthread_mutex_unlock(&lock);
    return (int)status;
}

#endif

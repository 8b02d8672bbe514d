#pragma once

// What differs between the C interfaces of oneDNN 2 and 3: descriptions of memory are structs there and objects here.

#include <dnnl.h>

#if DNNL_VERSION_MAJOR >= 3

static inline dnnl_status_t ck_describe(dnnl_memory_desc_t *desc, const dnnl_dims_t dims, const dnnl_dims_t strides,
                                        dnnl_data_type_t type) {
    return dnnl_memory_desc_create_with_strides(desc, 2, dims, type, strides);
}

static inline void ck_destroy_description(dnnl_memory_desc_t *desc) { dnnl_memory_desc_destroy(*desc); }

static inline dnnl_status_t ck_create_memory(dnnl_memory_t *memory, const dnnl_memory_desc_t *desc,
                                             dnnl_engine_t engine, void *x) {
    return dnnl_memory_create(memory, *desc, engine, x);
}

static inline dnnl_status_t ck_append_sum(dnnl_post_ops_t post) {
    return dnnl_post_ops_append_sum(post, 1.0f, 0, dnnl_data_type_undef);
}

// Describes c = a·b; takes the descriptions of the three over.
static inline dnnl_status_t ck_describe_product(dnnl_primitive_desc_t *product, dnnl_engine_t engine,
                                                dnnl_memory_desc_t *a, dnnl_memory_desc_t *b, dnnl_memory_desc_t *c,
                                                const_dnnl_primitive_attr_t attributes) {
    const dnnl_status_t status = dnnl_matmul_primitive_desc_create(product, engine, *a, *b, NULL, *c, attributes);
    dnnl_memory_desc_destroy(*a);
    dnnl_memory_desc_destroy(*b);
    dnnl_memory_desc_destroy(*c);
    return status;
}

#else

static inline dnnl_status_t ck_describe(dnnl_memory_desc_t *desc, const dnnl_dims_t dims, const dnnl_dims_t strides,
                                        dnnl_data_type_t type) {
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides);
}

static inline void ck_destroy_description(dnnl_memory_desc_t *desc) {}

static inline dnnl_status_t ck_create_memory(dnnl_memory_t *memory, const dnnl_memory_desc_t *desc,
                                             dnnl_engine_t engine, void *x) {
    return dnnl_memory_create(memory, desc, engine, x);
}

static inline dnnl_status_t ck_append_sum(dnnl_post_ops_t post) { return dnnl_post_ops_append_sum(post, 1.0f); }

static inline dnnl_status_t ck_describe_product(dnnl_primitive_desc_t *product, dnnl_engine_t engine,
                                                dnnl_memory_desc_t *a, dnnl_memory_desc_t *b, dnnl_memory_desc_t *c,
                                                const_dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t matmul;
    const dnnl_status_t status = dnnl_matmul_desc_init(&matmul, a, b, NULL, c);
    return status ? status : dnnl_primitive_desc_create(product, &matmul, attributes, engine, NULL);
}

#endif

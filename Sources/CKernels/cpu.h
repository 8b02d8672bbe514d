#pragma once

// Loops that are compiled once for each class of CPU, and the class that this process runs.
//
//     CK_LOOP(add) { … context, begin, end … }    a body for ck_parallel
//     CK_TASK(add) { … context, task, thread … }  a body for ck_parallel_tasks
//
// Each defines a function of that name which runs its variant for the class. What the body calls must be CK_INLINE: it is then compiled
// with the body, for the same instructions. Not by `target_clones`: those choose before `main`, by the CPU alone, so that
// the lesser classes could not be tried on a greater CPU.

#include "CKernels.h"

#define CK_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define CK_AVX2 __attribute__((target("arch=x86-64-v3")))
#define CK_AVX512 __attribute__((target("arch=x86-64-v4")))
// Not `arch=x86-64-v4`, with which the compiler prefers registers of half the width.
#define CK_AVX512_WIDE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define CK_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")))

#define CK_VARIANTS(name, T, first, second)                                                                            \
    CK_INLINE void name##_body(void *context, long first, T second);                                                   \
    CK_AVX512 static void name##_avx512(void *context, long first, T second) { name##_body(context, first, second); }  \
    CK_AVX2 static void name##_avx2(void *context, long first, T second) { name##_body(context, first, second); }      \
    static void name##_portable(void *context, long first, T second) { name##_body(context, first, second); }          \
    static void name(void *context, long first, T second) {                                                            \
        const int class = ck_cpu_class();                                                                              \
        (class >= CK_CPU_AVX512 ? name##_avx512                                                                        \
         : class >= CK_CPU_AVX2 ? name##_avx2                                                                          \
                                : name##_portable)(context, first, second);                                            \
    }                                                                                                                  \
    CK_INLINE void name##_body(void *context, long first, T second)
#else
#define CK_VARIANTS(name, T, first, second) static void name(void *context, long first, T second)
#endif

#define CK_LOOP(name) CK_VARIANTS(name, long, begin, end)
#define CK_TASK(name) CK_VARIANTS(name, int, task, thread)

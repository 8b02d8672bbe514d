#include "CKernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

static int class_of_cpu(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) {
        if (!__builtin_cpu_supports("avx512bf16")) return CK_CPU_AVX512;
        return __builtin_cpu_supports("amx-bf16") ? CK_CPU_AMX : CK_CPU_AVX512_BF16;
    }
    if (__builtin_cpu_supports("x86-64-v3")) return CK_CPU_AVX2;
#endif
    return CK_CPU_PORTABLE;
}

// The class that oneDNN is told to keep to, so that one variable makes this process behave as on a lesser CPU.
static int class_allowed(void) {
    static const struct {
        const char *name;
        int class;
    } limits[] = {
        {"SSE41", CK_CPU_PORTABLE},
        {"AVX", CK_CPU_PORTABLE},
        {"AVX2", CK_CPU_AVX2},
        {"AVX2_VNNI", CK_CPU_AVX2},
        {"AVX512_CORE", CK_CPU_AVX512},
        {"AVX512_CORE_VNNI", CK_CPU_AVX512},
        {"AVX512_CORE_BF16", CK_CPU_AVX512_BF16},
        {"AVX512_CORE_FP16", CK_CPU_AVX512_BF16},
    };
    const char *limit = getenv("ONEDNN_MAX_CPU_ISA");
    if (!limit) limit = getenv("DNNL_MAX_CPU_ISA");
    for (unsigned i = 0; limit && i < sizeof limits / sizeof *limits; i++)
        if (strcasecmp(limit, limits[i].name) == 0) return limits[i].class;
    return CK_CPU_AMX;
}

// 0 until first asked for.
static _Atomic int chosen;

int ck_cpu_class(void) {
    int class = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (class == 0) {
        const int cpu = class_of_cpu(), allowed = class_allowed();
        class = cpu < allowed ? cpu : allowed;
        atomic_store_explicit(&chosen, class, memory_order_relaxed);
    }
    return class;
}

#include "CKernels.h"

#include <cblas.h>
#include <pthread.h>
#include <stdio.h>

#ifdef CK_ONEDNN
#include <dnnl.h>
#endif

// OpenBLAS composes the text in one place anew at every call, which threads that ask together would find half done.
static char openblas_version[256];
static pthread_once_t openblas_once = PTHREAD_ONCE_INIT;

static void read_openblas_version(void) {
    snprintf(openblas_version, sizeof openblas_version, "%s", openblas_get_config());
}

const char *ck_openblas_version(void) {
    pthread_once(&openblas_once, read_openblas_version);
    return openblas_version;
}

const char *ck_openblas_kernels(void) { return openblas_get_corename(); }

void ck_onednn_version(char *text, long capacity) {
#ifdef CK_ONEDNN
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, (size_t)capacity, "%d.%d.%d", version->major, version->minor, version->patch);
#else
    snprintf(text, (size_t)capacity, "none");
#endif
}

int ck_onednn_kernels(void) {
#ifdef CK_ONEDNN
    return (int)dnnl_get_effective_cpu_isa();
#else
    return 0;
#endif
}

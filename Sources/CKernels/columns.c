#include "columns.h"

#include "parallel.h"
#include "scratch.h"
#include "vector.h"

float *ck_zeroed_partials(long n, long width) {
    const long bytes = ck_chunks(n) * width * (long)sizeof(float);
    return memset(ck_scratch(bytes), 0, (size_t)bytes);
}

struct arguments {
    const float *partials;
    float *sum;
    long chunks, width;
};

CK_LOOP(add) {
    const struct arguments *a = context;
    for (long c = 0; c < a->chunks; c++) {
        const float *partial = a->partials + c * a->width;
        for (long j = begin; j < end; j++) a->sum[j] += partial[j];
    }
}

void ck_add_partials(const float *partials, long n, long width, long first, long d, float *sum) {
    struct arguments a = {partials + first, sum, ck_chunks(n), width};
    ck_parallel(d, 512, add, &a);
}

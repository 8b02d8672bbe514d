#include "CKernels.h"
#include "parallel.h"

#include <cblas.h>
#include <pthread.h>
#include <stdatomic.h>

// The toolchain's clang has no OpenMP of its own; libgomp is there because OpenBLAS and oneDNN use it. Calling its
// entry point directly (what GCC compiles `#pragma omp parallel` to) makes all three share one pool of threads.
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int omp_get_max_threads(void);
extern int omp_in_parallel(void);
extern void omp_set_num_threads(int count);

// 0 until set or first asked for.
static _Atomic int thread_count;

static _Thread_local int only_this_thread;

void ck_use_only_this_thread(void) { only_this_thread = 1; }

void ck_set_threads(int count) { atomic_store(&thread_count, count); }

int ck_threads(void) {
    if (only_this_thread) return 1;
    int count = atomic_load(&thread_count);
    if (count == 0) {
        count = omp_get_max_threads();
        atomic_store(&thread_count, count);
    }
    return count;
}

static pthread_once_t openblas_once = PTHREAD_ONCE_INIT;

// An OpenBLAS with threads of its own (Debian's libopenblas0-pthread) would use all of them in each call, of each of ours.
static void limit_openblas(void) {
    if (openblas_get_parallel() == OPENBLAS_THREAD) openblas_set_num_threads(1);
}

void ck_enter_library(void) {
    pthread_once(&openblas_once, limit_openblas);
    ck_threads(); // Reads OpenMP's own count before it goes.
    // OpenMP keeps the thread count per calling thread, so it is set where the call is made.
    if (omp_get_max_threads() != 1) omp_set_num_threads(1);
}

struct split {
    long count, grain;
    void (*body)(void *, long, long);
    void *context;
};

static void run_split(void *data) {
    const struct split *split = data;
    long threads = omp_get_num_threads(), thread = omp_get_thread_num();
    long grains = (split->count + split->grain - 1) / split->grain;
    long begin = grains * thread / threads * split->grain;
    long end = grains * (thread + 1) / threads * split->grain;
    if (end > split->count) end = split->count;
    if (begin < end) split->body(split->context, begin, end);
}

void ck_parallel(long count, long grain, void (*body)(void *, long, long), void *context) {
    int threads = ck_threads();
    if (threads == 1 || count <= grain || omp_in_parallel()) {
        if (count > 0) body(context, 0, count);
        return;
    }
    struct split split = {count, grain, body, context};
    GOMP_parallel(run_split, &split, (unsigned)threads, 0);
}

struct tasks {
    long count;
    _Atomic long next;
    void (*body)(void *, long, int);
    void *context;
};

static void run_tasks(void *data) {
    struct tasks *tasks = data;
    int thread = omp_get_thread_num();
    for (;;) {
        long task = atomic_fetch_add(&tasks->next, 1);
        if (task >= tasks->count) return;
        tasks->body(tasks->context, task, thread);
    }
}

void ck_parallel_tasks(int threads, long count, void (*body)(void *, long, int), void *context) {
    if (threads == 1 || count <= 1 || omp_in_parallel()) {
        for (long task = 0; task < count; task++) body(context, task, 0);
        return;
    }
    struct tasks tasks = {count, 0, body, context};
    GOMP_parallel(run_tasks, &tasks, (unsigned)threads, 0);
}

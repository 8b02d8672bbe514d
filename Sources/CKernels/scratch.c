#include "scratch.h"

#include <pthread.h>
#include <stdlib.h>

#include "CKernels.h"

static _Thread_local void *memory;
static _Thread_local long capacity;
// Its value in each thread is `memory`, freed when the thread ends.
static pthread_key_t owner;
static pthread_once_t owner_once = PTHREAD_ONCE_INIT;

static void make_owner(void) { pthread_key_create(&owner, free); }

void *ck_scratch(long bytes) {
    if (bytes <= capacity) return memory;
    pthread_once(&owner_once, make_owner);
    free(memory);
    // Half as much again, so that slowly growing batches do not allocate every step.
    capacity = (bytes > capacity + capacity / 2 ? bytes : capacity + capacity / 2) / 64 * 64 + 64;
    memory = aligned_alloc(64, (size_t)capacity);
    if (!memory) abort();
    pthread_setspecific(owner, memory);
    ck_count_allocation();
    return memory;
}

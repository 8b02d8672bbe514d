#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CKernels.h"

void ck_release_memory(void) { malloc_trim(0); }

// The C library otherwise moves the limit up to the largest block that was freed, and then keeps blocks of that size in its heap,
// where what is between them stays in use.
void ck_map_large_blocks(long bytes) { mallopt(M_MMAP_THRESHOLD, (int)bytes); }

static void advise(void *start, long bytes, int advice) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)start + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)start + (uintptr_t)bytes) / page * page;
    if (first < end) madvise((void *)first, end - first, advice);
}

void ck_give_back(void *start, long bytes) { advise(start, bytes, MADV_DONTNEED); }

void ck_use_small_pages(void *start, long bytes) { advise(start, bytes, MADV_NOHUGEPAGE); }

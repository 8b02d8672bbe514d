#include <malloc.h>

#include "CKernels.h"

void ck_release_memory(void) { malloc_trim(0); }

// The C library otherwise moves the limit up to the largest block that was freed, and then keeps blocks of that size in its heap,
// where what is between them stays in use.
void ck_map_large_blocks(long bytes) { mallopt(M_MMAP_THRESHOLD, (int)bytes); }

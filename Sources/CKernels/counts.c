#include "CKernels.h"

static _Thread_local long counted_allocations, counted_bytes;

void ck_count_allocation(void) { counted_allocations++; }

void ck_count_copy(long bytes) { counted_bytes += bytes; }

void ck_take_counts(long *allocations, long *copied_bytes) {
    *allocations = counted_allocations;
    *copied_bytes = counted_bytes;
    counted_allocations = counted_bytes = 0;
}

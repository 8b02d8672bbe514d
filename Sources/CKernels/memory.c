#include <malloc.h>

#include "CKernels.h"

void ck_release_memory(void) { malloc_trim(0); }

#pragma once

// Memory of a kernel while it runs: `bytes` bytes of the calling thread, 64-byte aligned, holding anything. Kept from call to call,
// so that steps of one size allocate nothing; the thread's next request takes it over.
void *ck_scratch(long bytes);

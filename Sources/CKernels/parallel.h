#pragma once

// Loops over the shared OpenMP pool.

// Splits [0, count) into one contiguous part a thread, each a multiple of `grain` but the last, and runs `body` on each.
// The split depends on the thread count only, so give it work whose result does not depend on the split.
void ck_parallel(long count, long grain, void (*body)(void *context, long begin, long end), void *context);

// Runs `body` for every task in [0, count), handed out as threads become free; `thread` is below `threads`.
void ck_parallel_tasks(int threads, long count, void (*body)(void *context, long task, int thread), void *context);

// Makes OpenBLAS and oneDNN, called from this thread, use no other: the loops above hand their work out.
void ck_enter_library(void);

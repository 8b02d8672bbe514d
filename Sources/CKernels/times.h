#pragma once

#include "CKernels.h"

// Adds the time until the end of the enclosing block to a kind of kernel, on the calling thread.
#define CK_TIMED(kind) __attribute__((cleanup(ck_timer_end))) struct ck_timer timer = ck_timer_start(kind)

struct ck_timer {
    int kind;
    double start;
};

struct ck_timer ck_timer_start(int kind);
void ck_timer_end(const struct ck_timer *timer);

#pragma once

#include <stdint.h>

/// CPUs in a mask: those of glibc's cpu_set_t.
#define CC_CPUS 1024

/// Sets mask[c] to 1 where this process may run on CPU c, else to 0.
void cc_cpu_mask(uint8_t mask[CC_CPUS]);

#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>

#include "CCollectives.h"
#include "affinity.h"

void cc_cpu_mask(uint8_t mask[CC_CPUS]) {
    cpu_set_t set;
    CPU_ZERO(&set);
    // A machine with more CPUs than a cpu_set_t holds refuses; all online CPUs are then a fair guess.
    const int known = sched_getaffinity(0, sizeof set, &set) == 0;
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    for (int cpu = 0; cpu < CC_CPUS; ++cpu) mask[cpu] = known ? CPU_ISSET(cpu, &set) != 0 : cpu < online;
}

int cc_allowed_cpus(void) {
    uint8_t mask[CC_CPUS];
    cc_cpu_mask(mask);
    int cpus = 0;
    for (int cpu = 0; cpu < CC_CPUS; ++cpu) cpus += mask[cpu];
    return cpus > 0 ? cpus : 1;
}

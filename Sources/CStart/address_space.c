// Looks at the limit of the address space (`ulimit -v`) before any library's constructor runs: OpenBLAS takes its buffers
// in its own, and where it gets none it tries again for ever, before `main`.

#include "CStart.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

long cs_address_space_used(void) {
    char text[64] = {0};
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    long length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 ? strtol(text, NULL, 10) * sysconf(_SC_PAGESIZE) : -1;
}

long cs_address_space_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > 1L << 60) return -1;
    return (long)limit.rlim_cur;
}

// The value of a variable; libc's own environment is not there yet.
static const char *variable(char **environment, const char *name) {
    size_t length = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return *environment + length + 1;
    return NULL;
}

static void require_address_space(int argc, char **argv, char **environment) {
    (void)argc, (void)argv;
    long limit = cs_address_space_limit(), used = cs_address_space_used();
    if (limit < 0 || used < 0) return;
    // OpenBLAS has a buffer for each of its threads from the start, and takes one more for the first product.
    long threads = sysconf(_SC_NPROCESSORS_CONF);
    const char *chosen = variable(environment, "OMP_NUM_THREADS");
    long asked = chosen ? strtol(chosen, NULL, 10) : 0;
    if (asked > 0 && asked < threads) threads = asked;
    long needed = used + (threads + 1) * CS_BLAS_BUFFER_BYTES;
    if (needed <= limit) return;
    const char *rank = variable(environment, "OMPI_COMM_WORLD_RANK");
    if (!rank) rank = variable(environment, "PMIX_RANK");
    if (!rank) rank = variable(environment, "PMI_RANK");
    if (rank && strcmp(rank, "0") != 0) {
        // The root speaks for all.
        sleep(1);
    } else {
        dprintf(
            STDERR_FILENO,
            "maxmin: error: ulimit -v: the address space may have %ld MiB, but to start takes %ld; raise the limit, "
            "or lower OMP_NUM_THREADS\n",
            limit >> 20, needed >> 20);
    }
    _exit(78);
}

// clang-format off
__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(int, char **, char **) =
    require_address_space;
// clang-format on

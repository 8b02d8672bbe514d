#include "CCollectives.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"

#ifdef CC_MPI
#include <mpi.h>
#include <time.h>

_Static_assert(sizeof(MPI_Comm) <= sizeof(uintptr_t), "a communicator must fit into cc_comm");

/// Elements in one MPI call, whose counts are C ints.
#define CHUNK ((size_t)1 << 28)

static MPI_Comm of(cc_comm comm) { return (MPI_Comm)comm.handle; }

/// Leaves the enclosing function with the code of a call that failed.
#define CHECK(call)                                                                                                    \
    do {                                                                                                               \
        const int code_ = (call);                                                                                      \
        if (code_ != MPI_SUCCESS) return code_;                                                                        \
    } while (0)

/// Whether this thread initialized MPI.
static _Thread_local int is_first;

/// Waits for non-blocking calls. The first thread has nothing else to do and spins; another one shares its CPU with threads that
/// compute, so it sleeps between looks.
static int finish(int count, MPI_Request *requests) {
    if (is_first) return MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
    const struct timespec pause = {0, 20 * 1000};
    for (int done = 0;;) {
        CHECK(MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE));
        if (done) return MPI_SUCCESS;
        nanosleep(&pause, NULL);
    }
}

int cc_init(int ranks_on_node, cc_comm *world) {
    // Waiting ranks spin; where they outnumber CPUs that costs a time slice a message (37 ms against 30 µs) unless they yield.
    if (ranks_on_node > cc_allowed_cpus()) setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    int level = MPI_THREAD_SINGLE;
    CHECK(MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level));
    is_first = 1;
    CHECK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    if (level < MPI_THREAD_SERIALIZED) return CC_NO_THREADS;
    // A duplicate takes the error handler over, and keeps our messages apart from any library's.
    MPI_Comm duplicate;
    CHECK(MPI_Comm_dup(MPI_COMM_WORLD, &duplicate));
    world->handle = (uintptr_t)duplicate;
    return MPI_SUCCESS;
}

int cc_finalize(cc_comm world) {
    MPI_Comm comm = of(world);
    CHECK(MPI_Comm_free(&comm));
    return MPI_Finalize();
}

int cc_rank(cc_comm comm, int *rank) { return MPI_Comm_rank(of(comm), rank); }

int cc_size(cc_comm comm, int *size) { return MPI_Comm_size(of(comm), size); }

int cc_node_share(cc_comm comm, int *ranks_on_node, double *cpus) {
    MPI_Comm node;
    CHECK(MPI_Comm_split_type(of(comm), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
    uint8_t mine[CC_CPUS];
    int users[CC_CPUS];
    cc_cpu_mask(mine);
    for (int cpu = 0; cpu < CC_CPUS; ++cpu) users[cpu] = mine[cpu];
    int code = MPI_Allreduce(MPI_IN_PLACE, users, CC_CPUS, MPI_INT, MPI_SUM, node);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(node, ranks_on_node);
    *cpus = 0;
    for (int cpu = 0; cpu < CC_CPUS; ++cpu) {
        if (mine[cpu]) *cpus += 1.0 / users[cpu];
    }
    const int freed = MPI_Comm_free(&node);
    return code != MPI_SUCCESS ? code : freed;
}

static int sum(cc_comm comm, void *values, size_t count, size_t width, MPI_Datatype type) {
    for (size_t start = 0; start < count; start += CHUNK) {
        const size_t length = count - start < CHUNK ? count - start : CHUNK;
        CHECK(MPI_Allreduce(MPI_IN_PLACE, (char *)values + start * width, (int)length, type, MPI_SUM, of(comm)));
    }
    return MPI_SUCCESS;
}

int cc_allreduce_sum_f32(cc_comm comm, float *values, size_t count) {
    return sum(comm, values, count, sizeof *values, MPI_FLOAT);
}

int cc_allreduce_sum_f64(cc_comm comm, double *values, size_t count) {
    return sum(comm, values, count, sizeof *values, MPI_DOUBLE);
}

int cc_allreduce_max_f64(cc_comm comm, double *values, size_t count) {
    if (count > CHUNK) return MPI_ERR_COUNT;
    // Not blocking whichever thread calls: it would not match a blocking one of another rank.
    MPI_Request request;
    CHECK(MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_MAX, of(comm), &request));
    return finish(1, &request);
}

int cc_broadcast(cc_comm comm, void *bytes, size_t count, int root) {
    for (size_t start = 0; start < count; start += CHUNK) {
        const size_t length = count - start < CHUNK ? count - start : CHUNK;
        CHECK(MPI_Bcast((char *)bytes + start, (int)length, MPI_BYTE, root, of(comm)));
    }
    return MPI_SUCCESS;
}

int cc_exchange_f32(cc_comm comm, const float *source, const long *send_starts, const long *send_counts, float *target,
                    const long *receive_starts, const long *receive_counts) {
    int rank = 0, size = 0, pending = 0, code = MPI_SUCCESS;
    CHECK(MPI_Comm_rank(of(comm), &rank));
    CHECK(MPI_Comm_size(of(comm), &size));
    MPI_Request *requests = malloc(2 * (size_t)size * sizeof *requests);
    if (!requests) return MPI_ERR_NO_MEM;
    // Every rank begins with the one after it, so that not all send to rank 0 first. Receives are posted before sends.
    for (int step = 1; step < size && code == MPI_SUCCESS; ++step) {
        const int peer = (rank + size - step) % size;
        if (receive_counts[peer] == 0) continue;
        code = MPI_Irecv(target + receive_starts[peer], (int)receive_counts[peer], MPI_FLOAT, peer, 0, of(comm),
                         &requests[pending]);
        pending += code == MPI_SUCCESS;
    }
    for (int step = 1; step < size && code == MPI_SUCCESS; ++step) {
        const int peer = (rank + step) % size;
        if (send_counts[peer] == 0) continue;
        code = MPI_Isend(source + send_starts[peer], (int)send_counts[peer], MPI_FLOAT, peer, 0, of(comm),
                         &requests[pending]);
        pending += code == MPI_SUCCESS;
    }
    if (send_counts[rank] > 0)
        memmove(target + receive_starts[rank], source + send_starts[rank], (size_t)send_counts[rank] * sizeof *target);
    // After a failed call the run ends by MPI_Abort; what is pending then cannot be waited for.
    if (code == MPI_SUCCESS) code = finish(pending, requests);
    free(requests);
    return code;
}

int cc_allgather_u64(cc_comm comm, uint64_t mine, uint64_t *all) {
    return MPI_Allgather(&mine, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, of(comm));
}

int cc_barrier(cc_comm comm) {
    MPI_Request request;
    CHECK(MPI_Ibarrier(of(comm), &request));
    return finish(1, &request);
}

int cc_abort(cc_comm comm, int code) { return MPI_Abort(of(comm), code); }

int cc_library(char *text, size_t capacity) {
    char full[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    CHECK(MPI_Get_library_version(full, &length));
    snprintf(text, capacity, "%s", full);
    return MPI_SUCCESS;
}

void cc_error_text(int code, char *text, size_t capacity) {
    char full[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (code == CC_NO_THREADS) {
        snprintf(text, capacity, "this MPI library lacks thread level SERIALIZED");
    } else if (MPI_Error_string(code, full, &length) == MPI_SUCCESS) {
        snprintf(text, capacity, "%s", full);
    } else {
        snprintf(text, capacity, "unknown error");
    }
}

#endif

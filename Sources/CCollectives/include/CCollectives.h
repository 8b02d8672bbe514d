// A shim over MPI that Swift can import: no MPI type, constant or macro shows. Every call returns MPI's code, 0 for success.
// Counts may exceed INT_MAX: long buffers travel in chunks. Without the trait MPI only cc_allowed_cpus is there.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The library offers less than MPI_THREAD_SERIALIZED.
#define CC_NO_THREADS (-1)

/// A communicator: one field, so that no other handle can take its place.
typedef struct cc_comm {
    uintptr_t handle;
} cc_comm;

/// How many CPUs this process may run on, at least 1.
int cc_allowed_cpus(void);

/// Initializes MPI with thread level SERIALIZED and errors returned; `world` becomes a duplicate of MPI_COMM_WORLD.
/// One thread at a time may call; maxima, exchanges and barriers on another than this one leave the CPU to others while they wait.
/// Before that, ranks that outnumber the allowed CPUs of their node are told to yield while they wait.
int cc_init(int ranks_on_node, cc_comm *world);
/// Frees `world` and finalizes MPI.
int cc_finalize(cc_comm world);
int cc_rank(cc_comm comm, int *rank);
int cc_size(cc_comm comm, int *size);
/// How many ranks share this node, and how many CPUs this rank has for itself when every CPU is shared evenly by the ranks
/// whose affinity masks hold it. Collective.
int cc_node_share(cc_comm comm, int *ranks_on_node, double *cpus);

/// In place: the sum over all ranks, in the order that MPI_Allreduce chooses.
int cc_allreduce_sum_f32(cc_comm comm, float *values, size_t count);
int cc_allreduce_sum_f64(cc_comm comm, double *values, size_t count);
/// In place: the maximum over all ranks, of at most 2^28 numbers.
int cc_allreduce_max_f64(cc_comm comm, double *values, size_t count);
/// In place: `root`'s bytes on every rank.
int cc_broadcast(cc_comm comm, void *bytes, size_t count, int root);
/// Sends source[send_starts[r] …], send_counts[r] numbers long, to every rank r and receives target[receive_starts[r] …] from it,
/// all at once; what a rank sends to itself is copied. Counts are at most INT_MAX.
int cc_exchange_f32(cc_comm comm, const float *source, const long *send_starts, const long *send_counts, float *target,
                    const long *receive_starts, const long *receive_counts);
/// One number of every rank, in order of rank.
int cc_allgather_u64(cc_comm comm, uint64_t mine, uint64_t *all);
int cc_barrier(cc_comm comm);
/// Ends every rank with exit code `code`.
int cc_abort(cc_comm comm, int code);

/// The library's name and version, ended by NUL and cut to `capacity` bytes.
int cc_library(char *text, size_t capacity);
/// The text of a code, ended by NUL and cut to `capacity` bytes.
void cc_error_text(int code, char *text, size_t capacity);

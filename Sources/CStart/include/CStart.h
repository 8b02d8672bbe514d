#ifndef CSTART_H
#define CSTART_H

/// Address space that OpenBLAS takes for each thread that calls it, bytes; its own constant on every CPU of ours.
#define CS_BLAS_BUFFER_BYTES (128L << 20)

/// Address space that this process has, bytes; -1 where the system does not tell.
long cs_address_space_used(void);

/// What it may have (`ulimit -v`), bytes; -1: no limit.
long cs_address_space_limit(void);

#endif

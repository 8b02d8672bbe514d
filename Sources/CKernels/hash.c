#include "CKernels.h"
#include "parallel.h"

#include <stdlib.h>
#include <string.h>

// Bytes hashed by one thread at a time: fixed, so that the hash does not depend on the number of threads.
enum { CHUNK = 1 << 18 };

static const uint64_t prime1 = 0x9E3779B185EBCA87u, prime2 = 0xC2B2AE3D27D4EB4Fu;

static uint64_t mix(uint64_t lane, uint64_t word) {
    lane += word * prime2;
    return (lane << 31 | lane >> 33) * prime1;
}

// Four lanes over blocks of 32 bytes, the last one filled up with zeros; then the lanes and the length.
static uint64_t hash_chunk(const unsigned char *bytes, long count) {
    uint64_t lanes[4] = {1, 2, 3, 4};
    for (long i = 0; i < count; i += 32) {
        uint64_t words[4] = {0};
        memcpy(words, bytes + i, count - i < 32 ? (size_t)(count - i) : 32);
        for (int lane = 0; lane < 4; lane++) lanes[lane] = mix(lanes[lane], words[lane]);
    }
    uint64_t hash = (uint64_t)count;
    for (int lane = 0; lane < 4; lane++) hash = mix(hash, lanes[lane]);
    return hash;
}

struct hashing {
    const unsigned char *bytes;
    long count;
    uint64_t *hashes;
};

static void hash_chunks(void *context, long begin, long end) {
    const struct hashing *h = context;
    for (long chunk = begin; chunk < end; chunk++) {
        long start = chunk * CHUNK, left = h->count - start;
        h->hashes[chunk] = hash_chunk(h->bytes + start, left < CHUNK ? left : CHUNK);
    }
}

int ck_hash(const void *x, long count, uint64_t *hash) {
    long chunks = (count + CHUNK - 1) / CHUNK;
    struct hashing hashing = {x, count, malloc((size_t)chunks * sizeof(uint64_t) + 1)};
    if (!hashing.hashes) return -1;
    ck_parallel(chunks, 1, hash_chunks, &hashing);
    *hash = (uint64_t)count;
    for (long chunk = 0; chunk < chunks; chunk++) *hash = mix(*hash, hashing.hashes[chunk]);
    free(hashing.hashes);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* pool.h - objects of one size under 32-bit handles: half the bytes of a pointer, stable addresses, counted.
 *
 * A table of a million routes is made of links; handles keep a link at four bytes. Objects live in chunks
 * that never move, so a pointer from pool_at() stays good until pool_free() of that handle. Handle 0 is
 * "none". */
#ifndef MCBGP_LIB_POOL_H
#define MCBGP_LIB_POOL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_CHUNK_BITS 12u /* objects a chunk: 4096 */

struct pool {
	uint8_t **chunks;
	size_t size;      /* bytes an object, a multiple of 4 */
	uint32_t next;    /* first handle never handed out */
	uint32_t free;    /* head of the free list, linked through the objects' first four bytes */
	uint32_t used;    /* objects alive */
	uint32_t nchunks; /* allocated */
};

/** @size: bytes an object, at least 4; rounded up to a multiple of 4 (8 when the object holds pointers: pass
 * a multiple of 8). */
void pool_init(struct pool *p, size_t size);
void pool_fini(struct pool *p);
/** A zeroed object. @return its handle, 0 when out of memory. */
uint32_t pool_new(struct pool *p);
void pool_free(struct pool *p, uint32_t handle);
size_t pool_bytes(const struct pool *p); /* memory held, for `show memory` */

static inline void *pool_at(const struct pool *p, uint32_t h)
{
	assert(h != 0 && h < p->next);
	return p->chunks[h >> POOL_CHUNK_BITS] + (size_t)(h & ((1u << POOL_CHUNK_BITS) - 1)) * p->size;
}

#endif

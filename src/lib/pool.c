/* SPDX-License-Identifier: BSD-2-Clause */
/* pool.c - see pool.h. Fresh objects come from zeroed chunks and are touched by nobody before their owner;
 * freed ones wait in a list that runs through their first four bytes. Under AddressSanitizer the rest of a
 * freed object is poisoned. */
#include "lib/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_ASAN 1
#endif
#endif

#ifdef POOL_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define CHUNK_OBJECTS (1u << POOL_CHUNK_BITS)
#define LINK_SIZE     sizeof(uint32_t)

void pool_init(struct pool *p, size_t size)
{
	*p = (struct pool){ .size = (size + 3) & ~(size_t)3, .next = 1 };
	assert(p->size >= LINK_SIZE);
}

void pool_fini(struct pool *p)
{
	for (uint32_t i = 0; i < p->nchunks; i++)
		free(p->chunks[i]);
	free(p->chunks);
	pool_init(p, p->size);
}

static bool grow(struct pool *p)
{
	uint8_t **chunks = reallocarray(p->chunks, p->nchunks + 1u, sizeof(*chunks));

	if (!chunks)
		return false;
	p->chunks = chunks;
	chunks[p->nchunks] = calloc(CHUNK_OBJECTS, p->size);
	if (!chunks[p->nchunks])
		return false;
	p->nchunks++;
	return true;
}

static uint32_t take_free(struct pool *p)
{
	uint32_t h = p->free;
	void *obj = pool_at(p, h);

	memcpy(&p->free, obj, LINK_SIZE);
	ASAN_UNPOISON_MEMORY_REGION(obj, p->size);
	memset(obj, 0, p->size);
	return h;
}

static uint32_t take_fresh(struct pool *p)
{
	if (p->next == UINT32_MAX)
		return 0;
	if (p->next >> POOL_CHUNK_BITS == p->nchunks && !grow(p))
		return 0;
	return p->next++;
}

uint32_t pool_new(struct pool *p)
{
	uint32_t h = p->free ? take_free(p) : take_fresh(p);

	if (h)
		p->used++;
	return h;
}

void pool_free(struct pool *p, uint32_t handle)
{
	uint8_t *obj = pool_at(p, handle);

	assert(p->used > 0);
	memcpy(obj, &p->free, LINK_SIZE);
	ASAN_POISON_MEMORY_REGION(obj + LINK_SIZE, p->size - LINK_SIZE);
	p->free = handle;
	p->used--;
}

size_t pool_bytes(const struct pool *p)
{
	return p->nchunks * (CHUNK_OBJECTS * p->size + sizeof(*p->chunks));
}

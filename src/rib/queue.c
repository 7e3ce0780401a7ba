/* SPDX-License-Identifier: BSD-2-Clause */
/* queue.c - the growable ring behind dirty dests and export queues; when it runs empty it gives its memory
 * back, but for what the prefixes of one read of a socket take. */
#include <stdlib.h>

#include "rib/rib_priv.h"

#define QUEUE_MIN  256u
#define QUEUE_KEPT 4096u

static bool resize(struct queue *q, uint32_t size)
{
	uint64_t *items = reallocarray(NULL, size, sizeof(*items));

	if (!items)
		return false;
	for (uint32_t i = 0; i < q->count; i++)
		items[i] = q->items[(q->head + i) & (q->size - 1)];
	free(q->items);
	q->items = items;
	q->size = size;
	q->head = 0;
	return true;
}

bool queue_grow(struct queue *q)
{
	return q->size <= UINT32_MAX / 2 && resize(q, q->size ? q->size * 2 : QUEUE_MIN);
}

void queue_empty(struct queue *q)
{
	if (q->size > QUEUE_KEPT)
		queue_fini(q);
}

bool queue_copy(struct queue *to, const struct queue *from)
{
	*to = (struct queue){ 0 };
	for (uint32_t i = 0; i < from->count; i++) {
		if (!queue_push(to, from->items[(from->head + i) & (from->size - 1)])) {
			queue_fini(to);
			return false;
		}
	}
	return true;
}

void queue_fini(struct queue *q)
{
	free(q->items);
	*q = (struct queue){ 0 };
}

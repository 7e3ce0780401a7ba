/* SPDX-License-Identifier: BSD-2-Clause */
/* queue.c - the growable ring behind dirty dests and export queues; gives its memory back when it runs empty.
 */
#include <stdlib.h>

#include "rib/rib_priv.h"

#define QUEUE_MIN 256u

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

bool queue_push(struct queue *q, uint64_t item)
{
	if (q->count == q->size &&
	    (q->size > UINT32_MAX / 2 || !resize(q, q->size ? q->size * 2 : QUEUE_MIN)))
		return false;
	q->items[(q->head + q->count++) & (q->size - 1)] = item;
	return true;
}

uint64_t queue_pop(struct queue *q)
{
	uint64_t item;

	if (!q->count)
		return 0;
	item = q->items[q->head];
	q->head = (q->head + 1) & (q->size - 1);
	if (--q->count == 0 && q->size > QUEUE_MIN)
		queue_fini(q);
	return item;
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

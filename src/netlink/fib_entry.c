/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_entry.c - one route of the FIB: what is wanted, what the kernel has, and the queue of those where these
 * differ. */
#include "netlink/fib_priv.h"

enum fib_state fibent_state(const struct fibent *e)
{
	if (e->flags & ENT_FAILED)
		return FIB_FAILED;
	if (e->flags & ENT_ADOPTED)
		return FIB_INSTALLED;
	if (e->want == e->have)
		return e->want ? FIB_INSTALLED : FIB_ABSENT;
	return FIB_QUEUED;
}

static void enqueue(struct fib *f, int t, uint32_t h)
{
	struct fibent *e = fibtab_at(&f->tab[t], h);
	struct queue *q = &f->queue[t];

	if (e->flags & ENT_QUEUED)
		return;
	e->flags |= ENT_QUEUED;
	e->next = 0;
	if (q->tail)
		fibtab_at(&f->tab[t], q->tail)->next = h;
	else
		q->head = h;
	q->tail = h;
	loop_job_kick(f->job);
}

uint32_t fib_dequeue(struct fib *f, int t)
{
	struct queue *q = &f->queue[t];
	uint32_t h = q->head;
	struct fibent *e;

	if (!h)
		return 0;
	e = fibtab_at(&f->tab[t], h);
	q->head = e->next;
	if (!q->head)
		q->tail = 0;
	e->flags &= (uint8_t)~ENT_QUEUED;
	return h;
}

struct fibent *fibent_begin(struct fib *f, int t, uint32_t h)
{
	struct fibent *e = fibtab_at(&f->tab[t], h);

	f->count[fibent_state(e)]--;
	return e;
}

void fibent_end(struct fib *f, int t, uint32_t h)
{
	const struct fibent *e = fibtab_at(&f->tab[t], h);
	enum fib_state state = fibent_state(e);

	f->count[state]++;
	if (state == FIB_QUEUED && !(e->flags & ENT_SENT))
		enqueue(f, t, h);
	else if (state == FIB_ABSENT && !(e->flags & (ENT_SENT | ENT_QUEUED)))
		fibtab_remove(&f->tab[t], h);
}

void fibent_has(struct fib *f, struct fibent *e, uint32_t set)
{
	hopset_put(f->sets, e->have);
	e->have = set;
}

void fibent_behind(struct fib *f, struct fibent *e)
{
	fibent_has(f, e, HOPSET_BEHIND);
	e->flags &= (uint8_t)~ENT_ADOPTED;
}

void fibent_clear(struct fibent *e)
{
	e->flags &= (uint8_t) ~(ENT_FAILED | ENT_TRIES);
	e->why = e->detail = 0;
}

void fibent_fail(struct fib *f, struct fibent *e, enum why why, uint8_t detail)
{
	e->flags |= ENT_FAILED;
	e->why = (uint8_t)why;
	e->detail = detail;
	if (why == WHY_ERRNO || why == WHY_HOPS)
		f->retry_wanted = true;
}

bool fib_queues_empty(const struct fib *f)
{
	return f->queue[0].head == 0 && f->queue[1].head == 0;
}

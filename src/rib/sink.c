/* SPDX-License-Identifier: BSD-2-Clause */
/* sink.c - DOC: what is encoded for a peer and not yet written.
 *
 * A chunk is encoded once per export group and queued for each member by reference, so fifty peers cost one
 * encoding. A sink writes at its own pace; what has been written is released at once. Because writes may end
 * anywhere, the sink remembers where the message begins that is partly out: other messages (KEEPALIVE,
 * NOTIFICATION) may go only between two. */
#include <stdlib.h>
#include <string.h>

#include "lib/reader.h"
#include "mcbgp/bgp.h"
#include "rib/rib_priv.h"

#define RING_MIN 8u

struct chunk *chunk_new(const uint8_t *data, uint32_t len)
{
	struct chunk *c = malloc(sizeof(*c) + len);

	if (!c)
		return NULL;
	c->refs = 1;
	c->len = len;
	memcpy(c->data, data, len);
	return c;
}

void chunk_unref(struct chunk *c)
{
	if (--c->refs == 0)
		free(c);
}

static bool grow(struct sink *s)
{
	uint32_t size = s->size ? s->size * 2 : RING_MIN;
	struct chunk **ring = reallocarray(NULL, size, sizeof(struct chunk *));

	if (!ring)
		return false;
	for (uint32_t i = 0; i < s->count; i++)
		ring[i] = s->queue[(s->head + i) & (s->size - 1)];
	free(s->queue);
	s->queue = ring;
	s->size = size;
	s->head = 0;
	return true;
}

bool sink_push(struct rib_peer *p, struct chunk *c)
{
	struct sink *s = &p->sink;
	bool first = s->count == 0;

	if (s->count == s->size && !grow(s))
		return false;
	s->queue[(s->head + s->count++) & (s->size - 1)] = c;
	c->refs++;
	s->backlog += c->len;
	if (first && p->rib->on_output)
		p->rib->on_output(p->rib->on_output_ctx, p);
	return true;
}

void sink_break(struct rib_peer *p)
{
	p->sink.broken = true;
	if (p->rib->on_output)
		p->rib->on_output(p->rib->on_output_ctx, p);
}

bool rib_sink_broken(const struct rib_peer *p)
{
	return p->sink.broken;
}

static struct chunk *pop(struct sink *s)
{
	struct chunk *c = s->queue[s->head];

	s->head = (s->head + 1) & (s->size - 1);
	s->count--;
	s->offset = 0;
	s->boundary = 0;
	return c;
}

void sink_clear(struct sink *s)
{
	while (s->count)
		chunk_unref(pop(s));
	free(s->queue);
	s->queue = NULL;
	s->size = 0;
	s->head = 0;
	s->backlog = 0;
	s->broken = false;
}

int rib_sink_peek(struct rib_peer *p, struct iovec *iov, int max)
{
	struct sink *s = &p->sink;
	uint32_t skip = s->offset;
	int n = 0;

	for (uint32_t i = 0; i < s->count && n < max; i++, skip = 0) {
		struct chunk *c = s->queue[(s->head + i) & (s->size - 1)];

		iov[n++] = (struct iovec){ c->data + skip, c->len - skip };
	}
	return n;
}

static uint32_t message_len(const struct chunk *c, uint32_t at)
{
	struct reader r = rd_init(c->data + at, c->len - at);

	rd_take(&r, 16); /* marker */
	return rd_u16(&r);
}

void rib_sink_wrote(struct rib_peer *p, size_t n)
{
	struct sink *s = &p->sink;

	s->backlog -= n;
	while (n) {
		struct chunk *c = s->queue[s->head];
		size_t here = c->len - s->offset;

		if (n >= here) {
			n -= here;
			chunk_unref(pop(s));
			continue;
		}
		s->offset += (uint32_t)n;
		n = 0;
		while (s->boundary + message_len(c, s->boundary) <= s->offset)
			s->boundary += message_len(c, s->boundary);
	}
}

size_t rib_sink_partial(const struct rib_peer *p)
{
	const struct sink *s = &p->sink;

	if (!s->count || s->offset == s->boundary)
		return 0;
	return s->boundary + message_len(s->queue[s->head], s->boundary) - s->offset;
}

bool rib_sink_pending(const struct rib_peer *p)
{
	return p->sink.count != 0;
}

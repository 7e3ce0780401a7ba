/* SPDX-License-Identifier: BSD-2-Clause */
/* adj_out.c - DOC: export groups (Adj-RIB-Out).
 *
 * Peers with the same export policy and the same session parameters form a group: policy runs and messages
 * are encoded once for all of them. A group holds, per prefix, one bit: announced or not. What changed waits
 * as a set of prefixes, not as a history; it is turned into messages when the sinks have room, so a slow peer
 * gets fewer messages, never stale ones.
 *
 * A new member must hear the whole table. For that the group walks round its dests for as long as somebody is
 * catching up; who joins meanwhile gets in where the walk is and has heard all when it comes by again. Fifty
 * peers that come up together share one walk. Changes go to everybody as they happen, in the same queue, so
 * the latest word is always the last.
 *
 * A member that does not drain its queue while another one has is set apart: a group of its own with a copy
 * of the bits. The same is done for a peer whose export policy changed: the copy then goes over all prefixes
 * with the new policy. Once such a group has nothing left to do it joins the others of its kind again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/refresh.h"
#include "mcbgp/bgp.h"
#include "rib/group.h"

#define AHEAD        16u             /* dests whose removal is prepared */
#define BACKLOG_FULL (1024u * 1024u) /* bytes a sink may have waiting before encoding for it stops */

struct adj_out *adj_out_new(void)
{
	struct adj_out *o = calloc(1, sizeof(*o));

	if (o)
		o->batch = batch_new();
	if (o && o->batch)
		return o;
	free(o);
	return NULL;
}

void adj_out_free(struct adj_out *o)
{
	if (!o)
		return;
	assert(!o->groups);
	batch_free(o->batch);
	free(o);
}

/* -- members ---------------------------------------------------------------------------------- */

static void member_add(struct group *g, struct rib_peer *p)
{
	p->sink.group = g;
	p->sink.next = g->members;
	g->members = p;
	g->n_catching_up += p->sink.catching_up;
}

/** Take @p out; the group goes with its last member. */
static void member_remove(struct rib_peer *p)
{
	struct group *g = p->sink.group;
	struct rib_peer **link = &g->members;

	while (*link != p)
		link = &(*link)->sink.next;
	*link = p->sink.next;
	p->sink.group = NULL;
	g->n_catching_up -= p->sink.catching_up;
	if (!g->members)
		group_free(g);
}

static void catch_up(struct rib_peer *p)
{
	struct group *g = p->sink.group;

	for (enum family f = 0; f < FAM_COUNT; f++)
		g->fresh &= !g->sent_count[f];
	g->n_catching_up += !p->sink.catching_up;
	p->sink.catching_up = true;
	p->sink.start = g->walk;
	g->twin_of = 0;
}

int adj_out_join(struct rib_peer *p)
{
	struct adj_out *o = p->rib->out;
	struct group like = { 0 }, *g = o->groups;

	group_describe(&like, p);
	while (g && (g->apart || !group_same_kind(g, &like)))
		g = g->next;
	if (!g)
		g = group_new(p);
	if (!g)
		return -ENOMEM;
	p->sink.catching_up = false;
	p->sink.eor_due = true;
	p->sink.refreshing = p->sink.refresh_next = 0;
	member_add(g, p);
	catch_up(p);
	return 0;
}

void adj_out_leave(struct rib_peer *p)
{
	if (p->sink.group)
		member_remove(p);
	p->sink.catching_up = false;
	sink_clear(&p->sink);
}

/** A group that has copied @from and not gone on since, of the kind @p needs now: several peers whose policy
 * changes alike share it. */
static struct group *find_twin(const struct rib_peer *p, const struct group *from)
{
	struct group like = { 0 };

	group_describe(&like, p);
	for (struct group *g = p->rib->out->groups; g; g = g->next)
		if (g->twin_of == from->serial && group_same_kind(g, &like))
			return g;
	return NULL;
}

static void begin_anew(struct group *g)
{
	g->announcing_anew = true;
	g->anew = (struct position){ .at = 1 };
}

void adj_out_anew(struct rib *r)
{
	for (struct group *g = r->out->groups; g; g = g->next)
		begin_anew(g);
}

int adj_out_move(struct rib_peer *p)
{
	struct group *from = p->sink.group, like = { 0 }, *to;

	if (!from)
		return 0;
	group_describe(&like, p);
	if (group_same_kind(from, &like)) {
		from->params.filter =
		        like.params.filter; /* the same, in a new snapshot of the configuration */
		return 0;
	}
	to = find_twin(p, from);
	if (!to)
		to = group_copy(p, from);
	if (!to)
		return -ENOMEM;
	begin_anew(to);
	member_remove(p);
	member_add(to, p);
	return 0;
}

static void push(struct rib_peer *p, const struct writer *w, const uint8_t *begin)
{
	struct chunk *c = chunk_new(begin, (uint32_t)(w->p - begin));

	if (!c || !sink_push(p, c))
		sink_break(p);
	if (c)
		chunk_unref(c);
}

static void demarcate(struct rib_peer *p, uint32_t families, enum refresh_subtype subtype)
{
	uint8_t buf[64 * FAM_COUNT];
	struct writer w = wr_init(buf, sizeof(buf));

	for (enum family f = 0; f < FAM_COUNT; f++)
		if (families & FAM_BIT(f))
			refresh_encode(&w, f, subtype);
	push(p, &w, buf);
}

/** RFC 7313 4: demarcated where both sides know how, but never before the first End-of-RIB. */
void adj_out_again(struct rib_peer *p, uint32_t families)
{
	struct sink *s = &p->sink;

	if (!s->group)
		return;
	if (p->session.neg.enhanced_refresh && s->eor_due) {
		s->refresh_next |= families;
	} else if (p->session.neg.enhanced_refresh) {
		s->refreshing |= families;
		demarcate(p, s->refreshing, REFRESH_BEGIN);
	}
	catch_up(p);
}

uint32_t adj_out_exported(const struct rib_peer *p, enum family f)
{
	const struct group *g = p->sink.group;

	if (!g)
		return 0;
	return g->sent_count[f] - (p->index < g->n_sources ? g->sent_from[f][p->index] : 0);
}

/* -- changes ---------------------------------------------------------------------------------- */

/** Note that @id changed. @return whether the queue of @g names it now. */
static bool touch_group(struct rib *r, struct group *g, enum family f, dest_id id, uint16_t old_peer)
{
	struct bitmap *b = &g->is_pending[f];
	dest_id end = table_end(&r->tables[f]);

	if (bit_get(b, id))
		return true;
	if (!bitmap_reserve(b, end) || !bitmap_reserve(&g->sent[f], end) ||
	    !queue_push(&g->pending[f], pending_item(id, old_peer))) {
		begin_anew(g); /* no memory to note it: say all again when there is some */
		return false;
	}
	b->words[id / 64] |= UINT64_C(1) << id % 64;
	g->twin_of = 0;
	return true;
}

bool adj_out_touch(struct rib *r, enum family f, dest_id id, uint16_t old_peer, bool best)
{
	bool gone = !table_dest(&r->tables[f], id)->best_peer, named = false;

	for (struct group *g = r->out->groups; g; g = g->next) {
		if (!group_hears(g, f) || (gone && !bit_get(&g->sent[f], id)))
			continue; /* what it has not been told of need not be taken back */
		if (best || group_adds_paths(g, f))
			named |= touch_group(r, g, f, id, old_peer);
	}
	return named;
}

/** Encode what waits, at most @budget dests of one batch. @return how many. */
static unsigned run_pending(struct rib *r, struct group *g, enum family f, unsigned budget)
{
	struct queue *q = &g->pending[f];
	struct batch *b = r->out->batch;
	unsigned n = 0;

	if (!q->count)
		return 0;
	batch_begin(b, g, f, false);
	for (; n < q->count && n < budget && !batch_full(b); n++) {
		uint64_t item = queue_at(q, n);

		batch_add(b, (dest_id)(item >> 16), (uint16_t)item);
	}
	batch_end(b);
	for (unsigned i = 0; i < n; i++) {
		dest_id id = (dest_id)(queue_pop(q) >> 16);

		if (i + AHEAD < n)
			table_prefetch_remove(&r->tables[f], (dest_id)(queue_at(q, AHEAD - 1) >> 16));
		g->is_pending[f].words[id / 64] &= ~(UINT64_C(1) << id % 64);
		loc_rib_release(r, f, id);
	}
	return n;
}

/* -- going round ------------------------------------------------------------------------------ */

static void position_advance(struct position *at)
{
	at->at = 1;
	if (++at->family == FAM_COUNT) {
		at->family = FAM_IPV4;
		at->lap++;
	}
}

/** One batch of dests from @at on, which moves. Those that wait as changes are left to them. @return how many
 * were looked at. */
static unsigned run_round(struct rib *r, struct group *g, struct position *at, bool catching_up,
                          unsigned budget)
{
	const struct table *t = &r->tables[at->family];
	enum family f = at->family;
	unsigned n = 0;

	if (!group_hears(g, f) || at->at >= table_end(t)) {
		position_advance(at);
		return 1;
	}
	if (!bitmap_reserve(&g->sent[f], table_end(t)))
		return budget; /* when there is memory again */
	batch_begin(r->out->batch, g, f, catching_up);
	for (; n < budget && !batch_full(r->out->batch) && at->at < table_end(t); n++, at->at++) {
		if (!table_live(t, at->at) || bit_get(&g->is_pending[f], at->at))
			continue;
		if (catching_up && g->fresh && bit_get(&g->sent[f], at->at))
			continue;
		if (table_dest(t, at->at)->best_peer || bit_get(&g->sent[f], at->at))
			batch_add(r->out->batch, at->at, table_dest(t, at->at)->best_peer);
	}
	batch_end(r->out->batch);
	return n;
}

static bool been_round(const struct position *now, const struct position *start)
{
	uint32_t laps = now->lap - start->lap;

	if (laps != 1)
		return laps > 1;
	return now->family != start->family ? now->family > start->family : now->at >= start->at;
}

static void send_eor(struct rib_peer *p)
{
	uint8_t buf[64 * FAM_COUNT];
	struct writer w = wr_init(buf, sizeof(buf));

	for (enum family f = 0; f < FAM_COUNT; f++)
		if (group_hears(p->sink.group, f))
			update_encode_eor(&w, f);
	push(p, &w, buf);
	p->sink.eor_due = false;
	if (p->sink.refresh_next)
		adj_out_again(p, p->sink.refresh_next);
	p->sink.refresh_next = 0;
}

void adj_out_release_eor(struct rib *r)
{
	for (uint32_t i = 1; i < r->n_peers; i++) {
		struct rib_peer *p = r->peers[i];

		if (!p || !p->up || !p->sink.eor_due || p->sink.catching_up)
			continue;
		if (group_has_pending(p->sink.group) || p->sink.group->announcing_anew)
			catch_up(p); /* it comes at the end of that */
		else
			send_eor(p);
	}
}

static void caught_up(struct rib_peer *p)
{
	p->sink.catching_up = false;
	p->sink.group->n_catching_up--;
	if (p->sink.refreshing)
		demarcate(p, p->sink.refreshing, REFRESH_END);
	p->sink.refreshing = 0;
	if (p->sink.eor_due && !p->rib->eor_held)
		send_eor(p);
}

static void run_catching_up(struct rib *r, struct group *g, unsigned *budget)
{
	unsigned n = run_round(r, g, &g->walk, true, *budget);

	*budget -= n < *budget ? n : *budget;
	for (struct rib_peer *p = g->members; p; p = p->sink.next) {
		if (p->sink.catching_up && been_round(&g->walk, &p->sink.start))
			caught_up(p);
	}
}

static void run_anew(struct rib *r, struct group *g, unsigned *budget)
{
	unsigned n = run_round(r, g, &g->anew, false, *budget);

	*budget -= n < *budget ? n : *budget;
	if (g->anew.lap)
		g->announcing_anew = false;
}

/* -- pace ------------------------------------------------------------------------------------- */

static bool has_room(const struct group *g)
{
	for (const struct rib_peer *p = g->members; p; p = p->sink.next)
		if (p->sink.backlog >= BACKLOG_FULL)
			return false;
	return true;
}

/** Somebody has drained its queue while somebody else's is full. */
static bool is_held_up(const struct group *g)
{
	for (const struct rib_peer *p = g->members; p; p = p->sink.next)
		if (!p->sink.backlog)
			return !has_room(g);
	return false;
}

static void set_slow_apart(struct group *g)
{
	struct rib_peer *p = g->members, *next;

	for (; p; p = next) {
		struct group *own;

		next = p->sink.next;
		if (p->sink.backlog < BACKLOG_FULL)
			continue;
		own = group_copy(p, g);
		if (!own)
			return;
		own->twin_of = 0;
		own->announcing_anew = g->announcing_anew;
		own->anew = g->anew;
		member_remove(p);
		member_add(own, p);
	}
}

/** Nothing waits to be decided.  While something does, two groups without anything to do may have looked at
 * it before and after, and one has told what the other has not. */
static bool all_decided(const struct rib *r)
{
	for (enum family f = 0; f < FAM_COUNT; f++)
		if (r->dirty[f].count)
			return false;
	return !r->sweeps;
}

/** Nothing left to do in a group that was apart: its members are level with any idle group of its kind.
 * @return whether @g is gone. */
static bool rejoin(struct group *g)
{
	struct group *to = g->rib->out->groups;
	struct rib_peer *p, *next;

	if (!all_decided(g->rib))
		return false;
	while (to && (to->apart || !group_same_kind(to, g)))
		to = to->next;
	if (!to) {
		g->apart = false;
		return false;
	}
	if (!group_idle(to))
		return false;
	for (p = g->members; p; p = next) {
		next = p->sink.next;
		member_remove(p);
		member_add(to, p);
	}
	return true;
}

static void run_group(struct rib *r, struct group *g, unsigned *budget)
{
	g->twin_of = 0;
	g->serial = ++r->out->serial;
	if (!group_reserve_sources(g))
		return; /* when there is memory again */
	if (is_held_up(g))
		set_slow_apart(g);
	for (enum family f = 0; f < FAM_COUNT && *budget && has_room(g); f++)
		*budget -= run_pending(r, g, f, *budget);
	if (g->announcing_anew && *budget && has_room(g))
		run_anew(r, g, budget);
	if (g->n_catching_up && *budget && has_room(g))
		run_catching_up(r, g, budget);
}

static bool has_work(const struct group *g)
{
	return !group_idle(g) && (has_room(g) || is_held_up(g));
}

unsigned adj_out_run(struct rib *r, unsigned budget)
{
	struct group *g, *next;
	bool busy = true;

	while (budget && busy) {
		busy = false;
		for (g = r->out->groups; g && budget; g = next) {
			next = g->next;
			if (g->apart && group_idle(g) && rejoin(g))
				continue;
			if (has_work(g))
				run_group(r, g, &budget);
			busy |= has_work(g);
		}
	}
	return budget;
}

bool adj_out_pending(const struct rib *r)
{
	for (const struct group *g = r->out->groups; g; g = g->next)
		if (has_work(g))
			return true;
	return false;
}

bool adj_out_settled(const struct rib *r)
{
	for (const struct group *g = r->out->groups; g; g = g->next)
		if (group_has_pending(g))
			return false;
	return true;
}

bool adj_out_names(const struct rib *r, enum family f, dest_id id)
{
	for (const struct group *g = r->out->groups; g; g = g->next)
		if (bit_get(&g->is_pending[f], id))
			return true;
	return false;
}

size_t adj_out_bytes(const struct rib *r)
{
	size_t n = 0;

	for (const struct group *g = r->out->groups; g; g = g->next) {
		for (enum family f = 0; f < FAM_COUNT; f++)
			n += (g->sent[f].n + g->is_pending[f].n + (size_t)g->pending[f].size) *
			     sizeof(uint64_t);
		for (const struct rib_peer *p = g->members; p; p = p->sink.next)
			n += p->sink.backlog;
	}
	return n;
}

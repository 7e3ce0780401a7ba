/* SPDX-License-Identifier: BSD-2-Clause */
/* batch.c - DOC: export policy and encoding for a batch of dests of one group.
 *
 * Policy runs once per distinct attribute set where the filter does not look at prefixes. Dests that end up
 * with the same attributes share messages (a bucket). Nothing of the result is kept but one bit per dest:
 * announced or not. What was announced is the best path as the group saw it last, so a withdrawal needs no
 * more than the bit.
 *
 * A route is never sent back to the peer it came from. When the best path of a prefix moves to a member of
 * the group, that member, which had the former one from us, gets a withdrawal while the others get the new
 * route. */
#include <stdlib.h>
#include <string.h>

#include "mcbgp/bgp.h"
#include "rib/group.h"

#define BUCKET_SLOTS (2 * BATCH_MAX) /* a power of two */
#define CHUNK_ROOM   (BGP_MAX_LEN_EXT + 1u)
#define NONE         UINT32_MAX

struct entry {
	dest_id id;
	uint32_t path; /* identifier on the wire; 0 without ADD-PATH */
	uint32_t next; /* of the same bucket or list */
};

struct bucket {
	struct attrs *attrs; /* as sent; counted */
	struct audience audience;
	uint32_t first, last; /* entries */
};

struct batch {
	struct group *group;
	enum family family;
	bool catching_up;
	uint32_t n_entries, n_buckets;
	uint32_t withdrawn; /* list of entries; NONE at the end */
	struct entry entries[BATCH_MAX];
	struct bucket buckets[BATCH_MAX];
	uint16_t slots[BUCKET_SLOTS]; /* bucket + 1; 0: free */
	/* the answer of export policy for the path before */
	const struct attrs *memo_in;
	uint16_t memo_peer;
	struct attrs *memo_out; /* counted; NULL: refused */
	/* the chunk being filled */
	struct audience audience;
	uint32_t filled;
	unsigned announced, withdrew; /* prefixes in it */
	unsigned considered, refused; /* dests of this batch */
	uint8_t chunk[CHUNK_ROOM];
};

struct batch *batch_new(void)
{
	return calloc(1, sizeof(struct batch));
}

void batch_free(struct batch *b)
{
	free(b);
}

/* -- bits ------------------------------------------------------------------------------------- */

static bool sent_set(struct group *g, enum family f, dest_id id)
{
	struct bitmap *b = &g->sent[f];

	if (id / 64 >= b->n)
		return false;
	b->words[id / 64] |= UINT64_C(1) << id % 64;
	g->sent_count[f]++;
	return true;
}

static void sent_clear(struct group *g, enum family f, dest_id id)
{
	g->sent[f].words[id / 64] &= ~(UINT64_C(1) << id % 64);
	g->sent_count[f]--;
}

static void count_source(const struct batch *b, uint16_t peer, int sign)
{
	struct group *g = b->group;

	if (peer < g->n_sources)
		g->sent_from[b->family][peer] += (uint32_t)sign;
}

/* -- chunks ----------------------------------------------------------------------------------- */

static bool same_audience(struct audience a, struct audience b)
{
	return a.catching_up == b.catching_up && a.skip == b.skip && a.only == b.only;
}

static bool hears(const struct audience *a, const struct rib_peer *p)
{
	if (a->only)
		return p->index == a->only;
	return p->index != a->skip && (!a->catching_up || p->sink.catching_up);
}

static void chunk_close(struct batch *b)
{
	struct chunk *c;

	if (!b->filled)
		return;
	c = chunk_new(b->chunk, b->filled);
	for (struct rib_peer *p = b->group->members; p; p = p->sink.next) {
		struct rib_peer_stats *s = &p->stats[b->family];

		if (!hears(&b->audience, p))
			continue;
		if (!c || !sink_push(p, c))
			sink_break(p);
		s->export_accepted += b->announced;
		s->export_withdraws += b->withdrew;
	}
	if (c)
		chunk_unref(c);
	b->filled = 0;
	b->announced = 0;
	b->withdrew = 0;
}

static void chunk_open(struct batch *b, struct audience a)
{
	if (!same_audience(b->audience, a) || b->filled + b->group->max_len > CHUNK_ROOM)
		chunk_close(b);
	b->audience = a;
}

/** As many messages as the list @first needs, with @attrs or as withdrawals (NULL). @return the first entry
 * that cannot be sent at all: NONE when all went in. */
static uint32_t encode(struct batch *b, struct audience who, const struct attrs *attrs, uint32_t first)
{
	const struct group *g = b->group;
	const struct table *t = &g->rib->tables[b->family];
	struct update_packer pack;
	struct prefix prefix;

	while (first != NONE) {
		unsigned n = 0;

		chunk_open(b, who);
		if (!update_pack_begin(&pack, b->chunk + b->filled, g->max_len, &g->codec, b->family, attrs))
			return first;
		while (first != NONE) {
			dest_prefix(t, table_dest(t, b->entries[first].id), &prefix);
			if (!update_pack_add(&pack, &prefix, b->entries[first].path))
				break;
			first = b->entries[first].next;
			n++;
		}
		b->filled += (uint32_t)update_pack_end(&pack);
		if (attrs)
			b->announced += n;
		else
			b->withdrew += n;
		if (!n)
			return first;
	}
	return NONE;
}

/* -- collecting ------------------------------------------------------------------------------- */

void batch_begin(struct batch *b, struct group *g, enum family f, bool catching_up)
{
	b->group = g;
	b->family = f;
	b->catching_up = catching_up;
	b->n_entries = 0;
	b->n_buckets = 0;
	b->withdrawn = NONE;
	b->memo_in = NULL;
	b->memo_out = NULL;
	b->considered = 0;
	b->refused = 0;
	memset(b->slots, 0, sizeof(b->slots));
}

bool batch_full(const struct batch *b)
{
	/* with ADD-PATH a dest may take all its paths back, announce as many, and one entry for a moment */
	uint32_t most = group_adds_paths(b->group, b->family) ? 2 * PATHS_MAX + 1 : 1;

	return b->n_entries + most > BATCH_MAX;
}

static uint32_t entry_new(struct batch *b, dest_id id, uint32_t path, uint32_t next)
{
	assert(b->n_entries < BATCH_MAX);
	b->entries[b->n_entries] = (struct entry){ id, path, next };
	return b->n_entries++;
}

static void bucket_add(struct batch *b, struct attrs *attrs, struct audience who, dest_id id, uint32_t path)
{
	uint32_t e = entry_new(b, id, path, NONE);
	uint32_t slot = (attrs->hash ^ who.skip * 0x9e3779b9u) & (BUCKET_SLOTS - 1);
	struct bucket *k;

	for (; b->slots[slot]; slot = (slot + 1) & (BUCKET_SLOTS - 1)) {
		k = &b->buckets[b->slots[slot] - 1];
		if (k->attrs != attrs || !same_audience(k->audience, who))
			continue;
		b->entries[k->last].next = e;
		k->last = e;
		return;
	}
	b->buckets[b->n_buckets] = (struct bucket){ attrs_ref(attrs), who, e, e };
	b->slots[slot] = (uint16_t)++b->n_buckets;
}

/** What the group's members shall hear of the best path @path: NULL when nothing. Borrowed until the next
 * call. */
static struct attrs *exported(struct batch *b, const struct path *path, const struct prefix *prefix)
{
	struct rib *r = b->group->rib;
	const struct export_params *x = &b->group->params;
	bool by_prefix = x->policy == EXPORT_FILTER && x->filter->uses_prefix;
	const struct attrs *in = path_attrs(r, path);
	struct export_source source;

	if (b->memo_in == in && b->memo_peer == path->peer && !by_prefix)
		return b->memo_out;
	attrs_unref(r->attrs, b->memo_out);
	adj_out_source(r, path, &source);
	attrs_edit_begin(&r->edit, in);
	b->memo_in = in;
	b->memo_peer = path->peer;
	b->memo_out =
	        export_route(x, &source, prefix, &r->edit, NULL) ? NULL : attrs_intern(r->attrs, &r->edit.a);
	return b->memo_out;
}

/** @src, a member, is where the new best path came from: it loses what it had from us. */
static void withdraw_from_source(struct batch *b, dest_id id, uint32_t path, uint16_t src)
{
	encode(b, (struct audience){ .only = src }, NULL, entry_new(b, id, path, NONE));
	b->n_entries--;
}

/* -- ADD-PATH --------------------------------------------------------------------------------- */

static const struct sent_path *find_path(const struct sent_path *p, uint32_t n, uint32_t id)
{
	for (uint32_t i = 0; i < n; i++)
		if (p[i].id == id)
			return &p[i];
	return NULL;
}

/** What is to be known of @d: its usable paths that export policy lets out; references belong to the caller.
 */
static uint32_t collect_paths(struct batch *b, const struct dest *d, const struct prefix *prefix,
                              struct sent_path *out)
{
	const struct rib *r = b->group->rib;
	uint32_t n = 0;

	for (path_id id = d->paths; id && n < PATHS_MAX; id = path_at(r, id)->next) {
		const struct path *p = path_at(r, id);
		struct attrs *a;

		if (!loc_rib_eligible(r, p))
			continue;
		b->considered++;
		a = exported(b, p, prefix);
		if (a)
			out[n++] = (struct sent_path){ id, p->peer, attrs_ref(a) };
		else
			b->refused++;
	}
	return n;
}

/** Say what differs between @old and @now; to those who are catching up, all of @now. The handle of a path
 * that is gone may serve another one: then the peer that one came from must lose what it had. */
static void tell_paths(struct batch *b, dest_id id, const struct sent_paths *old, const struct sent_path *now,
                       uint32_t n)
{
	const struct group *g = b->group;
	uint32_t n_old = old ? old->n : 0;

	for (uint32_t i = 0; i < n_old; i++) {
		count_source(b, old->path[i].peer, -1);
		if (!find_path(now, n, old->path[i].id))
			b->withdrawn = entry_new(b, id, old->path[i].id, b->withdrawn);
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct sent_path *was = n_old ? find_path(old->path, n_old, now[i].id) : NULL;
		bool member = in_group(g->rib, g, now[i].peer), news;

		count_source(b, now[i].peer, 1);
		if (was && was->peer != now[i].peer && member)
			withdraw_from_source(b, id, now[i].id, now[i].peer);
		news = !was || was->peer != now[i].peer || was->attrs != now[i].attrs || g->announcing_anew;
		if (news || b->catching_up)
			bucket_add(b, now[i].attrs, (struct audience){ !news, member ? now[i].peer : 0, 0 },
			           id, now[i].id);
	}
}

static void lose_members(struct group *g)
{
	for (struct rib_peer *p = g->members; p; p = p->sink.next)
		sink_break(p);
}

static void add_paths(struct batch *b, dest_id id)
{
	struct group *g = b->group;
	struct rib *r = g->rib;
	const struct table *t = &r->tables[b->family];
	const struct dest *d = table_dest(t, id);
	const struct sent_paths *old = group_paths(g, b->family, id);
	struct bitmap *sent = &g->sent[b->family];
	struct sent_path now[PATHS_MAX];
	struct prefix prefix;
	uint32_t n;

	dest_prefix(t, d, &prefix);
	n = collect_paths(b, d, &prefix, now);
	g->sent_count[b->family] += n - (old ? old->n : 0);
	tell_paths(b, id, old, now, n);
	if (!group_paths_set(g, b->family, id, now, n)) {
		for (uint32_t i = 0; i < n; i++)
			attrs_unref(r->attrs, now[i].attrs);
		lose_members(g);
		return;
	}
	if (n)
		sent->words[id / 64] |= UINT64_C(1) << id % 64;
	else
		sent->words[id / 64] &= ~(UINT64_C(1) << id % 64);
}

/* -- one path a dest -------------------------------------------------------------------------- */

static void add_best(struct batch *b, dest_id id, uint16_t old_peer)
{
	struct group *g = b->group;
	struct rib *r = g->rib;
	const struct table *t = &r->tables[b->family];
	const struct dest *d = table_dest(t, id);
	const struct path *best = loc_rib_best(r, d);
	bool was = bit_get(&g->sent[b->family], id);
	struct attrs *out = NULL;
	struct prefix prefix;

	if (best) {
		dest_prefix(t, d, &prefix);
		out = exported(b, best, &prefix);
	}
	b->considered++;
	b->refused += best && !out;
	if (was)
		count_source(b, old_peer, -1);
	if (out && !was && !sent_set(g, b->family, id))
		out = NULL; /* no memory to remember it: not announced */
	if (!out) {
		if (was) {
			sent_clear(g, b->family, id);
			b->withdrawn = entry_new(b, id, 0, b->withdrawn);
		}
		return;
	}
	count_source(b, best->peer, 1);
	if (was && !b->catching_up && old_peer != best->peer && in_group(r, g, best->peer))
		withdraw_from_source(b, id, 0, best->peer);
	bucket_add(b, out,
	           (struct audience){ b->catching_up, in_group(r, g, best->peer) ? best->peer : 0, 0 }, id,
	           0);
}

void batch_add(struct batch *b, dest_id id, uint16_t old_peer)
{
	if (group_adds_paths(b->group, b->family))
		add_paths(b, id);
	else
		add_best(b, id, old_peer);
}

/** What was collected of @e is not announced after all. */
static void unsay(struct batch *b, const struct entry *e)
{
	struct group *g = b->group;
	const struct sent_paths *s = group_paths(g, b->family, e->id);

	if (!group_adds_paths(g, b->family)) {
		sent_clear(g, b->family, e->id);
		count_source(b, table_dest(&g->rib->tables[b->family], e->id)->best_peer, -1);
		return;
	}
	count_source(b, find_path(s->path, s->n, e->path)->peer, -1);
	group_paths_forget(g, b->family, e->id, e->path);
	g->sent_count[b->family]--;
}

/** The attributes of a bucket do not fit a message: its dests from @e on are not announced, and withdrawn
 * where they were. */
static void give_up(struct batch *b, uint32_t e)
{
	while (e != NONE) {
		uint32_t next = b->entries[e].next;

		unsay(b, &b->entries[e]);
		b->entries[e].next = b->withdrawn;
		b->withdrawn = e;
		b->refused++;
		e = next;
	}
}

void batch_end(struct batch *b)
{
	struct rib *r = b->group->rib;

	for (uint32_t i = 0; i < b->n_buckets; i++) {
		struct bucket *k = &b->buckets[i];

		give_up(b, encode(b, k->audience, k->attrs, k->first));
		attrs_unref(r->attrs, k->attrs);
	}
	encode(b, (struct audience){ .catching_up = false }, NULL, b->withdrawn);
	chunk_close(b);
	attrs_unref(r->attrs, b->memo_out);
	for (struct rib_peer *p = b->group->members; p; p = p->sink.next) {
		if (b->catching_up && !p->sink.catching_up)
			continue;
		p->stats[b->family].export_updates += b->considered;
		p->stats[b->family].export_filtered += b->refused;
	}
}

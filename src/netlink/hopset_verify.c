/* SPDX-License-Identifier: BSD-2-Clause */
/* hopset_verify.c - DOC: the kernel's nexthop objects against ours.
 *
 * Objects are few, so a verification takes all of them: collected from a dump, sorted by id, looked up one by
 * one. What is missing or differs is put right by the next sync. What is of our protocol and stands for
 * nothing here is a previous run's: adopted while that is allowed, otherwise a stray to be purged. */
#include "netlink/hopset_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hopsets_forget_dump(struct hopsets *s)
{
	for (size_t i = 0; i < s->n_seen; i++)
		free(s->seen[i].group);
	s->n_seen = 0;
}

void hopsets_verify_begin(struct hopsets *s)
{
	hopsets_forget_dump(s);
	s->out_of_memory = false;
}

static bool seen_room(struct hopsets *s)
{
	size_t room = s->room ? 2 * s->room : 64;
	struct seen *seen;

	if (s->n_seen < s->room)
		return true;
	seen = reallocarray(s->seen, room, sizeof(*seen));
	if (!seen)
		return false;
	s->seen = seen;
	s->room = room;
	return true;
}

void hopsets_verify_msg(struct hopsets *s, const struct nlmsghdr *h)
{
	struct nexthop_grp *group = NULL;
	struct nh_msg m;

	if (h->nlmsg_type != RTM_NEWNEXTHOP || !nh_parse(h, &m))
		return;
	if (m.protocol != s->protocol && !hopsets_owns(s, m.id))
		return;
	if (m.n_group) {
		group = calloc(m.n_group, sizeof(*group));
		if (group)
			memcpy(group, m.group, m.n_group * sizeof(*group));
	}
	if ((m.n_group && !group) || !seen_room(s)) {
		free(group);
		s->out_of_memory = true;
		return;
	}
	s->seen[s->n_seen++] = (struct seen){ .id = m.id,
		                              .foreign = m.protocol != s->protocol,
		                              .key = hop_key(m.family, &m.hop),
		                              .resilient = m.resilient,
		                              .group = group,
		                              .n_group = m.n_group };
}

static int seen_cmp(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static const struct seen *seen_find(const struct hopsets *s, uint32_t id)
{
	const struct seen key = { .id = id };

	return s->n_seen ? bsearch(&key, s->seen, s->n_seen, sizeof(key), seen_cmp) : NULL;
}

/* It is in the kernel as it should be, whatever was said of it. */
static void confirmed(struct object *o)
{
	o->state = OBJECT_DONE;
	o->tries = 0;
	o->err = o->told = 0;
}

static void verify_hop(struct hopsets *s, struct hop *hop)
{
	const struct seen *seen = seen_find(s, hop->object.id);

	if (!hop->object.in_kernel)
		return;
	if (!seen || seen->foreign) {
		if (seen)
			hop_set_id(s, hop, 0); /* somebody took the id */
		hop->object.state = OBJECT_DUE;
		hop->object.in_kernel = false;
		hop->lost = true;
	} else if (seen->group || memcmp(&seen->key, &hop->key, sizeof(hop->key)) != 0) {
		hop->object.state = OBJECT_DUE;
	} else {
		hop->changed |= hop->object.state != OBJECT_DONE;
		confirmed(&hop->object);
	}
	s->pending |= hop->object.state != OBJECT_DONE || hop->changed;
}

static bool same_group(const struct hopsets *s, const struct hopset *set, const struct seen *seen)
{
	struct nexthop_grp want[RT_HOPS_MAX];
	size_t n = hopset_group(s, set, want);

	if (n != seen->n_group || seen->resilient != (hopset_buckets(s, set) > 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (want[i].id != seen->group[i].id ||
		    nh_group_weight(&want[i]) != nh_group_weight(&seen->group[i]))
			return false;
	}
	return true;
}

/* Whatever refused it may have been put right by what the dump has shown. */
static void try_again(struct hopsets *s, struct object *o)
{
	if (o->state == OBJECT_REFUSED && o->tries == TRIES_MAX)
		return; /* when the timer says so */
	o->state = OBJECT_DUE;
	s->pending = true;
}

static void verify_group(struct hopsets *s, struct hopset *set)
{
	const struct seen *seen = seen_find(s, set->object.id);

	if (set->object.in_kernel && (!seen || seen->foreign)) {
		if (seen)
			hopset_set_id(s, set, 0);
		set->object.state = OBJECT_DUE;
		set->object.in_kernel = false;
		s->pending = true;
		hopset_flag(s, set, HOPSET_LOST);
	} else if (!set->object.in_kernel || !seen->group || !same_group(s, set, seen)) {
		try_again(s, &set->object);
	} else {
		confirmed(&set->object);
	}
}

static void note_id(struct hopsets *s, uint32_t id)
{
	if (id >> ID_BITS == s->protocol && id >= s->next_id)
		s->next_id = id + 1;
}

static int add_stray(struct hopsets *s, uint32_t id)
{
	uint32_t *strays = reallocarray(s->strays, s->n_strays + 1, sizeof(*strays));

	if (!strays)
		return -ENOMEM;
	s->strays = strays;
	strays[s->n_strays++] = id;
	s->unused = true;
	return 0;
}

static int adopt_hop(struct hopsets *s, const struct seen *seen)
{
	struct hop *hop = hop_find(s, &seen->key);

	if (seen->key.ifindex == 0 || !s->adopting || (hop && hop->object.id))
		return add_stray(s, seen->id);
	if (!hop)
		hop = hop_new(s, &seen->key);
	if (!hop)
		return -ENOMEM;
	hop_set_id(s, hop, seen->id);
	hop->object.state = OBJECT_DONE;
	hop->object.in_kernel = true;
	return 0;
}

static unsigned gcd(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The members of a resilient group of a previous run as hopset_group() had them: the last one is the spare
 * one, the weights of the others have been multiplied. @return false: the spare one was dead, and is not in
 * it. */
static bool undo_reserve(struct member *m, size_t n)
{
	unsigned common = 0;

	if (n < 2 || m[n - 1].weight != 1)
		return false;
	for (size_t i = 0; i + 1 < n; i++)
		common = gcd((unsigned)m[i].weight, common);
	for (size_t i = 0; i + 1 < n; i++)
		m[i].weight /= common;
	m[n - 1].weight = WEIGHT_SPARE;
	return true;
}

static int adopt_group(struct hopsets *s, const struct seen *seen)
{
	struct member *m = calloc(seen->n_group, sizeof(*m));
	struct hopset *set;
	size_t n = 0;
	bool whole;

	if (!m)
		return -ENOMEM;
	for (size_t i = 0; i < seen->n_group && seen->n_group <= RT_HOPS_MAX; i++) {
		struct hop *hop;

		HASH_FIND(by_id, s->hop_ids, &seen->group[i].id, sizeof(uint32_t), hop);
		if (hop)
			m[n++] = (struct member){ hop, nh_group_weight(&seen->group[i]) };
	}
	whole = n >= 2 && n == seen->n_group && (!seen->resilient || undo_reserve(m, n));
	if (!whole || hopset_canonical(m, n) != n || !s->adopting) {
		free(m);
		return add_stray(s, seen->id);
	}
	set = hopset_intern(s, m, n);
	if (!set)
		return -ENOMEM;
	if (set->object.id)
		return add_stray(s, seen->id);
	hopset_set_id(s, set, seen->id);
	set->object.in_kernel = true;
	verify_group(s, set);
	return 0;
}

/* Objects of our protocol that stand for nothing here: single hops first, groups are made of them. */
static int adopt_unknown(struct hopsets *s)
{
	int rc = 0;

	s->n_strays = 0;
	for (int groups = 0; groups <= 1; groups++) {
		for (size_t i = 0; i < s->n_seen && rc == 0; i++) {
			const struct seen *seen = &s->seen[i];

			if (seen->foreign || (seen->group != NULL) != groups || hopsets_owns(s, seen->id))
				continue;
			note_id(s, seen->id);
			rc = groups ? adopt_group(s, seen) : adopt_hop(s, seen);
		}
	}
	return rc;
}

int hopsets_verify_end(struct hopsets *s)
{
	struct hopset *set, *next_set;
	struct hop *hop, *next_hop;

	if (s->out_of_memory)
		return -ENOMEM;
	if (s->n_seen)
		qsort(s->seen, s->n_seen, sizeof(*s->seen), seen_cmp);
	HASH_ITER(by_key, s->hops, hop, next_hop)
	verify_hop(s, hop);
	HASH_ITER(by_members, s->sets, set, next_set)
	{
		if (hopset_is_group(set))
			verify_group(s, set);
	}
	hopsets_spread_losses(s);
	return adopt_unknown(s);
}

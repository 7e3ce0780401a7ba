/* SPDX-License-Identifier: BSD-2-Clause */
/* hopset_sync.c - next-hop sets -> objects of the kernel: single hops first, then the groups made of them;
 * and the way out for those that nobody holds. */
#include "netlink/hopset_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"

/* A round may find that an id is taken or that a group is gone; more than that waits for the next sync. */
#define SYNC_ROUNDS 4
#define WEIGHT_MAX  255u /* of a member: before Linux 6.12 the kernel refuses a group with one of 256 */
#define BUCKETS_MAX 256u /* 32 bytes each; a member of sixteen has sixteen of them */

static void refused(struct object *o, int err, const char *text)
{
	o->state = OBJECT_REFUSED;
	o->err = err;
	snprintf(o->text, sizeof(o->text), "%s", text ? text : "");
}

/* Once for each cause. */
static bool worth_telling(struct object *o)
{
	bool news = o->told != o->err;

	o->told = o->err;
	return news;
}

static void done(struct object *o)
{
	o->state = OBJECT_DONE;
	o->in_kernel = true;
}

/* The kernel had it no more when it was to be replaced, or has the number for another: to be created. */
static void absent(struct hopsets *s, struct object *o)
{
	o->state = OBJECT_DUE;
	o->in_kernel = false;
	s->pending = true;
}

/* A new request in the batch to create or @replace what stands for @of, which its error (if one comes) finds
 * by index; a full batch is sent first. A replacement must find something to replace: what was created in its
 * stead would hide that the routes are gone.
 * @return 0 and @out, or -errno of the socket. */
static int request_for(struct hopsets *s, struct nls *nl, void *of, bool replace, nls_error_fn error,
                       struct nlmsghdr **out)
{
	uint16_t flags = replace ? NLM_F_REPLACE : NLM_F_CREATE | NLM_F_EXCL;
	int rc;

	*out = nls_request(nl, RTM_NEWNEXTHOP, flags);
	if (!*out) {
		rc = nls_send(nl, error, s);
		if (rc < 0)
			return rc;
		*out = nls_request(nl, RTM_NEWNEXTHOP, flags);
	}
	s->batch[nls_batch_len(nl) - 1] = (struct asked){ of, replace };
	return 0;
}

static void hop_refused(void *ctx, uint32_t index, int err, const char *text)
{
	struct hopsets *s = ctx;
	struct hop *hop = s->batch[index].of;

	if (s->batch[index].replaced && err == -ENOENT) { /* gone, and the routes that led there with it */
		hop->lost = true;
		absent(s, &hop->object);
		return;
	}
	hop->object.in_kernel = s->batch[index].replaced;
	if (err == -EEXIST) { /* somebody else has this id */
		hop_set_id(s, hop, 0);
		absent(s, &hop->object);
		return;
	}
	refused(&hop->object, err, text);
	if (worth_telling(&hop->object))
		log_event(err == -ENETDOWN || err == -ENODEV ? LOGL_INFO : LOGL_WARNING,
		          "fib.nexthop_refused", kv_ip("gateway", &hop->key.gateway),
		          kv_u64("ifindex", hop->key.ifindex), kv_str("error", refusal_text(&hop->object)));
}

/* Requests for all hops that are not as they should be; each counts as done until its error says otherwise.
 */
static int put_hops(struct hopsets *s, struct nls *nl)
{
	struct hop *hop, *next;
	struct nlmsghdr *h;
	int rc;

	HASH_ITER(by_key, s->hops, hop, next)
	{
		struct fib_hop content = { .gateway = hop->key.gateway,
			                   .ifindex = hop->key.ifindex,
			                   .onlink = hop->key.onlink };

		if (hop->object.state != OBJECT_DUE || hop->refs == 0)
			continue;
		rc = request_for(s, nl, hop, hop->object.in_kernel, hop_refused, &h);
		if (rc < 0)
			return rc;
		if (!hop->object.id)
			hop_set_id(s, hop, hopsets_new_id(s));
		nh_put_hop(h, hop->object.id, s->protocol, hop->key.family, &content);
		done(&hop->object);
		hop->changed = true;
	}
	return nls_send(nl, hop_refused, s);
}

/* Groups that hold a hop whose object came, went or failed are to be written again; routes that waited for a
 * single hop may go. */
static void spread_changes(struct hopsets *s)
{
	struct hopset *set, *next_set;
	struct hop *hop, *next_hop;

	HASH_ITER(by_members, s->sets, set, next_set)
	{
		for (size_t i = 0; i < set->n; i++) {
			if (!set->members[i].hop->changed)
				continue;
			if (hopset_is_group(set))
				set->object.state = OBJECT_DUE;
			else
				hopset_flag(s, set, HOPSET_RETRY);
		}
	}
	HASH_ITER(by_key, s->hops, hop, next_hop)
	{
		if (hop->changed && hop->object.state == OBJECT_DONE)
			hop->object.err = hop->object.told = 0;
		hop->changed = false;
	}
	hopsets_spread_losses(s);
}

/* Members that have an object: the spare one or the others, those that are dead or alive. */
static size_t gather(const struct hopset *set, bool spare, bool dead, struct nexthop_grp *out)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct member *m = &set->members[i];

		if (m->hop->object.state != OBJECT_DONE || m->hop->dead != dead ||
		    (m->weight == WEIGHT_SPARE) != spare)
			continue;
		out[n++] = (struct nexthop_grp){ .id = m->hop->object.id,
			                         .weight = (uint8_t)(spare ? 0 : m->weight - 1) };
	}
	return n;
}

/* By what to multiply weights, the largest of which is @most, so that they leave the most room below them for
 * a spare one: they become as large as the kernel takes them, in the same proportion. */
static unsigned weight_factor(unsigned most)
{
	return most < WEIGHT_MAX ? WEIGHT_MAX / most : 1;
}

/* Of all members, so multiplied. */
static unsigned sum_of_weights(const struct hopset *set)
{
	unsigned most = 1, sum = 0;

	for (size_t i = 0; i < set->n; i++) {
		unsigned w = (unsigned)set->members[i].weight;

		most = w > most ? w : most;
		sum += w;
	}
	return sum * weight_factor(most);
}

static bool has_spare(const struct hopset *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->members[i].weight == WEIGHT_SPARE)
			return true;
	return false;
}

/* The kernel gives a member the buckets between two rounded multiples of buckets / weights. The spare one,
 * last and with a weight of one, gets none while there are fewer than half as many buckets as weights; a
 * quarter is kept to. */
uint16_t hopset_buckets(const struct hopsets *s, const struct hopset *set)
{
	uint16_t buckets = BUCKETS_MAX;

	if (!s->resilient || !has_spare(set))
		return 0;
	while (buckets > (sum_of_weights(set) + 1) / 4 && buckets > 1)
		buckets /= 2;
	return buckets;
}

/* The members that are alive with the spare one behind them, or nothing when it makes no difference. */
static size_t gather_with_spare(const struct hopset *set, struct nexthop_grp *out)
{
	size_t n = gather(set, false, false, out), spare = n ? gather(set, true, false, out + n) : 0;
	unsigned most = 1;

	for (size_t i = 0; i < n; i++)
		most = out[i].weight + 1u > most ? out[i].weight + 1u : most;
	for (size_t i = 0; i < n; i++)
		out[i].weight = (uint8_t)((out[i].weight + 1u) * weight_factor(most) - 1);
	return n + spare;
}

size_t hopset_group(const struct hopsets *s, const struct hopset *set, struct nexthop_grp out[RT_HOPS_MAX])
{
	size_t n = hopset_buckets(s, set) ? gather_with_spare(set, out) : gather(set, false, false, out);

	if (!n)
		n = gather(set, true, false, out);
	return n ? n : gather(set, false, true, out);
}

/* A member was most likely deleted behind our back: a verification finds it, and the group is tried again. A
 * few times at once, later when the retry timer says so. @return whether at once. */
static bool doubt(struct hopsets *s, struct hopset *set)
{
	if (set->object.tries == TRIES_MAX)
		return false;
	set->object.tries++;
	s->suspect = true;
	return true;
}

static void group_refused(void *ctx, uint32_t index, int err, const char *text)
{
	struct hopsets *s = ctx;
	struct hopset *set = s->batch[index].of;
	bool replaced = s->batch[index].replaced;

	set->object.in_kernel = replaced && err != -ENOENT;
	if (replaced && err == -ENOENT) { /* the kernel dropped it, and its routes */
		hopset_flag(s, set, HOPSET_LOST);
		absent(s, &set->object);
	} else if (err == -EEXIST) { /* somebody else has this id */
		hopset_set_id(s, set, 0);
		absent(s, &set->object);
	} else {
		refused(&set->object, err, text);
		if (!doubt(s, set) && worth_telling(&set->object))
			log_event(LOGL_WARNING, "fib.group_refused", kv_u64("members", set->n),
			          kv_str("error", refusal_text(&set->object)));
	}
}

/* None of the members is in the kernel: neither can the group be, unless they went this moment. */
static void group_without_members(struct hopsets *s, struct hopset *set)
{
	set->object.state = OBJECT_REFUSED;
	if (set->object.in_kernel)
		(void)doubt(s, set);
}

static int put_groups(struct hopsets *s, struct nls *nl)
{
	struct nexthop_grp members[RT_HOPS_MAX];
	struct hopset *set, *next;
	struct nlmsghdr *h;
	int rc;

	HASH_ITER(by_members, s->sets, set, next)
	{
		size_t n;

		if (!hopset_is_group(set) || set->refs == 0 || set->object.state != OBJECT_DUE)
			continue;
		n = hopset_group(s, set, members);
		if (n == 0) {
			group_without_members(s, set);
			continue;
		}
		rc = request_for(s, nl, set, set->object.in_kernel, group_refused, &h);
		if (rc < 0)
			return rc;
		if (!set->object.id)
			hopset_set_id(s, set, hopsets_new_id(s));
		nh_put_group(h, set->object.id, s->protocol, members, n, hopset_buckets(s, set));
		if (!set->object.in_kernel)
			hopset_flag(s, set, HOPSET_RETRY);
		done(&set->object);
	}
	return nls_send(nl, group_refused, s);
}

int hopsets_sync(struct hopsets *s, struct nls *nl)
{
	int rc = 0;

	for (unsigned round = 0; s->objects && s->pending && round < SYNC_ROUNDS && rc == 0; round++) {
		s->pending = false;
		rc = put_hops(s, nl);
		spread_changes(s);
		if (rc == 0)
			rc = put_groups(s, nl);
	}
	if (!s->objects)
		s->pending = false;
	return rc;
}

bool hopsets_suspect(struct hopsets *s)
{
	bool suspect = s->suspect;

	s->suspect = false;
	return suspect;
}

/* -- removing what nobody holds ----------------------------------------------------------------- */

static void ignore_refusal(void *ctx, uint32_t index, int err, const char *text)
{
	(void)ctx;
	(void)index;
	if (err != -ENOENT) /* what stays behind, the next verification finds again */
		log_event(LOGL_DEBUG, "fib.nexthop_not_removed",
		          kv_str("error", text ? text : strerror(-err)));
}

static int delete_object(struct hopsets *s, struct nls *nl, uint32_t id)
{
	int rc = nls_room(nl) ? 0 : nls_send(nl, ignore_refusal, s);

	if (rc == 0)
		nh_put_delete(nls_request(nl, RTM_DELNEXTHOP, 0), id);
	return rc;
}

static int purge_sets(struct hopsets *s, struct nls *nl)
{
	struct hopset *set, *next;
	int rc = 0;

	HASH_ITER(by_members, s->sets, set, next)
	{
		if (set->refs)
			continue;
		if (set->object.in_kernel)
			rc = delete_object(s, nl, set->object.id);
		if (rc < 0)
			return rc;
		hopset_free(s, set);
	}
	return 0;
}

static int purge_hops(struct hopsets *s, struct nls *nl)
{
	struct hop *hop, *next;
	int rc = 0;

	HASH_ITER(by_key, s->hops, hop, next)
	{
		if (hop->refs)
			continue;
		if (hop->object.in_kernel)
			rc = delete_object(s, nl, hop->object.id);
		if (rc < 0)
			return rc;
		hop_free(s, hop);
	}
	return 0;
}

static int purge_strays(struct hopsets *s, struct nls *nl)
{
	int rc = 0;

	for (size_t i = s->n_strays; i-- > 0 && rc == 0;) /* groups have been seen after single hops */
		rc = delete_object(s, nl, s->strays[i]);
	s->n_strays = 0;
	return rc;
}

int hopsets_purge(struct hopsets *s, struct nls *nl)
{
	int rc;

	if (!s->unused || s->adopting)
		return 0;
	s->unused = false;
	rc = purge_sets(s, nl); /* groups go before their members */
	if (rc == 0)
		rc = purge_strays(s, nl);
	if (rc == 0)
		rc = purge_hops(s, nl);
	return rc < 0 ? rc : nls_send(nl, ignore_refusal, s);
}

int hopsets_drop(struct hopsets *s, struct nls *nl)
{
	struct hopset *set, *next_set;
	struct hop *hop, *next_hop;
	int rc = 0;

	HASH_ITER(by_members, s->sets, set, next_set)
	{
		if (rc == 0 && set->object.in_kernel)
			rc = delete_object(s, nl, set->object.id);
		set->object.in_kernel = false;
	}
	HASH_ITER(by_key, s->hops, hop, next_hop)
	{
		if (rc == 0 && hop->object.in_kernel)
			rc = delete_object(s, nl, hop->object.id);
		hop->object.in_kernel = false;
	}
	return rc < 0 ? rc : nls_send(nl, ignore_refusal, s);
}

void hopsets_adopt_end(struct hopsets *s)
{
	s->adopting = false;
	s->unused = true;
}

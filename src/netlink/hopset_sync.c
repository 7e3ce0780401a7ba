/* SPDX-License-Identifier: BSD-2-Clause */
/* hopset_sync.c - next-hop sets -> objects of the kernel: single hops first, then the groups made of them;
 * and the way out for those that nobody holds. */
#include "netlink/hopset_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"

#define SYNC_ROUNDS                                                                                          \
	4 /* a round may find that an id is taken or that a group is gone; more than that waits for the next \
	     sync */

static void note_refusal(int *err, char text[80], int new_err, const char *new_text)
{
	*err = new_err;
	snprintf(text, 80, "%s", new_text ? new_text : "");
}

/* A new request in the batch that stands for @object, which its error (if one comes) finds by index; a full
 * batch is sent first.
 * @return 0 and @out, or -errno of the socket. */
static int request_for(struct hopsets *s, struct nls *nl, void *object, uint16_t type, uint16_t flags,
                       nls_error_fn error, struct nlmsghdr **out)
{
	int rc;

	*out = nls_request(nl, type, flags);
	if (!*out) {
		rc = nls_send(nl, error, s);
		if (rc < 0)
			return rc;
		*out = nls_request(nl, type, flags);
	}
	s->batch[nls_batch_len(nl) - 1] = object;
	return 0;
}

static void hop_refused(void *ctx, uint32_t index, int err, const char *text)
{
	struct hopsets *s = ctx;
	struct hop *hop = s->batch[index];
	bool known = hop->err == err;

	if (err == -EEXIST) { /* somebody else has this id */
		hop_set_id(s, hop, 0);
		hop->state = OBJECT_ABSENT;
		s->pending = true;
		return;
	}
	hop->state = OBJECT_FAILED;
	note_refusal(&hop->err, hop->text, err, text);
	if (!known)
		log_event(err == -ENETDOWN || err == -ENODEV ? LOGL_INFO : LOGL_WARNING,
		          "fib.nexthop_refused", kv_ip("gateway", &hop->key.gateway),
		          kv_u64("ifindex", hop->key.ifindex), kv_str("error", refusal_text(err, hop->text)));
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
		bool replace = hop->state == OBJECT_WRONG;
		struct fib_hop content = { .gateway = hop->key.gateway,
			                   .ifindex = hop->key.ifindex,
			                   .onlink = hop->key.onlink };

		if ((hop->state != OBJECT_ABSENT && !replace) || hop->refs == 0)
			continue;
		rc = request_for(s, nl, hop, RTM_NEWNEXTHOP,
		                 NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL), hop_refused, &h);
		if (rc < 0)
			return rc;
		if (!hop->id)
			hop_set_id(s, hop, hopsets_new_id(s));
		nh_put_hop(h, hop->id, s->protocol, hop->key.family, &content);
		hop->state = OBJECT_PRESENT;
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
			hop = set->members[i].hop;
			if (!hop->changed)
				continue;
			if (!hopset_is_group(set))
				hopset_flag(s, set, HOPSET_RETRY);
			else if (set->state != OBJECT_ABSENT)
				set->state = set->state == OBJECT_FAILED ? OBJECT_ABSENT : OBJECT_WRONG;
		}
	}
	HASH_ITER(by_key, s->hops, hop, next_hop)
	{
		if (hop->changed && hop->state == OBJECT_PRESENT)
			hop->err = 0;
		hop->changed = false;
	}
}

/* Members that have an object: the spare one or the others, those that are dead or alive. */
static size_t gather(const struct hopset *set, bool spare, bool dead, struct nexthop_grp *out)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct member *m = &set->members[i];

		if (m->hop->state != OBJECT_PRESENT || m->hop->dead != dead ||
		    (m->weight == WEIGHT_SPARE) != spare)
			continue;
		out[n++] = (struct nexthop_grp){ .id = m->hop->id,
			                         .weight = (uint8_t)(spare ? 0 : m->weight - 1) };
	}
	return n;
}

size_t hopset_group(const struct hopset *set, struct nexthop_grp out[RT_HOPS_MAX])
{
	size_t n = gather(set, false, false, out);

	if (!n)
		n = gather(set, true, false, out);
	return n ? n : gather(set, false, true, out);
}

static void group_refused(void *ctx, uint32_t index, int err, const char *text)
{
	struct hopsets *s = ctx;
	struct hopset *set = s->batch[index];

	s->pending = true;
	if (err == -EEXIST) { /* somebody else has this id */
		hopset_set_id(s, set, 0);
		set->state = OBJECT_ABSENT;
	} else if (err == -ENOENT) { /* no such group to replace: the kernel dropped it, and its routes */
		set->state = OBJECT_ABSENT;
		hopset_flag(s, set, HOPSET_LOST);
	} else {
		s->pending = false;
		set->state = OBJECT_FAILED;
		s->suspect = true; /* most likely a member has gone */
		note_refusal(&set->err, set->text, err, text);
		log_event(LOGL_WARNING, "fib.group_refused", kv_u64("members", set->n),
		          kv_str("error", refusal_text(err, set->text)));
	}
}

static int put_groups(struct hopsets *s, struct nls *nl)
{
	struct nexthop_grp members[RT_HOPS_MAX];
	struct hopset *set, *next;
	struct nlmsghdr *h;
	int rc;

	HASH_ITER(by_members, s->sets, set, next)
	{
		bool replace = set->state == OBJECT_WRONG;
		size_t n;

		if (!hopset_is_group(set) || set->refs == 0 || (set->state != OBJECT_ABSENT && !replace))
			continue;
		n = hopset_group(set, members);
		if (n == 0) {
			if (replace)
				hopset_flag(s, set, HOPSET_LOST); /* a group without members is gone */
			set->state = OBJECT_FAILED;
			continue;
		}
		rc = request_for(s, nl, set, RTM_NEWNEXTHOP,
		                 replace ? NLM_F_REPLACE : NLM_F_CREATE | NLM_F_EXCL, group_refused, &h);
		if (rc < 0)
			return rc;
		if (!set->id)
			hopset_set_id(s, set, hopsets_new_id(s));
		nh_put_group(h, set->id, s->protocol, members, n);
		if (!replace)
			hopset_flag(s, set, HOPSET_RETRY);
		set->state = OBJECT_PRESENT;
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
	struct nlmsghdr *h;
	int rc = request_for(s, nl, NULL, RTM_DELNEXTHOP, 0, ignore_refusal, &h);

	if (rc == 0)
		nh_put_delete(h, id);
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
		if (hopset_is_group(set) && object_in_kernel(set->state))
			rc = delete_object(s, nl, set->id);
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
		if (object_in_kernel(hop->state))
			rc = delete_object(s, nl, hop->id);
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

void hopsets_adopt_end(struct hopsets *s)
{
	s->adopting = false;
	s->unused = true;
}

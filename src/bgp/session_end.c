/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the end of a session: what it takes away, and how people are told.
 *
 * Whether the peer is restarting or gone is judged by how the session ended, here and nowhere else. RFC 4724,
 * 8538, 9003, 9494. */
#include <errno.h>
#include <string.h>

#include "bgp/session.h"
#include "lib/text.h"
#include "mcbgp/bgp.h"

/* -- what an end takes away --------------------------------------------------------------------- */

bool session_keeps_through_notify(const struct session *s)
{
	return s->ours.caps.graceful_restart && s->ours.caps.gr_notification &&
	       s->theirs.caps.graceful_restart && s->theirs.caps.gr_notification;
}

struct session_keeps session_keeps(const struct session *s, enum family f)
{
	const struct caps *ours = &s->ours.caps, *theirs = &s->theirs.caps;
	struct session_keeps k = { 0 };

	if (!ours->graceful_restart || !theirs->graceful_restart || !(s->neg.families & FAM_BIT(f)))
		return k;
	if (theirs->gr_families & FAM_BIT(f))
		k.usual = theirs->gr_time;
	if (s->neg.long_lived && theirs->llgr_families & FAM_BIT(f))
		k.long_lived = theirs->llgr_time[f];
	return k;
}

/* The way to the peer is gone: it is not known to restart. */
static bool path_is_dead(int err)
{
	return err == ENETDOWN || err == ENETUNREACH || err == EHOSTDOWN || err == EHOSTUNREACH;
}

/* Nothing has come for the hold time. RFC 8538 4 would keep the routes; where the silence is that of the
 * path, packets would go into the void meanwhile. */
static bool fell_silent(const struct session_end *e)
{
	return (e->kind == END_TCP && e->tcp_error == ETIMEDOUT) ||
	       (e->kind == END_LOCAL_NOTIFY && e->notify.code == BGP_ERR_HOLD_TIMER);
}

static bool may_be_restarting(const struct session *s)
{
	const struct session_end *e = &s->end;
	bool through_notify = session_keeps_through_notify(s);

	if (fell_silent(e) && !s->conf->silence_is_restart)
		return false;
	switch (e->kind) {
	case END_TCP:
		return !path_is_dead(e->tcp_error);
	case END_REMOTE_NOTIFY:
		return through_notify && !e->hard;
	case END_LOCAL_NOTIFY:
		return through_notify && e->notify.code != BGP_ERR_CEASE;
	case END_COLLISION: /* it came with a new connection */
		return true;
	default:
		return false;
	}
}

uint32_t session_retains(const struct session *s)
{
	uint32_t families = 0;

	if (!may_be_restarting(s))
		return 0;
	for (enum family f = 0; f < FAM_COUNT; f++) {
		struct session_keeps k = session_keeps(s, f);

		if (k.usual || k.long_lived)
			families |= FAM_BIT(f);
	}
	return families;
}

/* -- the end, in words -------------------------------------------------------------------------- */

static const char *end_class(const struct session_end *e)
{
	bool limit = e->notify.code == BGP_ERR_CEASE && e->notify.subcode == BGP_CEASE_MAX_PREFIX;

	switch (e->kind) {
	case END_LOCAL_NOTIFY:
		return e->detail ? "Error: " : limit ? "Automatic shutdown: " : "BGP Error: ";
	case END_REMOTE_NOTIFY:
		return "Received: ";
	case END_TCP:
		return "Socket: ";
	case END_PASSWORD:
		return "Error: password_file cannot be used: ";
	default:
		return NULL;
	}
}

static void put_address(struct text *t, uint32_t id)
{
	struct ip a = ip_v4(id);
	char buf[IP_STRLEN];

	text_str(t, ip_print(&a, buf));
}

static void put_role(struct text *t, uint32_t role)
{
	static const char *const names[] = {
		[BGP_ROLE_PROVIDER] = "provider",
		[BGP_ROLE_RS] = "route server",
		[BGP_ROLE_RS_CLIENT] = "route server client",
		[BGP_ROLE_CUSTOMER] = "customer",
		[BGP_ROLE_PEER] = "peer",
	};

	if (role < sizeof(names) / sizeof(names[0]))
		text_str(t, names[role]);
	else
		text_u32(t, role);
}

static void put_claimed(struct text *t, const struct session_end *e)
{
	switch (e->notify.subcode) {
	case BGP_OPEN_BAD_PEER_AS:
		text_u32(t, e->claimed);
		break;
	case BGP_OPEN_BAD_ID:
		put_address(t, e->claimed);
		break;
	case BGP_OPEN_BAD_HOLD_TIME:
		text_u32(t, e->claimed);
		text_str(t, " s");
		break;
	default:
		put_role(t, e->claimed);
	}
}

static void put_expected(struct text *t, const struct session_end *e)
{
	switch (e->notify.subcode) {
	case BGP_OPEN_BAD_PEER_AS:
		if (!e->expected)
			break;
		text_str(t, ", expected ");
		text_u32(t, e->expected);
		break;
	case BGP_OPEN_BAD_ID:
		text_str(t, e->claimed == e->expected ? ", which is ours" : ", expected any but 0.0.0.0");
		break;
	case BGP_OPEN_BAD_HOLD_TIME:
		text_str(t, ", expected 0 or at least 3 s");
		break;
	default:
		text_str(t, ", and we are ");
		put_role(t, e->expected);
	}
}

static bool has_claim(const struct notify *n)
{
	if (n->code != BGP_ERR_OPEN)
		return false;
	return n->subcode == BGP_OPEN_BAD_PEER_AS || n->subcode == BGP_OPEN_BAD_ID ||
	       n->subcode == BGP_OPEN_BAD_HOLD_TIME || n->subcode == BGP_OPEN_ROLE_MISMATCH;
}

/* Numbers, for the person who must mend one of them. */
static void put_claim(struct text *t, const struct session_end *e)
{
	bool theirs = e->kind == END_LOCAL_NOTIFY;

	if (!has_claim(&e->notify))
		return;
	text_str(t, theirs ? ": it says " : ": we say ");
	put_claimed(t, e);
	if (theirs)
		put_expected(t, e);
}

/* The subcode's name alone says it, with a capital, as BIRD has it. */
static void put_notify(struct text *t, const struct notify *n)
{
	const char *name = notify_name(n->code, n->subcode);
	char whole[64], said[NOTIFY_DATA_MAX];

	if (name) {
		text_char(t, *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name);
		text_str(t, name + 1);
	} else {
		text_str(t, notify_print(n, whole, sizeof(whole)));
	}
	notify_shutdown_text(n, said, sizeof(said));
	if (said[0]) {
		text_str(t, ": ");
		text_str(t, said);
	}
}

static void put_tcp(struct text *t, const struct session_end *e)
{
	text_str(t, e->tcp_error ? strerror(e->tcp_error) : "Connection closed");
	if (e->detail) {
		text_str(t, ": ");
		text_str(t, e->detail);
	}
}

char *session_end_print(const struct session_end *e, char *buf, size_t size)
{
	struct text t = text_init(buf, size);
	const char *class = end_class(e);

	if (!class)
		return buf;
	text_str(&t, class);
	if (e->kind == END_TCP) {
		put_tcp(&t, e);
	} else if (e->detail) {
		text_str(&t, e->detail);
	} else {
		put_notify(&t, &e->notify);
		put_claim(&t, e);
	}
	return buf;
}

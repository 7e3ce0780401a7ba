/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: one BGP connection, from OPEN to its end.
 *
 * Everything that happens is an event to the table in fsm.c; this file turns bytes and timers into events and
 * performs the effects that are bytes and timers. What needs a socket or the table goes back to the caller as
 * the FX_* that remain.
 *
 * Why a session ends is written into `ending` by whoever causes the event, before the step; the step that
 * closes makes it `end`. A step that must send a NOTIFICATION and finds no cause is an FSM error (RFC
 * 4271 6.6, RFC 6608).
 *
 * Refused to know: sockets, peers, configuration files, the clock.
 * RFC 4271 4.4, 6, 8, 10; RFC 2918; RFC 4724; RFC 6286; RFC 6608; RFC 7606; RFC 8538; RFC 9687. */
#include "bgp/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/jitter.h"
#include "mcbgp/bgp.h"

#define SECOND         UINT64_C(1000000)
#define OPEN_HOLD_US   (240 * SECOND) /* RFC 4271 8.2.2: a large value; 4 minutes suggested */
#define SCRATCH_LEN    131072
#define NOTIFY_MAX_LEN (BGP_HEADER_LEN + 2 + NOTIFY_DATA_MAX)
#define SEND_HOLD_S    480u /* RFC 9687 4: at least 8 minutes, and twice the hold time */
#define FX_OF_EDGE     (FX_CLOSE | FX_DOWN | FX_DIAL | FX_UP)

int session_init(struct session *s, const struct session_conf *c, const struct session_sink *sink,
                 uint32_t seed)
{
	*s = (struct session){ .conf = c, .sink = *sink, .rnd = jitter_seed(seed) };
	s->out = malloc(SESSION_OUT_MAX);
	s->scratch = malloc(SCRATCH_LEN);
	if (s->out && s->scratch)
		return 0;
	session_fini(s);
	return -ENOMEM;
}

void session_fini(struct session *s)
{
	free(s->out);
	free(s->scratch);
	s->out = s->scratch = NULL;
}

/* -- what we send ------------------------------------------------------------------------------- */

/* Room behind what waits already; @reserve bytes are left for what is more important. */
static struct writer out_begin(const struct session *s, size_t reserve)
{
	size_t room = SESSION_OUT_MAX - s->out_len;

	return wr_init(s->out + s->out_len, room > reserve ? room - reserve : 0);
}

/* @return false: it did not fit, nothing is sent. A peer that reads nothing has enough to read as it is. */
static bool out_end(struct session *s, const struct writer *w, enum bgp_msg type)
{
	size_t len = (size_t)(w->p - (s->out + s->out_len));

	if (w->bad)
		return false;
	s->out_len += len;
	s->count.tx_msgs[type]++;
	s->count.tx_bytes += len;
	return true;
}

static void send_open(struct session *s)
{
	const struct session_conf *c = s->conf;
	struct writer w;

	s->out_len = 0; /* a new connection */
	s->theirs = (struct open){ 0 };
	s->ours = (struct open){ BGP_VERSION, c->local_as, c->hold_time, c->local_id, c->caps };
	w = out_begin(s, NOTIFY_MAX_LEN);
	open_encode(&w, &s->ours);
	out_end(s, &w, BGP_MSG_OPEN);
}

static void send_keepalive(struct session *s)
{
	struct writer w = out_begin(s, NOTIFY_MAX_LEN);

	frame_keepalive(&w);
	out_end(s, &w, BGP_MSG_KEEPALIVE);
}

static void send_notify(struct session *s)
{
	struct writer w = out_begin(s, 0);
	struct notify n = s->ending.notify;

	if (session_keeps_through_notify(s))
		s->ending.hard = notify_harden(&n);
	notify_encode(&w, &n);
	out_end(s, &w, BGP_MSG_NOTIFICATION);
}

bool session_ask_refresh(struct session *s, enum family f)
{
	struct writer w = out_begin(s, NOTIFY_MAX_LEN);

	if (s->state != ST_ESTABLISHED || !s->theirs.caps.route_refresh || !(s->neg.families & FAM_BIT(f)))
		return false;
	refresh_encode(&w, f, REFRESH_REQUEST);
	return out_end(s, &w, BGP_MSG_ROUTE_REFRESH);
}

/* -- timers ------------------------------------------------------------------------------------- */

static void arm_retry(struct session *s, uint64_t now)
{
	s->retry_at = s->conf->passive ? 0 : now + jitter(&s->rnd, s->conf->connect_retry * SECOND);
}

static void arm_hold(struct session *s, uint64_t now)
{
	s->hold_at = s->neg.hold_time ? now + s->neg.hold_time * SECOND : 0;
}

/* RFC 4271 4.4: a third of the hold time is as rare as may be; a setting can only ask for more. */
static uint64_t keepalive_interval(const struct session *s)
{
	uint64_t third = s->neg.hold_time * SECOND / 3;
	uint64_t wish = s->conf->keepalive * SECOND;

	return wish && wish < third ? wish : third;
}

uint32_t session_send_hold_s(const struct session *s)
{
	uint32_t twice = 2u * s->neg.hold_time;

	if (s->conf->send_hold_time)
		return s->conf->send_hold_time;
	return twice > SEND_HOLD_S ? twice : SEND_HOLD_S;
}

static void arm_send_hold(struct session *s, uint64_t now)
{
	if (s->state == ST_ESTABLISHED && s->neg.hold_time)
		s->send_hold_at = now + session_send_hold_s(s) * SECOND;
}

static void arm_keepalive(struct session *s, uint64_t now)
{
	s->keepalive_at = s->neg.hold_time ? now + jitter(&s->rnd, keepalive_interval(s)) : 0;
}

uint64_t session_deadline(const struct session *s)
{
	const uint64_t timers[] = { s->retry_at, s->hold_at, s->keepalive_at, s->send_hold_at };
	uint64_t first = 0;

	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		if (timers[i] && (!first || timers[i] < first))
			first = timers[i];
	}
	return first;
}

const uint8_t *session_output(const struct session *s, size_t *len)
{
	*len = s->out_len;
	return s->out;
}

void session_output_done(struct session *s, size_t n, uint64_t now)
{
	assert(n <= s->out_len);
	arm_send_hold(s, now);
	s->out_len -= n;
	memmove(s->out, s->out + n, s->out_len);
}

void session_sent_updates(struct session *s, unsigned messages, size_t bytes, uint64_t now)
{
	s->count.tx_msgs[BGP_MSG_UPDATE] += messages;
	s->count.tx_bytes += bytes;
	arm_send_hold(s, now);
	if (s->state == ST_ESTABLISHED && messages)
		arm_keepalive(s, now);
}

/* -- the machine -------------------------------------------------------------------------------- */

static void ends_by(struct session *s, enum end_kind kind, const struct notify *n)
{
	s->ending = (struct session_end){ .kind = kind, .notify = *n };
}

static void ends_by_code(struct session *s, enum end_kind kind, uint8_t code, uint8_t subcode)
{
	struct notify n;

	notify_set(&n, code, subcode, NULL, 0);
	ends_by(s, kind, &n);
}

/* RFC 6608 3 */
static uint8_t fsm_error_in(enum bgp_state s)
{
	switch (s) {
	case ST_OPENSENT:
		return BGP_FSM_IN_OPENSENT;
	case ST_OPENCONFIRM:
		return BGP_FSM_IN_OPENCONFIRM;
	case ST_ESTABLISHED:
		return BGP_FSM_IN_ESTABLISHED;
	default:
		return 0;
	}
}

/* For an event that came without a cause: what the event itself says. */
static void default_cause(struct session *s, enum bgp_event e)
{
	switch (e) {
	case EV_STOP:
		ends_by_code(s, END_OPERATOR, BGP_ERR_CEASE, BGP_CEASE_ADMIN_SHUTDOWN);
		break;
	case EV_COLLISION:
		ends_by_code(s, END_COLLISION, BGP_ERR_CEASE, BGP_CEASE_COLLISION);
		break;
	case EV_BFD_DOWN:
		ends_by_code(s, END_LOCAL_NOTIFY, BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN);
		break;
	case EV_HOLD_EXPIRES:
		ends_by_code(s, END_LOCAL_NOTIFY, BGP_ERR_HOLD_TIMER, 0);
		break;
	case EV_SEND_HOLD_EXPIRES:
		ends_by_code(s, END_LOCAL_NOTIFY, BGP_ERR_SEND_HOLD, 0);
		break;
	case EV_RETRY_EXPIRES:
		if (s->state == ST_CONNECT) {
			s->ending = (struct session_end){ .kind = END_TCP, .tcp_error = ETIMEDOUT };
			break;
		}
		/* fall through */
	default:
		ends_by_code(s, END_LOCAL_NOTIFY, BGP_ERR_FSM, fsm_error_in(s->state));
	}
}

static void perform(struct session *s, unsigned fx, uint64_t now)
{
	if (fx & FX_SEND_NOTIFY)
		send_notify(s);
	if (fx & FX_CLOSE)
		s->end = s->ending;
	if (fx & (FX_DIAL | FX_SEND_OPEN))
		s->established_at = 0;
	if (fx & FX_SEND_OPEN)
		send_open(s);
	if (fx & FX_SEND_KEEPALIVE)
		send_keepalive(s);
	if (fx & FX_UP) {
		s->established_at = now;
		arm_send_hold(s, now);
	}
	if (fx & FX_ARM_RETRY)
		arm_retry(s, now);
	if (fx & FX_STOP_RETRY)
		s->retry_at = 0;
	if (fx & FX_ARM_OPEN_HOLD)
		s->hold_at = now + OPEN_HOLD_US;
	if (fx & FX_ARM_HOLD)
		arm_hold(s, now);
	if (fx & FX_ARM_KEEPALIVE)
		arm_keepalive(s, now);
	if (fx & FX_STOP_TIMERS)
		s->hold_at = s->keepalive_at = s->send_hold_at = 0;
}

/* @return all effects; those of bytes and timers are done. */
static unsigned step(struct session *s, enum bgp_event e, uint64_t now)
{
	struct fsm_step next = fsm_step(s->state, e);

	if ((next.fx & FX_CLOSE) && s->ending.kind == END_NONE)
		default_cause(s, e);
	s->state = next.next;
	perform(s, next.fx, now);
	s->ending.kind = END_NONE;
	return next.fx;
}

unsigned session_event(struct session *s, enum bgp_event e, uint64_t now)
{
	return step(s, e, now) & FX_OF_EDGE;
}

unsigned session_tcp_failed(struct session *s, int err, uint64_t now)
{
	s->ending = (struct session_end){ .kind = END_TCP, .tcp_error = err };
	return step(s, EV_TCP_FAILS, now) & FX_OF_EDGE;
}

unsigned session_stop(struct session *s, const struct notify *n, enum end_kind kind, const char *detail,
                      uint64_t now)
{
	ends_by(s, kind, n);
	s->ending.detail = detail;
	return step(s, kind == END_COLLISION ? EV_COLLISION : EV_STOP, now) & FX_OF_EDGE;
}

unsigned session_tick(struct session *s, uint64_t now)
{
	unsigned fx = 0;

	if (s->hold_at && now >= s->hold_at)
		fx |= step(s, EV_HOLD_EXPIRES, now);
	if (s->send_hold_at && now >= s->send_hold_at)
		fx |= step(s, EV_SEND_HOLD_EXPIRES, now);
	if (s->keepalive_at && now >= s->keepalive_at)
		fx |= step(s, EV_KEEPALIVE_DUE, now);
	if (s->retry_at && now >= s->retry_at)
		fx |= step(s, EV_RETRY_EXPIRES, now);
	return fx & FX_OF_EDGE;
}

/* -- what we hear ------------------------------------------------------------------------------- */

static unsigned refuse(struct session *s, enum bgp_event e, const struct notify *why, uint64_t now)
{
	ends_by(s, END_LOCAL_NOTIFY, why);
	return step(s, e, now);
}

/* What the codec of this direction depends on, now that both OPENs are known. */
static void set_codec(struct session *s)
{
	s->codec = (struct codec_ctx){
		.as4 = s->neg.as4,
		.ibgp = s->neg.ibgp,
		.families = s->neg.families,
		.ext_next_hop = s->neg.ext_next_hop,
		.scratch = s->scratch,
		.scratch_len = SCRATCH_LEN,
	};
	memcpy(s->codec.add_path, s->neg.add_path_rx, sizeof(s->codec.add_path));
}

/* RFC 5492 5: nothing in common is named by what we had wanted. */
static void no_common_family(const struct session *s, struct notify *why)
{
	uint8_t data[6 * FAM_COUNT];
	struct writer w = wr_init(data, sizeof(data));

	for (enum family f = 0; f < FAM_COUNT; f++) {
		if (!(s->ours.caps.families & FAM_BIT(f)))
			continue;
		wr_bytes(&w,
		         (const uint8_t[]){ BGP_CAP_MULTIPROTOCOL, 4, 0, (uint8_t)family_afi(f), 0,
		                            BGP_SAFI_UNICAST },
		         6);
	}
	notify_set(why, BGP_ERR_OPEN, BGP_OPEN_BAD_CAPABILITY, data, (size_t)(w.p - data));
}

static bool open_accept(struct session *s, struct reader body, struct notify *why)
{
	const struct session_conf *c = s->conf;
	const struct open_expect want = { c->local_as, c->remote_as, c->local_id, &c->caps };

	if (!open_decode(body, &s->theirs, why) || !open_check(&s->theirs, &want, why))
		return false;
	open_negotiate(&s->ours, &s->theirs, &s->neg);
	if (!s->neg.families) {
		no_common_family(s, why);
		return false;
	}
	set_codec(s);
	return true;
}

/* What the OPEN @o, which was refused as @s->ending says, had claimed. */
static void note_claim(struct session *s, const struct open *o)
{
	struct session_end *e = &s->ending;

	if (e->notify.code != BGP_ERR_OPEN)
		return;
	switch (e->notify.subcode) {
	case BGP_OPEN_BAD_PEER_AS:
		e->claimed = o->as;
		e->expected = s->conf->remote_as;
		break;
	case BGP_OPEN_BAD_ID:
		e->claimed = o->id;
		e->expected = s->conf->local_id;
		break;
	case BGP_OPEN_BAD_HOLD_TIME:
		e->claimed = o->hold_time;
		break;
	case BGP_OPEN_ROLE_MISMATCH:
		e->claimed = o->caps.role;
		e->expected = s->conf->caps.role;
		break;
	}
}

static unsigned refuse_open(struct session *s, const struct notify *why, uint64_t now)
{
	ends_by(s, END_LOCAL_NOTIFY, why);
	note_claim(s, &s->theirs);
	return step(s, EV_OPEN_ERR, now);
}

static unsigned on_open(struct session *s, struct reader body, uint64_t now)
{
	struct notify why;

	if (s->state == ST_OPENSENT && !open_accept(s, body, &why))
		return refuse_open(s, &why, now);
	return step(s, EV_OPEN, now);
}

static void count_verdict(struct session_counters *c, enum verdict v)
{
	if (v == ATTR_WITHDRAW)
		c->treated_as_withdraw++;
	else if (v == ATTR_DISCARD)
		c->attrs_discarded++;
}

static unsigned on_update(struct session *s, struct reader body, uint64_t now)
{
	struct update u;
	unsigned fx;

	if (s->state != ST_ESTABLISHED)
		return step(s, EV_UPDATE, now);
	if (!update_decode(body, &s->codec, &u))
		return refuse(s, EV_UPDATE_ERR, &u.fault.why, now);
	count_verdict(&s->count, u.fault.verdict);
	fx = step(s, EV_UPDATE, now);
	if (fx & FX_DELIVER)
		s->sink.update(s->sink.ctx, &u);
	return fx;
}

static unsigned on_notification(struct session *s, struct reader body, uint64_t now)
{
	struct notify n;
	bool version, hard;

	if (!notify_decode(body, &n))
		notify_set(&n, 0, 0, NULL, 0);
	version = n.code == BGP_ERR_OPEN && n.subcode == BGP_OPEN_BAD_VERSION;
	hard = notify_soften(&n);
	ends_by(s, END_REMOTE_NOTIFY, &n);
	s->ending.hard = hard;
	note_claim(s, &s->ours);
	return step(s, version ? EV_NOTIFICATION_VERSION : EV_NOTIFICATION, now);
}

/* RFC 2918 4: what we did not offer is ignored; so are subtypes of later RFCs (RFC 7313 5). */
static bool refresh_is_for_us(const struct session *s, const struct refresh *r)
{
	if (r->family == FAM_COUNT || !(s->neg.families & FAM_BIT(r->family)))
		return false;
	return r->subtype == REFRESH_REQUEST || (s->neg.enhanced_refresh && r->subtype <= REFRESH_END);
}

static unsigned on_refresh(struct session *s, const struct frame *f, uint64_t now)
{
	struct refresh r;
	struct notify why;
	unsigned fx;

	if (s->state != ST_ESTABLISHED)
		return step(s, EV_REFRESH, now);
	if (!s->ours.caps.route_refresh) {
		notify_set(&why, BGP_ERR_HEADER, BGP_HDR_BAD_TYPE, &f->type, 1);
		return refuse(s, EV_HEADER_ERR, &why, now);
	}
	if (!refresh_decode(f->body, &r, &why))
		return refuse(s, EV_HEADER_ERR, &why, now);
	fx = step(s, EV_REFRESH, now);
	if ((fx & FX_DELIVER) && refresh_is_for_us(s, &r))
		s->sink.refresh(s->sink.ctx, &r);
	return fx;
}

static unsigned on_message(struct session *s, const struct frame *f, uint64_t now)
{
	s->count.rx_msgs[f->type]++;
	switch (f->type) {
	case BGP_MSG_OPEN:
		return on_open(s, f->body, now);
	case BGP_MSG_UPDATE:
		return on_update(s, f->body, now);
	case BGP_MSG_NOTIFICATION:
		return on_notification(s, f->body, now);
	case BGP_MSG_KEEPALIVE:
		return step(s, EV_KEEPALIVE, now);
	default:
		assert(f->type == BGP_MSG_ROUTE_REFRESH); /* frame.c lets no other pass */
		return on_refresh(s, f, now);
	}
}

static bool has_connection(const struct session *s)
{
	return s->state >= ST_OPENSENT;
}

/* RFC 8654 4: long messages are for after the OPENs. */
static size_t max_len(const struct session *s)
{
	return s->state > ST_OPENSENT ? s->neg.max_len : BGP_MAX_LEN;
}

unsigned session_input(struct session *s, const uint8_t *data, size_t len, size_t *consumed, uint64_t now)
{
	const enum bgp_state began = s->state;
	struct reader r = rd_init(data, len);
	unsigned fx = 0;

	while (has_connection(s) && s->state == began) {
		struct frame f;
		struct notify why;
		enum frame_result result = frame_next(&r, max_len(s), &f, &why);

		if (result == FRAME_MORE)
			break;
		fx |= result == FRAME_OK ? on_message(s, &f, now) : refuse(s, EV_HEADER_ERR, &why, now);
	}
	*consumed = (size_t)(r.p - data);
	s->count.rx_bytes += *consumed;
	return fx & FX_OF_EDGE;
}

/* -- two sessions of one peer ------------------------------------------------------------------- */

enum collision session_collision(const struct session *dialled, const struct session *accepted)
{
	uint32_t our_id = accepted->conf->local_id, their_id = accepted->theirs.id;

	if (dialled->state == ST_ESTABLISHED)
		return COLLISION_KEEP_OLD;
	if (accepted->state == ST_ESTABLISHED)
		return COLLISION_KEEP_NEW;
	if (dialled->state != ST_OPENCONFIRM || accepted->state != ST_OPENCONFIRM)
		return COLLISION_WAIT;
	if (our_id != their_id)
		return our_id > their_id ? COLLISION_KEEP_OLD : COLLISION_KEEP_NEW;
	return accepted->ours.as > accepted->theirs.as ? COLLISION_KEEP_OLD
	                                               : COLLISION_KEEP_NEW; /* RFC 6286 2.3 */
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: bytes between a TCP socket and a session, effects from a session to its peer.
 *
 * Reading: one read of at most READ_MAX bytes a turn into the buffer that all peers share; what is left of an
 * unfinished message is kept here until the next turn, so that an idle peer holds no buffer. The session
 * stops at each change of state, so that its effects take place before the next message.
 *
 * Writing: the session's own messages and the table's UPDATEs go out in turn, never one inside the other;
 * what the socket does not take waits until it is writable.
 *
 * Closing: the session's last words go out if the socket takes them at once; nobody waits for them. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/peer_priv.h"
#include "lib/reader.h"
#include "mcbgp/bgp.h"

#define WRITES_PER_TURN 8
#define IOV_MAX_PIECES  64

/* -- life --------------------------------------------------------------------------------------- */

static void on_update(void *ctx, const struct update *u);
static void on_refresh(void *ctx, const struct refresh *r);

int conn_init(struct conn *c, struct peer *p, bool accepted)
{
	const struct session_sink sink = { on_update, on_refresh, p };

	*c = (struct conn){ .peer = p, .fd = -1, .accepted = accepted };
	return session_init(&c->session, &p->session_conf, &sink, p->rnd + accepted);
}

void conn_fini(struct conn *c)
{
	loop_fd_free(c->watch);
	if (c->fd >= 0)
		close(c->fd);
	free(c->rest);
	session_fini(&c->session);
}

static uint64_t now_of(const struct conn *c)
{
	return peer_now(c->peer);
}

/* -- from the session to the table -------------------------------------------------------------- */

static void say_fault(struct peer *p, const struct attr_fault *f)
{
	char hex[2 * sizeof(f->excerpt) + 1] = "";

	if (f->verdict == ATTR_OK || p->faults_said[f->type / 32] & 1u << f->type % 32)
		return;
	p->faults_said[f->type / 32] |= 1u << f->type % 32;
	for (unsigned i = 0; i < f->excerpt_len; i++) {
		hex[2 * i] = "0123456789abcdef"[f->excerpt[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[f->excerpt[i] & 15];
		hex[2 * i + 2] = '\0';
	}
	log_event(
	        LOGL_WARNING, "update.fault", kv_str("peer", p->conf->name), kv_u64("attribute", f->type),
	        kv_str("name", attr_name(f->type)), kv_str("what", f->what),
	        kv_str("action", f->verdict == ATTR_WITHDRAW ? "treated as withdraw" : "attribute discarded"),
	        kv_str("bytes", hex));
}

static void note_eor(struct peer *p, enum family f)
{
	p->eor |= FAM_BIT(f);
	peer_stale_end(p, FAM_BIT(f), "End-of-RIB");
	if (p->synced || (p->up->session.neg.families & ~p->eor))
		return;
	log_event(LOGL_DEBUG, "session.synced", kv_str("peer", p->conf->name));
	peer_synced(p);
}

static void on_update(void *ctx, const struct update *u)
{
	struct peer *p = ctx;
	enum rib_result result = rib_update(p->rib, u, peer_now(p));

	if (result != RIB_OK)
		p->trouble = result;
	say_fault(p, &u->fault);
	if (u->eor)
		note_eor(p, u->eor_family);
}

static void on_refresh(void *ctx, const struct refresh *r)
{
	struct peer *p = ctx;

	if (r->subtype == REFRESH_REQUEST)
		rib_peer_refresh(p->rib, r->family);
	else if (r->subtype == REFRESH_BEGIN)
		peer_refresh_begin(p, r->family);
	else
		peer_stale_end(p, FAM_BIT(r->family), "end of refresh");
}

/* -- sockets ------------------------------------------------------------------------------------ */

static void on_socket(void *ctx, unsigned events);

/* @return 0 or -ENOMEM; the descriptor is the connection's from now on */
static int attach(struct conn *c, int fd, unsigned events)
{
	c->fd = fd;
	c->window_closed = false;
	c->rest_len = 0;
	c->watch = loop_fd_new(c->peer->set->env.loop, fd, events, on_socket, c);
	return c->watch ? 0 : -ENOMEM;
}

static void dial(struct conn *c)
{
	const struct conf_peer *conf = c->peer->conf;
	const struct sock_dial where = {
		.remote = conf->address,
		.local = conf->local_address,
		.port = conf->port,
		.interface = conf->interface,
		.md5 = &c->peer->secret,
		.ttl = peer_ttl(c->peer),
		.min_ttl = peer_min_ttl(c->peer),
	};
	int rc = sock_dial(&where);

	c->ends = (struct sock_ends){ .local = conf->local_address,
		                      .remote = conf->address,
		                      .remote_port = conf->port };
	c->dialling = true;
	c->newcomer = false;
	if (rc >= 0)
		rc = attach(c, rc, LOOP_WRITE);
	if (rc < 0)
		conn_effects(c, session_tcp_failed(&c->session, -rc, now_of(c)));
}

static void tcp_up(struct conn *c)
{
	c->dialling = false;
	peer_set_offer(c->peer);
	sock_set_user_timeout(c->fd, c->peer->conf->hold_time * 1000u);
	conn_effects(c, session_event(&c->session, EV_TCP_UP, now_of(c)));
}

static void dialled(struct conn *c)
{
	int err = sock_error(c->fd);

	if (!err)
		err = -sock_ends(c->fd, &c->ends);
	if (err)
		conn_effects(c, session_tcp_failed(&c->session, err, now_of(c)));
	else
		tcp_up(c);
}

void conn_adopt(struct conn *c, int fd, const struct sock_ends *ends)
{
	c->ends = *ends;
	sock_set_ttl(fd, ends->remote.family, peer_ttl(c->peer));
	sock_set_min_ttl(fd, ends->remote.family, peer_min_ttl(c->peer));
	if (c->peer->conf->interface)
		sock_bind_to(fd, c->peer->conf->interface);
	conn_effects(c, session_event(&c->session, EV_START_PASSIVE, now_of(c)));
	if (attach(c, fd, LOOP_READ) < 0)
		conn_effects(c, session_tcp_failed(&c->session, ENOMEM, now_of(c)));
	else
		tcp_up(c);
}

void conn_refuse(int fd, uint8_t subcode)
{
	uint8_t wire[BGP_HEADER_LEN + 2];
	struct writer w = wr_init(wire, sizeof(wire));
	struct notify n;
	const struct iovec iov = { wire, sizeof(wire) };

	notify_set(&n, BGP_ERR_CEASE, subcode, NULL, 0);
	notify_encode(&w, &n);
	sock_send(fd, &iov, 1);
	sock_close_gently(fd);
}

/* -- writing ------------------------------------------------------------------------------------ */

static bool is_up(const struct conn *c)
{
	return c->peer->up == c;
}

/* Messages that end within the first @n bytes of @iov; the first @partial bytes end one that was begun
 * earlier. */
static unsigned count_messages(const struct iovec *iov, int pieces, size_t partial, size_t n)
{
	unsigned count = 0;
	size_t at = partial; /* of the next header, in the piece */

	for (int i = 0; i < pieces && n; i++) {
		struct reader r = rd_init(iov[i].iov_base, iov[i].iov_len);
		size_t here = iov[i].iov_len < n ? iov[i].iov_len : n;

		if (i == 0 && partial && partial <= here)
			count++;
		rd_take(&r, at);
		for (;;) {
			struct reader head = r;
			size_t len;

			rd_take(&head, BGP_MARKER_LEN);
			len = rd_u16(&head);
			if (len < BGP_HEADER_LEN || !rd_take(&r, len) ||
			    (size_t)(r.p - (uint8_t *)iov[i].iov_base) > here)
				break;
			count++;
		}
		n -= here;
		at = 0;
	}
	return count;
}

static void wake_table(struct peers *ps)
{
	if (ps->env.work && rib_pending(ps->env.rib))
		ps->env.work(ps->env.ctx);
}

/* @only: no more than so many bytes, the end of a message that is partly out; 0: as much as there is.
 * @return bytes, 0 when the socket is full, -errno */
static ssize_t write_updates(struct conn *c, size_t only)
{
	struct rib_peer *rib = c->peer->rib;
	size_t partial = rib_sink_partial(rib);
	struct iovec iov[IOV_MAX_PIECES];
	int pieces = rib_sink_peek(rib, iov, only ? 1 : IOV_MAX_PIECES);
	ssize_t n;

	if (only && iov[0].iov_len > only)
		iov[0].iov_len = only;
	n = sock_send(c->fd, iov, pieces);
	if (n <= 0)
		return n;
	session_sent_updates(&c->session, count_messages(iov, pieces, partial, (size_t)n), (size_t)n,
	                     now_of(c));
	rib_sink_wrote(rib, (size_t)n);
	if (!rib_sink_pending(rib))
		wake_table(c->peer->set); /* it may have waited for room */
	return n;
}

static ssize_t write_own(struct conn *c)
{
	size_t len;
	const uint8_t *out = session_output(&c->session, &len);
	const struct iovec iov = { (void *)out, len };
	ssize_t n = sock_send(c->fd, &iov, 1);

	if (n > 0)
		session_output_done(&c->session, (size_t)n, now_of(c));
	return n;
}

static bool has_own(const struct conn *c)
{
	size_t len;

	session_output(&c->session, &len);
	return len > 0;
}

/* One write: our own messages first, at a boundary. @return bytes, 0 when the socket is full, -errno;
 * -EAGAIN: nothing to write */
static ssize_t write_some(struct conn *c)
{
	size_t partial = is_up(c) ? rib_sink_partial(c->peer->rib) : 0;

	if (has_own(c))
		return partial ? write_updates(c, partial) : write_own(c);
	if (is_up(c) && rib_sink_pending(c->peer->rib))
		return write_updates(c, 0);
	return -EAGAIN;
}

/* The kernel gives up on data that is not taken for the hold time: a path that is dead in one direction. A
 * peer that closes its window but speaks is alive, and has the send hold time (RFC 9687), which is ours to
 * measure. */
static void note_window(struct conn *c, bool closed)
{
	const struct session *s = &c->session;
	uint32_t patience = s->neg.hold_time;

	if (!is_up(c) || !patience || closed == c->window_closed)
		return;
	c->window_closed = closed;
	if (closed)
		patience += session_send_hold_s(s);
	sock_set_user_timeout(c->fd, patience * 1000u);
}

bool conn_write(struct conn *c)
{
	bool own = has_own(c); /* a KEEPALIVE, say: time to look */
	ssize_t n = 1;

	if (c->fd < 0 || c->dialling)
		return false;
	for (unsigned i = 0; i < WRITES_PER_TURN && n > 0; i++)
		n = write_some(c);
	if (n < 0 && n != -EAGAIN) {
		conn_effects(c, session_tcp_failed(&c->session, (int)-n, now_of(c)));
		return false;
	}
	if (n == 0 || own)
		note_window(c, n == 0 || sock_window_closed(c->fd));
	loop_fd_set(c->watch, n == 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	return n > 0;
}

/* What the session still had to say, the message that is partly out first. */
static void last_words(struct conn *c)
{
	while (has_own(c) && write_some(c) > 0)
		;
}

static void close_socket(struct conn *c)
{
	loop_fd_free(c->watch);
	c->watch = NULL;
	c->rest_len = 0;
	if (c->fd < 0)
		return;
	if (!c->dialling)
		last_words(c);
	/* From now on acknowledgements count from any distance. Without them TCP would keep back our last
	 * words and the end, behind what a peer too far away seems never to have got. */
	if (peer_min_ttl(c->peer))
		sock_set_min_ttl(c->fd, c->ends.remote.family, 0);
	sock_close_gently(c->fd);
	c->fd = -1;
}

/* -- reading ------------------------------------------------------------------------------------ */

static bool keep_rest(struct conn *c, const uint8_t *data, size_t len)
{
	if (len > c->rest_size) {
		uint8_t *bigger = realloc(c->rest, len);

		if (!bigger)
			return false;
		c->rest = bigger;
		c->rest_size = len;
	}
	if (len)
		memcpy(c->rest, data, len);
	c->rest_len = len;
	return true;
}

static void take_bytes(struct conn *c, const uint8_t *data, size_t len)
{
	struct session *s = &c->session;
	size_t taken, used = 0;

	do {
		unsigned fx = session_input(s, data + used, len - used, &taken, now_of(c));

		used += taken;
		conn_effects(c, fx);
	} while (taken && c->fd >= 0);
	if (c->fd >= 0 && !keep_rest(c, data + used, len - used))
		peer_stop_cease(c->peer, BGP_CEASE_OUT_OF_RESOURCES, END_LOCAL_NOTIFY);
}

void conn_read(struct conn *c)
{
	struct peers *ps = c->peer->set;
	size_t have = c->rest_len;
	ssize_t n;

	if (c->fd < 0 || c->dialling)
		return;
	if (have)
		memcpy(ps->rx, c->rest, have);
	n = sock_recv(c->fd, ps->rx + have, READ_MAX);
	if (n == -EAGAIN)
		return;
	if (n <= 0)
		conn_effects(c, session_tcp_failed(&c->session, (int)-n, now_of(c)));
	else
		take_bytes(c, ps->rx, have + (size_t)n);
	if (ps->env.work)
		ps->env.work(ps->env.ctx);
}

static void on_socket(void *ctx, unsigned events)
{
	struct conn *c = ctx;

	if (c->dialling) {
		dialled(c);
		return;
	}
	if (events & LOOP_READ)
		conn_read(c);
	if (events & LOOP_WRITE)
		peers_queue_output(c->peer->set, c->peer);
}

/* -- effects ------------------------------------------------------------------------------------ */

void conn_effects(struct conn *c, unsigned fx)
{
	struct peer *p = c->peer;
	bool connected = c->fd >= 0 || c->dialling;

	if (fx & FX_CLOSE)
		close_socket(c);
	if (fx & FX_DOWN)
		peer_went_down(p);
	if (fx & FX_CLOSE)
		peer_conn_ended(p, c, connected);
	if (fx & FX_DIAL)
		dial(c);
	if (fx & FX_UP) {
		if (p->up)
			peer_stop_restarted(p->up);
		peer_came_up(p, c);
	}
	if (has_own(c) && c->fd >= 0)
		peers_queue_output(p->set, p);
	peer_review(p);
}

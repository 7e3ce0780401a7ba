/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: a load generator's BGP speaker
 *
 * Everything it says was encoded before the clock was started, and what it hears it counts by walking the
 * lengths of the prefixes: it must cost far less than the daemon that is measured. It trusts that daemon no
 * further than to keep within the message, and has no state machine to speak of: OPEN, KEEPALIVE, and it is
 * up. Only classic IPv4 fields are looked at (RFC 4271 4.3), since that is what all peers use for IPv4. */
#include "speaker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/frame.h"
#include "bgp/open.h"
#include "mcbgp/bgp.h"
#include "netns.h"

#define IN_SIZE       (256u * 1024)
#define WRITE_MAX     (256u * 1024)
#define READS         4u /* buffers a turn, so that nobody starves */
#define REDIAL_NS     UINT64_C(2000000)
#define REFUSED_NS    UINT64_C(250000000)
#define NS_PER_SECOND UINT64_C(1000000000)

bool speaker_init(struct speaker *s)
{
	s->fd = -1;
	s->in = malloc(IN_SIZE);
	return s->in != NULL;
}

void speaker_fini(struct speaker *s)
{
	speaker_close(s, false);
	messages_free(&s->announce);
	messages_free(&s->withdraw);
	free(s->in);
}

void speaker_mark(struct speaker *s)
{
	s->announced = s->withdrawn = s->sum = s->heard_at = 0;
}

/* ---- the session comes and goes ---------------------------------------------------------------- */

static struct sockaddr_in endpoint(uint32_t addr, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		                     .sin_port = htons(port),
		                     .sin_addr.s_addr = htonl(addr) };
}

static void dial(struct speaker *s)
{
	struct sockaddr_in from = endpoint(s->local, 0), to = endpoint(s->remote, BGP_PORT);
	int one = 1, size = 1 << 20;

	s->fd = netns_socket(s->netns, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(s->fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		die("%s: its own address", s->name);
	s->in_len = 0;
	s->state = SPEAKER_CONNECTING;
	if (connect(s->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		die("%s: connect", s->name);
}

void speaker_connect(struct speaker *s)
{
	s->wanted = true;
	s->up_at = 0;
	s->cause[0] = '\0';
	dial(s);
}

static void drop(struct speaker *s, const char *why)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	if (s->state == SPEAKER_UP) {
		s->wanted = false;
		snprintf(s->cause, sizeof(s->cause), "%s", why);
	}
	s->again_at = now_ns() + (s->state == SPEAKER_CONNECTING ? REDIAL_NS : REFUSED_NS);
	s->fd = -1;
	s->state = SPEAKER_DOWN;
	s->out_left = 0;
}

void speaker_close(struct speaker *s, bool cease)
{
	uint8_t buf[64];
	struct writer w = wr_init(buf, sizeof(buf));
	struct notify n;

	s->wanted = false;
	if (s->fd < 0)
		return;
	if (cease && s->state == SPEAKER_UP) {
		notify_set(&n, BGP_ERR_CEASE, BGP_CEASE_ADMIN_SHUTDOWN, NULL, 0);
		notify_encode(&w, &n);
		speaker_say_now(s, buf, (size_t)(w.p - buf));
	}
	s->state = SPEAKER_DOWN;
	drop(s, "");
}

static void say_open(struct speaker *s)
{
	uint8_t buf[BGP_MAX_LEN];
	struct writer w = wr_init(buf, sizeof(buf));
	struct open o = { .version = BGP_VERSION, .as = s->as, .hold_time = s->hold_time, .id = s->local };

	o.caps = (struct caps){
		.families = FAM_BIT(FAM_IPV4), .multiprotocol = true, .route_refresh = true, .as4 = true
	};
	open_encode(&w, &o);
	s->state = SPEAKER_OPENED;
	if (!speaker_say_now(s, buf, (size_t)(w.p - buf)))
		drop(s, "OPEN could not be written");
}

static void say_keepalive(struct speaker *s)
{
	uint8_t buf[BGP_HEADER_LEN];
	struct writer w = wr_init(buf, sizeof(buf));

	frame_keepalive(&w);
	s->keepalive_at = now_ns() + s->hold_time * NS_PER_SECOND / 3;
	speaker_say_now(s, buf, sizeof(buf));
}

void speaker_tick(struct speaker *s, uint64_t now)
{
	if (s->state == SPEAKER_DOWN && s->wanted && now >= s->again_at)
		dial(s);
	/* UPDATEs on their way do as well, and must not be cut in two */
	else if (s->state == SPEAKER_UP && s->hold_time && now >= s->keepalive_at && !s->out_left)
		say_keepalive(s);
}

/* ---- saying ------------------------------------------------------------------------------------ */

void speaker_say(struct speaker *s, const struct messages *m)
{
	if (s->out_left)
		die("%s: has not finished what it was saying", s->name);
	s->out = m->bytes;
	s->out_left = m->len;
	speaker_ready(s, false, true);
}

bool speaker_say_now(struct speaker *s, const uint8_t *bytes, size_t len)
{
	return !s->out_left && s->fd >= 0 && send(s->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

bool speaker_wants_write(const struct speaker *s)
{
	return s->state == SPEAKER_CONNECTING || s->out_left;
}

static void write_more(struct speaker *s)
{
	size_t n = s->out_left < WRITE_MAX ? s->out_left : WRITE_MAX;
	ssize_t done;

	if (!s->out_left)
		return;
	done = send(s->fd, s->out, n, MSG_NOSIGNAL);
	if (done < 0 && errno != EAGAIN) {
		drop(s, strerror(errno));
		return;
	}
	if (done > 0) {
		s->out += done;
		s->out_left -= (size_t)done;
	}
}

/* ---- hearing ----------------------------------------------------------------------------------- */

static uint32_t read_addr(const uint8_t *p, uint8_t len)
{
	uint32_t addr = 0;

	for (unsigned i = 0; i < (len + 7u) / 8; i++)
		addr |= (uint32_t)p[i] << (24 - 8 * i);
	return addr;
}

/* Counts a run of prefixes, and shows them to whoever wants to know which. */
static uint64_t count_run(struct speaker *s, struct reader run, bool withdrawn)
{
	uint64_t n = 0;

	while (rd_left(&run)) {
		uint8_t len = rd_u8(&run);
		const uint8_t *p = rd_take(&run, (len + 7u) / 8);
		uint32_t addr;

		if (run.bad || len > 32)
			die("%s: a prefix that cannot be", s->name);
		addr = read_addr(p, len);
		s->sum += withdrawn ? -table_hash(addr, len) : table_hash(addr, len);
		if (s->on_route)
			s->on_route(s->on_route_ctx, addr, len, withdrawn);
		n++;
	}
	return n;
}

static void hear_update(struct speaker *s, struct reader body)
{
	struct reader withdrawn = rd_sub(&body, rd_u16(&body));

	rd_take(&body, rd_u16(&body));
	if (body.bad)
		die("%s: an UPDATE that cannot be", s->name);
	s->withdrawn += count_run(s, withdrawn, true);
	s->announced += count_run(s, body, false);
	s->heard_at = s->message_at;
}

static void hear_notification(struct speaker *s, struct reader body)
{
	struct notify n;
	char text[96], cause[112];

	if (!notify_decode(body, &n))
		n = (struct notify){ 0 };
	snprintf(cause, sizeof(cause), "NOTIFICATION %s", notify_print(&n, text, sizeof(text)));
	drop(s, cause);
}

static void hear(struct speaker *s, const struct frame *f)
{
	uint64_t now = now_ns();

	if (now - s->message_at > s->worst_gap)
		s->worst_gap = now - s->message_at;
	s->message_at = now;
	switch (f->type) {
	case BGP_MSG_OPEN:
		say_keepalive(s);
		break;
	case BGP_MSG_KEEPALIVE:
		if (s->state == SPEAKER_OPENED) {
			s->state = SPEAKER_UP;
			s->up_at = now;
			if (s->eager)
				speaker_say(s, &s->announce);
		}
		break;
	case BGP_MSG_UPDATE:
		hear_update(s, f->body);
		break;
	case BGP_MSG_NOTIFICATION:
		hear_notification(s, f->body);
		break;
	case BGP_MSG_ROUTE_REFRESH:
		if (!s->out_left)
			speaker_say(s, &s->announce);
		break;
	}
}

static void hear_all(struct speaker *s)
{
	struct reader r = rd_init(s->in, s->in_len);
	struct frame f;
	struct notify why;
	enum frame_result result = FRAME_MORE;

	while (s->fd >= 0 && (result = frame_next(&r, BGP_MAX_LEN, &f, &why)) == FRAME_OK)
		hear(s, &f);
	if (result == FRAME_BAD)
		die("%s: a message that cannot be", s->name);
	s->in_len = rd_left(&r);
	memmove(s->in, r.p, s->in_len);
}

static void read_more(struct speaker *s)
{
	int one = 1;

	for (unsigned i = 0; i < READS && s->fd >= 0; i++) {
		ssize_t n = recv(s->fd, s->in + s->in_len, IN_SIZE - s->in_len, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			drop(s, n ? strerror(errno) : "closed by the daemon");
			return;
		}
		s->in_len += (size_t)n;
		/* a daemon that waits for it (Nagle) is not to be measured by our delays */
		setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
		hear_all(s);
	}
}

/* The connection is there, or it has failed. */
static void connected(struct speaker *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		drop(s, strerror(error));
		return;
	}
	s->message_at = now_ns();
	say_open(s);
}

void speaker_ready(struct speaker *s, bool readable, bool writable)
{
	if (s->fd >= 0 && s->state == SPEAKER_CONNECTING && (readable || writable)) {
		connected(s);
		return;
	}
	if (s->fd >= 0 && readable)
		read_more(s);
	if (s->fd >= 0 && writable)
		write_more(s);
}

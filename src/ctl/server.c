/* SPDX-License-Identifier: BSD-2-Clause */
/* server.c - DOC: clients of the control socket, each at its own pace.
 *
 * A client is a buffer of what it asked and a buffer of what it is answered. Its request is answered piece by
 * piece, a piece only when there is room for it, so a slow reader holds no more than CTL_OUT_MAX bytes and no
 * state of the table. All clients share one job of the loop with a budget of a millisecond a turn. Clients
 * are kept in the order of their last word, so that room for a new one is made at the cost of the one that
 * has been silent longest, and 64 idle connections lock nobody out. Neither do 64 that ask for much and do
 * not read it, or read a few bytes now and then: when everybody is being answered, a newcomer takes the
 * place of a monitor, else it waits until somebody is done, or takes the place of the one that has taken
 * longest for its last PROGRESS bytes, once that is STALL_US or more. */
#include "ctl/server.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "lib/log.h"

#define BACKLOG       16
#define TURN_US       1000u     /* of the loop, for all clients together */
#define ACCEPT_AGAIN  100000u   /* microseconds, after the system had no descriptor for us */
#define STALL_US      10000000u /* for the last PROGRESS bytes: hung up when its place is wanted */
#define PROGRESS      524288u   /* bytes */
#define CLOSE_TRIES   16        /* writes to one client when the server ends */
#define PIECES_A_STEP 8

struct client {
	TAILQ_ENTRY(client) link; /* server.clients, silent longest first; the server owns */
	struct ctl_server *server;
	int fd;
	struct loop_fd *watch;
	char in[CTL_LINE_MAX]; /* asked, and not yet begun */
	size_t in_len;
	bool skipping;     /* the rest of a line that was too long */
	bool eof;          /* it asks no more */
	bool blocked;      /* until it reads */
	bool answering;    /* request holds a walk */
	uint64_t moved_at; /* loop_clock() when it last had taken PROGRESS bytes of its answer, or began */
	size_t moved;      /* bytes it has taken since */
	struct request request;
	struct out out;
};
TAILQ_HEAD(clients, client);

struct ctl_server {
	struct loop *loop;
	const struct ctl_backend *backend;
	int fd;
	struct loop_fd *watch;
	struct loop_job *job;
	struct loop_timer *accept_timer;
	struct clients clients;
	unsigned n_clients, n_monitors;
	bool readonly;
	struct sockaddr_un addr;
	struct stat file; /* of the socket we made: nobody else's is removed */
	bool bound;
};

/* -- one client ------------------------------------------------------------------------------- */

static bool is_monitor(const struct client *c)
{
	return c->request.monitor.on;
}

static void client_free(struct client *c)
{
	struct ctl_server *s = c->server;

	s->n_monitors -= is_monitor(c);
	if (c->answering || is_monitor(c))
		request_end(&c->request);
	loop_fd_free(c->watch);
	close(c->fd);
	out_fini(&c->out);
	TAILQ_REMOVE(&s->clients, c, link);
	s->n_clients--;
	free(c);
	if (s->watch) /* there is room for one more */
		loop_fd_set(s->watch, LOOP_READ);
}

static void client_watch(struct client *c)
{
	bool reads = !c->eof && c->in_len < sizeof(c->in);

	loop_fd_set(c->watch, (reads ? LOOP_READ : 0u) | (c->blocked ? LOOP_WRITE : 0u));
}

/** @return false: it is gone. */
static bool client_read(struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		c->eof = true;
	c->in_len += (size_t)n;
	TAILQ_REMOVE(&c->server->clients, c, link);
	TAILQ_INSERT_TAIL(&c->server->clients, c, link);
	return true;
}

/** @return false: it is gone. */
static bool client_write(struct client *c)
{
	while (c->out.len) {
		ssize_t n = send(c->fd, out_head(&c->out), c->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		c->blocked = n < 0 && errno == EAGAIN;
		if (n < 0)
			return c->blocked;
		c->moved += (size_t)n;
		if (c->moved >= PROGRESS) {
			c->moved = 0;
			c->moved_at = loop_clock();
		}
		out_taken(&c->out, (size_t)n);
	}
	return true;
}

/** Take the next whole line out of what was asked; a line longer than the buffer is refused, and its rest
 * skipped. @return false: no whole line is there. */
static bool client_ask(struct client *c)
{
	char line[CTL_LINE_MAX];
	char *newline = memchr(c->in, '\n', c->in_len);
	size_t len = newline ? (size_t)(newline - c->in) : c->in_len;
	size_t taken = newline ? len + 1 : len;
	bool whole = newline && !c->skipping;
	bool overlong = !newline && !c->skipping && c->in_len == sizeof(c->in);

	if (!newline && !c->skipping && !overlong)
		return false;
	if (len == sizeof(line))
		len--;
	memcpy(line, c->in, len);
	for (size_t i = 0; i < len; i++)
		if (!line[i])
			line[i] = '?';
	line[len] = '\0';
	c->in_len -= taken;
	memmove(c->in, c->in + taken, c->in_len);
	c->skipping = !newline;
	if (whole)
		c->answering = request_begin(&c->request, c->server->backend, line, &c->out);
	else if (overlong)
		request_refuse_long(&c->request, c->server->backend, line, &c->out);
	if (c->request.monitor.on)
		c->server->n_monitors++;
	else if (whole && !c->answering)
		request_end(&c->request);
	return newline || overlong;
}

/** A further line, or that there will be none, ends a monitor; an empty one is no request. @return false: it
 * goes on. */
static bool end_monitor(struct client *c)
{
	bool asked = memchr(c->in, '\n', c->in_len) != NULL;

	if (!asked && !c->eof && c->in_len < sizeof(c->in)) {
		if (c->out.len < CTL_OUT_MAX / 4)
			request_caught_up(&c->request);
		return false;
	}
	request_end(&c->request);
	c->server->n_monitors--;
	if (asked && c->in[0] == '\n')
		memmove(c->in, c->in + 1, --c->in_len);
	return true;
}

/** Being answered, or not done with the answer. */
static bool is_busy(const struct client *c)
{
	return c->answering || c->out.len || is_monitor(c);
}

/** The next piece of work for @c. false: it has none. */
static bool client_work(struct client *c)
{
	if (is_monitor(c))
		return end_monitor(c);
	if (!c->answering)
		return client_ask(c);
	if (!request_more(&c->request)) {
		request_end(&c->request);
		c->answering = false;
	}
	return true;
}

/** A bounded bit of work for @c. @return whether there is more to do now; a client that is gone or done is
 * freed. */
static bool client_step(struct client *c)
{
	bool more = true, was_busy = is_busy(c);

	for (unsigned i = 0; more && i < PIECES_A_STEP && c->out.len < CTL_OUT_MAX / 2; i++)
		more = client_work(c);
	if (!was_busy) { /* it begins anew */
		c->moved = 0;
		c->moved_at = loop_clock();
	}
	if (c->out.bad || !client_write(c) || (c->eof && !more && !c->out.len)) {
		client_free(c);
		return false;
	}
	if (was_busy && !is_busy(c))
		loop_fd_set(c->server->watch, LOOP_READ); /* it may make room now */
	client_watch(c);
	more |= is_monitor(c) && c->request.monitor.lost; /* there is room to say so */
	return more && !c->blocked;
}

static void on_client(void *ctx, unsigned events)
{
	struct client *c = ctx;
	struct ctl_server *s = c->server;

	if (events & LOOP_WRITE)
		c->blocked = false;
	if ((events & LOOP_READ) && c->in_len < sizeof(c->in) && !client_read(c))
		client_free(c);
	else
		client_watch(c);
	loop_job_kick(s->job);
}

/** All clients in turn, until the turn is over or nobody can go on. */
static bool serve(void *ctx)
{
	struct ctl_server *s = ctx;
	uint64_t end = loop_clock() + TURN_US;
	struct client *c, *next;
	bool more;

	do {
		more = false;
		TAILQ_FOREACH_SAFE (c, &s->clients, link, next)
			if (!c->blocked)
				more |= client_step(c);
	} while (more && loop_clock() < end);
	return more;
}

/* -- new ones --------------------------------------------------------------------------------- */

static void greet(struct client *c)
{
	const struct ctl_backend *b = c->server->backend;
	struct ctl_status status = { 0 };

	b->status(b->ctx, &status);
	out_printf(&c->out, "%04d %s mcbgpd %s ready.\n", CTL_WELCOME, CTL_COMPATIBLE, status.version);
}

static void client_new(struct ctl_server *s, int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c)
		c->watch = loop_fd_new(s->loop, fd, LOOP_READ, on_client, c);
	if (!c || !c->watch) {
		log_event(LOGL_WARNING, "control.client", kv_errno("error", ENOMEM));
		free(c);
		close(fd);
		return;
	}
	c->server = s;
	c->fd = fd;
	c->moved_at = loop_clock();
	c->request.restricted = s->readonly;
	TAILQ_INSERT_TAIL(&s->clients, c, link);
	s->n_clients++;
	greet(c);
	loop_job_kick(s->job);
}

static struct client *silent_longest(const struct ctl_server *s)
{
	struct client *c;

	TAILQ_FOREACH (c, &s->clients, link)
		if (!is_busy(c))
			return c;
	return NULL;
}

static struct client *still_longest(const struct ctl_server *s)
{
	struct client *c, *still = NULL;

	TAILQ_FOREACH (c, &s->clients, link)
		if (c->blocked && (!still || c->moved_at < still->moved_at))
			still = c;
	return still;
}

static struct client *oldest_monitor(const struct ctl_server *s)
{
	struct client *c;

	TAILQ_FOREACH (c, &s->clients, link)
		if (is_monitor(c))
			return c;
	return NULL;
}

/** Room for one client more, at the cost of one that asks nothing, or else of one that takes nothing. false:
 * all are being answered; *@again_at is when to look again, should none of them end before. */
static bool make_room(struct ctl_server *s, uint64_t *again_at)
{
	uint64_t now = loop_clock();
	struct client *c;

	if (s->n_clients < CTL_CLIENTS_MAX)
		return true;
	c = silent_longest(s);
	if (!c)
		c = oldest_monitor(s);
	if (!c) {
		c = still_longest(s);
		*again_at = (c ? c->moved_at : now) + STALL_US;
		if (!c || *again_at > now)
			return false;
		log_event(LOGL_WARNING, "control.stalled",
		          kv_str("effect", "hung up: it did not read, and another client waits"));
	}
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): how TAILQ_REMOVE() unlinks is beyond it */
	client_free(c);
	return true;
}

/** Take one more. @return 0 or -errno: -EAGAIN when nobody waits. */
static int accept_one(struct ctl_server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		client_new(s, fd);
	else if (errno != EINTR && errno != ECONNABORTED)
		return -errno;
	return 0;
}

static void on_listener(void *ctx, unsigned events)
{
	struct ctl_server *s = ctx;
	uint64_t again_at;
	int rc = 0;

	(void)events;
	if (!make_room(s, &again_at)) {
		loop_fd_set(s->watch, 0); /* until one leaves (client_free()), or until then */
		loop_timer_at(s->accept_timer, again_at);
		return;
	}
	while (rc == 0 && s->n_clients < CTL_CLIENTS_MAX)
		rc = accept_one(s);
	if (rc == 0 || rc == -EAGAIN)
		return;
	log_event(LOGL_WARNING, "control.accept", kv_errno("error", rc));
	loop_timer_at(s->accept_timer, loop_now(s->loop) + ACCEPT_AGAIN);
	loop_fd_set(s->watch, 0);
}

static void accept_again(void *ctx)
{
	struct ctl_server *s = ctx;

	loop_fd_set(s->watch, LOOP_READ);
}

/* -- the socket ------------------------------------------------------------------------------- */

/** Whether a socket file is there that nobody serves; otherwise -errno of why its place cannot be taken. */
static int stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, rc;

	if (lstat(addr->sun_path, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? errno : 0;
	close(fd);
	return rc == ECONNREFUSED ? 0 : -EADDRINUSE;
}

static int bind_socket(struct ctl_server *s)
{
	const struct sockaddr *sa = (const struct sockaddr *)&s->addr;
	mode_t mask = umask(0117); /* 0660 from its first moment on */
	int rc = bind(s->fd, sa, sizeof(s->addr)) < 0 ? -errno : 0;

	if (rc == -EADDRINUSE && (rc = stale(&s->addr)) == 0) {
		unlink(s->addr.sun_path);
		rc = bind(s->fd, sa, sizeof(s->addr)) < 0 ? -errno : 0;
	}
	umask(mask);
	s->bound = rc == 0 && lstat(s->addr.sun_path, &s->file) == 0;
	return rc;
}

static void give_to_group(const char *path, const char *name, bool wanted)
{
	struct group *g = name ? getgrnam(name) : NULL;

	if (!g && (!name || !wanted))
		return;
	if (!g)
		log_event(LOGL_WARNING, "control.group", kv_str("group", name),
		          kv_str("error", "there is no such group: the socket is root's alone"));
	else if (chown(path, (uid_t)-1, g->gr_gid) < 0)
		log_event(LOGL_WARNING, "control.group", kv_str("group", name), kv_errno("error", errno));
}

static void remove_socket(const struct ctl_server *s)
{
	struct stat now;

	if (!s->bound || lstat(s->addr.sun_path, &now) < 0)
		return;
	if (now.st_dev == s->file.st_dev && now.st_ino == s->file.st_ino)
		unlink(s->addr.sun_path);
}

static int open_socket(struct ctl_server *s, const char *path)
{
	int rc;

	if (strlen(path) >= sizeof(s->addr.sun_path))
		return -ENAMETOOLONG;
	s->addr.sun_family = AF_UNIX;
	memcpy(s->addr.sun_path, path, strlen(path) + 1);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	rc = bind_socket(s);
	if (rc == 0 && listen(s->fd, BACKLOG) < 0)
		rc = -errno;
	return rc;
}

int ctl_server_open(struct loop *l, const struct ctl_backend *b, const struct ctl_socket *where,
                    struct ctl_server **out)
{
	struct ctl_server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	*s = (struct ctl_server){ .loop = l, .backend = b, .fd = -1, .readonly = where->readonly };
	TAILQ_INIT(&s->clients);
	rc = open_socket(s, where->path);
	if (rc < 0)
		goto fail;
	give_to_group(where->path, where->group, where->group_wanted);
	rc = -ENOMEM;
	s->job = loop_job_new(l, serve, s);
	s->accept_timer = loop_timer_new(l, accept_again, s);
	s->watch = loop_fd_new(l, s->fd, LOOP_READ, on_listener, s);
	if (!s->job || !s->accept_timer || !s->watch)
		goto fail;
	*out = s;
	return 0;
fail:
	ctl_server_close(s);
	return rc;
}

/** Last words: what its socket takes at once. */
static void client_flush(struct client *c)
{
	if (is_monitor(c)) {
		request_end(&c->request);
		c->server->n_monitors--;
	}
	for (unsigned i = 0; i < CLOSE_TRIES && c->out.len && !c->blocked; i++)
		if (!client_write(c))
			return;
}

bool ctl_server_monitored(const struct ctl_server *s)
{
	return s && s->n_monitors;
}

void ctl_server_event(struct ctl_server *s, const struct ctl_event *e)
{
	struct client *c;

	if (!ctl_server_monitored(s))
		return;
	TAILQ_FOREACH (c, &s->clients, link)
		if (is_monitor(c))
			request_event(&c->request, e);
	loop_job_kick(s->job);
}

void ctl_server_close(struct ctl_server *s)
{
	struct client *c;

	if (!s)
		return;
	if (s->watch)
		loop_fd_free(s->watch);
	s->watch = NULL;
	while ((c = TAILQ_FIRST(&s->clients))) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): as above */
		client_flush(c);
		client_free(c);
	}
	if (s->accept_timer)
		loop_timer_free(s->accept_timer);
	if (s->job)
		loop_job_free(s->job);
	if (s->fd >= 0)
		close(s->fd);
	remove_socket(s);
	free(s);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: listening sockets, kept open as configured.
 *
 * What cannot be opened is tried again by a timer, and said once for each cause. A listener whose accept()
 * fails for want of descriptors or memory rests until the next tick of that timer rather than spin. A host
 * without IPv6 is no error: nothing can dial in there.
 *
 * Refused to know: who may connect. */
#include "io/listen.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define RETRY_US         UINT64_C(3000000)
#define ACCEPTS_PER_TURN 64

struct listener {
	struct listener *next; /* listeners.all, unordered; owned by it */
	struct listeners *set;
	struct conf_listen at;
	int fd;    /* -1: not open */
	int error; /* the last -errno that was logged; 0: none */
	struct loop_fd *watch;
	bool wanted;
};

struct key {
	struct key *next; /* listeners.keys, unordered; owned by it */
	const void *owner;
	struct prefix peer;
	struct ip local; /* IP_NONE: any */
	struct secret secret;
};

struct listeners {
	struct loop *loop;
	struct loop_timer *retry;
	struct listener *all;
	struct key *keys;
	void (*accepted)(void *ctx, int fd, const struct sock_ends *ends);
	void *ctx;
};

static void listener_close(struct listener *l)
{
	loop_fd_free(l->watch);
	l->watch = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static void listener_free(struct listener *l)
{
	listener_close(l);
	free(l);
}

static void remove_unwanted(struct listeners *ls)
{
	struct listener **at = &ls->all, *l;

	while ((l = *at)) {
		if (l->wanted) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		listener_free(l);
	}
}

static void retry_later(struct listeners *ls)
{
	loop_timer_at(ls->retry, loop_now(ls->loop) + RETRY_US);
}

static bool out_of_resources(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM;
}

static void on_connection(void *ctx, unsigned events)
{
	struct listener *l = ctx;
	struct listeners *ls = l->set;

	(void)events;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sock_ends ends;
		int fd = sock_accept(l->fd, &ends);

		if (fd == -EAGAIN)
			return;
		if (out_of_resources(fd)) {
			log_event(LOGL_ERROR, "listen.exhausted", kv_ip("address", &l->at.address),
			          kv_u64("port", l->at.port), kv_errno("error", fd));
			loop_fd_set(l->watch, 0);
			retry_later(ls);
			return;
		}
		if (fd >= 0)
			ls->accepted(ls->ctx, fd, &ends);
	}
}

static const char *mend_of(int err)
{
	switch (err) {
	case -EADDRINUSE:
		return "another program listens there (ss -ltnp names it): stop it, or change router.listen";
	case -EACCES:
		return "ports below 1024 need CAP_NET_BIND_SERVICE";
	default:
		return NULL;
	}
}

static void say_failed(struct listener *l, int err)
{
	if (err == l->error)
		return;
	l->error = err;
	log_event(LOGL_ERROR, "listen.failed", kv_ip("address", &l->at.address), kv_u64("port", l->at.port),
	          kv_errno("error", err), kv_str("mend", mend_of(err)));
}

static bool no_ipv6_here(const struct listener *l, int err)
{
	return err == -EAFNOSUPPORT && l->at.address.family == IP_V6;
}

static bool concerns(const struct listener *l, const struct key *k)
{
	const struct ip *at = &l->at.address;

	if (at->family != k->peer.addr.family)
		return false;
	return k->local.family == IP_NONE || ip_is_zero(at) || ip_equal(at, &k->local);
}

/* The key of @peer on @l; NULL: none. Where there are several, they are the same (config/load_peers.c). */
static const struct key *key_of(const struct listener *l, const struct prefix *peer)
{
	const struct key *k = l->set->keys;

	while (k && (!prefix_equal(&k->peer, peer) || !concerns(l, k)))
		k = k->next;
	return k;
}

/* Connections that come before the key is there are refused by peer.c, since their peer has one. */
static void sign(const struct listener *l, const struct prefix *peer)
{
	static const struct secret none;
	const struct key *k = key_of(l, peer);
	int rc;

	if (l->fd < 0 || l->at.address.family != peer->addr.family)
		return;
	rc = sock_set_md5(l->fd, peer, k ? &k->secret : &none);
	if (rc < 0 && k)
		log_event(LOGL_ERROR, "listen.unsigned", kv_prefix("peer", peer), kv_errno("error", rc),
		          kv_str("effect", "this peer cannot connect here"));
}

static int listener_open(struct listener *l)
{
	l->fd = sock_listen(&l->at.address, l->at.port);
	if (l->fd < 0)
		return l->fd;
	for (const struct key *k = l->set->keys; k; k = k->next)
		sign(l, &k->peer);
	l->watch = loop_fd_new(l->set->loop, l->fd, LOOP_READ, on_connection, l);
	if (!l->watch) {
		listener_close(l);
		return -ENOMEM;
	}
	l->error = 0;
	log_event(LOGL_INFO, "listen.open", kv_ip("address", &l->at.address), kv_u64("port", l->at.port));
	return 0;
}

/* Open what is not open, wake what rests. @return 0 or the first -errno. */
static int open_all(struct listeners *ls)
{
	struct listener *l;
	int first = 0;

	for (l = ls->all; l; l = l->next) {
		int rc = 0;

		if (l->fd >= 0)
			loop_fd_set(l->watch, LOOP_READ);
		else
			rc = listener_open(l);
		if (rc == 0 || no_ipv6_here(l, rc))
			continue;
		say_failed(l, rc);
		if (!first)
			first = rc;
	}
	if (first)
		retry_later(ls);
	return first;
}

static void on_retry(void *ctx)
{
	open_all(ctx);
}

struct listeners *listeners_new(struct loop *l,
                                void (*accepted)(void *ctx, int fd, const struct sock_ends *ends), void *ctx)
{
	struct listeners *ls = calloc(1, sizeof(*ls));

	if (!ls)
		return NULL;
	ls->loop = l;
	ls->accepted = accepted;
	ls->ctx = ctx;
	ls->retry = loop_timer_new(l, on_retry, ls);
	if (ls->retry)
		return ls;
	free(ls);
	return NULL;
}

static void remove_key(struct key **at)
{
	struct key *k = *at;

	*at = k->next;
	secret_wipe(&k->secret);
	free(k);
}

void listeners_free(struct listeners *ls)
{
	if (!ls)
		return;
	for (struct listener *l = ls->all; l; l = l->next)
		l->wanted = false;
	remove_unwanted(ls);
	while (ls->keys)
		remove_key(&ls->keys);
	loop_timer_free(ls->retry);
	free(ls);
}

static struct key **find_key(struct listeners *ls, const void *owner)
{
	struct key **at = &ls->keys;

	while (*at && (*at)->owner != owner)
		at = &(*at)->next;
	return at;
}

static void sign_everywhere(const struct listeners *ls, const struct prefix *peer)
{
	for (const struct listener *l = ls->all; l; l = l->next)
		sign(l, peer);
}

static struct key *add_key(struct listeners *ls, const void *owner, const struct prefix *peer)
{
	struct key *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	*k = (struct key){ .next = ls->keys, .owner = owner, .peer = *peer };
	ls->keys = k;
	return k;
}

/* The kernel replaces the key of an address in place: there is no moment at which it has none. */
int listeners_sign(struct listeners *ls, const void *owner, const struct listen_key *key)
{
	struct key *k = *find_key(ls, owner);
	struct prefix was;

	if (!k)
		k = add_key(ls, owner, &key->peer);
	if (!k)
		return -ENOMEM;
	was = k->peer;
	k->peer = key->peer;
	k->local = key->local;
	k->secret = *key->secret;
	sign_everywhere(ls, &k->peer);
	if (!prefix_equal(&was, &k->peer))
		sign_everywhere(ls, &was);
	return 0;
}

void listeners_unsign(struct listeners *ls, const void *owner)
{
	struct key **at = find_key(ls, owner);
	struct prefix peer;

	if (!*at)
		return;
	peer = (*at)->peer;
	remove_key(at);
	sign_everywhere(ls, &peer);
}

static struct listener *find(struct listeners *ls, const struct conf_listen *at)
{
	struct listener *l;

	for (l = ls->all; l; l = l->next) {
		if (ip_equal(&l->at.address, &at->address) && l->at.port == at->port)
			return l;
	}
	return NULL;
}

static int add(struct listeners *ls, const struct conf_listen *at)
{
	struct listener *l = find(ls, at);

	if (!l) {
		l = calloc(1, sizeof(*l));
		if (!l)
			return -ENOMEM;
		*l = (struct listener){ .set = ls, .at = *at, .fd = -1 };
		l->next = ls->all;
		ls->all = l;
	}
	l->wanted = true;
	return 0;
}

int listeners_apply(struct listeners *ls, const struct conf_listen *want, size_t n)
{
	struct listener *l;
	int first = 0, rc;

	for (l = ls->all; l; l = l->next)
		l->wanted = false;
	for (size_t i = 0; i < n; i++) {
		rc = add(ls, &want[i]);
		if (rc < 0 && !first)
			first = rc;
	}
	remove_unwanted(ls);
	rc = open_all(ls);
	return first ? first : rc;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* wg.c - DOC: a WireGuard device as desired state.
 *
 * wg_mend() reads the device and writes what differs from the configuration. The endpoint is different: a
 * peer may roam, and the kernel follows it, so an endpoint is written when the peer has none, when the
 * configuration's (or its name's address) changed, or when its handshake died; then a name is asked for
 * again, too. The allowed IPs are worked out in wg_allowed.c.
 *
 * Keys are read from their files whenever they are compared, and wiped at once. */
#include "lib/log.h"
#include "tunnel/kind.h"
#include "tunnel/wg_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASK_US     7500000u /* between two questions for one name, at least */
#define LOOK_US    5000000u /* between two looks at a device */
#define DEAD_US    1000000u /* ... that has a dead peer */
#define LOOK_IP_US 100u     /* ... and more for each of its allowed IPs, which are all told at each look */
#define HOST_SIZE  256u

/* -- the kind: a link without parameters of its own ------------------------------------------------- */

static struct rtnl_link *wireguard_make(const struct conf_tunnel *c, uint32_t underlay, bool change)
{
	struct rtnl_link *l = rtnl_link_alloc();

	(void)c;
	(void)underlay;
	(void)change;
	if (l)
		rtnl_link_set_type(l, "wireguard");
	return l;
}

static const char *wireguard_differs(struct rtnl_link *have, const struct conf_tunnel *c, uint32_t underlay,
                                     bool *in_place)
{
	(void)have;
	(void)c;
	(void)underlay;
	*in_place = true;
	return NULL;
}

/* Outer IP, UDP 8, message header 16, authentication tag 16. */
static uint32_t wireguard_overhead(const struct conf_tunnel *c, uint8_t family)
{
	(void)c;
	return family == IP_V6 ? 80 : 60;
}

const struct tunnel_kind tunnel_wireguard = {
	.name = "wireguard",
	.make = wireguard_make,
	.differs = wireguard_differs,
	.overhead = wireguard_overhead,
};

/* -- life ------------------------------------------------------------------------------------------- */

static void on_audit(void *ctx)
{
	struct wg *w = ctx;

	w->owner->again(w->ctx, w);
}

struct wg *wg_new(struct loop *l, const struct wg_owner *owner, void *ctx)
{
	struct wg *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->loop = l;
	w->owner = owner;
	w->ctx = ctx;
	ptree_init(&w->routes);
	TAILQ_INIT(&w->dirty);
	key_random(w->bin);
	w->audit = loop_timer_new(l, on_audit, w);
	w->flush = loop_timer_new(l, wg_flush, w);
	if (!w->audit || !w->flush) {
		wg_free(w);
		return NULL;
	}
	return w;
}

static void peer_free(struct wg_peer *p)
{
	if (!p)
		return;
	resolve_free(p->question);
	free(p);
}

static void peers_free(struct wg_peer **peers, size_t n)
{
	for (size_t i = 0; peers && i < n; i++)
		peer_free(peers[i]);
	free(peers);
}

void wg_free(struct wg *w)
{
	if (!w)
		return;
	wg_routes_free(w);
	peers_free(w->peers, w->n_peers);
	loop_timer_free(w->audit);
	loop_timer_free(w->flush);
	wgnl_close(w->nl);
	free(w->seen);
	free(w);
}

/* -- the wanted peers ------------------------------------------------------------------------------- */

static struct wg_peer *peer_find(struct wg_peer **peers, size_t n, const uint8_t *public_key)
{
	for (size_t i = 0; i < n; i++) {
		if (memcmp(peers[i]->public_key, public_key, KEY_BYTES) == 0)
			return peers[i];
	}
	return NULL;
}

/* @old: the peer of this key in the configuration before, or NULL. */
static struct wg_peer *peer_new(struct wg *w, const struct conf_wg_peer *c, const struct wg_peer *old)
{
	struct wg_peer *p = calloc(1, sizeof(*p));
	char host[HOST_SIZE];

	if (!p)
		return NULL;
	p->wg = w;
	memcpy(p->public_key, c->public_key, KEY_BYTES);
	if (old)
		p->pulse = old->pulse;
	if (!c->endpoint || !conf_split_endpoint(c->endpoint, host, sizeof(host), &p->endpoint.port))
		return p;
	snprintf(p->host, sizeof(p->host), "%s", host);
	p->named = !ip_parse(host, &p->endpoint.address);
	if (!old)
		return p;
	if (p->named && strcmp(p->host, old->host) == 0) {
		p->endpoint.address = old->endpoint.address;
		p->asked_us = old->asked_us;
	}
	p->moved = old->moved || p->endpoint.port != old->endpoint.port || strcmp(p->host, old->host) != 0;
	return p;
}

int wg_configure(struct wg *w, const struct conf_tunnel *c)
{
	struct wg_peer **peers = calloc(c->n_peers + 1, sizeof(struct wg_peer *));

	if (!peers)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_peers; i++) {
		peers[i] = peer_new(w, &c->peers[i], peer_find(w->peers, w->n_peers, c->peers[i].public_key));
		if (!peers[i]) {
			peers_free(peers, c->n_peers);
			return -ENOMEM;
		}
	}
	peers_free(w->peers, w->n_peers);
	w->peers = peers;
	w->n_peers = c->n_peers;
	w->conf = c;
	wg_routes_match(w);
	return 0;
}

struct ip wg_endpoint(const struct wg *w, size_t i)
{
	return i < w->n_peers ? w->peers[i]->endpoint.address : (struct ip){ 0 };
}

/* -- endpoints by name ------------------------------------------------------------------------------ */

static void on_address(void *ctx, const struct ip *address, const char *error)
{
	struct wg_peer *p = ctx;

	resolve_free(p->question);
	p->question = NULL;
	if (error) {
		if (!p->unresolved)
			log_event(LOGL_WARNING, "tunnel.endpoint_unresolved",
			          kv_str("tunnel", p->wg->conf->name), kv_str("name", p->host),
			          kv_str("error", error));
		p->unresolved = true;
		return;
	}
	p->unresolved = false;
	if (ip_equal(address, &p->endpoint.address))
		return;
	log_event(LOGL_INFO, "tunnel.endpoint", kv_str("tunnel", p->wg->conf->name), kv_str("name", p->host),
	          kv_ip("address", address));
	p->endpoint.address = *address;
	p->moved = true;
	p->wg->owner->again(p->wg->ctx, p->wg);
}

static void ask(struct wg *w, struct wg_peer *p)
{
	uint64_t now = loop_clock();

	if (p->question || (p->asked_us && now - p->asked_us < ASK_US))
		return;
	p->asked_us = now;
	p->question = resolve_new(w->loop, p->host, on_address, p);
}

/* Whatever keepalive says: whoever is reached by its handshakes needs no other address. */
static bool is_silent(const struct wg_peer *p)
{
	return wg_pulse_silent(&p->pulse, WG_REJECT_AFTER_S, loop_clock());
}

static bool endpoint_is(const struct wgnl_peer *have, const struct wgnl_endpoint *e)
{
	return have && have->endpoint.port == e->port && ip_equal(&have->endpoint.address, &e->address);
}

/* Is the endpoint of @p to be written? */
static bool endpoint_due(const struct wg_peer *p, const struct wgnl_peer *have)
{
	if (!p->endpoint.address.family || endpoint_is(have, &p->endpoint))
		return false;
	return p->moved || !have || is_silent(p) || !have->endpoint.address.family;
}

/* -- mending ---------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static const char *wrong(struct wg *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->error, sizeof(w->error), fmt, ap);
	va_end(ap);
	return w->error;
}

static void differs(const char **changed, const char *what)
{
	if (!*changed)
		*changed = what;
}

static const char *put_device(struct wg *w, const struct wgnl_device *have, const char **changed)
{
	const struct conf_tunnel *c = w->conf;
	uint8_t key[KEY_BYTES], public_key[KEY_BYTES];
	const char *why, *error = NULL;

	if (key_load(c->private_key_file, key, &why) < 0)
		return wrong(w, "its private_key_file %s %s", c->private_key_file, why);
	key_public(key, public_key);
	if (!key_equal(public_key, have->public_key)) {
		wgnl_put_private_key(w->nl, key);
		differs(changed, "private_key_file");
	}
	key_wipe(key, sizeof(key));
	if (peer_find(w->peers, w->n_peers, public_key))
		error = wrong(w, "one of its peers has the public key of our own private_key_file");
	if (have->listen_port != c->listen_port) {
		wgnl_put_listen_port(w->nl, c->listen_port);
		differs(changed, "listen_port");
	}
	if (have->fwmark != c->fwmark) {
		wgnl_put_fwmark(w->nl, c->fwmark);
		differs(changed, "fwmark");
	}
	return error;
}

static const char *put_preshared_key(struct wg *w, const struct conf_wg_peer *c, const struct wgnl_peer *have,
                                     const char **changed)
{
	static const uint8_t none[KEY_BYTES];
	uint8_t key[KEY_BYTES] = { 0 };
	const char *why;

	if (c->preshared_key_file && key_load(c->preshared_key_file, key, &why) < 0)
		return wrong(w, "its preshared_key_file %s %s", c->preshared_key_file, why);
	if (!key_equal(key, have ? have->preshared_key : none)) {
		wgnl_put_preshared_key(w->nl, key);
		differs(changed, "preshared_key_file");
	}
	key_wipe(key, sizeof(key));
	return NULL;
}

static const struct wgnl_peer *device_peer(const struct wgnl_device *d, const uint8_t *public_key)
{
	for (size_t i = 0; i < d->n_peers; i++) {
		if (memcmp(d->peers[i].public_key, public_key, KEY_BYTES) == 0)
			return &d->peers[i];
	}
	return NULL;
}

static const char *put_peer(struct wg *w, size_t i, const struct wgnl_device *device, const char **changed)
{
	const struct conf_wg_peer *c = &w->conf->peers[i];
	const struct wgnl_peer *have = device_peer(device, c->public_key);
	struct wg_peer *p = w->peers[i];
	const char *error;

	if (p->named && (is_silent(p) || !p->endpoint.address.family))
		ask(w, p);
	wgnl_put_peer(w->nl, c->public_key);
	if (!have)
		differs(changed, "peers");
	error = put_preshared_key(w, c, have, changed);
	if (endpoint_due(p, have)) {
		wgnl_put_endpoint(w->nl, &p->endpoint);
		differs(changed, "endpoint");
	}
	if (c->keepalive != (have ? have->keepalive : 0)) {
		wgnl_put_keepalive(w->nl, c->keepalive);
		differs(changed, "keepalive");
	}
	return error;
}

static const char *put_all(struct wg *w, const struct wgnl_device *have, bool keep, const char **changed)
{
	const char *error = put_device(w, have, changed);

	for (size_t i = 0; i < have->n_peers; i++) {
		if (peer_find(w->peers, w->n_peers, have->peers[i].public_key))
			continue;
		wgnl_put_peer_removed(w->nl, have->peers[i].public_key);
		differs(changed, "peers");
	}
	for (size_t i = 0; i < w->n_peers && !error; i++)
		error = put_peer(w, i, have, changed);
	return error ? error : wg_put_allowed(w, have, keep, changed);
}

/* -- handshakes ------------------------------------------------------------------------------------- */

static void tell_pulse(struct wg *w, const struct wg_peer *p)
{
	char key[KEY_STRLEN];

	log_event(LOGL_WARNING, p->pulse.dead ? "tunnel.peer_dead" : "tunnel.peer_alive",
	          kv_str("tunnel", w->conf->name), kv_str("peer", key_print(p->public_key, key)),
	          kv_u64("handshake_timeout_s", w->conf->handshake_timeout));
}

static void feel_pulses(struct wg *w, const struct wgnl_device *have)
{
	int64_t wall = time(NULL);
	uint64_t now = loop_clock();

	w->n_allowed = 0;
	for (size_t i = 0; i < w->n_peers; i++) {
		struct wg_peer *p = w->peers[i];
		const struct wgnl_peer *k = device_peer(have, p->public_key);
		bool changed;

		w->n_allowed += k ? k->n_allowed : 0;

		wg_pulse_feel(&p->pulse, k ? k->last_handshake : 0, wall, now);
		changed = wg_pulse_judge(&p->pulse, w->conf->peers[i].keepalive, w->conf->handshake_timeout,
		                         now);
		if (changed)
			tell_pulse(w, p);
		if (changed || p->pulse.dead)
			w->owner->peer(w->ctx, w, i, p->pulse.dead);
	}
}

static uint64_t next_look(const struct wg *w)
{
	uint64_t now = loop_clock(), wait = LOOK_US, dies = UINT64_MAX;

	for (size_t i = 0; i < w->n_peers; i++) {
		const struct wg_pulse *p = &w->peers[i]->pulse;
		uint64_t at = wg_pulse_dies_us(p, w->conf->peers[i].keepalive, w->conf->handshake_timeout);

		wait = p->dead ? DEAD_US : wait;
		dies = at < dies ? at : dies;
	}
	wait += w->n_allowed * LOOK_IP_US;
	return dies > now && dies < now + wait ? dies : now + wait;
}

bool wg_is_dead(const struct wg *w, const uint8_t public_key[KEY_BYTES])
{
	const struct wg_peer *p = peer_find(w->peers, w->n_peers, public_key);

	return p && p->pulse.dead;
}

/* -- the whole device ------------------------------------------------------------------------------- */

static const char *mend(struct wg *w, uint32_t ifindex, bool keep, const char **changed)
{
	struct wgnl_device have = { 0 };
	const char *error;
	int rc = 0;

	w->ifindex = 0; /* until it is right */
	if (!w->nl)
		rc = wgnl_open(&w->nl);
	if (rc < 0)
		return wrong(w, "the kernel has no WireGuard to talk to: %s", strerror(-rc));
	rc = wgnl_get(w->nl, ifindex, &have);
	if (rc < 0) {
		error = wrong(w, "the kernel does not tell its WireGuard settings: %s", strerror(-rc));
		goto out;
	}
	feel_pulses(w, &have);
	wgnl_begin(w->nl, ifindex);
	error = put_all(w, &have, keep, changed);
	if (error) { /* half of it could be worse than none: a peer without its preshared key */
		wgnl_cancel(w->nl);
		*changed = NULL;
		goto out;
	}
	rc = wgnl_end(w->nl);
	if (rc < 0) {
		error = wrong(w, "the kernel refuses its WireGuard settings: %s", strerror(-rc));
		goto out;
	}
	for (size_t i = 0; i < w->n_peers; i++)
		w->peers[i]->moved = false;
	w->ifindex = ifindex;
	wg_routes_told(w);
out:
	wgnl_device_fini(&have);
	return error;
}

const char *wg_mend(struct wg *w, uint32_t ifindex, bool keep, const char **changed)
{
	const char *error = mend(w, ifindex, keep, changed);

	loop_timer_at(w->audit, next_look(w));
	return error;
}

/* -- questions -------------------------------------------------------------------------------------- */

void wg_view(struct wg *w, struct tunnel_view *out)
{
	struct wgnl_device have = { 0 };
	struct tunnel_wg_peer *grown = reallocarray(w->seen, w->n_peers + 1, sizeof(*grown));

	if (grown)
		w->seen = grown;
	if (!grown || !w->nl || wgnl_get(w->nl, out->ifindex, &have) < 0) {
		wgnl_device_fini(&have);
		return;
	}
	memcpy(out->public_key, have.public_key, KEY_BYTES);
	out->n_wg_peers = w->n_peers;
	out->wg_peers = w->seen;
	for (size_t i = 0; i < w->n_peers; i++) {
		const struct wgnl_peer *p = device_peer(&have, w->peers[i]->public_key);
		struct tunnel_wg_peer *seen = &w->seen[i];

		*seen = (struct tunnel_wg_peer){ .dead = w->peers[i]->pulse.dead };
		memcpy(seen->public_key, w->peers[i]->public_key, KEY_BYTES);
		if (!p)
			continue;
		seen->endpoint = p->endpoint.address;
		seen->endpoint_port = p->endpoint.port;
		seen->last_handshake = p->last_handshake;
		seen->rx_bytes = p->rx_bytes;
		seen->tx_bytes = p->tx_bytes;
		seen->n_allowed = p->n_allowed;
	}
	wgnl_device_fini(&have);
}

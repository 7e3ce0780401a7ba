/* SPDX-License-Identifier: BSD-2-Clause */
/* wgnl.c - DOC: messages from and to the kernel's WireGuard.
 *
 * A device with thousands of allowed IPs fits no message. The kernel continues a peer in the next message of
 * a dump, naming it again; we do the same: when an attribute does not fit, the message goes out as it is, and
 * the next one begins with the device and the peer's key again, which adds to what is there. What comes from
 * the kernel is checked for its size before it is read, like anything else. */
#include "tunnel/wgnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_SIZE 32768u /* below the 65,535 bytes that a nest may have */
#define ALLOWED_MAX 64u    /* bytes an allowed IP takes at most, with the nest it opens */
#define PEER_MAX    256u   /* bytes a peer takes at most without its allowed IPs */
#define DUMP_TRIES  3      /* the device may change under a dump */

struct wgnl {
	struct mnl_socket *sock;
	uint16_t family;
	uint32_t seq;
	/* the message being written */
	uint32_t ifindex;
	int error;
	struct nlmsghdr *msg;
	struct nlattr *peers, *peer, *allowed; /* open nests, or NULL */
	uint8_t key[KEY_BYTES];                /* of the peer being written */
	_Alignas(struct nlmsghdr) uint8_t buf[BUFFER_SIZE];
};

/* -- asking --------------------------------------------------------------------------------------- */

static struct nlmsghdr *header(struct wgnl *n, uint16_t family, uint8_t cmd, uint8_t version, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(n->buf);
	struct genlmsghdr *g;

	h->nlmsg_type = family;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++n->seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->cmd = cmd;
	g->version = version;
	return h;
}

/* Sends @h and hears all answers to it; the buffer, which may have held keys, is wiped. */
static int talk(struct wgnl *n, const struct nlmsghdr *h, mnl_cb_t cb, void *ctx)
{
	uint32_t seq = h->nlmsg_seq;
	ssize_t len;
	int rc = MNL_CB_OK;

	if (mnl_socket_sendto(n->sock, h, h->nlmsg_len) < 0)
		rc = MNL_CB_ERROR;
	while (rc == MNL_CB_OK) {
		len = mnl_socket_recvfrom(n->sock, n->buf, sizeof(n->buf));
		rc = len < 0 ? MNL_CB_ERROR
		             : mnl_cb_run(n->buf, (size_t)len, seq, mnl_socket_get_portid(n->sock), cb, ctx);
	}
	rc = rc == MNL_CB_ERROR ? -errno : 0;
	key_wipe(n->buf, sizeof(n->buf));
	return rc;
}

/* The payload, when it has @size bytes at least. */
static const void *payload(const struct nlattr *a, size_t size)
{
	return mnl_attr_get_payload_len(a) >= size ? mnl_attr_get_payload(a) : NULL;
}

static void copy_payload(void *out, size_t size, const struct nlattr *a)
{
	const void *p = payload(a, size);

	if (p)
		memcpy(out, p, size);
}

/* -- the family ----------------------------------------------------------------------------------- */

static int on_family(const struct nlmsghdr *h, void *ctx)
{
	uint16_t *family = ctx;
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct genlmsghdr))
	{
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID)
			copy_payload(family, sizeof(*family), a);
	}
	return MNL_CB_OK;
}

static int find_family(struct wgnl *n)
{
	struct nlmsghdr *h = header(n, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	int rc;

	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	rc = talk(n, h, on_family, &n->family);
	return rc < 0 ? rc : n->family ? 0 : -ENOENT;
}

int wgnl_open(struct wgnl **out)
{
	struct wgnl *n = calloc(1, sizeof(*n));
	int rc = -ENOMEM;

	if (!n)
		return rc;
	n->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!n->sock || mnl_socket_bind(n->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		rc = -errno;
		goto fail;
	}
	rc = find_family(n);
	if (rc < 0)
		goto fail;
	*out = n;
	return 0;
fail:
	wgnl_close(n);
	return rc;
}

void wgnl_close(struct wgnl *n)
{
	if (!n)
		return;
	if (n->sock)
		mnl_socket_close(n->sock);
	key_wipe(n->buf, sizeof(n->buf));
	free(n);
}

/* -- the device as it is -------------------------------------------------------------------------- */

static void read_endpoint(const struct nlattr *a, struct wgnl_endpoint *out)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	sa_family_t family = AF_UNSPEC;

	copy_payload(&family, sizeof(family), a);
	if (family == AF_INET && payload(a, sizeof(in))) {
		copy_payload(&in, sizeof(in), a);
		out->address = ip_from_bytes(IP_V4, (const uint8_t *)&in.sin_addr);
		out->port = ntohs(in.sin_port);
	} else if (family == AF_INET6 && payload(a, sizeof(in6))) {
		copy_payload(&in6, sizeof(in6), a);
		out->address = ip_from_bytes(IP_V6, (const uint8_t *)&in6.sin6_addr);
		out->port = ntohs(in6.sin6_port);
	}
}

static bool add_allowed(struct wgnl_peer *p, const struct prefix *allowed)
{
	if (p->n_allowed == p->room_allowed) {
		size_t room = p->room_allowed ? 2 * p->room_allowed : 4;
		struct prefix *grown = reallocarray(p->allowed, room, sizeof(*grown));

		if (!grown)
			return false;
		p->allowed = grown;
		p->room_allowed = room;
	}
	p->allowed[p->n_allowed++] = *allowed;
	return true;
}

static bool read_allowed(const struct nlattr *nest, struct wgnl_peer *p)
{
	uint16_t family = AF_UNSPEC;
	const struct nlattr *a, *address = NULL;
	uint8_t len = UINT8_MAX, ours;
	struct prefix prefix;
	struct ip ip;

	mnl_attr_for_each_nested(a, nest)
	{
		switch (mnl_attr_get_type(a)) {
		case WGALLOWEDIP_A_FAMILY:
			copy_payload(&family, sizeof(family), a);
			break;
		case WGALLOWEDIP_A_IPADDR:
			address = a;
			break;
		case WGALLOWEDIP_A_CIDR_MASK:
			copy_payload(&len, sizeof(len), a);
			break;
		default:
			break;
		}
	}
	ours = family == AF_INET ? IP_V4 : family == AF_INET6 ? IP_V6 : IP_NONE;
	if (!ours || !address || len > ip_bits(ours) || !payload(address, ip_bytes(ours)))
		return true; /* none of ours, and none we could name */
	ip = ip_from_bytes(ours, mnl_attr_get_payload(address));
	prefix = prefix_make(&ip, len);
	return add_allowed(p, &prefix);
}

static void read_peer_attr(const struct nlattr *a, struct wgnl_peer *p)
{
	switch (mnl_attr_get_type(a)) {
	case WGPEER_A_PRESHARED_KEY:
		copy_payload(p->preshared_key, KEY_BYTES, a);
		break;
	case WGPEER_A_ENDPOINT:
		read_endpoint(a, &p->endpoint);
		break;
	case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
		copy_payload(&p->keepalive, sizeof(p->keepalive), a);
		break;
	case WGPEER_A_LAST_HANDSHAKE_TIME: /* begins with the seconds, as 64 bits */
		copy_payload(&p->last_handshake, sizeof(p->last_handshake), a);
		break;
	case WGPEER_A_RX_BYTES:
		copy_payload(&p->rx_bytes, sizeof(p->rx_bytes), a);
		break;
	case WGPEER_A_TX_BYTES:
		copy_payload(&p->tx_bytes, sizeof(p->tx_bytes), a);
		break;
	default:
		break;
	}
}

/* The peer of @key: the last one, when the message continues it, or a new one. NULL: out of memory. */
static struct wgnl_peer *peer_of(struct wgnl_device *d, const uint8_t *key)
{
	struct wgnl_peer *last = d->n_peers ? &d->peers[d->n_peers - 1] : NULL, *grown;

	if (last && memcmp(last->public_key, key, KEY_BYTES) == 0)
		return last;
	grown = calloc(d->n_peers + 1, sizeof(*grown)); /* not realloc: it would leave keys behind */
	if (!grown)
		return NULL;
	if (d->peers) {
		memcpy(grown, d->peers, d->n_peers * sizeof(*grown));
		key_wipe(d->peers, d->n_peers * sizeof(*grown));
	}
	free(d->peers);
	d->peers = grown;
	memcpy(grown[d->n_peers].public_key, key, KEY_BYTES);
	return &grown[d->n_peers++];
}

static bool read_peer(const struct nlattr *nest, struct wgnl_device *d)
{
	const struct nlattr *a, *allowed;
	const uint8_t *key = NULL;
	struct wgnl_peer *p;

	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == WGPEER_A_PUBLIC_KEY)
			key = payload(a, KEY_BYTES);
	}
	if (!key)
		return true;
	p = peer_of(d, key);
	if (!p)
		return false;
	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) != WGPEER_A_ALLOWEDIPS) {
			read_peer_attr(a, p);
			continue;
		}
		mnl_attr_for_each_nested(allowed, a)
		{
			if (!read_allowed(allowed, p))
				return false;
		}
	}
	return true;
}

static bool read_device_attr(const struct nlattr *a, struct wgnl_device *d)
{
	const struct nlattr *peer;

	switch (mnl_attr_get_type(a)) {
	case WGDEVICE_A_PUBLIC_KEY:
		copy_payload(d->public_key, KEY_BYTES, a);
		break;
	case WGDEVICE_A_LISTEN_PORT:
		copy_payload(&d->listen_port, sizeof(d->listen_port), a);
		break;
	case WGDEVICE_A_FWMARK:
		copy_payload(&d->fwmark, sizeof(d->fwmark), a);
		break;
	case WGDEVICE_A_PEERS:
		mnl_attr_for_each_nested(peer, a)
		{
			if (!read_peer(peer, d))
				return false;
		}
		break;
	default:
		break;
	}
	return true;
}

static int on_device(const struct nlmsghdr *h, void *ctx)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct genlmsghdr))
	{
		if (!read_device_attr(a, ctx)) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
	}
	return MNL_CB_OK;
}

static int dump(struct wgnl *n, uint32_t ifindex, struct wgnl_device *out)
{
	struct nlmsghdr *h = header(n, n->family, WG_CMD_GET_DEVICE, WG_GENL_VERSION, NLM_F_DUMP);

	mnl_attr_put_u32(h, WGDEVICE_A_IFINDEX, ifindex);
	return talk(n, h, on_device, out);
}

int wgnl_get(struct wgnl *n, uint32_t ifindex, struct wgnl_device *out)
{
	int rc = -EINTR;

	*out = (struct wgnl_device){ 0 };
	for (int tries = 0; rc == -EINTR && tries < DUMP_TRIES; tries++) {
		wgnl_device_fini(out);
		rc = dump(n, ifindex, out);
	}
	return rc;
}

void wgnl_device_fini(struct wgnl_device *d)
{
	for (size_t i = 0; i < d->n_peers; i++)
		free(d->peers[i].allowed);
	if (d->n_peers)
		key_wipe(d->peers, d->n_peers * sizeof(*d->peers));
	free(d->peers);
	*d = (struct wgnl_device){ 0 };
}

/* -- telling -------------------------------------------------------------------------------------- */

static void open_message(struct wgnl *n)
{
	n->msg = header(n, n->family, WG_CMD_SET_DEVICE, WG_GENL_VERSION, NLM_F_ACK);
	mnl_attr_put_u32(n->msg, WGDEVICE_A_IFINDEX, n->ifindex);
}

static void close_nest(struct wgnl *n, struct nlattr **nest)
{
	if (*nest)
		mnl_attr_nest_end(n->msg, *nest);
	*nest = NULL;
}

static void close_peer(struct wgnl *n)
{
	close_nest(n, &n->allowed);
	close_nest(n, &n->peer);
}

static void send_message(struct wgnl *n)
{
	int rc;

	close_peer(n);
	close_nest(n, &n->peers);
	rc = talk(n, n->msg, NULL, NULL);
	if (!n->error)
		n->error = rc;
}

static void open_peer(struct wgnl *n, uint32_t flags)
{
	if (!n->peers)
		n->peers = mnl_attr_nest_start(n->msg, WGDEVICE_A_PEERS);
	n->peer = mnl_attr_nest_start(n->msg, 0);
	mnl_attr_put(n->msg, WGPEER_A_PUBLIC_KEY, KEY_BYTES, n->key);
	if (flags)
		mnl_attr_put_u32(n->msg, WGPEER_A_FLAGS, flags);
}

/* Is there room for @size bytes more? If not, there is in the next message, in which the peer goes on. */
static void need(struct wgnl *n, size_t size)
{
	bool in_peer = n->peer;

	if (n->msg->nlmsg_len + size <= sizeof(n->buf))
		return;
	send_message(n);
	open_message(n);
	if (in_peer)
		open_peer(n, 0);
}

void wgnl_begin(struct wgnl *n, uint32_t ifindex)
{
	n->ifindex = ifindex;
	n->error = 0;
	n->peers = n->peer = n->allowed = NULL;
	open_message(n);
}

void wgnl_put_private_key(struct wgnl *n, const uint8_t key[KEY_BYTES])
{
	mnl_attr_put(n->msg, WGDEVICE_A_PRIVATE_KEY, KEY_BYTES, key);
}

void wgnl_put_listen_port(struct wgnl *n, uint16_t port)
{
	mnl_attr_put_u16(n->msg, WGDEVICE_A_LISTEN_PORT, port);
}

void wgnl_put_fwmark(struct wgnl *n, uint32_t mark)
{
	mnl_attr_put_u32(n->msg, WGDEVICE_A_FWMARK, mark);
}

static void begin_peer(struct wgnl *n, const uint8_t public_key[KEY_BYTES], uint32_t flags)
{
	close_peer(n);
	need(n, PEER_MAX);
	memcpy(n->key, public_key, KEY_BYTES);
	open_peer(n, flags);
}

void wgnl_put_peer(struct wgnl *n, const uint8_t public_key[KEY_BYTES])
{
	begin_peer(n, public_key, 0);
}

void wgnl_put_peer_removed(struct wgnl *n, const uint8_t public_key[KEY_BYTES])
{
	begin_peer(n, public_key, WGPEER_F_REMOVE_ME);
}

void wgnl_put_preshared_key(struct wgnl *n, const uint8_t key[KEY_BYTES])
{
	mnl_attr_put(n->msg, WGPEER_A_PRESHARED_KEY, KEY_BYTES, key);
}

void wgnl_put_endpoint(struct wgnl *n, const struct wgnl_endpoint *e)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(e->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };

	if (e->address.family == IP_V4) {
		memcpy(&in.sin_addr, e->address.b, sizeof(in.sin_addr));
		mnl_attr_put(n->msg, WGPEER_A_ENDPOINT, sizeof(in), &in);
	} else {
		memcpy(&in6.sin6_addr, e->address.b, sizeof(in6.sin6_addr));
		mnl_attr_put(n->msg, WGPEER_A_ENDPOINT, sizeof(in6), &in6);
	}
}

void wgnl_put_keepalive(struct wgnl *n, uint16_t seconds)
{
	mnl_attr_put_u16(n->msg, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, seconds);
}

void wgnl_put_allowed(struct wgnl *n, const struct prefix *p)
{
	struct nlattr *entry;

	need(n, ALLOWED_MAX);
	if (!n->allowed)
		n->allowed = mnl_attr_nest_start(n->msg, WGPEER_A_ALLOWEDIPS);
	entry = mnl_attr_nest_start(n->msg, 0);
	mnl_attr_put_u16(n->msg, WGALLOWEDIP_A_FAMILY, p->addr.family == IP_V4 ? AF_INET : AF_INET6);
	mnl_attr_put(n->msg, WGALLOWEDIP_A_IPADDR, ip_bytes(p->addr.family), p->addr.b);
	mnl_attr_put_u8(n->msg, WGALLOWEDIP_A_CIDR_MASK, p->len);
	mnl_attr_nest_end(n->msg, entry);
}

int wgnl_end(struct wgnl *n)
{
	send_message(n);
	return n->error;
}

void wgnl_cancel(struct wgnl *n)
{
	key_wipe(n->buf, sizeof(n->buf));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* tunnel_priv.h - a tunnel from inside, and the steps that mend one. Inside the tunnel folder only.
 *
 *   tunnel.c   the wanted set, when to mend, questions
 *   mend.c     one link from whatever it is to what the configuration says
 *   link.c     links and addresses as libnl has them; telling what was done
 *   mtu.c      how wide a tunnel may be       | address.c  the addresses of a link
 *   rule.c     policy rules for outer packets | fdb.c      where a VXLAN floods
 *   vxlan.c gre.c                             what each kind knows of itself (kind.h)
 *   wg.c wgnl.c key.c resolve.c               WireGuard: devices, messages, keys, endpoints by name
 *   wg_pulse.c                                who is there, by handshakes */
#ifndef MCBGP_TUNNEL_TUNNEL_PRIV_H
#define MCBGP_TUNNEL_TUNNEL_PRIV_H

#include "tunnel/kind.h"
#include "tunnel/tunnel.h"
#include "tunnel/wg.h"

struct tunnel {
	const struct conf_tunnel *conf;
	const struct tunnel_kind *kind;
	struct wg *wg; /* of a WireGuard device, otherwise NULL */
	char name[IFNAMSIZ];
	enum tunnel_state state;
	char error[256];      /* "" when none */
	uint32_t ifindex;     /* 0: no link */
	uint32_t mtu;         /* of the link, as last heard */
	int rp_filter_error;  /* told last; 0: none */
	bool known;           /* has been right once: later differences are somebody's doing */
	uint64_t due_us;      /* to be mended then; 0: no need */
	uint64_t repaired_us; /* last time that somebody's doing was undone */
	uint64_t since_us;    /* of the state */
};

struct tunnels {
	struct loop *loop;
	struct nl_sock *sock;
	struct loop_timer *timer;
	int (*sysctl_set)(const char *name, int value);
	tunnel_peer_fn on_peer; /* NULL: nobody asked */
	void *on_peer_ctx;
	int rp_filter; /* -1: left alone */
	struct tunnel *list;
	size_t n;
	bool adopting;         /* what WireGuard devices let through beyond what is known now is left alone */
	uint64_t mtu_due_us;   /* MTUs are to be computed again then; 0: no need */
	uint64_t rules_due_us; /* policy rules are to be mended then; 0: no need */
	uint64_t rules_repaired_us; /* last time that one was put back */
	bool rules_known;           /* have been right once: later differences are somebody's doing */
	int rules_error;            /* libnl's, told last; 0: none */
};

/* -- link.c ------------------------------------------------------------------------------------- */
void tunnel_set_state(struct tunnels *t, struct tunnel *u, enum tunnel_state state);
/** Named once, until it is another error. @return false, for the caller to pass on. */
__attribute__((format(printf, 3, 4))) bool tunnel_fail(struct tunnels *t, struct tunnel *u, const char *fmt,
                                                       ...);
/** @event happened to @what; of a tunnel that was right, it is somebody's doing. */
void tunnel_told(struct tunnel *u, const char *event, const char *what);
/** The link @name, or NULL. @return false when the kernel did not answer. */
bool tunnel_look(struct tunnels *t, const char *name, struct rtnl_link **out);
bool tunnel_is_ours(struct rtnl_link *l);
bool tunnel_is_kind(struct rtnl_link *l, const char *kind);
uint32_t tunnel_index_of(struct tunnels *t, const char *name); /* 0: none; @name may be NULL */
uint32_t tunnel_link_mtu(struct tunnels *t, uint32_t ifindex); /* 0: no such link */
/** @changes: a link that holds no more than what is to be changed; consumed. NULL: there was no memory. */
bool tunnel_change(struct tunnels *t, struct tunnel *u, struct rtnl_link *have, struct rtnl_link *changes,
                   const char *what);
bool tunnel_destroy(struct tunnels *t, struct rtnl_link *l); /* true also when it was gone */

/* -- mend.c ------------------------------------------------------------------------------------- */
void tunnel_mend(struct tunnels *t, struct tunnel *u);
const struct tunnel_kind *tunnel_kind_of(const struct conf_tunnel *c);
bool tunnel_is_of_a_kind(struct rtnl_link *l); /* one that mcbgpd makes */

/* -- mtu.c, address.c, fdb.c: @return false: it failed, and was told ------------------------------ */
bool tunnel_mend_mtu(struct tunnels *t, struct tunnel *u, struct rtnl_link *l);
bool tunnel_mend_addresses(struct tunnels *t, struct tunnel *u);
bool tunnel_address_wanted(const struct conf_tunnel *c, const struct ip *a, uint8_t len);
/** May stay: wanted, or the kernel's business. */
bool tunnel_address_right(const struct conf_tunnel *c, const struct ip *a, uint8_t len);
bool tunnel_mend_fdb(struct tunnels *t, struct tunnel *u);

/* -- rule.c ------------------------------------------------------------------------------------- */
/** Rules of ours are made, and those that no tunnel wants any more removed. */
void tunnels_mend_rules(struct tunnels *t);
void tunnels_remove_rules(struct tunnels *t);
bool tunnels_want_rules(const struct tunnels *t, uint8_t protocol);

#endif

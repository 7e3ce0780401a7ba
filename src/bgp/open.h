/* SPDX-License-Identifier: BSD-2-Clause */
/* open.h - OPEN, its capabilities, and what two of them negotiate (RFC 4271 4.2, 6.2; RFC 5492; RFC 9072).
 * Pure. */
#ifndef MCBGP_BGP_OPEN_H
#define MCBGP_BGP_OPEN_H

#include "bgp/nlri.h"
#include "bgp/notify.h"

enum bgp_role { /* RFC 9234 4.1: what the sender is to the receiver */
	        BGP_ROLE_PROVIDER = 0,
	        BGP_ROLE_RS = 1,
	        BGP_ROLE_RS_CLIENT = 2,
	        BGP_ROLE_CUSTOMER = 3,
	        BGP_ROLE_PEER = 4,
};

enum add_path {
	ADD_PATH_NONE = 0,
	ADD_PATH_RECEIVE = 1,
	ADD_PATH_SEND = 2,
	ADD_PATH_BOTH = 3
}; /* RFC 7911 4 values */

/** What one side offers. */
struct caps {
	uint32_t families;  /* FAM_BIT()s; a peer that names none means IPv4 unicast */
	bool multiprotocol; /* the capability was there at all */
	bool route_refresh, enhanced_refresh, as4, ext_message;
	uint32_t ext_next_hop;       /* FAM_BIT()s that may have an IPv6 next hop (RFC 8950) */
	uint8_t add_path[FAM_COUNT]; /* enum add_path */
	bool graceful_restart;       /* RFC 4724 */
	bool gr_restarting, gr_notification;
	uint16_t gr_time;                        /* seconds */
	uint32_t gr_families, gr_forwarding;     /* FAM_BIT()s; forwarding state kept */
	bool llgr;                               /* RFC 9494: knows what long-lived stale routes are */
	uint32_t llgr_families, llgr_forwarding; /* FAM_BIT()s; as above */
	uint32_t llgr_time[FAM_COUNT];           /* seconds, 24 bits; 0: not kept for long */
	bool role_set;
	uint8_t role;                /* RFC 9234 values, enum bgp_role */
	char fqdn[64], software[64]; /* printable; "" when not shown */
};

struct open {
	uint8_t version;
	uint32_t as;        /* the real one: from the AS4 capability when present */
	uint16_t hold_time; /* seconds; 0: none */
	uint32_t id;        /* host byte order */
	struct caps caps;
};

/** Decode the body of an OPEN. false: @why says with what NOTIFICATION the session ends. Unknown capabilities
 * are skipped; values that are ours to judge (AS, id, hold time) are judged by open_check(). */
bool open_decode(struct reader body, struct open *out, struct notify *why);
void open_encode(struct writer *w, const struct open *o); /* whole message */

/** RFC 5492 5: take away from @c what the peer refused with @n (OPEN error, unsupported capability or
 * optional parameter): the capabilities that it names, else all of them, which leaves IPv4 unicast. */
void caps_without(struct caps *c, const struct notify *n);
/** Whether @n asks for that. */
bool notify_refuses_caps(const struct notify *n);

/** What is expected of the peer. */
struct open_expect {
	uint32_t local_as, remote_as; /* remote_as 0: any */
	uint32_t local_id;
	const struct caps *caps; /* ours */
};
/** RFC 4271 6.2, RFC 6286, RFC 7607, RFC 9234: AS 0 or not the expected one, id 0 or (iBGP) our own, hold
 * time 1 or 2, roles that do not pair. false: @why is set. */
bool open_check(const struct open *o, const struct open_expect *x, struct notify *why);

/** What both sides may use. */
struct negotiated {
	bool ibgp, as4, route_refresh, enhanced_refresh, ext_message;
	bool long_lived; /* both know of long-lived stale routes (RFC 9494) */
	uint32_t families;
	uint32_t ext_next_hop;
	bool add_path_rx[FAM_COUNT], add_path_tx[FAM_COUNT];
	uint16_t hold_time; /* seconds; 0: no timers */
	uint16_t max_len;   /* of a message */
};
void open_negotiate(const struct open *ours, const struct open *theirs, struct negotiated *out);

#endif

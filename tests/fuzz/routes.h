/* SPDX-License-Identifier: BSD-2-Clause */
/* routes.h - prefixes and attributes that few bytes choose, so that a short input says much: prefixes that
 * lie in each other and cover next hops, next hops on the link, behind routes of the host and behind routes
 * of ours, paths with loops and sets, lists that outgrow a message. */
#ifndef TESTS_FUZZ_ROUTES_H
#define TESTS_FUZZ_ROUTES_H

#include "world.h"

static inline struct prefix some_prefix(uint8_t b)
{
	const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, b };
	/* one of four covers the next hops that lie behind routes of ours */
	struct ip a = b & 3 ? ip_v4(10u << 24 | (uint32_t)b << 16) : ip_v4(0xcb007100u);

	if (b < 0x80)
		return prefix_make(&a, b & 3 ? 16 + b % 16 : 20 + b % 13);
	a = ip_from_bytes(IP_V6, v6);
	return prefix_make(&a, b & 1 ? 48 : 64);
}

static inline void some_path(struct speaker *s, uint8_t b, struct writer *path)
{
	static const uint32_t others[] = { 65001, 65003, WORLD_AS, 4200000009 };
	uint32_t first = s->session.neg.ibgp ? 64999 : s->conf.remote_as;
	unsigned n = b & 3;

	if (b & 0x80)
		n += 1;
	if (!n)
		return;
	wr_u8(path, BGP_AS_SEQUENCE);
	wr_u8(path, (uint8_t)n);
	wr_u32(path, first);
	for (unsigned i = 1; i < n; i++)
		wr_u32(path, others[(b >> 2 & 3) + i < 4 ? (b >> 2 & 3) : 0]);
	if (!(b & 0x40))
		return;
	wr_u8(path, BGP_AS_SET);
	wr_u8(path, 1);
	wr_u32(path, 65010);
}

static inline struct ip some_next_hop(const struct speaker *s, enum family f, uint8_t b)
{
	static const uint32_t v4[] = { 0xc0000232u, 0xc6336401u, 0xcb007101u };
	const uint8_t v6[16] = { 0xfd, 0x99, [15] = (uint8_t)(2 + b % 8) };

	if (f == FAM_IPV6 || (b & 0x80 && s->session.neg.ext_next_hop))
		return ip_from_bytes(IP_V6, v6);
	return b % 4 ? ip_v4(v4[b % 4 - 1] + (b >> 2 & 3)) : s->conf.address;
}

/** What few bytes say of a route; blobs in @buf. */
static inline struct attrs some_attrs(struct speaker *s, enum family f, struct reader *r, uint8_t buf[128])
{
	static const uint32_t words[] = { 65000u << 16 | 1, BGP_COMM_NO_EXPORT, BGP_COMM_GRACEFUL_SHUTDOWN,
		                          BGP_COMM_NO_LLGR };
	static const uint8_t many[12 * 345];
	uint8_t path = rd_u8(r), next_hop = rd_u8(r), more = rd_u8(r);
	struct writer w = wr_init(buf, 128);
	struct attrs a = { .present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) |
		                      ATTR_BIT(BGP_ATTR_NEXT_HOP),
		           .origin = more % 3 };

	some_path(s, path, &w);
	a.as_path = (struct blob){ buf, (uint32_t)(w.p - buf) };
	a.next_hop = some_next_hop(s, f, next_hop);
	if (s->session.neg.ibgp) {
		a.present |= ATTR_BIT(BGP_ATTR_LOCAL_PREF);
		a.local_pref = more & 4 ? 100 : 50 + path;
	}
	if (more & 8) {
		a.present |= ATTR_BIT(BGP_ATTR_MED);
		a.med = more >> 6;
	}
	if (more & 16) {
		a.present |= ATTR_BIT(BGP_ATTR_COMMUNITIES);
		a.communities = (struct blob){ w.p, 4 };
		wr_u32(&w, words[more >> 6]);
	}
	if (path & 32 && s->session.neg.ext_message) { /* more than fits the message of those who lack that */
		a.present |= ATTR_BIT(BGP_ATTR_LARGE_COMMUNITIES);
		a.large_communities = (struct blob){ many, sizeof(many) };
	}
	if (more & 32 && s->session.neg.ibgp) {
		a.present |= ATTR_BIT(BGP_ATTR_ORIGINATOR_ID) | ATTR_BIT(BGP_ATTR_CLUSTER_LIST);
		a.originator_id = 1 + more / 64;
		a.cluster_list = (struct blob){ w.p, 4 };
		wr_u32(&w, 1 + path % 4);
	} else if (more & 32) {
		a.present |= ATTR_BIT(BGP_ATTR_OTC);
		a.otc = more & 64 ? s->conf.remote_as : 65010;
	}
	return a;
}

#endif

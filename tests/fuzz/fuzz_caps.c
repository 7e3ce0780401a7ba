/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities one by one: the input is a list of them (code, length, value) that is put into an OPEN with
 * every length right, in the classic form or RFC 9072's, one parameter for all or one each. Properties: the
 * form does not matter; what we accept, we encode to something we decode the same; what two of them negotiate
 * is offered by both, whoever looks; what a peer refuses is no longer offered. */
#include <assert.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/open.h"
#include "mcbgp/bgp.h"

#define HEAD_LEN  10 /* of an OPEN's body, with the length of the parameters */
#define PARAMETER 2
#define CAPS_MAX  1000
#define MOST      253 /* bytes of a capability, for a parameter of its own */
#define EXTENDED  255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/** Write the capabilities at @data[@len], each cut to what is there; one that is cut ends the list. */
static void put_caps(struct writer *w, const uint8_t *data, size_t len, bool one_each, bool extended)
{
	struct reader r = rd_init(data, len);

	while (rd_left(&r) >= 2) {
		uint8_t code = rd_u8(&r), n = rd_u8(&r);

		n = n < rd_left(&r) ? n : (uint8_t)rd_left(&r);
		n = n < MOST ? n : MOST;
		if (one_each) {
			wr_u8(w, PARAMETER);
			if (extended)
				wr_u16(w, n + 2u);
			else
				wr_u8(w, (uint8_t)(n + 2));
		}
		wr_u8(w, code);
		wr_u8(w, n);
		wr_bytes(w, rd_take(&r, n), n);
	}
}

/** The body of an OPEN. @return its bytes, 0 when this form has no room for the capabilities. */
static size_t make_body(uint8_t *buf, size_t size, const uint8_t *data, size_t len, bool one_each,
                        bool extended)
{
	uint8_t caps[2 * CAPS_MAX];
	struct writer inner = wr_init(caps, sizeof(caps)), w = wr_init(buf, size);
	size_t n, head = one_each ? 0 : extended ? 3 : 2;

	put_caps(&inner, data, len, one_each, extended);
	n = (size_t)(inner.p - caps);
	assert(!inner.bad);
	if (!extended && n + head > 254)
		return 0;
	wr_bytes(&w, (const uint8_t[]){ BGP_VERSION, 0xfd, 0xe9, 0, 90, 10, 0, 0, 2 }, HEAD_LEN - 1);
	if (extended) {
		wr_bytes(&w, (const uint8_t[]){ EXTENDED, EXTENDED }, 2);
		wr_u16(&w, (uint16_t)(n + head));
	} else {
		wr_u8(&w, (uint8_t)(n + head));
	}
	if (!one_each) {
		wr_u8(&w, PARAMETER);
		if (extended)
			wr_u16(&w, (uint16_t)n);
		else
			wr_u8(&w, (uint8_t)n);
	}
	wr_bytes(&w, caps, n);
	assert(!w.bad);
	return (size_t)(w.p - buf);
}

static void check_round_trip(const struct open *a)
{
	uint8_t wire[BGP_MAX_LEN];
	struct writer w = wr_init(wire, sizeof(wire));
	struct open b;
	struct notify why;
	struct reader r;
	struct frame f;

	open_encode(&w, a);
	assert(!w.bad);
	r = rd_init(wire, (size_t)(w.p - wire));
	assert(frame_next(&r, BGP_MAX_LEN, &f, &why) == FRAME_OK);
	assert(open_decode(f.body, &b, &why));
	if (!a->caps.gr_families) /* what we write names the families that we have */
		assert(!b.caps.gr_forwarding);
	assert(a->as == b.as && a->id == b.id && a->hold_time == b.hold_time);
	/* who names other families alone has none for us; we never write such an OPEN */
	assert(!a->caps.families || a->caps.families == b.caps.families);
	assert(a->caps.role_set == b.caps.role_set);
	assert(a->caps.gr_families == b.caps.gr_families && a->caps.gr_forwarding == b.caps.gr_forwarding);
	assert(!memcmp(a->caps.add_path, b.caps.add_path, sizeof(a->caps.add_path)));
	assert(!memcmp(a->caps.llgr_time, b.caps.llgr_time, sizeof(a->caps.llgr_time)));
	assert(!strcmp(a->caps.fqdn, b.caps.fqdn) && !strcmp(a->caps.software, b.caps.software));
}

static void check_negotiation(const struct open *theirs)
{
	struct open ours = { .version = BGP_VERSION, .as = 65001, .hold_time = 30, .id = 1 };
	struct negotiated n, m;

	ours.caps = (struct caps){ .families = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6),
		                   .multiprotocol = true,
		                   .as4 = true,
		                   .ext_message = true,
		                   .ext_next_hop = FAM_BIT(FAM_IPV4),
		                   .add_path = { ADD_PATH_BOTH, ADD_PATH_RECEIVE } };
	open_negotiate(&ours, theirs, &n);
	open_negotiate(theirs, &ours, &m);
	assert(n.families == m.families && n.as4 == m.as4 && n.max_len == m.max_len);
	assert(n.hold_time == m.hold_time && n.ext_next_hop == m.ext_next_hop && n.ibgp == m.ibgp);
	assert(!(n.families & ~theirs->caps.families) && !(n.families & ~ours.caps.families));
	for (enum family f = 0; f < FAM_COUNT; f++)
		assert(n.add_path_tx[f] == m.add_path_rx[f] && n.add_path_rx[f] == m.add_path_tx[f]);
}

static void check_refused(const struct open *o, const uint8_t *data, size_t len)
{
	struct caps c = o->caps;
	struct notify n;

	notify_set(&n, BGP_ERR_OPEN, BGP_OPEN_BAD_CAPABILITY, data, len);
	assert(notify_refuses_caps(&n));
	caps_without(&c, &n);
	assert(!(c.families & ~(o->caps.families | FAM_BIT(FAM_IPV4))));
	assert(!c.as4 || o->caps.as4);
	assert(!c.graceful_restart || o->caps.graceful_restart);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t body[BGP_MAX_LEN];
	struct open first, o;
	bool seen = false, accepted = false;
	struct notify why;

	if (len > CAPS_MAX / 2)
		return 0;
	for (unsigned form = 0; form < 4; form++) {
		size_t n = make_body(body, sizeof(body), data, len, form & 1, form & 2);
		bool ok;

		if (!n)
			continue;
		memset(&o, 0, sizeof(o));
		ok = open_decode(rd_init(body, n), &o, &why);
		assert(!seen || ok == accepted);
		assert(!seen || !ok || !memcmp(&o, &first, sizeof(o)));
		first = o;
		accepted = ok;
		seen = true;
	}
	if (!accepted)
		return 0;
	check_round_trip(&o);
	check_negotiation(&o);
	check_refused(&o, data, len);
	return 0;
}

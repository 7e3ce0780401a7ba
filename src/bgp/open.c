/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: OPEN and capabilities
 *
 * A capability is a row of a table: code, how its value is read, how ours is written. Unknown ones are
 * skipped (RFC 5492 3); one that breaks its own format makes the OPEN malformed, since what the peer meant to
 * agree on is then unknown - but for the two that are only shown to people (FQDN, software version), which
 * are left out. Reading, judging and negotiating are three functions, so that what the peer said can be shown
 * whatever became of it.
 *
 * RFC 4271 4.2, 6.2; RFC 5492, 9072, 4760, 2918, 8950, 8654, 9234, 4724, 8538, 6793, 7911, 7313, 9494, 6286,
 * 7607. */
#include "bgp/open.h"

#include <assert.h>
#include <string.h>

#include "bgp/frame.h"
#include "mcbgp/bgp.h"

#define GR_RESTARTING   0x8000 /* RFC 4724 3: flags and time share 16 bits */
#define GR_NOTIFICATION 0x4000 /* RFC 8538 2 */
#define GR_TIME         0x0fff
#define GR_FORWARDING   0x80
#define LLGR_TIME       0x00ffffffu

struct cap_ops {
	uint8_t code;
	/** Read one value into @o; false: malformed. What is not ours to speak is skipped. */
	bool (*decode)(struct reader *r, struct open *o);
	/** Write the value of ours; the caller wrote code and length. @return false: not offered. */
	bool (*encode)(struct writer *w, const struct open *o);
};

/* ---- values ---- */

/** AFI and SAFI as two and one bytes (RFC 4724, RFC 7911, RFC 9494). */
static enum family rd_family(struct reader *r)
{
	uint16_t afi = rd_u16(r);

	return family_from_wire(afi, rd_u8(r));
}

static void wr_family(struct writer *w, enum family f)
{
	wr_u16(w, family_afi(f));
	wr_u8(w, BGP_SAFI_UNICAST);
}

static bool nothing_decode(const struct reader *r, bool *flag)
{
	*flag = true;
	return rd_left(r) == 0;
}

static bool multiprotocol_decode(struct reader *r, struct open *o)
{
	uint16_t afi = rd_u16(r);
	enum family f;

	rd_u8(r); /* reserved */
	f = family_from_wire(afi, rd_u8(r));
	o->caps.multiprotocol = true;
	if (f < FAM_COUNT)
		o->caps.families |= FAM_BIT(f);
	return true;
}

static bool refresh_decode_cap(struct reader *r, struct open *o)
{
	return nothing_decode(r, &o->caps.route_refresh);
}

static bool refresh_encode_cap(struct writer *w, const struct open *o)
{
	(void)w;
	return o->caps.route_refresh;
}

static bool ext_next_hop_decode(struct reader *r, struct open *o)
{
	while (rd_left(r)) {
		uint16_t afi = rd_u16(r), safi = rd_u16(r), next_hop_afi = rd_u16(r);
		enum family f = safi <= UINT8_MAX ? family_from_wire(afi, (uint8_t)safi) : FAM_COUNT;

		if (f < FAM_COUNT && next_hop_afi == BGP_AFI_IPV6 && !r->bad)
			o->caps.ext_next_hop |= FAM_BIT(f);
	}
	return true;
}

static bool ext_next_hop_encode(struct writer *w, const struct open *o)
{
	for (enum family f = 0; f < FAM_COUNT; f++) {
		if (!(o->caps.ext_next_hop & FAM_BIT(f)))
			continue;
		wr_u16(w, family_afi(f));
		wr_u16(w, BGP_SAFI_UNICAST);
		wr_u16(w, BGP_AFI_IPV6);
	}
	return o->caps.ext_next_hop != 0;
}

static bool ext_message_decode(struct reader *r, struct open *o)
{
	return nothing_decode(r, &o->caps.ext_message);
}

static bool ext_message_encode(struct writer *w, const struct open *o)
{
	(void)w;
	return o->caps.ext_message;
}

/** Several roles: open_decode() wants them equal (RFC 9234 4.2), so an unequal one becomes one that nothing
 * pairs with. */
static bool role_decode(struct reader *r, struct open *o)
{
	uint8_t role = rd_u8(r);

	o->caps.role = o->caps.role_set && role != o->caps.role ? UINT8_MAX : role;
	o->caps.role_set = true;
	return true;
}

static bool role_encode(struct writer *w, const struct open *o)
{
	if (o->caps.role_set)
		wr_u8(w, o->caps.role);
	return o->caps.role_set;
}

static bool gr_decode(struct reader *r, struct open *o)
{
	struct caps *c = &o->caps;
	uint16_t head = rd_u16(r);

	c->graceful_restart = true;
	c->gr_restarting = head & GR_RESTARTING;
	c->gr_notification = head & GR_NOTIFICATION;
	c->gr_time = head & GR_TIME;
	c->gr_families = c->gr_forwarding = 0; /* RFC 4724 3: the last one counts */
	while (rd_left(r)) {
		enum family f = rd_family(r);
		uint8_t flags = rd_u8(r);

		if (f == FAM_COUNT || r->bad)
			continue;
		c->gr_families |= FAM_BIT(f);
		if (flags & GR_FORWARDING)
			c->gr_forwarding |= FAM_BIT(f);
	}
	return true;
}

static bool gr_encode(struct writer *w, const struct open *o)
{
	const struct caps *c = &o->caps;
	uint16_t head = c->gr_time & GR_TIME;

	if (!c->graceful_restart)
		return false;
	if (c->gr_restarting)
		head |= GR_RESTARTING;
	if (c->gr_notification)
		head |= GR_NOTIFICATION;
	wr_u16(w, head);
	for (enum family f = 0; f < FAM_COUNT; f++) {
		if (!(c->gr_families & FAM_BIT(f)))
			continue;
		wr_family(w, f);
		wr_u8(w, c->gr_forwarding & FAM_BIT(f) ? GR_FORWARDING : 0);
	}
	return true;
}

/** RFC 7607: AS 0 in either place is no AS at all. */
static bool as4_decode(struct reader *r, struct open *o)
{
	uint32_t as = rd_u32(r);

	o->caps.as4 = true;
	if (o->as)
		o->as = as;
	return true;
}

static bool as4_encode(struct writer *w, const struct open *o)
{
	if (o->caps.as4)
		wr_u32(w, o->as);
	return o->caps.as4;
}

static bool add_path_decode(struct reader *r, struct open *o)
{
	while (rd_left(r)) {
		enum family f = rd_family(r);
		uint8_t mode = rd_u8(r);

		if (f < FAM_COUNT && mode >= ADD_PATH_RECEIVE && mode <= ADD_PATH_BOTH && !r->bad)
			o->caps.add_path[f] = mode;
	}
	return true;
}

static bool add_path_encode(struct writer *w, const struct open *o)
{
	bool any = false;

	for (enum family f = 0; f < FAM_COUNT; f++) {
		if (!o->caps.add_path[f])
			continue;
		wr_family(w, f);
		wr_u8(w, o->caps.add_path[f]);
		any = true;
	}
	return any;
}

static bool enhanced_refresh_decode(struct reader *r, struct open *o)
{
	return nothing_decode(r, &o->caps.enhanced_refresh);
}

static bool enhanced_refresh_encode(struct writer *w, const struct open *o)
{
	(void)w;
	return o->caps.enhanced_refresh;
}

static bool llgr_decode(struct reader *r, struct open *o)
{
	o->caps.llgr = true;
	while (rd_left(r)) {
		enum family f = rd_family(r);
		uint32_t flags_time = rd_u32(r);

		if (f < FAM_COUNT && !r->bad)
			o->caps.llgr_time[f] = flags_time & LLGR_TIME;
	}
	return true;
}

static bool llgr_encode(struct writer *w, const struct open *o)
{
	for (enum family f = 0; o->caps.llgr && f < FAM_COUNT; f++) {
		if (!o->caps.llgr_time[f])
			continue;
		wr_family(w, f);
		wr_u32(w, o->caps.llgr_time[f] & LLGR_TIME);
	}
	return o->caps.llgr;
}

/** Append @n bytes a peer sent to the text @out of @size, printable ASCII kept, the rest as '?'. */
static void text_append(char *out, size_t size, struct reader r)
{
	size_t at = strlen(out);

	while (rd_left(&r) && at + 1 < size) {
		uint8_t ch = rd_u8(&r);

		out[at++] = ch > ' ' && ch < 0x7f ? (char)ch : '?';
	}
	out[at] = '\0';
}

static void text_encode(struct writer *w, const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	wr_u8(w, (uint8_t)n);
	wr_bytes(w, text, n);
}

static bool fqdn_decode(struct reader *r, struct open *o)
{
	struct reader host = rd_sub(r, rd_u8(r)), domain = rd_sub(r, rd_u8(r));

	memset(o->caps.fqdn, 0, sizeof(o->caps.fqdn));
	if (!r->bad) {
		text_append(o->caps.fqdn, sizeof(o->caps.fqdn), host);
		if (rd_left(&domain)) {
			text_append(o->caps.fqdn, sizeof(o->caps.fqdn), rd_init((const uint8_t *)".", 1));
			text_append(o->caps.fqdn, sizeof(o->caps.fqdn), domain);
		}
	}
	*r = rd_init(NULL, 0);
	return true;
}

static bool fqdn_encode(struct writer *w, const struct open *o)
{
	if (!o->caps.fqdn[0])
		return false;
	text_encode(w, o->caps.fqdn, sizeof(o->caps.fqdn));
	wr_u8(w, 0); /* the domain is in the name */
	return true;
}

static bool software_decode(struct reader *r, struct open *o)
{
	memset(o->caps.software, 0, sizeof(o->caps.software));
	text_append(o->caps.software, sizeof(o->caps.software), rd_sub(r, rd_u8(r)));
	*r = rd_init(NULL, 0);
	return true;
}

static bool software_encode(struct writer *w, const struct open *o)
{
	if (!o->caps.software[0])
		return false;
	text_encode(w, o->caps.software, sizeof(o->caps.software));
	return true;
}

/* ---- the table, in the order in which ours are sent; multiprotocol goes first, once a family ---- */

static const struct cap_ops ops[] = {
	{ BGP_CAP_MULTIPROTOCOL, multiprotocol_decode, NULL },
	{ BGP_CAP_ROUTE_REFRESH, refresh_decode_cap, refresh_encode_cap },
	{ BGP_CAP_ROUTE_REFRESH_CISCO, refresh_decode_cap, NULL },
	{ BGP_CAP_EXT_NEXT_HOP, ext_next_hop_decode, ext_next_hop_encode },
	{ BGP_CAP_EXT_MESSAGE, ext_message_decode, ext_message_encode },
	{ BGP_CAP_ROLE, role_decode, role_encode },
	{ BGP_CAP_GRACEFUL_RESTART, gr_decode, gr_encode },
	{ BGP_CAP_AS4, as4_decode, as4_encode },
	{ BGP_CAP_ADD_PATH, add_path_decode, add_path_encode },
	{ BGP_CAP_ENHANCED_REFRESH, enhanced_refresh_decode, enhanced_refresh_encode },
	{ BGP_CAP_LLGR, llgr_decode, llgr_encode },
	{ BGP_CAP_FQDN, fqdn_decode, fqdn_encode },
	{ BGP_CAP_SOFTWARE, software_decode, software_encode },
};
#define OPS (sizeof(ops) / sizeof(ops[0]))

static const struct cap_ops *cap_find(uint8_t code)
{
	for (size_t i = 0; i < OPS; i++)
		if (ops[i].code == code)
			return &ops[i];
	return NULL;
}

/* ---- decoding ---- */

static bool fail(struct notify *why, uint8_t subcode)
{
	notify_set(why, BGP_ERR_OPEN, subcode, NULL, 0);
	return false;
}

/** The capabilities of one parameter. @return false: malformed. */
static bool caps_decode(struct reader r, struct open *o)
{
	while (rd_left(&r)) {
		const struct cap_ops *cap = cap_find(rd_u8(&r));
		struct reader value = rd_sub(&r, rd_u8(&r));

		if (r.bad)
			return false;
		if (cap && (!cap->decode(&value, o) || value.bad || rd_left(&value)))
			return false;
	}
	return true;
}

/** RFC 4760 8: who does not name families speaks IPv4 unicast. */
static uint32_t families_of(const struct caps *c)
{
	return c->multiprotocol ? c->families : FAM_BIT(FAM_IPV4);
}

/** The optional parameters that make up the rest of an OPEN. @extended: their lengths have two bytes (RFC
 * 9072 2). */
static bool parameters_decode(struct reader r, bool extended, struct open *o, struct notify *why)
{
	while (rd_left(&r)) {
		uint8_t type = rd_u8(&r);
		struct reader value = rd_sub(&r, extended ? rd_u16(&r) : rd_u8(&r));

		if (r.bad)
			return fail(why, 0);
		if (type != BGP_OPT_CAPABILITIES)
			return fail(why, BGP_OPEN_BAD_PARAMETER);
		if (!caps_decode(value, o))
			return fail(why, 0);
	}
	return true;
}

/** Find the parameters behind their length field, in either form. @return false: the lengths do not add up.
 */
static bool parameters_find(struct reader *body, struct reader *params, bool *extended)
{
	uint8_t len = rd_u8(body);

	*extended = len && rd_left(body) && body->p[0] == BGP_OPT_EXTENDED;
	if (*extended) {
		rd_u8(body);
		*params = rd_sub(body, rd_u16(body));
	} else {
		*params = rd_sub(body, len);
	}
	return !body->bad && rd_left(body) == 0;
}

bool open_decode(struct reader body, struct open *out, struct notify *why)
{
	static const uint8_t our_version[2] = { 0, BGP_VERSION };
	struct reader params;
	bool extended;

	memset(out, 0, sizeof(*out));
	out->version = rd_u8(&body);
	if (!body.bad && out->version != BGP_VERSION) {
		notify_set(why, BGP_ERR_OPEN, BGP_OPEN_BAD_VERSION, our_version, sizeof(our_version));
		return false;
	}
	out->as = rd_u16(&body);
	out->hold_time = rd_u16(&body);
	out->id = rd_u32(&body);
	if (!parameters_find(&body, &params, &extended))
		return fail(why, 0);
	if (!parameters_decode(params, extended, out, why))
		return false;
	out->caps.families = families_of(&out->caps);
	return true;
}

/* ---- encoding ---- */

static void cap_encode(struct writer *w, const struct cap_ops *cap, const struct open *o)
{
	struct writer before = *w;
	uint8_t *head = wr_skip(w, 2);

	if (!cap->encode(w, o)) {
		*w = before;
		return;
	}
	if (w->bad)
		return;
	head[0] = cap->code;
	head[1] = (uint8_t)(w->p - head - 2);
}

static void caps_encode(struct writer *w, const struct open *o)
{
	for (enum family f = 0; o->caps.multiprotocol && f < FAM_COUNT; f++) {
		if (!(o->caps.families & FAM_BIT(f)))
			continue;
		wr_u8(w, BGP_CAP_MULTIPROTOCOL);
		wr_u8(w, 4);
		wr_u16(w, family_afi(f));
		wr_u8(w, 0);
		wr_u8(w, BGP_SAFI_UNICAST);
	}
	for (size_t i = 0; i < OPS; i++)
		if (ops[i].encode)
			cap_encode(w, &ops[i], o);
}

/** One parameter with all capabilities: with all we know it stays below 255 bytes, so RFC 9072's form is
 * never needed. */
void open_encode(struct writer *w, const struct open *o)
{
	uint8_t caps[UINT8_MAX - 2];
	struct writer cw = wr_init(caps, sizeof(caps));
	uint8_t *begin = frame_begin(w, BGP_MSG_OPEN);
	size_t len;

	caps_encode(&cw, o);
	assert(!cw.bad);
	len = (size_t)(cw.p - caps);

	wr_u8(w, BGP_VERSION);
	wr_u16(w, o->as <= UINT16_MAX ? (uint16_t)o->as : BGP_AS_TRANS);
	wr_u16(w, o->hold_time);
	wr_u32(w, o->id);
	wr_u8(w, (uint8_t)(len ? len + 2 : 0));
	if (len) {
		wr_u8(w, BGP_OPT_CAPABILITIES);
		wr_u8(w, (uint8_t)len);
		wr_bytes(w, caps, len);
	}
	if (begin)
		frame_end(w, begin);
}

/* ---- what the peer does not want ---- */

bool notify_refuses_caps(const struct notify *n)
{
	return n->code == BGP_ERR_OPEN &&
	       (n->subcode == BGP_OPEN_BAD_CAPABILITY || n->subcode == BGP_OPEN_BAD_PARAMETER);
}

/** @return whether @code is one that we can do without. */
static bool cap_drop(struct caps *c, uint8_t code)
{
	switch (code) {
	case BGP_CAP_ROUTE_REFRESH:
	case BGP_CAP_ROUTE_REFRESH_CISCO:
		c->route_refresh = false;
		return true;
	case BGP_CAP_EXT_NEXT_HOP:
		c->ext_next_hop = 0;
		return true;
	case BGP_CAP_EXT_MESSAGE:
		c->ext_message = false;
		return true;
	case BGP_CAP_ROLE:
		c->role_set = false;
		return true;
	case BGP_CAP_GRACEFUL_RESTART:
		c->graceful_restart = false;
		return true;
	case BGP_CAP_AS4:
		c->as4 = false;
		return true;
	case BGP_CAP_ADD_PATH:
		memset(c->add_path, 0, sizeof(c->add_path));
		return true;
	case BGP_CAP_ENHANCED_REFRESH:
		c->enhanced_refresh = false;
		return true;
	case BGP_CAP_LLGR:
		c->llgr = false;
		return true;
	default:
		return false;
	}
}

void caps_without(struct caps *c, const struct notify *n)
{
	struct reader r = rd_init(n->data, n->data_len);
	bool any = false;

	while (n->subcode == BGP_OPEN_BAD_CAPABILITY && rd_left(&r)) {
		uint8_t code = rd_u8(&r);

		rd_sub(&r, rd_u8(&r));
		any |= !r.bad && cap_drop(c, code);
	}
	if (!any)
		*c = (struct caps){ .families = FAM_BIT(FAM_IPV4) };
}

/* ---- judging and negotiating ---- */

/** RFC 9234 4.2: the pairs that make sense. */
static bool roles_pair(uint8_t ours, uint8_t theirs)
{
	static const uint8_t partner[] = {
		[BGP_ROLE_PROVIDER] = BGP_ROLE_CUSTOMER, [BGP_ROLE_RS] = BGP_ROLE_RS_CLIENT,
		[BGP_ROLE_RS_CLIENT] = BGP_ROLE_RS,      [BGP_ROLE_CUSTOMER] = BGP_ROLE_PROVIDER,
		[BGP_ROLE_PEER] = BGP_ROLE_PEER,
	};

	return ours < sizeof(partner) && partner[ours] == theirs;
}

bool open_check(const struct open *o, const struct open_expect *x, struct notify *why)
{
	bool ibgp = o->as == x->local_as;

	if (!o->as || (x->remote_as && o->as != x->remote_as))
		return fail(why, BGP_OPEN_BAD_PEER_AS);
	if (!o->id || (ibgp && o->id == x->local_id))
		return fail(why, BGP_OPEN_BAD_ID);
	if (o->hold_time && o->hold_time < BGP_MIN_HOLD_TIME)
		return fail(why, BGP_OPEN_BAD_HOLD_TIME);
	if (!ibgp && x->caps->role_set && o->caps.role_set && !roles_pair(x->caps->role, o->caps.role))
		return fail(why, BGP_OPEN_ROLE_MISMATCH);
	return true;
}

void open_negotiate(const struct open *ours, const struct open *theirs, struct negotiated *out)
{
	const struct caps *a = &ours->caps, *b = &theirs->caps;

	*out = (struct negotiated){
		.ibgp = ours->as == theirs->as,
		.as4 = a->as4 && b->as4,
		.route_refresh = a->route_refresh && b->route_refresh,
		.enhanced_refresh = a->enhanced_refresh && b->enhanced_refresh,
		.ext_message = a->ext_message && b->ext_message,
		.families = families_of(a) & families_of(b),
		.ext_next_hop = a->ext_next_hop & b->ext_next_hop,
		.hold_time = ours->hold_time < theirs->hold_time ? ours->hold_time : theirs->hold_time,
	};
	out->max_len = out->ext_message ? BGP_MAX_LEN_EXT : BGP_MAX_LEN;
	for (enum family f = 0; f < FAM_COUNT; f++) {
		bool spoken = out->families & FAM_BIT(f);

		out->add_path_rx[f] =
		        spoken && a->add_path[f] & ADD_PATH_RECEIVE && b->add_path[f] & ADD_PATH_SEND;
		out->add_path_tx[f] =
		        spoken && a->add_path[f] & ADD_PATH_SEND && b->add_path[f] & ADD_PATH_RECEIVE;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: capabilities
 *
 * A capability is a row of a table: code, how its value is read, how ours is written. Unknown ones are
 * skipped (RFC 5492 3); one that breaks its own format makes the OPEN malformed, since what the peer meant to
 * agree on is then unknown - but for the two that are only shown to people (FQDN, software version), which
 * are left out.
 *
 * RFC 5492, 4760, 2918, 8950, 8654, 9234, 4724, 8538, 6793, 7911, 7313, 9494, 7607;
 * draft-walton-bgp-hostname-capability, draft-abraitis-bgp-version-capability. */
#include "bgp/capability.h"

#include <assert.h>
#include <string.h>

#include "mcbgp/bgp.h"

#define GR_RESTARTING   0x8000 /* RFC 4724 3: flags and time share 16 bits */
#define GR_NOTIFICATION 0x4000 /* RFC 8538 2 */
#define GR_TIME         0x0fff
#define GR_FORWARDING   0x80
#define LLGR_FORWARDING UINT32_C(0x80000000) /* RFC 9494 3.1: flags and time share 32 bits */
#define LLGR_TIME       UINT32_C(0x00ffffff)

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

void caps_drop_long_lived(struct caps *c)
{
	c->llgr = false;
	c->llgr_families = c->llgr_forwarding = 0;
	memset(c->llgr_time, 0, sizeof(c->llgr_time));
}

static bool llgr_decode(struct reader *r, struct open *o)
{
	struct caps *c = &o->caps;

	caps_drop_long_lived(c); /* as of graceful restart, the last one counts */
	c->llgr = true;
	while (rd_left(r)) {
		enum family f = rd_family(r);
		uint32_t flags_time = rd_u32(r);

		if (f == FAM_COUNT || r->bad)
			continue;
		c->llgr_families |= FAM_BIT(f);
		c->llgr_time[f] = flags_time & LLGR_TIME;
		if (flags_time & LLGR_FORWARDING)
			c->llgr_forwarding |= FAM_BIT(f);
		else
			c->llgr_forwarding &= ~FAM_BIT(f);
	}
	return true;
}

static bool llgr_encode(struct writer *w, const struct open *o)
{
	const struct caps *c = &o->caps;

	for (enum family f = 0; c->llgr && f < FAM_COUNT; f++) {
		if (!(c->llgr_families & FAM_BIT(f)))
			continue;
		wr_family(w, f);
		wr_u32(w, (c->llgr_time[f] & LLGR_TIME) |
		                  (c->llgr_forwarding & FAM_BIT(f) ? LLGR_FORWARDING : 0));
	}
	return c->llgr;
}

/** Append what a peer sent to the text @out of @size: printable ASCII kept, blanks within it too, the rest as
 * '?'. */
static void text_append(char *out, size_t size, struct reader r)
{
	size_t at = strlen(out);

	while (rd_left(&r) && at + 1 < size) {
		uint8_t ch = rd_u8(&r);

		out[at++] = ch >= ' ' && ch < 0x7f ? (char)ch : '?';
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

/* ---- all of them ---- */

/** The capabilities of one parameter. @return false: malformed. */
bool caps_decode(struct reader r, struct open *o)
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

void caps_encode(struct writer *w, const struct open *o)
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
		caps_drop_long_lived(c);
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
		caps_drop_long_lived(c);
		return true;
	case BGP_CAP_FQDN:
		c->fqdn[0] = '\0';
		return true;
	case BGP_CAP_SOFTWARE:
		c->software[0] = '\0';
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

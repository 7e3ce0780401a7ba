/* SPDX-License-Identifier: BSD-2-Clause */
/* community_text.c - communities as operators write and read them: the notations of the configuration and of
 * BIRD's answers. */
#include <assert.h>

#include "bgp/community_priv.h"
#include "lib/text.h"
#include "lib/writer.h"
#include "mcbgp/bgp.h"

#define BANDWIDTH_MAX (UINT64_C(1) << 62) /* bytes a second that have a notation */

static const struct well_known {
	const char *name;
	uint32_t value;
} well_known[] = {
	{ "graceful-shutdown", BGP_COMM_GRACEFUL_SHUTDOWN },
	{ "llgr-stale", BGP_COMM_LLGR_STALE },
	{ "no-llgr", BGP_COMM_NO_LLGR },
	{ "blackhole", BGP_COMM_BLACKHOLE },
	{ "no-export", BGP_COMM_NO_EXPORT },
	{ "no-advertise", BGP_COMM_NO_ADVERTISE },
	{ "no-export-subconfed", BGP_COMM_NO_EXPORT_SUBCONFED },
	{ "no-peer", BGP_COMM_NO_PEER },
};

/* ---- link bandwidth: an IEEE 754 single under an integer's name ------------------------------- */

static uint32_t bandwidth_to_wire(uint64_t bytes)
{
	float f = (float)bytes;
	uint32_t bits;

	static_assert(sizeof(f) == sizeof(bits), "float is an IEEE 754 single");
	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

/* The roundest number that means the same bits as @bytes does: what was written as 12500000000 is read as
 * that again, though a single cannot hold it. */
static uint64_t roundest(uint64_t bytes, uint32_t bits)
{
	for (uint64_t unit = UINT64_C(1000000000000000); unit > 1; unit /= 10) {
		uint64_t rounded = (bytes + unit / 2) / unit * unit;

		if (rounded <= BANDWIDTH_MAX && bandwidth_to_wire(rounded) == bits)
			return rounded;
	}
	return bytes;
}

/* @return false: negative, fractional, too large, or no number: no integer can say it. */
static bool bandwidth_from_wire(uint32_t bits, uint64_t *bytes)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	if (!(f >= 0 && f <= (float)BANDWIDTH_MAX) || bandwidth_to_wire((uint64_t)f) != bits)
		return false;
	*bytes = roundest((uint64_t)f, bits);
	return true;
}

/* ---- parsing ---------------------------------------------------------------------------------- */

/* A cursor over what an operator wrote. */
struct scan {
	const char *p;
};

static bool scan_char(struct scan *s, char c)
{
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

static bool scan_word(struct scan *s, const char *w)
{
	size_t n = strlen(w);

	if (strncmp(s->p, w, n) != 0)
		return false;
	s->p += n;
	return true;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool scan_number(struct scan *s, unsigned base, uint64_t max, uint64_t *out)
{
	const char *begin = s->p;
	uint64_t v = 0;

	for (unsigned d; (d = (unsigned)digit_value(*s->p)) < base; s->p++) {
		if (d > max || v > (max - d) / base)
			return false;
		v = v * base + d;
	}
	*out = v;
	return s->p != begin;
}

/* A number up to @max, or '*' where the pattern may be wild. */
static bool scan_part(struct scan *s, struct community_pattern *p, unsigned i, uint64_t max)
{
	uint64_t v;

	if (scan_char(s, '*')) {
		p->wild |= (uint8_t)WILD(i);
		return true;
	}
	if (!scan_number(s, 10, max, &v))
		return false;
	p->part[i] = (uint32_t)v;
	return true;
}

static bool at_end(const struct scan *s)
{
	return *s->p == '\0';
}

static bool parse_well_known(const char *text, struct community_pattern *p)
{
	for (size_t i = 0; i < ARRAY_LEN(well_known); i++) {
		if (strcmp(text, well_known[i].name) == 0) {
			p->part[0] = well_known[i].value >> 16;
			p->part[1] = well_known[i].value & 0xffff;
			return true;
		}
	}
	return false;
}

static bool parse_plain(const char *text, struct community_pattern *p)
{
	struct scan s = { text };

	if (parse_well_known(text, p))
		return true;
	return scan_part(&s, p, 0, UINT16_MAX) && scan_char(&s, ':') && scan_part(&s, p, 1, UINT16_MAX) &&
	       at_end(&s);
}

static bool parse_large(const char *text, struct community_pattern *p)
{
	struct scan s = { text };

	for (unsigned i = 0; i < COMMUNITY_PARTS; i++) {
		if ((i && !scan_char(&s, ':')) || !scan_part(&s, p, i, UINT32_MAX))
			return false;
	}
	return at_end(&s);
}

/* "192.0.2.1" up to the next colon. */
static bool scan_ipv4(struct scan *s, uint32_t *out)
{
	size_t n = strcspn(s->p, ":");
	char buf[IP_STRLEN];
	struct ip a;

	if (n >= sizeof(buf))
		return false;
	memcpy(buf, s->p, n);
	buf[n] = '\0';
	if (!ip_parse(buf, &a) || a.family != IP_V4)
		return false;
	*out = ip_to_v4(&a);
	s->p += n;
	return true;
}

/* "AS:number" or "address:number" behind "rt:" and "ro:". The size of the first field decides the type (RFC
 * 5668); where it is wild, so is the type. */
static bool parse_ext_pair(struct scan *s, uint8_t subtype, struct community_pattern *p)
{
	uint32_t type = EXT_IPV4;

	if (!scan_ipv4(s, &p->part[1])) {
		if (!scan_part(s, p, 1, UINT32_MAX))
			return false;
		type = p->part[1] > UINT16_MAX ? EXT_AS4 : EXT_AS2;
	}
	p->part[0] = type | subtype;
	if (p->wild)
		p->wild |= (uint8_t)WILD(0);
	return scan_char(s, ':') && scan_part(s, p, 2, type == EXT_AS2 ? UINT32_MAX : UINT16_MAX);
}

/* "AS:bytes" a second. */
static bool parse_ext_bandwidth(struct scan *s, struct community_pattern *p)
{
	uint64_t bytes;

	p->part[0] = EXT_LINK_BW;
	if (!scan_part(s, p, 1, UINT16_MAX) || !scan_char(s, ':'))
		return false;
	if (*s->p == '*')
		return scan_part(s, p, 2, 0);
	if (!scan_number(s, 10, BANDWIDTH_MAX, &bytes))
		return false;
	p->part[2] = bandwidth_to_wire(bytes);
	return true;
}

/* "0xHHHHHHHH:0xHHHHHHHH": the two halves as the wire has them. */
static bool parse_ext_generic(struct scan *s, struct community_pattern *p)
{
	uint64_t first, second;
	uint8_t wire[8];

	if (!scan_word(s, "0x") || !scan_number(s, 16, UINT32_MAX, &first) || !scan_word(s, ":0x") ||
	    !scan_number(s, 16, UINT32_MAX, &second))
		return false;
	wr_put_u32(wire, (uint32_t)first);
	wr_put_u32(wire + 4, (uint32_t)second);
	community_take_apart(COMMUNITY_EXT, wire, p->part);
	return true;
}

static bool parse_ext(const char *text, struct community_pattern *p)
{
	struct scan s = { text };

	if (scan_word(&s, "rt:"))
		return parse_ext_pair(&s, EXT_RT, p) && at_end(&s);
	if (scan_word(&s, "ro:"))
		return parse_ext_pair(&s, EXT_RO, p) && at_end(&s);
	if (scan_word(&s, "link-bandwidth:"))
		return parse_ext_bandwidth(&s, p) && at_end(&s);
	return scan_word(&s, "generic:") && parse_ext_generic(&s, p) && at_end(&s);
}

bool community_parse(enum community_kind kind, const char *text, struct community_pattern *out,
                     const char **err)
{
	static const struct {
		bool (*parse)(const char *text, struct community_pattern *p);
		const char *err;
	} forms[] = {
		[COMMUNITY_PLAIN] = { parse_plain, "not a community: two numbers up to 65535 such as "
		                                   "65000:1, '*' for any, "
		                                   "or a name such as no-export" },
		[COMMUNITY_EXT] = { parse_ext, "not an extended community: rt:AS:N, ro:AS:N (an IPv4 address "
		                               "may stand for the AS; "
		                               "N up to 65535 behind an address or an AS above 65535), "
		                               "link-bandwidth:AS:BYTES or "
		                               "generic:0xHHHHHHHH:0xHHHHHHHH" },
		[COMMUNITY_LARGE] = { parse_large, "not a large community: three numbers up to 4294967295 "
		                                   "such as 64512:1:2, "
		                                   "'*' for any" },
	};
	struct community_pattern p = { .kind = (uint8_t)kind };

	if (!forms[kind].parse(text, &p)) {
		*err = forms[kind].err;
		return false;
	}
	*out = p;
	return true;
}

/* ---- printing --------------------------------------------------------------------------------- */

/* How the parts are put on paper: BIRD's in answers, the configuration's in patterns. */
struct notation {
	const char *open, *separator, *close;
};

static const struct notation bird = { "(", ", ", ")" }, bird_plain = { "(", ",", ")" },
                             config = { "", ":", "" };

static void put_part(struct text *t, const struct community_pattern *p, unsigned i)
{
	if (p->wild & WILD(i))
		text_char(t, '*');
	else
		text_u32(t, p->part[i]);
}

static void put_parts(struct text *t, const struct community_pattern *p, unsigned n,
                      const struct notation *in)
{
	text_str(t, in->open);
	for (unsigned i = 0; i < n; i++) {
		if (i)
			text_str(t, in->separator);
		put_part(t, p, i);
	}
	text_str(t, in->close);
}

/* NULL: no notation of its own. An AS that would fit two bytes in the four-byte form (RFC 5668 2 has it
 * otherwise) has none, since "rt:65000:1" means the other form. */
static const char *ext_name(const struct community_pattern *p)
{
	uint32_t type = p->part[0] & EXT_TYPE, purpose = p->part[0] & 0xff;

	if (!ext_pair_type(type) || (type == EXT_AS4 && p->part[1] <= UINT16_MAX))
		return NULL;
	return purpose == EXT_RT ? "rt" : purpose == EXT_RO ? "ro" : NULL;
}

static void put_ext_generic(struct text *t, const struct community_pattern *p, const struct notation *in)
{
	uint8_t wire[8];

	community_put_together(p, wire);
	text_str(t, "generic");
	text_str(t, in->separator);
	text_str(t, "0x");
	text_hex(t, community_word(wire));
	text_str(t, in->separator);
	text_str(t, "0x");
	text_hex(t, community_word(wire + 4));
}

static void put_ext_pair(struct text *t, const char *name, const struct community_pattern *p,
                         const struct notation *in)
{
	char buf[IP_STRLEN];
	struct ip a = ip_v4(p->part[1]);

	text_str(t, name);
	text_str(t, in->separator);
	if ((p->part[0] & EXT_TYPE) == EXT_IPV4)
		text_str(t, ip_print(&a, buf));
	else
		put_part(t, p, 1);
	text_str(t, in->separator);
	put_part(t, p, 2);
}

/* @return false, and nothing printed: a bandwidth that no integer can say. */
static bool put_ext_bandwidth(struct text *t, const struct community_pattern *p, const struct notation *in)
{
	bool wild = p->wild & WILD(2);
	uint64_t bytes = 0;

	if (!wild && !bandwidth_from_wire(p->part[2], &bytes))
		return false;
	text_str(t, "link-bandwidth");
	text_str(t, in->separator);
	put_part(t, p, 1);
	text_str(t, in->separator);
	if (wild)
		text_char(t, '*');
	else
		text_u64(t, bytes);
	return true;
}

static void put_ext(struct text *t, const struct community_pattern *p, const struct notation *in)
{
	const char *name = ext_name(p);

	text_str(t, in->open);
	if (name)
		put_ext_pair(t, name, p, in);
	else if (p->part[0] != EXT_LINK_BW || !put_ext_bandwidth(t, p, in))
		put_ext_generic(t, p, in);
	text_str(t, in->close);
}

static const char *well_known_name(const struct community_pattern *p)
{
	uint32_t value = p->part[0] << 16 | p->part[1];

	for (size_t i = 0; i < ARRAY_LEN(well_known) && !p->wild; i++) {
		if (well_known[i].value == value)
			return well_known[i].name;
	}
	return NULL;
}

char *community_pattern_print(const struct community_pattern *p, char *buf, size_t size)
{
	const char *name = p->kind == COMMUNITY_PLAIN ? well_known_name(p) : NULL;
	struct text t = text_init(buf, size);

	if (name)
		text_str(&t, name);
	else if (p->kind == COMMUNITY_EXT)
		put_ext(&t, p, &config);
	else
		put_parts(&t, p, p->kind == COMMUNITY_PLAIN ? 2 : 3, &config);
	return buf;
}

size_t community_print(enum community_kind kind, const uint8_t *value, char *buf, size_t size)
{
	struct community_pattern p = { .kind = (uint8_t)kind };
	struct text t = text_init(buf, size);

	community_take_apart(kind, value, p.part);
	if (kind == COMMUNITY_EXT)
		put_ext(&t, &p, &bird);
	else if (kind == COMMUNITY_PLAIN)
		put_parts(&t, &p, 2, &bird_plain);
	else
		put_parts(&t, &p, 3, &bird);
	return t.len;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: NLRI
 *
 * Prefixes on the wire: a length in bits and just the bytes it needs, with a path identifier in front where
 * ADD-PATH was negotiated. A run is checked whole before anything is taken from it (RFC 7606 3 j: what cannot
 * be parsed to its end cannot be withdrawn either), so that nlri_next() cannot fail half way. Whether a
 * prefix makes sense is not asked here. RFC 4271 4.3 and 6.3, RFC 4760 5, RFC 7911 3. */
#include "bgp/nlri.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "mcbgp/bgp.h"

#define PATH_ID_LEN 4

static const struct {
	uint16_t afi;
	uint8_t safi;
	const char *name;
} families[FAM_COUNT] = {
	[FAM_IPV4] = { BGP_AFI_IPV4, BGP_SAFI_UNICAST, "ipv4" },
	[FAM_IPV6] = { BGP_AFI_IPV6, BGP_SAFI_UNICAST, "ipv6" },
};

enum family family_from_wire(uint16_t afi, uint8_t safi)
{
	enum family f = 0;

	while (f < FAM_COUNT && (families[f].afi != afi || families[f].safi != safi))
		f++;
	return f;
}

uint16_t family_afi(enum family f)
{
	assert(f < FAM_COUNT);
	return families[f].afi;
}

const char *family_name(enum family f)
{
	assert(f < FAM_COUNT);
	return families[f].name;
}

static size_t bytes_of(uint8_t bits)
{
	return (bits + 7u) / 8;
}

bool nlri_check(const struct nlri_run *run, unsigned *count)
{
	struct reader r = run->r;
	unsigned n = 0;
	uint8_t max = run->family < FAM_COUNT ? ip_bits(family_ip(run->family)) : 0;

	while (max && rd_left(&r)) {
		uint8_t len;

		if (run->add_path)
			rd_take(&r, PATH_ID_LEN);
		len = rd_u8(&r);
		if (len > max)
			return false;
		rd_take(&r, bytes_of(len));
		n++;
	}
	if (count)
		*count = n;
	return !r.bad;
}

/** The first @len bits, 1 to 32, of the four bytes at @from; the others are zero. */
static void put_masked_u32(uint8_t *to, const uint8_t *from, uint8_t len)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	v &= htonl(UINT32_MAX << (32 - len));
	memcpy(to, &v, sizeof(v));
}

/** Write @len bits from @b into @p, host bits and unused bytes zero; @room: bytes that may be read at @b. */
static void prefix_from_wire(struct prefix *p, uint8_t family, const uint8_t *b, size_t room, uint8_t len)
{
	size_t n = bytes_of(len);

	memset(&p->addr, 0, sizeof(p->addr));
	p->addr.family = family;
	p->len = len;
	if (!n)
		return;
	if (family == IP_V4 && room >= 4) { /* four at once, what is beyond the prefix masked away */
		put_masked_u32(p->addr.b, b, len);
		return;
	}
	memcpy(p->addr.b, b, n);
	p->addr.b[n - 1] &= (uint8_t)(0xff << (n * 8 - len));
}

bool nlri_next(struct nlri_run *run, struct nlri *out)
{
	uint8_t ip, len;
	const uint8_t *b;

	if (run->family == FAM_COUNT || !rd_left(&run->r))
		return false;
	ip = family_ip(run->family);
	out->path_id = run->add_path ? rd_u32(&run->r) : 0;
	len = rd_u8(&run->r);
	b = rd_take(&run->r, bytes_of(len));
	if (run->r.bad || len > ip_bits(ip))
		return false;
	prefix_from_wire(&out->prefix, ip, b, (size_t)(run->r.end - b), len);
	return true;
}

void nlri_put(struct writer *w, const struct prefix *p, bool add_path, uint32_t path_id)
{
	uint8_t *b = wr_skip(w, nlri_size(p, add_path));

	if (!b)
		return;
	if (add_path) {
		wr_put_u32(b, path_id);
		b += PATH_ID_LEN;
	}
	*b++ = p->len;
	memcpy(b, p->addr.b, bytes_of(p->len));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* nlri.h - prefixes as UPDATEs carry them, per AFI/SAFI (RFC 4271 4.3, RFC 4760 5, RFC 7911 3). Pure. */
#ifndef MCBGP_BGP_NLRI_H
#define MCBGP_BGP_NLRI_H

#include "lib/prefix.h"
#include "lib/reader.h"
#include "lib/writer.h"

/** The families we speak; a bit each in masks. */
enum family { FAM_IPV4, FAM_IPV6, FAM_COUNT };
#define FAM_BIT(f) (1u << (f))

/** FAM_COUNT when we do not speak it. */
enum family family_from_wire(uint16_t afi, uint8_t safi);
uint16_t family_afi(enum family f);
const char *family_name(enum family f);        /* "ipv4", "ipv6" */
static inline uint8_t family_ip(enum family f) /* IP_V4, IP_V6 */
{
	return f == FAM_IPV6 ? IP_V6 : IP_V4;
}
static inline enum family family_of(const struct prefix *p)
{
	return p->addr.family == IP_V6 ? FAM_IPV6 : FAM_IPV4;
}

struct nlri {
	struct prefix prefix;
	uint32_t path_id; /* 0 without ADD-PATH */
};

/** A run of NLRI inside a message that nlri_check() accepted: a view. */
struct nlri_run {
	enum family family;
	bool add_path;
	struct reader r;
};

/** Whether the whole of @run (FAM_COUNT: unknown, nothing to check) is well-formed (lengths within the
 * family's, nothing left over). RFC 4271 6.3: otherwise the session is reset with Invalid Network Field,
 * since the rest cannot be found. @count: prefixes in it; may be NULL. */
bool nlri_check(const struct nlri_run *run, unsigned *count);
/** The next one; false at the end. Host bits are cleared (RFC 4271 6.3 has them ignored). */
bool nlri_next(struct nlri_run *run, struct nlri *out);
void nlri_put(struct writer *w, const struct prefix *p, bool add_path, uint32_t path_id);
static inline size_t nlri_size(const struct prefix *p, bool add_path)
{
	return (add_path ? 4u : 0u) + 1u + (p->len + 7u) / 8u;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* aspath.h - AS_PATH algebra over the canonical form: segments of type (1), count (1), count four-byte AS
 * numbers.
 *
 * Every function takes a blob that aspath_check() accepted. RFC 4271 5.1.2, RFC 6793. Pure. */
#ifndef MCBGP_BGP_ASPATH_H
#define MCBGP_BGP_ASPATH_H

#include "bgp/attrs.h"
#include "lib/reader.h"
#include "lib/writer.h"

/** Whether @r is a well-formed path of @as_size (2 or 4) byte numbers: known segment types, no empty segment,
 * nothing left over (RFC 7606 7.2). Consumes @r. */
bool aspath_check(struct reader r, unsigned as_size);
uint16_t
aspath_len(struct blob path); /* as the decision process counts: a set is 1, confederation segments 0 */
uint32_t aspath_first(struct blob path);  /* first AS of a leading AS_SEQUENCE; 0 when there is none */
uint32_t aspath_origin(struct blob path); /* last AS; 0 when empty or it ends in a set (RFC 6811's NONE) */
unsigned aspath_count(struct blob path, uint32_t as); /* how often @as occurs, in any segment: loop checks */
bool aspath_has_confed(struct blob path);
bool aspath_has_zero(struct blob path); /* RFC 7607 */
/** "65001 65002 {65003 65004}" as BIRD prints it; the form regular expressions see too. Always NUL-ended.
 *  @return length that was needed, like snprintf. */
size_t aspath_print(struct blob path, char *buf, size_t size);
/** Widen a checked two-byte path into @w (canonical form); AS numbers keep their value. */
void aspath_widen(struct reader two, struct writer *w);
/** Write @path with two-byte numbers, AS_TRANS for those that do not fit (RFC 6793 4.2.2). */
void aspath_narrow(struct blob path, struct writer *w);
/** Some number does not fit two bytes, confederation segments left aside: they are not for AS4_PATH. */
bool aspath_needs_as4(struct blob path);
/** @path as AS4_PATH has it, without confederation segments (RFC 6793 4.2.2), into @w. */
void aspath_without_confed(struct blob path, struct writer *w);
/** RFC 6793 4.2.3: the path a new speaker reconstructs from AS_PATH (widened) and AS4_PATH (checked,
 * canonical) into @w. */
void aspath_merge(struct blob path, struct blob as4, struct writer *w);
/** Prepend @as @times to @path into @w. */
void aspath_prepend(struct blob path, uint32_t as, unsigned times, struct writer *w);
/** Number of private AS (RFC 6996: 64512..65534, 4200000000..4294967294) removal and overriding, into @w. */
void aspath_remove_private(struct blob path, struct writer *w);
void aspath_replace(struct blob path, uint32_t from, uint32_t to, struct writer *w);

#endif

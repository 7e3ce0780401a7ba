/* SPDX-License-Identifier: BSD-2-Clause */
/* jitter.h - timers that do not march in step (RFC 4271 10): a factor of 0.75 to 1.0 from a small generator
 * whose state the owner keeps and seeds. Not for secrets. Pure. */
#ifndef MCBGP_BGP_JITTER_H
#define MCBGP_BGP_JITTER_H

#include <stdint.h>

static inline uint32_t jitter_seed(uint32_t seed)
{
	return seed ? seed : 1;
}

/** @us times 0.75 to 1.0. @rnd: a state from jitter_seed(). */
static inline uint64_t jitter(uint32_t *rnd, uint64_t us)
{
	*rnd ^= *rnd << 13; /* xorshift32 (Marsaglia) */
	*rnd ^= *rnd >> 17;
	*rnd ^= *rnd << 5;
	return us - us / 4 * (*rnd >> 16) / 65535;
}

#endif

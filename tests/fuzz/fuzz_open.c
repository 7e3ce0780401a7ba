/* SPDX-License-Identifier: BSD-2-Clause */
/* OPEN: what we accept, we encode to something we decode the same. */
#include <assert.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/open.h"
#include "mcbgp/bgp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/** @o as a whole message in @buf. @return its bytes. */
static size_t encode(const struct open *o, uint8_t *buf)
{
	struct writer w = wr_init(buf, BGP_MAX_LEN);

	open_encode(&w, o);
	assert(!w.bad);
	return (size_t)(w.p - buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct open a, b;
	struct notify why;
	struct negotiated n;
	uint8_t first[BGP_MAX_LEN], second[BGP_MAX_LEN];
	size_t bytes;
	struct reader r;
	struct frame f;

	if (!open_decode(rd_init(data, len), &a, &why))
		return 0;
	bytes = encode(&a, first);
	r = rd_init(first, bytes);
	assert(frame_next(&r, sizeof(first), &f, &why) == FRAME_OK);
	assert(open_decode(f.body, &b, &why));
	assert(encode(&b, second) == bytes && !memcmp(first, second, bytes));
	assert(a.as == b.as && a.id == b.id && a.hold_time == b.hold_time);
	open_negotiate(&a, &b, &n);
	assert(!(n.families & ~b.caps.families));
	return 0;
}

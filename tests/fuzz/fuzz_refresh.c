/* SPDX-License-Identifier: BSD-2-Clause */
/* ROUTE-REFRESH and its demarcation: what we accept, we encode to the same bytes, but for families that we do
 * not speak; what we refuse is refused with the whole message as data (RFC 7313 5), as far as it fits. */
#include <assert.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/refresh.h"
#include "mcbgp/bgp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_refusal(const uint8_t *body, size_t len, const struct notify *why)
{
	size_t shown = why->data_len - BGP_HEADER_LEN;

	assert(why->code == BGP_ERR_ROUTE_REFRESH && why->subcode == BGP_REFRESH_BAD_LENGTH);
	assert(why->data_len >= BGP_HEADER_LEN && shown <= len);
	assert(shown == len || why->data_len == NOTIFY_DATA_MAX);
	assert(!shown || memcmp(why->data + BGP_HEADER_LEN, body, shown) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t wire[BGP_HEADER_LEN + 4];
	struct writer w = wr_init(wire, sizeof(wire));
	struct reader r;
	struct refresh a;
	struct notify why;
	struct frame f;

	if (len > BGP_MAX_LEN - BGP_HEADER_LEN)
		return 0;
	if (!refresh_decode(rd_init(data, len), &a, &why)) {
		check_refusal(data, len, &why);
		return 0;
	}
	assert(len == 4);
	if (a.family == FAM_COUNT)
		return 0;
	refresh_encode(&w, a.family, a.subtype);
	assert(!w.bad);
	r = rd_init(wire, (size_t)(w.p - wire));
	assert(frame_next(&r, BGP_MAX_LEN, &f, &why) == FRAME_OK && f.type == BGP_MSG_ROUTE_REFRESH);
	assert(rd_left(&f.body) == 4 && memcmp(f.body.p, data, 4) == 0);
	return 0;
}

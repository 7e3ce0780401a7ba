/* SPDX-License-Identifier: BSD-2-Clause */
/* refresh.c - ROUTE-REFRESH (RFC 2918) and its demarcation (RFC 7313). What a refresh does to a table is not
 * known here. */
#include "bgp/refresh.h"

#include "bgp/frame.h"
#include "mcbgp/bgp.h"

/* RFC 7313 5: the data of the NOTIFICATION is the whole message. Its header follows from its body. */
static void bad_length(const struct reader *body, struct notify *why)
{
	uint8_t data[NOTIFY_DATA_MAX];
	struct writer w = wr_init(data, sizeof(data));
	uint8_t *header = frame_begin(&w, BGP_MSG_ROUTE_REFRESH);
	size_t len = rd_left(body), kept = len < wr_room(&w) ? len : wr_room(&w);

	wr_put_u16(header + BGP_MARKER_LEN, (uint16_t)(BGP_HEADER_LEN + len));
	wr_bytes(&w, body->p, kept);
	notify_set(why, BGP_ERR_ROUTE_REFRESH, BGP_REFRESH_BAD_LENGTH, data, (size_t)(w.p - data));
}

bool refresh_decode(struct reader body, struct refresh *out, struct notify *why)
{
	uint16_t afi;
	uint8_t safi;

	if (rd_left(&body) != 4) {
		bad_length(&body, why);
		return false;
	}
	afi = rd_u16(&body);
	out->subtype = rd_u8(&body);
	safi = rd_u8(&body);
	out->family = family_from_wire(afi, safi);
	return true;
}

void refresh_encode(struct writer *w, enum family f, uint8_t subtype)
{
	uint8_t *begin = frame_begin(w, BGP_MSG_ROUTE_REFRESH);

	wr_u16(w, family_afi(f));
	wr_u8(w, subtype);
	wr_u8(w, BGP_SAFI_UNICAST);
	frame_end(w, begin);
}

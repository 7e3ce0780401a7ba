/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: where one message ends and the next begins.
 *
 * The header is judged as soon as its 19 bytes are there, so that a peer that is out of step is told so
 * without waiting for bytes that may never come. Of a body only the least length of its type is known here
 * (RFC 4271 4.2 to 4.5, 6.1; RFC 8654); ROUTE-REFRESH has an error of its own for its length (RFC 7313) and
 * judges it itself. */
#include "bgp/frame.h"

#include "mcbgp/bgp.h"

/* Lengths of whole messages. */
static const struct {
	uint16_t min, max;
} limits[] = {
	[BGP_MSG_OPEN] = { 29, BGP_MAX_LEN },
	[BGP_MSG_UPDATE] = { 23, BGP_MAX_LEN_EXT },
	[BGP_MSG_NOTIFICATION] = { 21, BGP_MAX_LEN_EXT },
	[BGP_MSG_KEEPALIVE] = { BGP_HEADER_LEN, BGP_HEADER_LEN },
	[BGP_MSG_ROUTE_REFRESH] = { BGP_HEADER_LEN, BGP_MAX_LEN_EXT },
};

static const uint8_t marker[BGP_MARKER_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static bool type_known(uint8_t type)
{
	return type >= BGP_MSG_OPEN && type <= BGP_MSG_ROUTE_REFRESH;
}

/* RFC 4271 6.1, in its order. */
static bool header_ok(const uint8_t *h, uint16_t len, size_t max, struct notify *why)
{
	const uint8_t *len_field = h + BGP_MARKER_LEN, *type = len_field + 2;

	if (memcmp(h, marker, sizeof(marker)) != 0) {
		notify_set(why, BGP_ERR_HEADER, BGP_HDR_NOT_SYNC, NULL, 0);
		return false;
	}
	if (len < BGP_HEADER_LEN || len > max)
		goto bad_length;
	if (!type_known(*type)) {
		notify_set(why, BGP_ERR_HEADER, BGP_HDR_BAD_TYPE, type, 1);
		return false;
	}
	if (len >= limits[*type].min && len <= limits[*type].max)
		return true;
bad_length:
	notify_set(why, BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH, len_field, 2);
	return false;
}

enum frame_result frame_next(struct reader *r, size_t max, struct frame *out, struct notify *why)
{
	const uint8_t *h = r->p;
	uint16_t len;

	if (rd_left(r) < BGP_HEADER_LEN)
		return FRAME_MORE;
	len = (uint16_t)(h[BGP_MARKER_LEN] << 8 | h[BGP_MARKER_LEN + 1]);
	if (!header_ok(h, len, max, why))
		return FRAME_BAD;
	if (rd_left(r) < len)
		return FRAME_MORE;
	*out = (struct frame){
		.type = h[BGP_MARKER_LEN + 2],
		.body = rd_init(h + BGP_HEADER_LEN, len - BGP_HEADER_LEN),
		.raw = h,
		.len = len,
	};
	r->p += len;
	return FRAME_OK;
}

uint8_t *frame_begin(struct writer *w, uint8_t type)
{
	uint8_t *h = wr_skip(w, BGP_HEADER_LEN);

	if (!h)
		return NULL;
	memcpy(h, marker, sizeof(marker));
	wr_put_u16(h + BGP_MARKER_LEN, BGP_HEADER_LEN);
	h[BGP_MARKER_LEN + 2] = type;
	return h;
}

void frame_end(struct writer *w, uint8_t *begin)
{
	size_t len;

	if (w->bad)
		return;
	len = (size_t)(w->p - begin);
	if (len > BGP_MAX_LEN_EXT)
		w->bad = true;
	else
		wr_put_u16(begin + BGP_MARKER_LEN, (uint16_t)len);
}

void frame_keepalive(struct writer *w)
{
	frame_end(w, frame_begin(w, BGP_MSG_KEEPALIVE));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.h - cuts a byte stream into whole BGP messages and checks their headers (RFC 4271 4.1, 6.1). Pure. */
#ifndef MCBGP_BGP_FRAME_H
#define MCBGP_BGP_FRAME_H

#include "bgp/notify.h"
#include "lib/reader.h"
#include "lib/writer.h"

struct frame {
	uint8_t type;       /* enum bgp_msg */
	struct reader body; /* what follows the header: a view */
	const uint8_t *raw; /* the whole message, header included */
	uint16_t len;       /* of the whole message */
};

enum frame_result { FRAME_MORE, FRAME_OK, FRAME_BAD };

/** The message at the head of @r; on FRAME_OK @r is behind it. @max: BGP_MAX_LEN or BGP_MAX_LEN_EXT as
 * negotiated (OPEN and KEEPALIVE never exceed 4096). FRAME_BAD fills @why: Connection Not Synchronized, Bad
 * Message Length (data: the length field), Bad Message Type (data: the type). */
enum frame_result frame_next(struct reader *r, size_t max, struct frame *out, struct notify *why);

/** Write a header whose length frame_end() fills in. @return where the message begins (NULL: no room). */
uint8_t *frame_begin(struct writer *w, uint8_t type);
void frame_end(struct writer *w, uint8_t *begin);
void frame_keepalive(struct writer *w);

#endif

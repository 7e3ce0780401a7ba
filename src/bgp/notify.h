/* SPDX-License-Identifier: BSD-2-Clause */
/* notify.h - NOTIFICATION: codes, their names, data (RFC 4271 4.5, RFC 4486, RFC 9003 shutdown
 * communication). Pure. */
#ifndef MCBGP_BGP_NOTIFY_H
#define MCBGP_BGP_NOTIFY_H

#include "lib/reader.h"
#include "lib/writer.h"

#define NOTIFY_DATA_MAX 258 /* a shutdown communication within a Hard Reset */

struct notify {
	uint8_t code, subcode;         /* enum bgp_error and its subcodes; code 0: none */
	uint16_t data_len;             /* bytes in data[] */
	uint8_t data[NOTIFY_DATA_MAX]; /* cut at this length */
};

/** Fill in; @data may be NULL when @len is 0, and is cut at NOTIFY_DATA_MAX. */
void notify_set(struct notify *n, uint8_t code, uint8_t subcode, const void *data, size_t len);
/** Body of a received NOTIFICATION (2 bytes at least, else false). */
bool notify_decode(struct reader body, struct notify *out);
/** A whole message, header included. */
void notify_encode(struct writer *w, const struct notify *n);
/** Cease with a shutdown communication; only for subcodes 2 and 4 (RFC 9003). @text is cut at 255 bytes on a
 * UTF-8 boundary; NULL or "": none. */
void notify_set_shutdown(struct notify *n, uint8_t subcode, const char *text);
/** Cease, maximum number of prefixes reached, with the first of @families and the @limit as data (RFC 4486
 * 4). */
void notify_set_max_prefix(struct notify *n, uint32_t families, uint32_t limit);
/** RFC 8538: make a Cease that is to leave nothing at the receiver a Hard Reset, with what it was as data.
 * @return whether it is one. */
bool notify_harden(struct notify *n);
/** The opposite: what a Hard Reset carries. @return whether it was one. */
bool notify_soften(struct notify *n);
/** The received shutdown communication as printable UTF-8 (control bytes and broken sequences become '?'), ""
 * when there is none. @size >= 1. */
void notify_shutdown_text(const struct notify *n, char *buf, size_t size);
/** "administrative shutdown"; the code's own name with subcode 0; NULL when unknown. */
const char *notify_name(uint8_t code, uint8_t subcode);
/** "Cease: administrative shutdown", "Hold timer expired", "OPEN: bad peer AS" …; unknown ones as numbers. */
char *notify_print(const struct notify *n, char *buf, size_t size);

#endif

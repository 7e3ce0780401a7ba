/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: why a session ends, as the wire and as people say it.
 *
 * The texts of all codes live in the one table here. What a peer wrote for people to read (RFC 9003) is
 * hostile until made printable: only well-formed UTF-8 without control characters leaves this file. */
#include "bgp/notify.h"

#include "bgp/frame.h"
#include "bgp/nlri.h"
#include "lib/text.h"
#include "mcbgp/bgp.h"

#include <assert.h>

#define SHUTDOWN_TEXT_MAX 255 /* RFC 9003 2 */
#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))

/* Names as the log, the client and the metrics show them; subcode 0 is the code's own row. */
static const struct name {
	uint8_t code, subcode;
	const char *text;
} names[] = {
	{ BGP_ERR_HEADER, 0, "Message header" },
	{ BGP_ERR_HEADER, BGP_HDR_NOT_SYNC, "connection not synchronized" },
	{ BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH, "bad message length" },
	{ BGP_ERR_HEADER, BGP_HDR_BAD_TYPE, "bad message type" },
	{ BGP_ERR_OPEN, 0, "OPEN" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_VERSION, "unsupported version" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_PEER_AS, "bad peer AS" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_ID, "bad BGP identifier" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_PARAMETER, "unsupported optional parameter" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_HOLD_TIME, "unacceptable hold time" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_CAPABILITY, "unsupported capability" },
	{ BGP_ERR_OPEN, BGP_OPEN_ROLE_MISMATCH, "role mismatch" },
	{ BGP_ERR_UPDATE, 0, "UPDATE" },
	{ BGP_ERR_UPDATE, BGP_UPD_MALFORMED_ATTRS, "malformed attribute list" },
	{ BGP_ERR_UPDATE, BGP_UPD_UNKNOWN_WELLKNOWN, "unrecognized well-known attribute" },
	{ BGP_ERR_UPDATE, BGP_UPD_MISSING_WELLKNOWN, "missing well-known attribute" },
	{ BGP_ERR_UPDATE, BGP_UPD_ATTR_FLAGS, "attribute flags error" },
	{ BGP_ERR_UPDATE, BGP_UPD_ATTR_LENGTH, "attribute length error" },
	{ BGP_ERR_UPDATE, BGP_UPD_BAD_ORIGIN, "invalid ORIGIN" },
	{ BGP_ERR_UPDATE, BGP_UPD_BAD_NEXT_HOP, "invalid NEXT_HOP" },
	{ BGP_ERR_UPDATE, BGP_UPD_OPTIONAL_ATTR, "optional attribute error" },
	{ BGP_ERR_UPDATE, BGP_UPD_BAD_NETWORK, "invalid network field" },
	{ BGP_ERR_UPDATE, BGP_UPD_BAD_AS_PATH, "malformed AS_PATH" },
	{ BGP_ERR_HOLD_TIMER, 0, "Hold timer expired" },
	{ BGP_ERR_FSM, 0, "Finite state machine error" },
	{ BGP_ERR_FSM, BGP_FSM_IN_OPENSENT, "unexpected message in OpenSent" },
	{ BGP_ERR_FSM, BGP_FSM_IN_OPENCONFIRM, "unexpected message in OpenConfirm" },
	{ BGP_ERR_FSM, BGP_FSM_IN_ESTABLISHED, "unexpected message in Established" },
	{ BGP_ERR_CEASE, 0, "Cease" },
	{ BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIX, "maximum number of prefixes reached" },
	{ BGP_ERR_CEASE, BGP_CEASE_ADMIN_SHUTDOWN, "administrative shutdown" },
	{ BGP_ERR_CEASE, BGP_CEASE_PEER_DECONFIGURED, "peer de-configured" },
	{ BGP_ERR_CEASE, BGP_CEASE_ADMIN_RESET, "administrative reset" },
	{ BGP_ERR_CEASE, BGP_CEASE_REJECTED, "connection rejected" },
	{ BGP_ERR_CEASE, BGP_CEASE_CONFIG_CHANGE, "other configuration change" },
	{ BGP_ERR_CEASE, BGP_CEASE_COLLISION, "connection collision resolution" },
	{ BGP_ERR_CEASE, BGP_CEASE_OUT_OF_RESOURCES, "out of resources" },
	{ BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, "hard reset" },
	{ BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN, "BFD down" },
	{ BGP_ERR_ROUTE_REFRESH, 0, "ROUTE-REFRESH" },
	{ BGP_ERR_ROUTE_REFRESH, BGP_REFRESH_BAD_LENGTH, "invalid message length" },
	{ BGP_ERR_SEND_HOLD, 0, "Send hold timer expired" },
};

const char *notify_name(uint8_t code, uint8_t subcode)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i].code == code && names[i].subcode == subcode)
			return names[i].text;
	}
	return NULL;
}

void notify_set(struct notify *n, uint8_t code, uint8_t subcode, const void *data, size_t len)
{
	n->code = code;
	n->subcode = subcode;
	n->data_len = (uint16_t)(len < NOTIFY_DATA_MAX ? len : NOTIFY_DATA_MAX);
	if (n->data_len)
		memcpy(n->data, data, n->data_len);
}

bool notify_decode(struct reader body, struct notify *out)
{
	uint8_t code = rd_u8(&body), subcode = rd_u8(&body);

	if (body.bad)
		return false;
	notify_set(out, code, subcode, body.p, rd_left(&body));
	return true;
}

void notify_encode(struct writer *w, const struct notify *n)
{
	uint8_t *begin = frame_begin(w, BGP_MSG_NOTIFICATION);

	wr_u8(w, n->code);
	wr_u8(w, n->subcode);
	wr_bytes(w, n->data, n->data_len);
	frame_end(w, begin);
}

/* RFC 8538 5 leaves the choice: what an operator or a limit wants ended is ended. */
static bool is_final(const struct notify *n)
{
	if (n->code != BGP_ERR_CEASE)
		return false;
	switch (n->subcode) {
	case BGP_CEASE_MAX_PREFIX:
	case BGP_CEASE_ADMIN_SHUTDOWN:
	case BGP_CEASE_PEER_DECONFIGURED:
	case BGP_CEASE_ADMIN_RESET:
	case BGP_CEASE_REJECTED:
	case BGP_CEASE_BFD_DOWN:
		return true;
	default:
		return false;
	}
}

bool notify_harden(struct notify *n)
{
	uint8_t data[2 + NOTIFY_DATA_MAX] = { n->code, n->subcode };

	if (!is_final(n))
		return false;
	memcpy(data + 2, n->data, n->data_len);
	notify_set(n, BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, data, 2u + n->data_len);
	return true;
}

bool notify_soften(struct notify *n)
{
	struct notify inner;

	if (n->code != BGP_ERR_CEASE || n->subcode != BGP_CEASE_HARD_RESET)
		return false;
	if (notify_decode(rd_init(n->data, n->data_len), &inner))
		*n = inner;
	return true;
}

static bool is_continuation(uint8_t b)
{
	return (b & 0xc0) == 0x80;
}

/* Bytes of the well-formed character at @p, 0 when there is none: the grammar of RFC 3629 4, which leaves out
 * overlong forms, surrogates and what lies beyond U+10FFFF. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
	static const struct {
		uint8_t first, last, second_min, second_max, len;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	unsigned i = 0;

	while (i < ARRAY_LEN(forms) && (p[0] < forms[i].first || p[0] > forms[i].last))
		i++;
	if (i == ARRAY_LEN(forms) || forms[i].len > n)
		return 0;
	if (forms[i].len > 1 && (p[1] < forms[i].second_min || p[1] > forms[i].second_max))
		return 0;
	for (unsigned k = 2; k < forms[i].len; k++) {
		if (!is_continuation(p[k]))
			return 0;
	}
	return forms[i].len;
}

/* C0, DEL and C1: what a terminal would obey rather than show. @p is well-formed. */
static bool is_control(const uint8_t *p)
{
	return p[0] < ' ' || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
}

/* The longest beginning of @text that fits and does not cut a character. */
static size_t shutdown_text_len(const char *text)
{
	size_t n = strnlen(text, SHUTDOWN_TEXT_MAX + 1);

	if (n <= SHUTDOWN_TEXT_MAX)
		return n;
	for (n = SHUTDOWN_TEXT_MAX; n > 0 && is_continuation((uint8_t)text[n]);)
		n--;
	return n;
}

static bool carries_text(uint8_t code, uint8_t subcode)
{
	return code == BGP_ERR_CEASE &&
	       (subcode == BGP_CEASE_ADMIN_SHUTDOWN || subcode == BGP_CEASE_ADMIN_RESET);
}

void notify_set_max_prefix(struct notify *n, uint32_t families, uint32_t limit)
{
	enum family f = families & FAM_BIT(FAM_IPV4) ? FAM_IPV4 : FAM_IPV6;
	uint8_t data[7];
	struct writer w = wr_init(data, sizeof(data));

	wr_u16(&w, family_afi(f));
	wr_u8(&w, BGP_SAFI_UNICAST);
	wr_u32(&w, limit);
	notify_set(n, BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIX, data, sizeof(data));
}

void notify_set_shutdown(struct notify *n, uint8_t subcode, const char *text)
{
	size_t len = text ? shutdown_text_len(text) : 0;

	assert(carries_text(BGP_ERR_CEASE, subcode));
	notify_set(n, BGP_ERR_CEASE, subcode, NULL, 0);
	if (len == 0)
		return;
	n->data[0] = (uint8_t)len;
	memcpy(n->data + 1, text, len);
	n->data_len = (uint16_t)(1 + len);
}

void notify_shutdown_text(const struct notify *n, char *buf, size_t size)
{
	struct reader data = rd_init(n->data, n->data_len), text;
	size_t used = 0;

	assert(size >= 1);
	buf[0] = '\0';
	if (!carries_text(n->code, n->subcode))
		return;
	text = rd_sub(&data, rd_u8(&data));
	while (rd_left(&text)) {
		const uint8_t *character = text.p;
		size_t len = utf8_len(character, rd_left(&text));

		if (len == 0 || is_control(character)) {
			character = (const uint8_t *)"?";
			rd_take(&text, len ? len : 1);
			len = 1;
		} else {
			rd_take(&text, len);
		}
		if (used + len >= size)
			break;
		memcpy(buf + used, character, len);
		used += len;
	}
	buf[used] = '\0';
}

char *notify_print(const struct notify *n, char *buf, size_t size)
{
	const char *code = notify_name(n->code, 0), *subcode = notify_name(n->code, n->subcode);
	struct text t = text_init(buf, size);

	if (code) {
		text_str(&t, code);
	} else {
		text_str(&t, "Error ");
		text_u32(&t, n->code);
	}
	if (n->subcode == 0)
		return buf;
	text_str(&t, ": ");
	if (subcode) {
		text_str(&t, subcode);
	} else {
		text_str(&t, "subcode ");
		text_u32(&t, n->subcode);
	}
	return buf;
}

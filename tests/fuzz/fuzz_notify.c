/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_notify.c - a NOTIFICATION we accept is encoded to one we decode the same; the text people are shown is
 * printable, and is shown the same when we send it ourselves. */
#include "bgp/frame.h"
#include "bgp/notify.h"
#include "mcbgp/bgp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_rewritten(const struct notify *n)
{
	uint8_t buf[BGP_HEADER_LEN + 2 + NOTIFY_DATA_MAX];
	struct writer w = wr_init(buf, sizeof(buf));
	struct notify again, why;
	struct reader r;
	struct frame f;

	notify_encode(&w, n);
	assert(!w.bad);
	r = rd_init(buf, (size_t)(w.p - buf));
	assert(frame_next(&r, BGP_MAX_LEN, &f, &why) == FRAME_OK);
	assert(notify_decode(f.body, &again));
	assert(again.code == n->code && again.subcode == n->subcode && again.data_len == n->data_len);
	assert(memcmp(again.data, n->data, n->data_len) == 0);
}

static void check_text(const struct notify *n)
{
	char text[NOTIFY_DATA_MAX], again[NOTIFY_DATA_MAX], cut[16];
	struct notify own;

	notify_shutdown_text(n, text, sizeof(text));
	for (const char *c = text; *c; c++)
		assert((uint8_t)*c >= ' ' && *c != 0x7f);
	notify_shutdown_text(n, cut, sizeof(cut));
	assert(strncmp(cut, text, strlen(cut)) == 0);
	notify_set_shutdown(&own, BGP_CEASE_ADMIN_SHUTDOWN, text);
	notify_shutdown_text(&own, again, sizeof(again));
	assert(strcmp(text, again) == 0);
}

/** What is made a Hard Reset is the same behind it (RFC 8538 3), as far as there is room for it. */
static void check_hard_reset(const struct notify *n)
{
	struct notify hard = *n;

	if (notify_harden(&hard)) {
		assert(hard.code == BGP_ERR_CEASE && hard.subcode == BGP_CEASE_HARD_RESET);
		check_rewritten(&hard);
	}
	if (notify_soften(&hard) && n->subcode != BGP_CEASE_HARD_RESET)
		assert(hard.code == n->code && hard.subcode == n->subcode &&
		       (hard.data_len == n->data_len || n->data_len > NOTIFY_DATA_MAX - 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct notify n;
	char name[96];

	if (!notify_decode(rd_init(data, len), &n)) {
		assert(len < 2);
		return 0;
	}
	check_rewritten(&n);
	check_hard_reset(&n);
	check_text(&n);
	assert(notify_print(&n, name, sizeof(name))[0] && strlen(name) < sizeof(name) - 1);
	return 0;
}

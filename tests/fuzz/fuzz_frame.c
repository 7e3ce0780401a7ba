/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_frame.c - a stream yields the same messages however it arrives, and each is what frame_begin() and
 * frame_end() would have made of its body. The first byte chooses the limit, the second where the stream is
 * cut. */
#include "bgp/frame.h"
#include "mcbgp/bgp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_rewritten(const struct frame *f)
{
	static uint8_t buf[BGP_MAX_LEN_EXT];
	struct writer w = wr_init(buf, sizeof(buf));
	uint8_t *begin = frame_begin(&w, f->type);

	wr_bytes(&w, f->body.p, rd_left(&f->body));
	frame_end(&w, begin);
	assert(!w.bad && (size_t)(w.p - buf) == f->len);
	assert(memcmp(buf, f->raw, f->len) == 0);
}

/* All that @r holds; how it ended. @at: where the messages end that were found, which only grows. */
static enum frame_result cut(struct reader *r, size_t max, struct notify *why)
{
	enum frame_result result;
	struct frame f;

	while ((result = frame_next(r, max, &f, why)) == FRAME_OK) {
		assert(f.raw + f.len == r->p && f.len <= max);
		check_rewritten(&f);
	}
	assert((result == FRAME_BAD) == (why->code == BGP_ERR_HEADER));
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct notify why = { 0 }, why_cut = { 0 };
	struct reader whole, part;
	enum frame_result result;
	size_t max, first;

	if (len < 2)
		return 0;
	max = data[0] & 1 ? BGP_MAX_LEN_EXT : BGP_MAX_LEN;
	whole = rd_init(data + 2, len - 2);
	first = data[1] < len - 2 ? data[1] : len - 2;
	part = rd_init(data + 2, first);

	result = cut(&whole, max, &why);
	if (cut(&part, max, &why_cut) == FRAME_MORE) {
		part.end = data + len;
		assert(cut(&part, max, &why_cut) == result);
	}
	assert(why_cut.code == why.code && why_cut.subcode == why.subcode);
	assert(part.p == whole.p);
	return 0;
}

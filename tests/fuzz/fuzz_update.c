/* SPDX-License-Identifier: BSD-2-Clause */
/* UPDATE: prefixes with the attributes they came with are packed into messages that decode to the same,
 * whatever the session. */
#include <assert.h>

#include "bgp/update.h"
#include "mcbgp/bgp.h"
#include "mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

static uint8_t scratch[131072], scratch_again[131072], message[BGP_MAX_LEN_EXT];

/** The session that one byte describes. */
static struct codec_ctx ctx(uint8_t bits)
{
	static const uint32_t both = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6);
	const uint32_t families[] = { both, FAM_BIT(FAM_IPV4), FAM_BIT(FAM_IPV6), both };

	return (struct codec_ctx){
		.as4 = bits & 1,
		.ibgp = bits & 2,
		.families = families[bits >> 4 & 3],
		.add_path = { bits & 4, bits & 4 },
		.ext_next_hop = bits & 8 ? FAM_BIT(FAM_IPV4) : 0,
		.scratch = scratch,
		.scratch_len = sizeof(scratch),
	};
}

/** The run of a repacked message that is not empty. */
static struct nlri_run only_run(const struct update *u)
{
	const struct nlri_run *runs[] = { &u->reach, &u->mp_reach, &u->withdrawn, &u->mp_withdrawn };

	for (unsigned i = 0; i < 4; i++)
		if (rd_left(&runs[i]->r))
			return *runs[i];
	assert(!"a run");
	return *runs[0];
}

/** Expect a message of @n bytes to say @a about the first prefixes of @sent, and step over those. */
static void check_message(size_t n, struct nlri_run *sent, const struct codec_ctx *c, const struct attrs *a)
{
	struct codec_ctx again = *c;
	static struct update u;
	struct nlri_run run;
	struct nlri x, y;

	again.scratch = scratch_again;
	assert(update_decode(rd_init(message + BGP_HEADER_LEN, n - BGP_HEADER_LEN), &again, &u));
	assert(u.fault.verdict == ATTR_OK && !u.eor);
	if (rd_left(&u.mp_reach.r)) {
		u.attrs.next_hop = u.mp_next_hop;
		u.attrs.next_hop_ll = u.mp_next_hop_ll;
		u.attrs.present |= ATTR_BIT(BGP_ATTR_NEXT_HOP);
	}
	assert(!a || attrs_equal(&u.attrs, a));
	run = only_run(&u);
	while (nlri_next(&run, &x)) {
		assert(nlri_next(sent, &y));
		assert(prefix_equal(&x.prefix, &y.prefix) && x.path_id == y.path_id);
	}
}

static void repack(struct nlri_run run, const struct codec_ctx *c, const struct attrs *a)
{
	struct nlri_run sent = run;
	struct nlri n;
	bool more = nlri_next(&run, &n);

	while (more) {
		struct update_packer p;
		size_t bytes;

		if (!update_pack_begin(&p, message, BGP_MAX_LEN_EXT, c, run.family, a))
			return; /* attributes that grew past any message */
		while (more && update_pack_add(&p, &n.prefix, n.path_id))
			more = nlri_next(&run, &n);
		bytes = update_pack_end(&p);
		if (!bytes)
			return;
		check_message(bytes, &sent, c, a);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct codec_ctx c;
	struct attrs a;
	static struct update u;

	if (!len || len > BGP_MAX_LEN_EXT - BGP_HEADER_LEN)
		return 0;
	c = ctx(data[0]);
	if (!update_decode(rd_init(data + 1, len - 1), &c, &u)) {
		assert(u.fault.verdict == ATTR_RESET && u.fault.why.code == BGP_ERR_UPDATE);
		return 0;
	}
	c.as4 = true;
	repack(u.withdrawn, &c, NULL);
	repack(u.mp_withdrawn, &c, NULL);
	if (u.treat_as_withdraw)
		return 0;
	a = u.attrs;
	repack(u.reach, &c, &a);
	a.next_hop = u.mp_next_hop;
	a.next_hop_ll = u.mp_next_hop_ll;
	a.present |= ATTR_BIT(BGP_ATTR_NEXT_HOP);
	repack(u.mp_reach, &c, &a);
	return 0;
}

/** One of the three parts is changed, the attributes as such, and the two lengths are right again. false:
 * there are not three parts. */
static bool mutate_update(struct reader r, struct writer *w, unsigned seed)
{
	static uint8_t part[BGP_MAX_LEN_EXT];
	struct reader withdrawn, attrs;
	uint8_t *len_at, *begin;

	wr_u8(w, rd_u8(&r));
	withdrawn = rd_sub(&r, rd_u16(&r));
	attrs = rd_sub(&r, rd_u16(&r));
	if (r.bad)
		return false;
	if (seed % 4 == 0 || seed % 4 == 1) { /* the prefixes of one end or the other */
		struct reader *run = seed % 4 ? &withdrawn : &r;
		size_t n = rd_left(run);

		if (n)
			memcpy(part, run->p, n);
		*run = rd_init(part, LLVMFuzzerMutate(part, n, 512));
	}
	wr_u16(w, (uint16_t)rd_left(&withdrawn));
	wr_bytes(w, withdrawn.p, rd_left(&withdrawn));
	len_at = wr_skip(w, 2);
	begin = w->p;
	if (seed % 4 < 2)
		wr_bytes(w, attrs.p, rd_left(&attrs));
	else if (!mutate_attrs(attrs, w, seed >> 2))
		return false;
	if (w->bad)
		return false;
	wr_put_u16(len_at, (uint16_t)(w->p - begin));
	wr_bytes(w, r.p, rd_left(&r));
	return !w->bad;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	static uint8_t out[BGP_MAX_LEN_EXT];
	struct writer w = wr_init(out, max < sizeof(out) ? max : sizeof(out));

	if (seed & 1 || size > sizeof(out) || !mutate_update(rd_init(data, size), &w, seed >> 1))
		return LLVMFuzzerMutate(data, size, max);
	memcpy(data, out, (size_t)(w.p - out));
	return (size_t)(w.p - out);
}

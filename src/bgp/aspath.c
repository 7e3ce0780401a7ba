/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: AS_PATH algebra.
 *
 * A path is read segment by segment through the checked cursor, so that even a path nobody checked could not
 * be read past its end, and rewritten through a sink that opens segments as they are needed: no empty
 * segment, none above 255 numbers, and neighbouring AS_SEQUENCEs joined, so that one path has one form. Whose
 * AS is ours, and what a loop costs, is not known here. RFC 4271 5.1.2 and 9.1.2.2, RFC 5065 (confederation
 * segments), RFC 6793 (four bytes), RFC 6996 (private AS). */
#include "bgp/aspath.h"

#include "lib/text.h"
#include "mcbgp/bgp.h"

#define SEGMENT_MAX 255u

/* A segment as it lies in the path. */
struct segment {
	uint8_t type, count;
	struct reader as; /* count numbers */
};

/* The next segment; false at the end, or where no segment is (@r is bad then). */
static bool segment_next_sized(struct reader *r, struct segment *s, unsigned as_size)
{
	if (rd_left(r) == 0)
		return false;
	s->type = rd_u8(r);
	s->count = rd_u8(r);
	s->as = rd_sub(r, (size_t)s->count * as_size);
	if (s->type < BGP_AS_SET || s->type > BGP_AS_CONFED_SET || s->count == 0)
		r->bad = true;
	return !r->bad;
}

static bool segment_next(struct reader *r, struct segment *s)
{
	return segment_next_sized(r, s, 4);
}

static struct reader path_reader(struct blob path)
{
	return rd_init(path.p, path.len);
}

static bool is_sequence(uint8_t type)
{
	return type == BGP_AS_SEQUENCE || type == BGP_AS_CONFED_SEQUENCE;
}

static bool is_confed(uint8_t type)
{
	return type == BGP_AS_CONFED_SEQUENCE || type == BGP_AS_CONFED_SET;
}

/* What a segment adds to the path's length (RFC 4271 9.1.2.2 a, RFC 5065 5.3). */
static unsigned segment_weight(const struct segment *s)
{
	if (is_confed(s->type))
		return 0;
	return s->type == BGP_AS_SET ? 1 : s->count;
}

bool aspath_check(struct reader r, unsigned as_size)
{
	struct segment s;

	while (segment_next_sized(&r, &s, as_size))
		;
	return !r.bad;
}

uint16_t aspath_len(struct blob path)
{
	struct reader r = path_reader(path);
	struct segment s;
	unsigned len = 0;

	while (segment_next(&r, &s))
		len += segment_weight(&s);
	return (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX);
}

uint32_t aspath_first(struct blob path)
{
	struct reader r = path_reader(path);
	struct segment s;

	return segment_next(&r, &s) && s.type == BGP_AS_SEQUENCE ? rd_u32(&s.as) : 0;
}

uint32_t aspath_origin(struct blob path)
{
	struct reader r = path_reader(path);
	struct segment s;
	uint32_t last = 0;

	while (segment_next(&r, &s)) {
		last = 0;
		while (s.type == BGP_AS_SEQUENCE && rd_left(&s.as))
			last = rd_u32(&s.as);
	}
	return last;
}

unsigned aspath_count(struct blob path, uint32_t as)
{
	struct reader r = path_reader(path);
	struct segment s;
	unsigned n = 0;

	while (segment_next(&r, &s)) {
		while (rd_left(&s.as))
			n += rd_u32(&s.as) == as;
	}
	return n;
}

bool aspath_has_confed(struct blob path)
{
	struct reader r = path_reader(path);
	struct segment s;

	while (segment_next(&r, &s)) {
		if (is_confed(s.type))
			return true;
	}
	return false;
}

bool aspath_has_zero(struct blob path)
{
	return aspath_count(path, 0) > 0;
}

size_t aspath_print(struct blob path, char *buf, size_t size)
{
	static const struct {
		const char *open, *close;
	} marks[] = {
		[BGP_AS_SET] = { "{", "}" },
		[BGP_AS_SEQUENCE] = { "", "" },
		[BGP_AS_CONFED_SEQUENCE] = { "(", ")" },
		[BGP_AS_CONFED_SET] = { "({", "})" },
	};
	struct text t = text_init(buf, size);
	struct reader r = path_reader(path);
	struct segment s;

	while (segment_next(&r, &s)) {
		if (t.len)
			text_char(&t, ' ');
		text_str(&t, marks[s.type].open);
		for (unsigned i = 0; i < s.count; i++) {
			if (i)
				text_char(&t, ' ');
			text_u32(&t, rd_u32(&s.as));
		}
		text_str(&t, marks[s.type].close);
	}
	return t.len;
}

void aspath_widen(struct reader two, struct writer *w)
{
	struct segment s;

	while (segment_next_sized(&two, &s, 2)) {
		wr_u8(w, s.type);
		wr_u8(w, s.count);
		while (rd_left(&s.as))
			wr_u32(w, rd_u16(&s.as));
	}
}

void aspath_narrow(struct blob path, struct writer *w)
{
	struct reader r = path_reader(path);
	struct segment s;

	while (segment_next(&r, &s)) {
		wr_u8(w, s.type);
		wr_u8(w, s.count);
		while (rd_left(&s.as)) {
			uint32_t as = rd_u32(&s.as);

			wr_u16(w, (uint16_t)(as <= UINT16_MAX ? as : BGP_AS_TRANS));
		}
	}
}

bool aspath_needs_as4(struct blob path)
{
	struct reader r = path_reader(path);
	struct segment s;

	while (segment_next(&r, &s)) {
		while (!is_confed(s.type) && rd_left(&s.as)) {
			if (rd_u32(&s.as) > UINT16_MAX)
				return true;
		}
	}
	return false;
}

void aspath_without_confed(struct blob path, struct writer *w)
{
	struct reader r = path_reader(path);
	struct segment s;

	while (segment_next(&r, &s)) {
		if (is_confed(s.type))
			continue;
		wr_u8(w, s.type);
		wr_u8(w, s.count);
		wr_bytes(w, s.as.p, rd_left(&s.as));
	}
}

/* A path being written, number by number. */
struct sink {
	struct writer *w;
	uint8_t type;   /* of the segment the next number belongs to */
	bool apart;     /* ... which must not continue the one before */
	uint8_t open;   /* type of the segment that @count belongs to */
	uint8_t *count; /* numbers so far; NULL: no segment yet */
};

/* From now on numbers of a segment of @type. Sequences continue one another; a set is a set of its own. */
static void sink_segment(struct sink *o, uint8_t type)
{
	o->type = type;
	o->apart = !is_sequence(type);
}

static void sink_as(struct sink *o, uint32_t as)
{
	if (!o->count || o->apart || o->open != o->type || *o->count == SEGMENT_MAX) {
		wr_u8(o->w, o->type);
		o->count = wr_skip(o->w, 1);
		if (!o->count)
			return;
		*o->count = 0;
		o->open = o->type;
		o->apart = false;
	}
	wr_u32(o->w, as);
	++*o->count;
}

/* The first @n numbers of @s. */
static void sink_copy(struct sink *o, struct segment *s, unsigned n)
{
	sink_segment(o, s->type);
	while (n-- && rd_left(&s->as))
		sink_as(o, rd_u32(&s->as));
}

/* The leading part of @r that counts @len, with the confederation segments before and within it (RFC
 * 6793 4.2.3). */
static void sink_leading(struct sink *o, struct reader r, unsigned len)
{
	struct segment s;

	while (segment_next(&r, &s)) {
		unsigned weight = segment_weight(&s);

		if (weight > len) {
			if (s.type == BGP_AS_SEQUENCE)
				sink_copy(o, &s, len);
			return;
		}
		sink_copy(o, &s, s.count);
		len -= weight;
	}
}

void aspath_merge(struct blob path, struct blob as4, struct writer *w)
{
	unsigned len = aspath_len(path), len4 = aspath_len(as4);
	struct sink o = { .w = w };
	struct reader r = path_reader(as4);
	struct segment s;

	if (len < len4) { /* somebody who speaks two bytes shortened AS_PATH: AS4_PATH is out of date */
		wr_bytes(w, path.p, path.len);
		return;
	}
	sink_leading(&o, path_reader(path), len - len4);
	while (segment_next(&r, &s)) {
		if (!is_confed(s.type)) /* RFC 6793 6: discarded */
			sink_copy(&o, &s, s.count);
	}
}

/* A whole segment of @n times @as. */
static void put_segment(struct writer *w, uint32_t as, unsigned n)
{
	wr_u8(w, BGP_AS_SEQUENCE);
	wr_u8(w, (uint8_t)n);
	while (n--)
		wr_u32(w, as);
}

/* RFC 4271 5.1.2 b: into the first segment while it has room, then into new ones in front of it. */
void aspath_prepend(struct blob path, uint32_t as, unsigned times, struct writer *w)
{
	struct reader r = path_reader(path);
	struct segment first = { 0 };
	bool joins = segment_next(&r, &first) && first.type == BGP_AS_SEQUENCE;
	unsigned room = joins ? SEGMENT_MAX - first.count : 0;
	unsigned inside = times < room ? times : room, outside = times - inside;

	if (outside % SEGMENT_MAX)
		put_segment(w, as, outside % SEGMENT_MAX);
	for (unsigned full = outside / SEGMENT_MAX; full && !w->bad; full--)
		put_segment(w, as, SEGMENT_MAX);
	if (!joins) {
		wr_bytes(w, path.p, path.len);
		return;
	}
	wr_u8(w, BGP_AS_SEQUENCE);
	wr_u8(w, (uint8_t)(inside + first.count));
	while (inside--)
		wr_u32(w, as);
	wr_bytes(w, first.as.p, rd_left(&first.as));
	wr_bytes(w, r.p, rd_left(&r));
}

static bool is_private(uint32_t as)
{
	return (as >= 64512 && as <= 65534) || (as >= 4200000000u && as <= 4294967294u);
}

void aspath_remove_private(struct blob path, struct writer *w)
{
	struct reader r = path_reader(path);
	struct sink o = { .w = w };
	struct segment s;

	while (segment_next(&r, &s)) {
		sink_segment(&o, s.type);
		while (rd_left(&s.as)) {
			uint32_t as = rd_u32(&s.as);

			if (!is_private(as))
				sink_as(&o, as);
		}
	}
}

void aspath_replace(struct blob path, uint32_t from, uint32_t to, struct writer *w)
{
	struct reader r = path_reader(path);
	struct segment s;

	while (segment_next(&r, &s)) {
		wr_u8(w, s.type);
		wr_u8(w, s.count);
		while (rd_left(&s.as)) {
			uint32_t as = rd_u32(&s.as);

			wr_u32(w, as == from ? to : as);
		}
	}
}

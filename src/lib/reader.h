/* SPDX-License-Identifier: BSD-2-Clause */
/* reader.h - the one way in which mcbgpd reads bytes it did not make: a cursor with a sticky error.
 *
 * Every accessor checks the bound. After the first failure the cursor is `bad` and yields zeros or NULL, so a
 * decoder may read a whole structure and ask once. Numbers are big-endian, as on every wire we read. */
#ifndef MCBGP_LIB_READER_H
#define MCBGP_LIB_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct reader rd_init(const uint8_t *p, size_t n)
{
	return (struct reader){ p, n ? p + n : p, false };
}

/** Bytes left; 0 once bad. */
static inline size_t rd_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

/** @n bytes in place, or NULL when there are fewer (the cursor is bad from then on). A NULL for @n == 0 of an
 * empty buffer is possible: test `bad`, not the pointer, where zero is a valid length. */
static inline const uint8_t *rd_take(struct reader *r, size_t n)
{
	const uint8_t *b = r->p;

	if (r->bad || n > (size_t)(r->end - r->p)) {
		r->bad = true;
		return NULL;
	}
	if (n) /* NULL + 0 is undefined */
		r->p = b + n;
	return b;
}

/** A child cursor over the next @n bytes: it cannot read past them. */
static inline struct reader rd_sub(struct reader *r, size_t n)
{
	const uint8_t *b = rd_take(r, n);

	if (r->bad)
		return (struct reader){ .bad = true };
	return rd_init(b, n);
}

static inline uint8_t rd_u8(struct reader *r)
{
	const uint8_t *b = rd_take(r, 1);

	return b ? b[0] : 0;
}

static inline uint16_t rd_u16(struct reader *r)
{
	const uint8_t *b = rd_take(r, 2);

	return b ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

static inline uint32_t rd_u32(struct reader *r)
{
	const uint8_t *b = rd_take(r, 4);

	return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

#endif

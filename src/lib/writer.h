/* SPDX-License-Identifier: BSD-2-Clause */
/* writer.h - the counterpart of reader.h: a cursor over the caller's buffer that never writes past its end.
 *
 * What does not fit makes the cursor `bad` and writes nothing; the caller asks once, at the end. Big-endian.
 */
#ifndef MCBGP_LIB_WRITER_H
#define MCBGP_LIB_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct writer {
	uint8_t *p, *end;
	bool bad;
};

static inline struct writer wr_init(uint8_t *p, size_t n)
{
	return (struct writer){ p, n ? p + n : p, false };
}

static inline size_t wr_room(const struct writer *w)
{
	return w->bad ? 0 : (size_t)(w->end - w->p);
}

/** Reserve @n bytes to be filled by the caller; NULL when they do not fit. */
static inline uint8_t *wr_skip(struct writer *w, size_t n)
{
	uint8_t *b = w->p;

	if (w->bad || n > (size_t)(w->end - w->p)) {
		w->bad = true;
		return NULL;
	}
	if (n) /* NULL + 0 is undefined */
		w->p = b + n;
	return b;
}

static inline void wr_put_u16(uint8_t *b, uint16_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static inline void wr_put_u32(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}

static inline void wr_u8(struct writer *w, uint8_t v)
{
	uint8_t *b = wr_skip(w, 1);

	if (b)
		*b = v;
}

static inline void wr_u16(struct writer *w, uint16_t v)
{
	uint8_t *b = wr_skip(w, 2);

	if (b)
		wr_put_u16(b, v);
}

static inline void wr_u32(struct writer *w, uint32_t v)
{
	uint8_t *b = wr_skip(w, 4);

	if (b)
		wr_put_u32(b, v);
}

static inline void wr_bytes(struct writer *w, const void *src, size_t n)
{
	uint8_t *b = wr_skip(w, n);

	if (b && n)
		memcpy(b, src, n);
}

#endif

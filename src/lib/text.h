/* SPDX-License-Identifier: BSD-2-Clause */
/* text.h - the writer for people: text into the caller's buffer, cut where it ends, its full length still
 * counted.
 *
 * The buffer is NUL-ended at every moment. `len` is what the whole text needs, as snprintf() has it. */
#ifndef MCBGP_LIB_TEXT_H
#define MCBGP_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buf;
	size_t size; /* bytes of @buf, the NUL included; 0: count only */
	size_t len;  /* characters asked for so far, without the NUL */
};

static inline struct text text_init(char *buf, size_t size)
{
	if (size)
		buf[0] = '\0';
	return (struct text){ buf, size, 0 };
}

static inline void text_char(struct text *t, char c)
{
	if (t->len + 1 < t->size) {
		t->buf[t->len] = c;
		t->buf[t->len + 1] = '\0';
	}
	t->len++;
}

/** Characters that are in the buffer. */
static inline size_t text_stored(const struct text *t)
{
	if (t->size == 0)
		return 0;
	return t->len < t->size ? t->len : t->size - 1;
}

void text_str(struct text *t, const char *s);
void text_u32(struct text *t, uint32_t v);
void text_u64(struct text *t, uint64_t v);
void text_i64(struct text *t, int64_t v);
void text_hex(struct text *t, uint32_t v); /* lower case, no leading zeros, no 0x */

#endif

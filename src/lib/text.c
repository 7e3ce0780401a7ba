/* SPDX-License-Identifier: BSD-2-Clause */
/* text.c - numbers and strings into a struct text; by hand, since a table of a million routes is printed with
 * it. */
#include "lib/text.h"

void text_str(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

static void text_base(struct text *t, uint64_t v, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		text_char(t, digits[--n]);
}

void text_u32(struct text *t, uint32_t v)
{
	text_base(t, v, 10);
}

void text_u64(struct text *t, uint64_t v)
{
	text_base(t, v, 10);
}

void text_i64(struct text *t, int64_t v)
{
	if (v < 0)
		text_char(t, '-');
	text_base(t, v < 0 ? -(uint64_t)v : (uint64_t)v, 10);
}

void text_hex(struct text *t, uint32_t v)
{
	text_base(t, v, 16);
}

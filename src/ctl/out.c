/* SPDX-License-Identifier: BSD-2-Clause */
/* out.c - a growing buffer that moves its bytes to the front only when it would otherwise grow. */
#include "ctl/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 4096u

void out_fini(struct out *o)
{
	free(o->buf);
	*o = (struct out){ 0 };
}

/** Room for @n bytes behind those that wait. */
static bool reserve(struct out *o, size_t n)
{
	size_t size = o->size ? o->size : FIRST_SIZE;
	char *grown;

	if (o->bad)
		return false;
	if (o->start + o->len + n <= o->size)
		return true;
	if (o->len)
		memmove(o->buf, o->buf + o->start, o->len);
	o->start = 0;
	while (size < o->len + n)
		size *= 2;
	if (size == o->size)
		return true;
	grown = realloc(o->buf, size);
	if (!grown) {
		o->bad = true;
		return false;
	}
	o->buf = grown;
	o->size = size;
	return true;
}

void out_write(struct out *o, const char *bytes, size_t n)
{
	if (!n || !reserve(o, n))
		return;
	memcpy(o->buf + o->start + o->len, bytes, n);
	o->len += n;
}

void out_vprintf(struct out *o, const char *format, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	if (n >= 0 && reserve(o, (size_t)n + 1)) { /* vsnprintf() writes its NUL too */
		vsnprintf(o->buf + o->start + o->len, (size_t)n + 1, format, again);
		o->len += (size_t)n;
	}
	va_end(again);
}

void out_printf(struct out *o, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out_vprintf(o, format, args);
	va_end(args);
}

void out_taken(struct out *o, size_t n)
{
	o->start += n;
	o->len -= n;
	if (o->len)
		return;
	o->start = 0;
	if (o->size > 16 * FIRST_SIZE) /* a long answer is over: give the memory back */
		out_fini(o);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* out.h - bytes that wait for a client: written at the end, taken from the front. */
#ifndef MCBGP_CTL_OUT_H
#define MCBGP_CTL_OUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/** Zero-initialised is empty. After a failed allocation it is `bad` and takes no more: hang up. */
struct out {
	char *buf;
	size_t start, len, size; /* of what waits: where it begins in buf, its bytes; bytes allocated */
	bool bad;
};

void out_fini(struct out *o);
void out_write(struct out *o, const char *bytes, size_t n);
void out_vprintf(struct out *o, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void out_printf(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The first @n bytes are gone. */
void out_taken(struct out *o, size_t n);

static inline const char *out_head(const struct out *o)
{
	return o->buf + o->start;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* secret.h - a password from a file. It is never printed, and wiped by whoever holds a copy. */
#ifndef MCBGP_IO_SECRET_H
#define MCBGP_IO_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#define SECRET_MAX 80 /* bytes, TCP_MD5SIG_MAXKEYLEN */

struct secret {
	uint8_t len; /* 0: none */
	uint8_t bytes[SECRET_MAX];
};

/** Read the first line of the regular file @path. @return 0, or with @out empty -EPERM (somebody besides its
 * owner and group may read it, or besides its owner write it), -ENODATA (no password in it), -EMSGSIZE (too
 * long), -EINVAL (not a regular file) or what the system says. */
int secret_load(const char *path, struct secret *out);
bool secret_equal(const struct secret *a, const struct secret *b);
void secret_wipe(struct secret *s);
const char *secret_mend(int err); /* what to do about an error of secret_load() */

#endif

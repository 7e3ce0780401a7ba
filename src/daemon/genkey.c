/* SPDX-License-Identifier: BSD-2-Clause */
/* genkey.c - `mcbgpd --genkey FILE`: a WireGuard key for private_key_file; its public half is what the other
 * side needs. */
#include <errno.h>
#include <stdio.h>

#include "daemon/daemon.h"
#include "daemon/sandbox.h"
#include "tunnel/key.h"

int daemon_genkey(const char *file)
{
	uint8_t key[KEY_BYTES], public_key[KEY_BYTES];
	char text[KEY_STRLEN];
	const char *why;
	int rc = key_create(file);

	if (rc == 0)
		rc = sandbox_give(file);
	if (rc < 0 && rc != -EEXIST) {
		errno = -rc;
		perror(file);
		return EXIT_SYSTEM;
	}
	rc = key_load(file, key, &why);
	if (rc < 0) {
		fprintf(stderr, "%s %s\n", file, why);
		return EXIT_SYSTEM;
	}
	key_public(key, public_key);
	key_wipe(key, sizeof(key));
	puts(key_print(public_key, text));
	return EXIT_ORDERED;
}

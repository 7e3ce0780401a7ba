/* SPDX-License-Identifier: BSD-2-Clause */
/* key.h - WireGuard's keys: read from files that nobody else can read, made, written as base64.
 *
 * Secret bytes live in the caller's storage, who wipes them with key_wipe() as soon as the kernel has them;
 * this module keeps none, and never puts one into a text. The curve is libsodium's business. */
#ifndef MCBGP_TUNNEL_KEY_H
#define MCBGP_TUNNEL_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_BYTES  32
#define KEY_STRLEN 45 /* base64 with its NUL */

/** The key in the file @path. @why, on failure: the cause and the mend in words, for a person; a constant.
 *  @return 0, -EACCES: others can read the file, -EINVAL: it holds no key, or -errno of the system. */
int key_load(const char *path, uint8_t key[KEY_BYTES], const char **why);
/** A new private key in a new file, mode 0600. @return 0, -EEXIST or another -errno. */
int key_create(const char *path);
void key_public(const uint8_t private_key[KEY_BYTES], uint8_t public_key[KEY_BYTES]);
bool key_parse(const char *base64, uint8_t key[KEY_BYTES]);          /* false: not the base64 of 32 bytes */
char *key_print(const uint8_t key[KEY_BYTES], char buf[KEY_STRLEN]); /* @return @buf */
bool key_equal(const uint8_t a[KEY_BYTES], const uint8_t b[KEY_BYTES]); /* in constant time */
void key_random(uint8_t key[KEY_BYTES]);
void key_wipe(void *p, size_t n);

#endif

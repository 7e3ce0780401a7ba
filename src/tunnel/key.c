/* SPDX-License-Identifier: BSD-2-Clause */
/* key.c - DOC: secrets in files.
 *
 * A key file holds one key in base64 and a newline, as `wg genkey` writes it. One that its group or others
 * may read, or that is no plain file, is refused rather than used with a warning: a key that leaked is no
 * key. The descriptor that was looked at is the one that is read. */
#include "tunnel/key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 128 /* bytes of a key file; more is none */

static const char *why_not(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is no plain file";
	if (st->st_mode & (S_IRWXG | S_IRWXO))
		return "can be read or written by others: chmod 600 it, and make a new key if it was seen";
	return NULL;
}

/* At most @size bytes. @return how many, or -errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t n = 0;
	ssize_t got;

	do {
		got = read(fd, buf + n, size - n);
		if (got < 0 && errno != EINTR)
			return -errno;
		n += got > 0 ? (size_t)got : 0;
	} while (got != 0 && n < size);
	return (ssize_t)n;
}

bool key_parse(const char *base64, uint8_t key[KEY_BYTES])
{
	size_t len;

	return strlen(base64) == KEY_STRLEN - 1 &&
	       sodium_base642bin(key, KEY_BYTES, base64, KEY_STRLEN - 1, NULL, &len, NULL,
	                         sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       len == KEY_BYTES;
}

static int load_from(int fd, uint8_t key[KEY_BYTES], const char **why)
{
	char text[FILE_MAX];
	struct stat st;
	ssize_t n;
	int rc = -EINVAL;

	if (fstat(fd, &st) < 0)
		return -errno;
	*why = why_not(&st);
	if (*why)
		return -EACCES;
	n = read_all(fd, text, sizeof(text) - 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	if (key_parse(text, key))
		rc = 0;
	else
		*why = "holds no key: one line of 44 characters in base64, as mcbgpd --genkey FILE makes it";
	key_wipe(text, sizeof(text));
	return rc;
}

static const char *why_no_file(int err)
{
	switch (err) {
	case ENOENT:
		return "does not exist: mcbgpd --genkey FILE makes a private key";
	case EACCES:
		return "may not be read by the user that mcbgpd runs as: chown it to that user";
	default:
		return strerror(err);
	}
}

int key_load(const char *path, uint8_t key[KEY_BYTES], const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not stop us */
	int rc;

	*why = NULL;
	if (fd < 0) {
		rc = -errno;
	} else {
		rc = load_from(fd, key, why);
		close(fd);
	}
	if (rc < 0 && !*why)
		*why = why_no_file(-rc);
	return rc;
}

static int write_all(int fd, const char *text, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t put = write(fd, text + n, len - n);

		if (put < 0 && errno != EINTR)
			return -errno;
		n += put > 0 ? (size_t)put : 0;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int key_create(const char *path)
{
	char text[KEY_STRLEN + 1];
	uint8_t key[KEY_BYTES];
	int fd, rc;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return -errno;
	key_random(key);
	key[0] &= 248; /* RFC 7748 5: as the curve will use it */
	key[31] = (uint8_t)((key[31] & 127) | 64);
	key_print(key, text);
	text[KEY_STRLEN - 1] = '\n';
	rc = write_all(fd, text, KEY_STRLEN);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		unlink(path);
	key_wipe(key, sizeof(key));
	key_wipe(text, sizeof(text));
	return rc;
}

void key_public(const uint8_t private_key[KEY_BYTES], uint8_t public_key[KEY_BYTES])
{
	crypto_scalarmult_curve25519_base(public_key, private_key);
}

char *key_print(const uint8_t key[KEY_BYTES], char buf[KEY_STRLEN])
{
	return sodium_bin2base64(buf, KEY_STRLEN, key, KEY_BYTES, sodium_base64_VARIANT_ORIGINAL);
}

bool key_equal(const uint8_t a[KEY_BYTES], const uint8_t b[KEY_BYTES])
{
	return sodium_memcmp(a, b, KEY_BYTES) == 0;
}

void key_random(uint8_t key[KEY_BYTES])
{
	randombytes_buf(key, KEY_BYTES);
}

void key_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

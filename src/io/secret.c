/* SPDX-License-Identifier: BSD-2-Clause */
/* secret.c - passwords from files; see the header. */
#include "io/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORBIDDEN (S_IWGRP | S_IRWXO)

static int check_mode(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return st.st_mode & FORBIDDEN ? -EPERM : 0;
}

/* The first line of @fd, without its end. @return its length or -errno */
static int read_line(int fd, uint8_t *line, size_t size)
{
	ssize_t n = read(fd, line, size);
	const uint8_t *end;

	if (n < 0)
		return -errno;
	end = memchr(line, '\n', (size_t)n);
	if (!end && (size_t)n == size)
		return -EMSGSIZE;
	if (end)
		n = end - line;
	if (n > 0 && line[n - 1] == '\r')
		n--;
	return n ? (int)n : -ENODATA;
}

int secret_load(const char *path, struct secret *out)
{
	uint8_t line[SECRET_MAX + 2];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	out->len = 0;
	if (fd < 0)
		return -errno;
	rc = check_mode(fd);
	if (rc == 0)
		rc = read_line(fd, line, sizeof(line));
	close(fd);
	if (rc > SECRET_MAX)
		rc = -EMSGSIZE;
	if (rc > 0) {
		memcpy(out->bytes, line, (size_t)rc);
		out->len = (uint8_t)rc;
	}
	explicit_bzero(line, sizeof(line));
	return rc < 0 ? rc : 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

void secret_wipe(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

const char *secret_mend(int err)
{
	switch (err) {
	case -EPERM:
		return "others may read it: chmod 0600, or 0640 for a group";
	case -ENODATA:
		return "its first line is to be the password";
	case -EMSGSIZE:
		return "a password has 80 bytes at most";
	case -EINVAL:
		return "needs a regular file";
	case -ENOENT:
		return "there is no such file";
	case -EACCES:
		return "mcbgpd may not read it: see its owner and mode, and those of its folder";
	default:
		return "the log says why";
	}
}

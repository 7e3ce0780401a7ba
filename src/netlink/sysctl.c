/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl.c - see sysctl.h. The files of /proc/sys/net belong to the network namespace of the thread that
 * opens them. */
#include "netlink/sysctl.h"

#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "net.ipv4.conf.eth0/1.mtu" -> "/proc/sys/net/ipv4/conf/eth0.1/mtu": dots and slashes change places, as in
 * sysctl(8). */
static int path_of(const char *name, char *path, size_t size)
{
	int n = snprintf(path, size, "/proc/sys/%s", name);

	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	for (char *c = path + strlen("/proc/sys/"); *c; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return 0;
}

static int read_value(int fd, long *out)
{
	char buf[32], *end;
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	*out = strtol(buf, &end, 10);
	return end != buf && (*end == '\n' || !*end) ? 0 : -EBADMSG;
}

static int write_value(const char *path, int value)
{
	char buf[16];
	int n = snprintf(buf, sizeof(buf), "%d\n", value);
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 1;

	if (fd < 0)
		return -errno;
	if (write(fd, buf, (size_t)n) != n)
		rc = -errno;
	close(fd);
	return rc;
}

int sysctl_set(const char *name, int value)
{
	char path[256];
	long now = 0;
	int fd, rc = path_of(name, path, sizeof(path));

	if (rc < 0)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = read_value(fd, &now);
	close(fd);
	if (rc == 0 && now == value)
		return 0;
	return write_value(path, value);
}

size_t sysctl_apply(const struct conf_host *h)
{
	const struct {
		const char *name;
		int value; /* below 0: not configured */
	} wanted[] = {
		{ "net.ipv4.ip_forward", h->ip_forward },
		{ "net.ipv6.conf.all.forwarding", h->ip_forward },
		{ "net.ipv4.fib_multipath_hash_policy", h->multipath_hash },
		{ "net.ipv6.fib_multipath_hash_policy", h->multipath_hash },
		{ "net.ipv4.fib_multipath_use_neigh", h->multipath_use_neigh },
		{ "net.ipv4.conf.all.rp_filter", h->rp_filter },
	};
	size_t failed = 0;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		int rc = wanted[i].value < 0 ? 0 : sysctl_set(wanted[i].name, wanted[i].value);

		if (rc < 0) {
			log_event(LOGL_ERROR, "host.sysctl", kv_str("sysctl", wanted[i].name),
			          kv_i64("value", wanted[i].value), kv_errno("error", rc),
			          kv_str("hint", "set it on the host, or leave it out of the configuration"));
			failed++;
		} else if (rc > 0) {
			log_event(LOGL_INFO, "host.sysctl", kv_str("sysctl", wanted[i].name),
			          kv_i64("value", wanted[i].value));
		}
	}
	return failed;
}

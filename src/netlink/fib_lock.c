/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_lock.c - DOC: the lock is a listening socket with an abstract name: such names belong to a network
 * namespace, and leave nothing behind.
 *
 * Anybody may take any of these names, and must not keep us from the table by that. So a name in use counts
 * when root or our own user listens there, which the kernel tells whoever connects; nothing else is said over
 * these connections. Who has the name otherwise is named in the log, and we go on without a lock. */
#include "netlink/fib_lock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"

struct fib_lock {
	int fd;
	struct loop_fd *watch;
};

static socklen_t name_of(uint8_t protocol, struct sockaddr_un *out)
{
	int n;

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(out->sun_path + 1, sizeof(out->sun_path) - 1, "mcbgpd-fib-%u", protocol);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* Who asks has been told by the kernel already. */
static void on_asked(void *ctx, unsigned events)
{
	struct fib_lock *k = ctx;
	int fd = accept4(k->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0)
		close(fd);
}

/* @return false: nobody to be asked listens at @name. */
static bool ask_holder(const struct sockaddr_un *name, socklen_t len, struct ucred *out)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(*out);
	bool told;

	if (fd < 0)
		return false;
	told = connect(fd, (const struct sockaddr *)name, len) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_PEERCRED, out, &size) == 0;
	close(fd);
	return told;
}

static int take(struct fib_lock *k, uint8_t protocol, pid_t *holder)
{
	struct ucred who = { .uid = (uid_t)-1 };
	struct sockaddr_un name;
	socklen_t len = name_of(protocol, &name);

	k->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (k->fd < 0)
		return -errno;
	if (bind(k->fd, (const struct sockaddr *)&name, len) == 0)
		return listen(k->fd, SOMAXCONN) == 0 ? 0 : -errno;
	if (errno != EADDRINUSE)
		return -errno;
	if (ask_holder(&name, len, &who) && (who.uid == 0 || who.uid == geteuid())) {
		*holder = who.pid;
		return -EADDRINUSE;
	}
	log_event(LOGL_WARNING, "fib.lock_taken", kv_str("name", name.sun_path + 1), kv_u64("uid", who.uid),
	          kv_str("hint",
	                 "another user's process has it: nothing keeps a second mcbgpd from our routes"));
	return 1;
}

int fib_lock_new(struct loop *l, uint8_t protocol, struct fib_lock **out, pid_t *holder)
{
	struct fib_lock *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return -ENOMEM;
	rc = take(k, protocol, holder);
	if (rc == 0) {
		k->watch = loop_fd_new(l, k->fd, LOOP_READ, on_asked, k);
		rc = k->watch ? 0 : -ENOMEM;
	}
	if (rc < 0) {
		fib_lock_free(k);
		return rc;
	}
	*out = k;
	return 0;
}

void fib_lock_free(struct fib_lock *k)
{
	if (!k)
		return;
	loop_fd_free(k->watch);
	if (k->fd >= 0)
		close(k->fd);
	free(k);
}

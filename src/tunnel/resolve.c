/* SPDX-License-Identifier: BSD-2-Clause */
/* resolve.c - DOC: the system's resolver, which blocks, in a thread of its own.
 *
 * Questions are rare (a WireGuard endpoint by name, at the start and when its handshake dies), so each has a
 * thread that lives as long as getaddrinfo() takes. Both sides share one small job; who comes last frees it.
 * The answer is told by one byte through a pipe. */
#include "tunnel/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
	atomic_int users; /* the thread and the loop's side */
	char *name;
	int answered[2]; /* pipe: the loop reads, the thread writes */
	int error;       /* of getaddrinfo() */
	struct ip address;
};

struct resolve {
	struct job *job;
	struct loop_fd *watch;
	resolve_fn fn;
	void *ctx;
};

static void job_unref(struct job *j)
{
	if (atomic_fetch_sub(&j->users, 1) != 1)
		return;
	if (j->answered[0] >= 0) {
		close(j->answered[0]);
		close(j->answered[1]);
	}
	free(j->name);
	free(j);
}

static struct job *job_new(const char *name)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	atomic_init(&j->users, 1);
	j->answered[0] = j->answered[1] = -1;
	j->name = strdup(name);
	if (!j->name || pipe2(j->answered, O_CLOEXEC | O_NONBLOCK) < 0) {
		job_unref(j);
		return NULL;
	}
	return j;
}

/* -- the thread ----------------------------------------------------------------------------------- */

static struct ip ip_of(const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		return ip_from_bytes(IP_V4, (const uint8_t *)&in.sin_addr);
	}
	memcpy(&in6, sa, sizeof(in6));
	return ip_from_bytes(IP_V6, (const uint8_t *)&in6.sin6_addr);
}

static void *ask(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *found = NULL;
	struct job *j = arg;
	ssize_t put;

	j->error = getaddrinfo(j->name, NULL, &hints, &found);
	for (const struct addrinfo *a = found; a && !j->address.family; a = a->ai_next) {
		if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
			j->address = ip_of(a->ai_addr);
	}
	if (found)
		freeaddrinfo(found);
	do {
		put = write(j->answered[1], "", 1);
	} while (put < 0 && errno == EINTR);
	job_unref(j);
	return NULL;
}

static int start(struct job *j)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	rc = pthread_attr_init(&attr);
	if (rc)
		return rc;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_fetch_add(&j->users, 1);
	rc = pthread_create(&thread, &attr, ask, j);
	if (rc)
		atomic_fetch_sub(&j->users, 1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

/* -- the loop's side ------------------------------------------------------------------------------ */

static void on_answer(void *ctx, unsigned events)
{
	struct resolve *r = ctx;
	const char *error;
	struct ip address;
	char byte;

	(void)events;
	if (read(r->job->answered[0], &byte, 1) != 1)
		return;
	address = r->job->address; /* @fn may free both */
	error = address.family ? NULL : gai_strerror(r->job->error);
	loop_fd_set(r->watch, 0);
	r->fn(r->ctx, &address, error);
}

struct resolve *resolve_new(struct loop *l, const char *name, resolve_fn fn, void *ctx)
{
	struct resolve *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fn = fn;
	r->ctx = ctx;
	r->job = job_new(name);
	if (!r->job)
		goto fail;
	r->watch = loop_fd_new(l, r->job->answered[0], LOOP_READ, on_answer, r);
	if (!r->watch || start(r->job) != 0)
		goto fail;
	return r;
fail:
	resolve_free(r);
	return NULL;
}

void resolve_free(struct resolve *r)
{
	if (!r)
		return;
	loop_fd_free(r->watch);
	if (r->job)
		job_unref(r->job);
	free(r);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* netns.h - tests against the real kernel: a network namespace of the test's own, ip(8) to look at it, and a
 * loop that runs until something holds. */
#ifndef TESTS_UNIT_NETLINK_NETNS_H
#define TESTS_UNIT_NETLINK_NETNS_H

#include "io/loop.h"
#include "lib/log.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char netns_out[65536];

/** Output of a shell command; an assertion when it cannot be run. */
__attribute__((format(printf, 1, 2))) static inline const char *sh(const char *fmt, ...)
{
	char cmd[4096];
	va_list ap;
	FILE *f;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	fflush(NULL);
	f = popen(cmd, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(netns_out, 1, sizeof(netns_out) - 1, f);
	netns_out[n] = '\0';
	pclose(f);
	return netns_out;
}

/** A shell command that must succeed. */
#define must(...)                                                             \
	do {                                                                  \
		char must_cmd[4096];                                          \
		snprintf(must_cmd, sizeof(must_cmd), __VA_ARGS__);            \
		ck_assert_msg(system(must_cmd) == 0, "failed: %s", must_cmd); \
	} while (0)

static inline void netns_log(void *ctx, enum log_level level, const char *event, const struct kv *kv,
                             size_t n)
{
	char line[512];

	(void)ctx;
	log_format(line, sizeof(line), level, event, kv, n);
	printf("# %s\n", line);
}

static inline void netns_enter(void)
{
	ck_assert_msg(unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0,
	              "no network namespace for the test: %s", strerror(errno));
	must("ip link set lo up");
	if (getenv("TEST_LOG")) {
		log_set_sink(netns_log, NULL);
		log_set_level(LOGL_DEBUG);
	}
}

struct netns_wait {
	struct loop *loop;
	struct loop_timer *timer;
	bool (*holds)(void *ctx);
	void *ctx;
	uint64_t deadline;
	bool held;
};

static inline void netns_tick(void *ctx)
{
	struct netns_wait *w = ctx;

	w->held = w->holds && w->holds(w->ctx);
	if (w->held || loop_clock() >= w->deadline)
		loop_stop(w->loop);
	else
		loop_timer_at(w->timer, loop_clock() + 1000);
}

/** Run @l until @holds, at most @ms. @holds NULL: all of @ms. */
static inline bool run_until(struct loop *l, bool (*holds)(void *ctx), void *ctx, unsigned ms)
{
	struct netns_wait w = {
		.loop = l, .holds = holds, .ctx = ctx, .deadline = loop_clock() + ms * 1000ull
	};

	w.timer = loop_timer_new(l, netns_tick, &w);
	loop_timer_at(w.timer, 0);
	loop_run(l);
	loop_timer_free(w.timer);
	return w.held;
}

#endif

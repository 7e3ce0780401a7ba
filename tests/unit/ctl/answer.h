/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.h - the whole answer of the fake daemon to one request. */
#ifndef TESTS_UNIT_CTL_ANSWER_H
#define TESTS_UNIT_CTL_ANSWER_H

#include <stdlib.h>
#include <time.h>

#include "ctl/commands.h"
#include "unit/ctl/fake_daemon.h"
#include "unit/unit.h"

static struct fake_daemon daemon_;
static struct request request;
static struct out out;

/** The whole answer to @line; good until the next one. */
static inline const char *answer(const char *line)
{
	bool more;

	setenv("TZ", "UTC", 1);
	tzset();
	out_fini(&out);
	more = request_begin(&request, &daemon_.backend, line, &out);
	while (more)
		more = request_more(&request);
	request_end(&request);
	out_write(&out, "", 1);
	ck_assert(!out.bad);
	return out_head(&out);
}

static inline void start(void)
{
	if (!daemon_.rib)
		fake_daemon_init(&daemon_);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* test_log_sink.c - what reaches standard error when the same is said again and again. */
#include "io/log_sink.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/journal.h"
#include "lib/log.h"
#include "unit/unit.h"

#define TIMES 50

/* How many of TIMES equal lines of @event are written. */
static unsigned written(const char *event)
{
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);
	unsigned lines = 0;
	char line[512];

	ck_assert(log && saved >= 0);
	fflush(stderr);
	ck_assert_int_ge(dup2(fileno(log), STDERR_FILENO), 0);
	log_sink_open(LOG_TARGET_STDERR);
	for (unsigned i = 0; i < TIMES; i++)
		log_event(LOGL_INFO, event, kv_str("peer", "node"));
	log_sink_close();
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	close(saved);
	rewind(log);
	while (fgets(line, sizeof(line), log)) {
		ck_assert_ptr_nonnull(strstr(line, event));
		lines++;
	}
	fclose(log);
	return lines;
}

START_TEST(a_flood_is_cut)
{
	ck_assert_uint_eq(written("session.down"), 5);
}
END_TEST

static const struct {
	const char *event;
} operators[] = {
	{ "config.reloaded" }, { "peer.enabled" },    { "peer.disabled" },
	{ "peer.removed" },    { "daemon.stopping" },
};

START_TEST(what_an_operator_does_is_written_each_time)
{
	ck_assert_uint_eq(written(operators[_i].event), TIMES);
}
END_TEST

START_TEST(different_lines_are_no_flood)
{
	ck_assert_uint_eq(written("session.up") + written("session.state"), 10);
}
END_TEST

START_TEST(without_a_journal_it_is_standard_error_and_said)
{
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);
	char text[2048] = "";

	if (journal_there()) /* then it is not for a test to write there */
		return;
	ck_assert(log && saved >= 0);
	fflush(stderr);
	ck_assert_int_ge(dup2(fileno(log), STDERR_FILENO), 0);
	log_sink_open(LOG_TARGET_JOURNAL);
	log_event(LOGL_INFO, "session.up", kv_str("peer", "elsewhere"));
	log_sink_close();
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	close(saved);
	rewind(log);
	ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, log), 0);
	fclose(log);
	ck_assert_ptr_nonnull(strstr(text, "event=daemon.no_journal"));
	ck_assert_ptr_nonnull(strstr(text, "event=session.up peer=elsewhere"));
}
END_TEST

UNIT_MAIN("log_sink", UNIT(a_flood_is_cut), UNIT_ROWS(what_an_operator_does_is_written_each_time, operators),
          UNIT(different_lines_are_no_flood), UNIT(without_a_journal_it_is_standard_error_and_said))

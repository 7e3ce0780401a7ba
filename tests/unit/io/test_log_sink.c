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

/* What is written while @talk runs. */
static const char *said(void (*talk)(const char *event), const char *event)
{
	static char text[16384];
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);

	ck_assert(log && saved >= 0);
	fflush(stderr);
	ck_assert_int_ge(dup2(fileno(log), STDERR_FILENO), 0);
	talk(event);
	log_sink_close();
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	close(saved);
	rewind(log);
	text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
	fclose(log);
	return text;
}

static void flood(const char *event)
{
	log_sink_open(LOG_TARGET_STDERR);
	for (unsigned i = 0; i < TIMES; i++)
		log_event(LOGL_INFO, event, kv_str("peer", "node"));
}

/* How many of TIMES equal lines of @event are written. */
static unsigned written(const char *event)
{
	const char *text = said(flood, event);
	unsigned lines = 0;

	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		const char *name = strstr(text, event);

		ck_assert(name && name < end);
		lines++;
	}
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

static void want_a_journal(const char *event)
{
	log_sink_open(LOG_TARGET_JOURNAL);
	log_event(LOGL_INFO, event, kv_str("peer", "elsewhere"));
}

START_TEST(without_a_journal_it_is_standard_error_and_said)
{
	const char *text;

	if (journal_there()) /* then it is not for a test to write there */
		return;
	text = said(want_a_journal, "session.up");
	ck_assert_ptr_nonnull(strstr(text, "event=daemon.no_journal"));
	ck_assert_ptr_nonnull(strstr(text, "event=session.up peer=elsewhere"));
}
END_TEST

/* As reloads do. */
static void want_a_journal_again(const char *event)
{
	for (unsigned i = 0; i < 3; i++)
		log_sink_open(LOG_TARGET_JOURNAL);
	log_event(LOGL_INFO, event, kv_str("peer", "between"));
	log_sink_open(LOG_TARGET_STDERR);
	log_sink_open(LOG_TARGET_JOURNAL);
}

START_TEST(that_there_is_no_journal_is_said_when_it_is_news)
{
	const char *first, *between, *again;

	if (journal_there())
		return;
	first = strstr(said(want_a_journal_again, "session.up"), "event=daemon.no_journal");
	ck_assert_ptr_nonnull(first);
	between = strstr(first, "peer=between");
	again = strstr(first + 1, "event=daemon.no_journal");
	ck_assert(between && again && between < again);
	ck_assert_ptr_null(strstr(again + 1, "event=daemon.no_journal"));
}
END_TEST

UNIT_MAIN("log_sink", UNIT(a_flood_is_cut), UNIT_ROWS(what_an_operator_does_is_written_each_time, operators),
          UNIT(different_lines_are_no_flood), UNIT(without_a_journal_it_is_standard_error_and_said),
          UNIT(that_there_is_no_journal_is_said_when_it_is_news))

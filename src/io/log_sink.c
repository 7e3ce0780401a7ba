/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: events to standard error, syslog or the journal, and no flood of them.
 *
 * An event is the same when its whole line is: then the first few of a window are written, the rest counted.
 * The table of recent lines is small and forgets: a line that pushes another one out costs that one's count,
 * never an event that is new. */
#include "io/log_sink.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "io/journal.h"

#define LINE_MAX_LEN 2048
#define RECENT       256
#define WINDOW_S     10
#define BURST        5

struct recent {
	uint64_t hash; /* of the line; 0: free */
	time_t until;  /* monotonic seconds */
	unsigned written, left_out;
};

static struct {
	enum log_target target;
	bool no_journal; /* it was wanted and is not there, which has been said */
	struct recent recent[RECENT];
} out;

static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

/* @return whether to write the line; *@left_out: how many equal ones were not written before it */
static bool admit(const char *text, size_t len, unsigned *left_out)
{
	uint64_t hash = hash_of(text, len);
	struct recent *r = &out.recent[hash % RECENT];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*left_out = 0;
	if (r->hash != hash || now.tv_sec >= r->until) {
		*left_out = r->hash == hash ? r->left_out : 0;
		*r = (struct recent){ .hash = hash, .until = now.tv_sec + WINDOW_S };
	}
	if (r->written < BURST) {
		r->written++;
		return true;
	}
	r->left_out++;
	return false;
}

/* What an operator did, each time it was done. */
static bool is_operators(const char *event)
{
	static const char *const kinds[] = { "config.", "daemon.", "peer.enabled", "peer.disabled",
		                             "peer.removed" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(event, kinds[i], strlen(kinds[i])) == 0)
			return true;
	return false;
}

static void to_stderr(const char *text)
{
	char line[LINE_MAX_LEN + 64], when[32];
	struct timespec now;
	struct tm utc;
	int len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);
	len = snprintf(line, sizeof(line), "%s.%03ldZ %s\n", when, now.tv_nsec / 1000000, text);
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* there is nobody to tell */
}

static void to_syslog(enum log_level level, const char *text)
{
	static const int priorities[] = {
		[LOGL_ERROR] = LOG_ERR,
		[LOGL_WARNING] = LOG_WARNING,
		[LOGL_INFO] = LOG_INFO,
		[LOGL_DEBUG] = LOG_DEBUG,
	};

	syslog(priorities[level], "%s", text);
}

static void on_event(void *ctx, enum log_level level, const char *event, const struct kv *kv, size_t n)
{
	char text[LINE_MAX_LEN];
	size_t len = log_format(text, sizeof(text), level, event, kv, n);
	unsigned left_out = 0;

	(void)ctx;
	if (!is_operators(event) && !admit(text, len, &left_out))
		return;
	if (out.target == LOG_TARGET_JOURNAL) {
		journal_send(level, event, strstr(text, "event="), left_out, kv, n);
		return;
	}
	if (left_out)
		snprintf(text + len, sizeof(text) - len, " repeated=%u", left_out);
	if (out.target == LOG_TARGET_SYSLOG)
		to_syslog(level, text);
	else
		to_stderr(text);
}

static void set_target(enum log_target target)
{
	if (out.target == LOG_TARGET_SYSLOG && target != LOG_TARGET_SYSLOG)
		closelog();
	if (target == LOG_TARGET_SYSLOG)
		openlog("mcbgpd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	out.target = target;
}

void log_sink_open(enum log_target target)
{
	bool none = target == LOG_TARGET_JOURNAL && !journal_there(), known = out.no_journal;

	set_target(none ? LOG_TARGET_STDERR : target);
	log_set_sink(on_event, NULL);
	out.no_journal = none;
	if (none && !known)
		log_event(LOGL_WARNING, "daemon.no_journal", kv_str("effect", "events go to standard error"),
		          kv_str("mend",
		                 "start the daemon where systemd-journald runs, with libsystemd built in, "
		                 "or set log.target to stderr or syslog"));
}

void log_sink_close(void)
{
	log_set_sink(NULL, NULL);
	set_target(LOG_TARGET_STDERR);
	out.no_journal = false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: an event with typed fields stays one.
 *
 * journald takes fields by their names, so nothing has to be taken apart again by who searches:
 * `journalctl MCBGPD_EVENT=session.down MCBGPD_PEER=node2`. The message is the same text as on standard
 * error, less the level, which is PRIORITY there. */
#include "io/journal.h"

#include "config.h"

#if HAVE_LIBSYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <ctype.h>
#include <stdio.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "lib/text.h"

#define SOCKET     "/run/systemd/journal/socket"
#define FIELDS_MAX 24
#define BYTES_MAX  8192

struct record {
	char bytes[BYTES_MAX];
	size_t used;
	struct iovec fields[FIELDS_MAX];
	int n;
};

bool journal_there(void)
{
	return access(SOCKET, W_OK) == 0;
}

/* A field that does not fit is left out. */
static struct text begin_field(struct record *r)
{
	return text_init(r->bytes + r->used, sizeof(r->bytes) - r->used);
}

static void end_field(struct record *r, const struct text *t)
{
	if (r->n == FIELDS_MAX || t->len >= t->size)
		return;
	r->fields[r->n++] = (struct iovec){ t->buf, t->len };
	r->used += t->len + 1;
}

static void put_text(struct record *r, const char *name, const char *value)
{
	struct text t = begin_field(r);

	text_str(&t, name);
	text_char(&t, '=');
	text_str(&t, value);
	end_field(r, &t);
}

static void put_number(struct record *r, const char *name, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	put_text(r, name, text);
}

static void put_kv(struct record *r, const struct kv *kv)
{
	struct text t = begin_field(r);

	if (kv->type == KV_STR && !kv->str)
		return;
	text_str(&t, "MCBGPD_");
	for (const char *c = kv->key; *c; c++)
		text_char(&t, (char)toupper((unsigned char)*c));
	text_char(&t, '=');
	log_print_value(kv, &t);
	end_field(r, &t);
}

void journal_send(enum log_level level, const char *event, const char *message, unsigned repeated,
                  const struct kv *kv, size_t n)
{
	static const unsigned priorities[] = { [LOGL_ERROR] = LOG_ERR,
		                               [LOGL_WARNING] = LOG_WARNING,
		                               [LOGL_INFO] = LOG_INFO,
		                               [LOGL_DEBUG] = LOG_DEBUG };
	struct record r;

	r.used = 0;
	r.n = 0;
	put_text(&r, "MESSAGE", message);
	put_number(&r, "PRIORITY", priorities[level]);
	put_text(&r, "SYSLOG_IDENTIFIER", "mcbgpd");
	put_text(&r, "MCBGPD_EVENT", event);
	if (repeated)
		put_number(&r, "MCBGPD_REPEATED", repeated);
	for (size_t i = 0; i < n; i++)
		put_kv(&r, &kv[i]);
	sd_journal_sendv(r.fields, r.n);
}

#else

bool journal_there(void)
{
	return false;
}

void journal_send(enum log_level level, const char *event, const char *message, unsigned repeated,
                  const struct kv *kv, size_t n)
{
	(void)level;
	(void)event;
	(void)message;
	(void)repeated;
	(void)kv;
	(void)n;
}
#endif

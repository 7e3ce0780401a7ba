/* SPDX-License-Identifier: BSD-2-Clause */
/* prompt.c - DOC: what may follow is asked of the daemon for each TAB or `?`, so that the client is never
 * older than the commands it completes. */
#include "cli/prompt.h"

#include <ctype.h>
#include <errno.h>
#include <histedit.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "mcbgp/ctl.h"

#define HISTORY_SIZE 500
#define OFFERS_MAX   512

struct prompt {
	struct client *client;
	const char *path;
	bool json;
	EditLine *el;
	History *history;
	char file[PATH_MAX]; /* where the history is kept; "": nowhere */
};

/** Words that may follow, as the daemon offers them: "word TAB help". */
struct offers {
	char *line[OFFERS_MAX];
	size_t n;
};

static const char *prompt_text(EditLine *el)
{
	(void)el;
	return "mcbgpc> ";
}

static void keep_offer(void *arg, const char *text)
{
	struct offers *o = arg;
	char *copy = o->n < OFFERS_MAX ? strdup(text) : NULL;

	if (copy)
		o->line[o->n++] = copy;
}

static void offers_fini(struct offers *o)
{
	while (o->n)
		free(o->line[--o->n]);
}

static size_t word_len(const char *offer)
{
	return strcspn(offer, "\t");
}

/** Ask what may stand at the cursor. */
static void ask_offers(struct prompt *p, const char *line, size_t len, struct offers *out)
{
	char request[CTL_LINE_MAX];

	if (len > sizeof(request) - 16 || memchr(line, '"', len))
		return;
	snprintf(request, sizeof(request), "complete \"%.*s\"", (int)len, line);
	client_collect(p->client, request, keep_offer, out);
}

/** How many letters all offers have in common. */
static size_t common(const struct offers *o)
{
	size_t n = o->n ? word_len(o->line[0]) : 0;

	for (size_t i = 1; i < o->n; i++) {
		size_t k = 0, len = word_len(o->line[i]);

		while (k < n && k < len && o->line[i][k] == o->line[0][k])
			k++;
		n = k;
	}
	return n;
}

static void list_offers(const struct offers *o)
{
	putchar('\n');
	for (size_t i = 0; i < o->n; i++) {
		size_t n = word_len(o->line[i]);

		printf("  %-20.*s %s\n", (int)n, o->line[i], o->line[i][n] ? o->line[i] + n + 1 : "");
	}
}

/** Letters of the word before the cursor. */
static size_t begun(const LineInfo *l)
{
	const char *p = l->cursor;

	while (p > l->buffer && !isblank((unsigned char)p[-1]))
		p--;
	return (size_t)(l->cursor - p);
}

static struct prompt *prompt_of(EditLine *el)
{
	void *p = NULL;

	el_get(el, EL_CLIENTDATA, &p);
	return p;
}

static unsigned char on_tab(EditLine *el, wint_t key)
{
	const LineInfo *l = el_line(el);
	struct offers o = { .n = 0 };
	unsigned char rc = CC_ERROR;
	size_t have = begun(l), n;
	char more[256];

	(void)key;
	ask_offers(prompt_of(el), l->buffer, (size_t)(l->cursor - l->buffer), &o);
	n = common(&o);
	if (o.n && n >= have && n - have < sizeof(more) - 1 && (n > have || o.n == 1)) {
		snprintf(more, sizeof(more), "%.*s%s", (int)(n - have), o.line[0] + have,
		         o.n == 1 ? " " : "");
		rc = el_insertstr(el, more) == 0 ? CC_REFRESH : CC_ERROR;
	} else if (o.n > 1) {
		list_offers(&o);
		rc = CC_REDISPLAY;
	}
	offers_fini(&o);
	return rc;
}

static unsigned char on_question(EditLine *el, wint_t key)
{
	const LineInfo *l = el_line(el);
	struct offers o = { .n = 0 };

	(void)key;
	ask_offers(prompt_of(el), l->buffer, (size_t)(l->cursor - l->buffer), &o);
	list_offers(&o);
	offers_fini(&o);
	return CC_REDISPLAY;
}

/** $XDG_STATE_HOME/mcbgpc/history, or ~/.local/state/mcbgpc/history; makes the folders. false: there is no
 * place for it. */
static bool history_path(char *out, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	out[0] = '\0';
	if (state && *state == '/')
		n = snprintf(out, size, "%s/mcbgpc/history", state);
	else if (home && *home == '/')
		n = snprintf(out, size, "%s/.local/state/mcbgpc/history", home);
	else
		return false;
	if (n < 0 || (size_t)n >= size) {
		out[0] = '\0';
		return false;
	}
	for (char *p = strchr(out + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(out, 0700);
		*p = '/';
	}
	return true;
}

static int open_editor(struct prompt *p)
{
	HistEvent ev;

	p->history = history_init();
	p->el = el_init("mcbgpc", stdin, stdout, stderr);
	if (!p->history || !p->el)
		return -ENOMEM;
	history(p->history, &ev, H_SETSIZE, HISTORY_SIZE);
	history(p->history, &ev, H_SETUNIQUE, 1);
	if (history_path(p->file, sizeof(p->file)))
		history(p->history, &ev, H_LOAD, p->file); /* there may be none yet */
	el_set(p->el, EL_CLIENTDATA, p);
	el_set(p->el, EL_PROMPT, prompt_text);
	el_set(p->el, EL_EDITOR, "emacs");
	el_set(p->el, EL_SIGNAL, 1);
	el_set(p->el, EL_HIST, history, p->history);
	/* The narrow form of this one copies its texts, and never frees them. */
	el_wset(p->el, EL_ADDFN, L"mcbgpc-complete", L"Complete a word", on_tab);
	el_wset(p->el, EL_ADDFN, L"mcbgpc-help", L"Show what may follow", on_question);
	el_set(p->el, EL_BIND, "^I", "mcbgpc-complete", (char *)NULL);
	el_set(p->el, EL_BIND, "?", "mcbgpc-help", (char *)NULL);
	el_source(p->el, NULL);
	return 0;
}

static void close_editor(struct prompt *p)
{
	HistEvent ev;

	if (p->el)
		el_end(p->el);
	if (p->history && p->file[0])
		history(p->history, &ev, H_SAVE,
		        p->file); /* for its owner's eyes; kept as far as it can be */
	if (p->history)
		history_end(p->history);
}

/** Ask; when the daemon was restarted meanwhile, ask the new one. */
static enum client_result ask(struct prompt *p, const char *line)
{
	const struct client_streams to = { stdout, stderr };
	enum client_result result = client_ask(p->client, line, p->json, &to);

	fflush(stdout);
	if (result != CLIENT_LOST)
		return result;
	client_close(p->client);
	if (client_open(p->client, p->path) < 0) {
		fprintf(stderr, "the daemon has gone\n");
		return CLIENT_LOST;
	}
	fprintf(stderr, "the connection was lost and is made anew: ask again\n");
	return CLIENT_REFUSED;
}

int prompt_run(struct client *c, const char *path, bool json)
{
	struct prompt p = { .client = c, .path = path, .json = json };
	int rc = open_editor(&p), n;
	const char *read;
	HistEvent ev;

	while (rc == 0 && (read = el_gets(p.el, &n)) && n > 0) {
		char line[CTL_LINE_MAX];
		size_t len = strcspn(read, "\r\n");

		if (strspn(read, " \t") >= len)
			continue;
		if (len >= sizeof(line)) {
			fprintf(stderr, "that line is too long\n");
			continue;
		}
		memcpy(line, read, len);
		line[len] = '\0';
		history(p.history, &ev, H_ENTER, line);
		if (strcmp(line, "quit") == 0 || strcmp(line, "exit") == 0)
			break;
		if (ask(&p, line) == CLIENT_LOST)
			rc = -ECONNRESET;
	}
	close_editor(&p);
	return rc;
}

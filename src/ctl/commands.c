/* SPDX-License-Identifier: BSD-2-Clause */
/* commands.c - DOC: the table of commands, and how a line finds its row.
 *
 * Every word of a command may be cut to any beginning that no other command shares at that place; a word that
 * is written out wins over longer ones. The longest row that fits is taken, what is left are its arguments.
 * The same table makes `help`, completion, and the list of what a refusal suggests. */
#include "ctl/commands.h"

#include <stdlib.h>
#include <string.h>

static void not_built(struct request *q, const struct word *args, size_t n);
static void help(struct request *q, const struct word *args, size_t n);
static void complete(struct request *q, const struct word *args, size_t n);

const struct command commands[] = {
	{ "show status", "", "version, router id, times, state", NULL, NAMES_NONE, false, show_status },
	{ "show protocols", "[all] [NAME | \"PATTERN\"]", "peers and their sessions", show_keywords,
	  NAMES_PROTOCOLS, false, show_protocols },
	{ "show route",
	  "[PREFIX | for ADDRESS|PREFIX] [where KEY = VALUE [and ...]] [protocol P] [export P] [noexport P] "
	  "[filtered] [primary] [all] "
	  "[count] "
	  "[table master4|master6|fib]",
	  "the routing table", route_keywords, NAMES_PROTOCOLS, false, show_route },
	{ "show tunnels", "[all] [NAME]", "tunnels, their state and counters", show_keywords, NAMES_TUNNELS,
	  false, show_tunnels },
	{ "show interfaces", "[summary]", "links of the host and their addresses", interface_keywords,
	  NAMES_NONE, false, show_interfaces },
	{ "show memory", "", "bytes and objects", NULL, NAMES_NONE, false, show_memory },
	{ "show neighbors", "", "neighbors that next hops in use lead to, and their state", NULL, NAMES_NONE,
	  false, show_neighbors },
	{ "show bfd sessions", "", "BFD sessions (there are none: BFD is not built yet)", NULL, NAMES_NONE,
	  false, show_bfd },
	{ "show filters", "[NAME]", "filters, their terms as they were loaded", NULL, NAMES_FILTERS, false,
	  show_filters },
	{ "test filter",
	  "NAME PREFIX [as_path \"65001 65002\"] [med N] [local_pref N] [origin O] [next_hop ADDRESS] "
	  "[community C] [large_community C] [ext_community C] [peer NAME] [source S]",
	  "which term decides, and the attributes behind it", attribute_keywords, NAMES_FILTERS, false,
	  test_filter },
	{ "enable", "NAME | \"PATTERN\" | all", "let a peer have sessions", act_keywords, NAMES_PROTOCOLS,
	  true, act_enable },
	{ "disable", "NAME | \"PATTERN\" | all [\"TEXT\"]",
	  "end its session, have no more; TEXT is sent to it", act_keywords, NAMES_PROTOCOLS, true,
	  act_disable },
	{ "restart", "NAME | \"PATTERN\" | all [\"TEXT\"]", "end its session and begin another", act_keywords,
	  NAMES_PROTOCOLS, true, act_restart },
	{ "reload", "[in | out] NAME | \"PATTERN\" | all", "import or announce its routes again",
	  reload_keywords, NAMES_PROTOCOLS, true, act_reload },
	{ "configure", "[check | soft | timeout [SECONDS] | undo | confirm] [\"FILE\"]",
	  "take over a changed configuration", configure_keywords, NAMES_NONE, true, act_configure },
	{ "graceful restart", "", "stop, keep the routes for the next start", NULL, NAMES_NONE, true,
	  act_graceful_restart },
	{ "down", "", "stop", NULL, NAMES_NONE, true, act_down },
	{ "log level", "error | warning | info | debug", "what is logged from now on", level_keywords,
	  NAMES_NONE, true, act_log_level },
	{ "log peer", "NAME error | warning | info | debug | default", "the same for one peer's events",
	  peer_level_keywords, NAMES_PROTOCOLS, true, act_log_peer },
	{ "restrict", "", "take no more commands that change something, on this connection", NULL, NAMES_NONE,
	  false, act_restrict },
	{ "monitor", "[sessions | routes | tunnels] [peer NAME]", "events as they happen", monitor_keywords,
	  NAMES_PROTOCOLS, false, monitor_begin },
	{ "diagnose", "", "find what is wrong (not built yet)", NULL, NAMES_NONE, false, not_built },
	{ "calico", "", "documents for a Calico cluster (not built yet)", NULL, NAMES_NONE, false,
	  not_built },
	{ "help", "[COMMAND]", "this list", NULL, NAMES_NONE, false, help },
	{ "?", "[COMMAND]", "this list", NULL, NAMES_NONE, false, help },
	{ "complete", "\"BEGINNING\"", "words that may follow, for the interactive client", NULL, NAMES_NONE,
	  false, complete },
	{ 0 },
};

static void not_built(struct request *q, const struct word *args, size_t n)
{
	(void)args;
	(void)n;
	render_refuse(&q->render, CTL_NOT_BUILT, "%s: not built yet", q->command->words);
}

/** Not for people to be pointed at: what the client asks, and a second name. */
static bool unlisted(const struct command *c)
{
	return c->run == complete || strcmp(c->words, "?") == 0;
}

/* -- words of commands ------------------------------------------------------------------------ */

/** The @i-th word of @c: where it begins and its length; 0: it has fewer. */
static size_t word_at(const struct command *c, size_t i, const char **out)
{
	const char *p = c->words;

	while (i--) {
		p += strcspn(p, " ");
		p += *p == ' ';
	}
	*out = p;
	return strcspn(p, " ");
}

static bool word_is(const struct command *c, size_t i, const char *text, bool whole)
{
	const char *word;
	size_t n = word_at(c, i, &word), len = strlen(text);

	return n && len && len <= n && strncmp(word, text, len) == 0 && (!whole || len == n);
}

static bool same_word(const struct command *a, const struct command *b, size_t i)
{
	const char *x, *y;
	size_t n = word_at(a, i, &x);

	return n == word_at(b, i, &y) && strncmp(x, y, n) == 0;
}

/** Whether @c begins with the first @n words of @like. */
static bool same_beginning(const struct command *c, const struct command *like, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!same_word(c, like, i))
			return false;
	return true;
}

/** What a row of the table is to the words that have been found so far. */
static bool candidate(const struct command *c, const struct command *path, size_t depth)
{
	const char *word;

	return same_beginning(c, path, depth) && word_at(c, depth, &word) > 0;
}

enum found { FOUND_NONE, FOUND_ONE, FOUND_SEVERAL };

/** The row whose word number @depth is @text (@path: a row with the words before it). Of rows that share that
 * word, the first. */
static enum found step(const struct command *path, size_t depth, const char *text, const struct command **out)
{
	const struct command *found = NULL;

	for (const struct command *c = commands; c->words; c++)
		if (candidate(c, path, depth) && word_is(c, depth, text, true)) {
			*out = c;
			return FOUND_ONE;
		}
	for (const struct command *c = commands; c->words; c++) {
		if (unlisted(c) || !candidate(c, path, depth) || !word_is(c, depth, text, false))
			continue;
		if (found && !same_word(found, c, depth))
			return FOUND_SEVERAL;
		if (!found)
			found = c;
	}
	*out = found;
	return found ? FOUND_ONE : FOUND_NONE;
}

/** The row that has just the first @depth words of @path; NULL: none. */
static const struct command *row_of(const struct command *path, size_t depth)
{
	const char *word;

	for (const struct command *c = commands; c->words; c++)
		if (same_beginning(c, path, depth) && !word_at(c, depth, &word))
			return c;
	return NULL;
}

/** The words that may stand at @depth behind @path, into a text for people: all of them, or those that begin
 * with @beginning. */
static void list_words(const struct command *path, size_t depth, const char *beginning, struct out *out)
{
	const struct command *before = NULL;
	const char *word;

	for (const struct command *c = commands; c->words; c++) {
		size_t n = word_at(c, depth, &word);

		if (unlisted(c) || !candidate(c, path, depth) ||
		    (*beginning && !word_is(c, depth, beginning, false)))
			continue;
		if (before && same_word(before, c, depth))
			continue;
		out_printf(out, "%s%.*s", before ? ", " : "", (int)n, word);
		before = c;
	}
}

/** The word at @depth behind @path that @text resembles most; 0: none does. */
static size_t nearest_word(const struct command *path, size_t depth, const char *text, const char **out)
{
	unsigned best = (unsigned)strlen(text) / 2 + 1;
	size_t found = 0;

	for (const struct command *c = commands; c->words; c++) {
		const char *word;
		size_t n = word_at(c, depth, &word);
		char copy[32];
		unsigned d;

		if (!candidate(c, path, depth) || n >= sizeof(copy))
			continue;
		memcpy(copy, word, n);
		copy[n] = '\0';
		d = words_distance(text, copy);
		if (d >= best)
			continue;
		best = d;
		found = n;
		*out = word;
	}
	return found;
}

static void refuse_word(struct request *q, const struct command *path, size_t depth, const char *text)
{
	struct out list = { 0 };
	const char *near;
	size_t n = nearest_word(path, depth, text, &near);

	if (n) {
		render_refuse(&q->render, CTL_PARSE_ERROR, "unknown: %s; did you mean %.*s?", text, (int)n,
		              near);
		return;
	}
	list_words(path, depth, "", &list);
	render_refuse(&q->render, CTL_PARSE_ERROR, "unknown: %.80s; one of: %s", text,
	              list.len ? out_head(&list) : "");
	out_fini(&list);
}

static void refuse_several(struct request *q, const struct command *path, size_t depth, const char *text)
{
	struct out list = { 0 };

	list_words(path, depth, text, &list);
	render_refuse(&q->render, CTL_PARSE_ERROR, "%s may mean: %s", text, list.len ? out_head(&list) : "");
	out_fini(&list);
}

static void refuse_incomplete(struct request *q, const struct command *path, size_t depth)
{
	struct out list = { 0 };

	list_words(path, depth, "", &list);
	render_refuse(&q->render, CTL_PARSE_ERROR, "a command is expected, or more of it: %s",
	              list.len ? out_head(&list) : "");
	out_fini(&list);
}

/** The row that @w means and how many of its words that took; NULL: refused. */
static const struct command *resolve(struct request *q, const struct word *w, size_t n, size_t *taken)
{
	const struct command *path = commands, *row = NULL;
	size_t depth = 0;

	*taken = 0;
	for (; depth < n; depth++) {
		const struct command *next = NULL;
		enum found found = w[depth].quoted ? FOUND_NONE : step(path, depth, w[depth].text, &next);

		if (found == FOUND_SEVERAL) {
			refuse_several(q, path, depth, w[depth].text);
			return NULL;
		}
		if (found == FOUND_NONE && row)
			return row; /* the rest are arguments */
		if (found == FOUND_NONE) {
			refuse_word(q, path, depth, w[depth].text);
			return NULL;
		}
		path = next;
		row = row_of(path, depth + 1);
		*taken = depth + 1;
	}
	if (!row)
		refuse_incomplete(q, path, depth);
	return row;
}

/* -- help and completion ---------------------------------------------------------------------- */

/** Rows that the words of @args begin. */
static bool help_wanted(const struct command *c, const struct word *args, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!word_is(c, i, args[i].text, false))
			return false;
	return true;
}

static void help(struct request *q, const struct word *args, size_t n)
{
	struct render *r = &q->render;
	size_t shown = 0;

	for (const struct command *c = commands; c->words; c++) {
		struct help_item item = { c->words, c->args, c->help };

		if (unlisted(c) || !help_wanted(c, args, n))
			continue;
		if (!shown++)
			r->ops->begin(r, "commands", false);
		r->ops->help(r, &item);
	}
	if (shown)
		r->ops->end(r, CTL_OK, "");
	else
		render_refuse(r, CTL_NOT_FOUND, "no command begins with %s", args[0].text);
}

static void offer(struct request *q, const char *word, size_t n, const char *text)
{
	char copy[128];

	if (n >= sizeof(copy))
		return;
	memcpy(copy, word, n);
	copy[n] = '\0';
	q->render.ops->completion(&q->render, copy, text);
}

/** The words of commands at @depth that begin with @beginning. */
static void offer_words(struct request *q, const struct command *path, size_t depth, const char *beginning)
{
	const struct command *before = NULL;

	for (const struct command *c = commands; c->words; c++) {
		const char *word, *more;
		size_t n = word_at(c, depth, &word);

		if (unlisted(c) || !candidate(c, path, depth) ||
		    (*beginning && !word_is(c, depth, beginning, false)))
			continue;
		if (before && same_word(before, c, depth))
			continue;
		offer(q, word, n, word_at(c, depth + 1, &more) ? "" : c->help);
		before = c;
	}
}

static void offer_names(struct request *q, const struct command *c, const char *beginning)
{
	struct names names = { 0 };

	if (c->names == NAMES_PROTOCOLS)
		names_protocols(q->backend, NULL, false, &names);
	else if (c->names == NAMES_TUNNELS)
		names_tunnels(q->backend, &names);
	else if (c->names == NAMES_FILTERS)
		names_filters(q->backend, &names);
	for (size_t i = 0; i < names.n; i++)
		if (strncmp(names.name[i], beginning, strlen(beginning)) == 0)
			offer(q, names.name[i], strlen(names.name[i]), "");
	names_fini(&names);
}

static void offer_arguments(struct request *q, const struct command *c, const char *beginning)
{
	for (const struct keyword *k = c->keywords; k && k->word; k++)
		if (strncmp(k->word, beginning, strlen(beginning)) == 0)
			offer(q, k->word, strlen(k->word), k->help);
	offer_names(q, c, beginning);
}

/** complete "BEGINNING": what may stand in the place of its last word (which is empty behind a blank). */
static void complete(struct request *q, const struct word *args, size_t n)
{
	const struct command *path = commands, *next;
	char line[CTL_LINE_MAX];
	const char *beginning = "";
	struct words words;
	size_t depth = 0, len;

	if (n != 1) {
		render_refuse(&q->render, CTL_PARSE_ERROR, "complete \"BEGINNING\"");
		return;
	}
	len = strlen(args[0].text);
	memcpy(line, args[0].text, len + 1);
	q->render.ops->begin(&q->render, "completions", false);
	if (!words_split(line, &words)) {
		if (words.n && len && args[0].text[len - 1] != ' ')
			beginning = words.w[--words.n].text;
		while (depth < words.n && step(path, depth, words.w[depth].text, &next) == FOUND_ONE) {
			path = next;
			depth++;
		}
		if (depth == words.n)
			offer_words(q, path, depth, beginning);
		if (depth && row_of(path, depth))
			offer_arguments(q, row_of(path, depth), beginning);
	}
	q->render.ops->end(&q->render, CTL_OK, "");
}

/* -- requests --------------------------------------------------------------------------------- */

/** Cut the line into words and choose the form of the answer. @return what is wrong; NULL: nothing. */
static const char *request_init(struct request *q, const struct ctl_backend *b, const char *line,
                                struct out *out)
{
	size_t len = strnlen(line, sizeof(q->line) - 1);
	const char *wrong;
	bool json;

	q->backend = b;
	q->command = NULL;
	q->walk = (struct walk){ 0 };
	q->monitor = (struct monitor){ 0 };
	memcpy(q->line, line, len);
	q->line[len] = '\0';
	wrong = words_split(q->line, &q->words);
	json = q->words.n && !q->words.w[0].quoted && strcmp(q->words.w[0].text, CTL_JSON) == 0;
	q->render = (struct render){
		.ops = json ? &render_json : &render_text,
		.out = out,
		.backend = b,
	};
	b->clock(b->ctx, &q->render.clock);
	return wrong;
}

/** "show ?" asks for help on "show". */
static bool asks_for_help(const struct word *w, size_t n)
{
	return n > 1 && !w[n - 1].quoted && strcmp(w[n - 1].text, "?") == 0;
}

bool request_begin(struct request *q, const struct ctl_backend *b, const char *line, struct out *out)
{
	const char *wrong = request_init(q, b, line, out);
	bool json = q->render.ops == &render_json;
	const struct word *w = q->words.w + json;
	size_t n = q->words.n - json, taken;

	if (wrong) {
		q->render.ops->end(&q->render, CTL_PARSE_ERROR, wrong);
		return false;
	}
	if (asks_for_help(w, n)) {
		help(q, w, n - 1);
		return false;
	}
	q->command = resolve(q, w, n, &taken);
	if (q->command && q->command->mutates && q->restricted)
		q->render.ops->end(&q->render, CTL_DENIED, "Access denied: this connection may only look");
	else if (q->command)
		q->command->run(q, w + taken, n - taken);
	return q->walk.piece != NULL;
}

void request_refuse_long(struct request *q, const struct ctl_backend *b, const char *line, struct out *out)
{
	request_init(q, b, line, out);
	q->render.ops->end(&q->render, CTL_TOO_LONG, "Command too long");
}

bool request_more(struct request *q)
{
	return q->walk.piece(q);
}

void request_end(struct request *q)
{
	if (q->monitor.on)
		monitor_end(q);
	if (q->walk.free)
		q->walk.free(q->walk.state);
	q->walk = (struct walk){ 0 };
}

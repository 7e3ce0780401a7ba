/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: what must be known of the text itself.
 *
 * libconfig 1.5 wraps an integer that does not fit into 32 bits without a word (4200000001 becomes -94967295,
 * 4295031808 becomes 64512), and what it wrapped cannot be seen afterwards. So the text is cut into the same
 * tokens first, and literals that do not fit are numbered in the order in which libconfig will meet them; the
 * loader finds the setting by that number. The same walk refuses what libconfig takes for something else or
 * ends the process at: a NUL byte, a comment or a string that is never closed, brackets nested without end,
 * an @include of a folder.
 *
 * It knows tokens, not grammar: what is no configuration at all is left to libconfig's own error. */
#include "config/scan.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One file's text. */
struct cursor {
	struct scan *scan;
	const char *file; /* as its @include names it; NULL: the configuration itself */
	const char *p, *end, *start;
	unsigned line;
	unsigned nested; /* includes that led here */
	unsigned depth;  /* of brackets */
	unsigned members[SCAN_MAX_DEPTH + 1];
	unsigned separators;
};

void scan_fini(struct scan *s)
{
	free(s->wide);
}

static char *read_bounded(int fd, size_t *len, const char **why)
{
	size_t size = 0, used = 0;
	char *text = NULL;
	ssize_t n;

	do {
		if (used + 1 >= size) {
			char *more = realloc(text, size = size ? 2 * size : 65536);

			if (!more)
				goto fail;
			text = more;
		}
		n = read(fd, text + used, size - used - 1);
		if (n < 0 && errno != EINTR)
			goto fail;
		used += n > 0 ? (size_t)n : 0;
	} while (n != 0 && used <= SCAN_MAX_BYTES);
	if (used > SCAN_MAX_BYTES) {
		errno = EFBIG;
		goto fail;
	}
	text[used] = '\0';
	*len = used;
	return text;
fail:
	*why = errno == EFBIG ? "it is longer than 16 MiB" : strerror(errno);
	free(text);
	return NULL;
}

char *scan_read_file(const char *path, bool regular, size_t *len, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | (regular ? O_NONBLOCK : 0));
	char *text = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		*why = strerror(errno);
	else if (S_ISDIR(st.st_mode))
		*why = "it is a folder";
	else if (regular && !S_ISREG(st.st_mode))
		*why = "it is no regular file";
	else
		text = read_bounded(fd, len, why);
	if (fd >= 0)
		close(fd);
	return text;
}

#define refuse(c, at, ...)                                                    \
	do {                                                                  \
		(c)->scan->refused = true;                                    \
		report_line((c)->scan->report, (c)->file, (at), __VA_ARGS__); \
	} while (0)

/* ---- tokens that may hold anything ------------------------------------------------------------------ */

static void skip_line(struct cursor *c)
{
	while (c->p < c->end && *c->p != '\n')
		c->p++;
}

static void skip_comment(struct cursor *c)
{
	unsigned begun = c->line;

	for (c->p += 2; c->p < c->end; c->p++) {
		if (*c->p == '*' && c->p + 1 < c->end && c->p[1] == '/') {
			c->p += 2;
			return;
		}
		c->line += *c->p == '\n';
	}
	refuse(c, begun, "the comment that begins here is never closed: write */");
}

static void skip_string(struct cursor *c)
{
	unsigned begun = c->line;

	for (c->p++; c->p < c->end; c->p++) {
		if (*c->p == '"') {
			c->p++;
			return;
		}
		c->line += *c->p == '\n';
		if (*c->p == '\\' && c->p + 1 < c->end && c->p[1] != '\n')
			c->p++;
	}
	refuse(c, begun, "the string that begins here is never closed: write \" at its end");
}

/* ---- integers --------------------------------------------------------------------------------------- */

static void add_wide(struct scan *s, const char *text, size_t len)
{
	struct wide_literal *more = reallocarray(s->wide, s->n_wide + 1, sizeof(*more));

	if (!more) {
		s->report->no_memory = true;
		return;
	}
	s->wide = more;
	more[s->n_wide] = (struct wide_literal){ .index = s->integers };
	if (len >= sizeof(more->text))
		len = sizeof(more->text) - 1;
	memcpy(more[s->n_wide++].text, text, len);
}

/* Does the literal of @len characters, sign and 0x included, fit into the C type that libconfig gives it? */
static bool integer_fits(const char *text, size_t len, int base, bool is_long)
{
	char copy[72];
	long long v;

	if (len >= sizeof(copy)) /* even a row of zeros: nobody means it */
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	errno = 0;
	v = strtoll(copy, NULL, base);
	if (errno)
		return false;
	return is_long || (v >= INT_MIN && v <= INT_MAX);
}

static size_t count_digits(const char *p, const char *end, int (*is)(int))
{
	const char *from = p;

	while (p < end && is((unsigned char)*p))
		p++;
	return (size_t)(p - from);
}

static size_t sign_length(const char *p, const char *end)
{
	return p < end && (*p == '+' || *p == '-');
}

/* Length of the exponent at @p; 0: there is none. */
static size_t exponent_length(const char *p, const char *end)
{
	size_t sign, digits;

	if (p == end || (*p != 'e' && *p != 'E'))
		return 0;
	sign = sign_length(p + 1, end);
	digits = count_digits(p + 1 + sign, end, isdigit);
	return digits ? 1 + sign + digits : 0;
}

/* At a digit, a sign or a point; a lone sign is left to libconfig. */
static void scan_number(struct cursor *c)
{
	size_t sign = sign_length(c->p, c->end), len, longs = 0;
	size_t digits = count_digits(c->p + sign, c->end, isdigit);
	int base = 10;

	len = sign + digits;
	if (c->p + len < c->end && *(c->p + len) == '.') {
		len += 1 + count_digits(c->p + len + 1, c->end, isdigit);
		c->p += len + exponent_length(c->p + len, c->end);
		return;
	}
	if (digits && exponent_length(c->p + len, c->end)) {
		c->p += len + exponent_length(c->p + len, c->end);
		return;
	}
	if (!digits) {
		c->p += len;
		return;
	}
	if (digits == 1 && !sign && *c->p == '0' && c->p + 1 < c->end && (c->p[1] | 0x20) == 'x' &&
	    count_digits(c->p + 2, c->end, isxdigit)) {
		base = 16;
		len = 2 + count_digits(c->p + 2, c->end, isxdigit);
	}
	while (longs < 2 && c->p + len + longs < c->end && c->p[len + longs] == 'L')
		longs++;
	if (!integer_fits(c->p, len, base, longs > 0))
		add_wide(c->scan, c->p, len);
	c->scan->integers++;
	c->p += len + longs;
}

/* ---- structure -------------------------------------------------------------------------------------- */

static bool is_name(unsigned char ch, bool first)
{
	return isalpha(ch) || ch == '*' || (!first && (isdigit(ch) || ch == '-' || ch == '_'));
}

static void skip_name(struct cursor *c)
{
	while (c->p < c->end && is_name((unsigned char)*c->p, false))
		c->p++;
}

static void scan_bracket(struct cursor *c)
{
	if (strchr("{([", *c->p)) {
		if (c->depth == SCAN_MAX_DEPTH)
			refuse(c, c->line, "brackets are nested more than %d deep", SCAN_MAX_DEPTH);
		else
			c->members[++c->depth] = 0;
	} else if (strchr("})]", *c->p) && c->depth) {
		c->depth--;
	} else if (strchr("=:", *c->p) && ++c->members[c->depth] > SCAN_MAX_MEMBERS) {
		refuse(c, c->line, "more than %d settings in one pair of braces", SCAN_MAX_MEMBERS);
	}
	if (strchr("=:,;", *c->p) && ++c->separators > SCAN_MAX_VALUES)
		refuse(c, c->line, "more than %d values in one file", SCAN_MAX_VALUES);
	c->p++;
}

/* ---- @include --------------------------------------------------------------------------------------- */

static bool scan_file(struct cursor *from, const char *path);

/* Does an @include directive begin at @c, which is the first of its line but for blanks? Then its path is at
 * *@path. */
static bool at_include(const struct cursor *c, const char **path)
{
	static const char word[] = "@include";
	const char *p = c->p;

	while (p > c->start && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	if (p > c->start && p[-1] != '\n')
		return false;
	if ((size_t)(c->end - c->p) < sizeof(word) || memcmp(c->p, word, sizeof(word) - 1) != 0)
		return false;
	p = c->p + sizeof(word) - 1;
	while (p < c->end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == c->p + sizeof(word) - 1 || p == c->end || *p != '"')
		return false;
	*path = p + 1;
	return true;
}

static void scan_include(struct cursor *c, const char *path)
{
	size_t len = strcspn(path, "\"\\\n");
	char text[PATH_MAX];

	if (path[len] != '"' || len == 0 || len >= sizeof(text)) {
		refuse(c, c->line, "@include: needs a path in quotes, without backslashes");
		return;
	}
	c->p = path + len + 1;
	memcpy(text, path, len);
	text[len] = '\0';
	*(text[0] == '/' ? &c->scan->include_absolute : &c->scan->include_relative) = true;
	if (c->scan->include_absolute && c->scan->include_relative)
		refuse(c, c->line,
		       "@include: \"%s\": all paths must be absolute, or all relative to the folder of %s",
		       text, c->scan->report->files[0]);
	else if (c->nested == SCAN_MAX_NESTED)
		refuse(c, c->line, "@include: \"%s\": files include each other more than %d deep", text,
		       SCAN_MAX_NESTED);
	else if (c->scan->n_included == SCAN_MAX_INCLUDES)
		refuse(c, c->line, "@include: \"%s\": more than %d files", text, SCAN_MAX_INCLUDES);
	else if (!scan_file(c, text))
		c->scan->report->no_memory = c->scan->refused = true;
}

/* ---- the walk --------------------------------------------------------------------------------------- */

static void scan_token(struct cursor *c)
{
	unsigned char ch = (unsigned char)*c->p;
	bool pair = c->p + 1 < c->end;
	const char *path;

	if (ch == '\n') {
		c->line++;
		c->p++;
	} else if (ch == '#' || (ch == '/' && pair && c->p[1] == '/')) {
		skip_line(c);
	} else if (ch == '/' && pair && c->p[1] == '*') {
		skip_comment(c);
	} else if (ch == '"') {
		skip_string(c);
	} else if (ch == '@' && at_include(c, &path)) {
		scan_include(c, path);
	} else if (isdigit(ch) || ch == '+' || ch == '-' || ch == '.') {
		scan_number(c);
	} else if (is_name(ch, true)) {
		skip_name(c);
	} else if (strchr("{}()[]=:,;", ch)) {
		scan_bracket(c);
	} else {
		c->p++;
	}
}

static void scan_cursor(struct cursor *c)
{
	const char *nul = memchr(c->p, '\0', (size_t)(c->end - c->p));

	if (nul) {
		for (const char *p = c->p; p < nul; p++)
			c->line += *p == '\n';
		refuse(c, c->line, "a NUL byte: this is no text file");
	}
	while (c->p < c->end && !c->scan->refused)
		scan_token(c);
}

/* The file @path, included by @from. @return false: out of memory. */
static bool scan_file(struct cursor *from, const char *path)
{
	struct cursor c = { .scan = from->scan, .file = path, .line = 1, .nested = from->nested + 1 };
	char *name = report_resolve(from->scan->report, path), *text;
	const char *why = NULL;
	size_t len = 0;

	if (!name)
		return false;
	from->scan->n_included++;
	text = scan_read_file(name, true, &len, &why);
	if (text) {
		c.start = c.p = text;
		c.end = text + len;
		scan_cursor(&c);
	} else {
		refuse(from, from->line, "@include: \"%s\": cannot read %s: %s", path, name, why);
	}
	free(text);
	free(name);
	return true;
}

bool scan_text(struct scan *s, const char *text, size_t len)
{
	struct cursor c = { .scan = s, .p = text, .start = text, .end = text + len, .line = 1 };

	scan_cursor(&c);
	return !s->refused;
}

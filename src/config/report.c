/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c - collects errors, names the setting they are about, sorts them by line. */
#include "config/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/text.h"

#define LINE_SIZE 1024 /* longest line that is told; what quotes a file's own strings is cut there */

/* The number of @file; files are few: the configuration and what it includes. -ENOMEM: no memory for a new
 * one. */
static int report_file(struct report *r, const char *file)
{
	char **more;

	for (size_t i = 0; i < r->n_files; i++) {
		if (strcmp(r->files[i], file) == 0)
			return (int)i;
	}
	more = reallocarray(r->files, r->n_files + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	r->files = more;
	more[r->n_files] = strdup(file);
	return more[r->n_files] ? (int)r->n_files++ : -ENOMEM;
}

int report_init(struct report *r, const char *file)
{
	const char *slash = strrchr(file, '/');

	*r = (struct report){ 0 };
	r->folder = strndup(file, slash > file ? (size_t)(slash - file) : slash != NULL);
	if (r->folder && report_file(r, file) == 0)
		return 0;
	report_fini(r);
	return -ENOMEM;
}

char *report_resolve(const struct report *r, const char *path)
{
	char *name;

	if (*path == '/' || !*r->folder)
		return strdup(path);
	return asprintf(&name, "%s/%s", r->folder, path) < 0 ? NULL : name;
}

void report_fini(struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->complaints[i].text);
	free(r->complaints);
	for (size_t i = 0; i < r->n_files; i++)
		free(r->files[i]);
	free(r->files);
	free(r->folder);
}

/* A line stays a line whatever the strings of the file hold. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

static void keep(struct report *r, const char *file, unsigned line, const char *text)
{
	int number = report_file(r, file);
	struct complaint *more;

	if (report_full(r))
		return;
	more = reallocarray(r->complaints, r->n + 1, sizeof(*more));
	if (more)
		r->complaints = more;
	if (!more || number < 0 || !(more[r->n].text = strdup(text))) {
		r->no_memory = true;
		return;
	}
	make_printable(more[r->n].text);
	more[r->n].file = (size_t)number;
	more[r->n].line = line;
	more[r->n].seq = r->n;
	r->n++;
}

void report_line(struct report *r, const char *included, unsigned line, const char *format, ...)
{
	char *resolved = included ? report_resolve(r, included) : NULL;
	const char *file = resolved ? resolved : r->files[0];
	char text[LINE_SIZE];
	int n = snprintf(text, sizeof(text), "%s:%u: ", file, line);
	va_list args;

	if (n < 0 || (size_t)n >= sizeof(text))
		n = 0;
	va_start(args, format);
	vsnprintf(text + n, sizeof(text) - (size_t)n, format, args);
	va_end(args);
	keep(r, file, line, text);
	free(resolved);
}

/* `peers[2].hold_time`. The depth of a file is bounded before it is parsed. */
static void print_path(const config_setting_t *s, struct text *out)
{
	const config_setting_t *parent = config_setting_parent(s);

	if (!parent)
		return;
	print_path(parent, out);
	if (config_setting_name(s)) {
		if (config_setting_parent(parent))
			text_char(out, '.');
		text_str(out, config_setting_name(s));
	} else {
		text_char(out, '[');
		text_i64(out, config_setting_index(s));
		text_char(out, ']');
	}
}

void report_setting(struct report *r, const config_setting_t *s, const char *member, const char *format, ...)
{
	const config_setting_t *at = member ? config_setting_get_member(s, member) : NULL;
	const char *file = config_setting_source_file(at ? at : s);
	unsigned line = config_setting_source_line(at ? at : s);
	char path[LINE_SIZE / 2], what[LINE_SIZE];
	struct text out = text_init(path, sizeof(path));
	va_list args;

	if (report_full(r)) /* the index of an element costs the length of its list */
		return;
	print_path(s, &out);
	if (member) {
		if (out.len)
			text_char(&out, '.');
		text_str(&out, member);
	}
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	report_line(r, file, line ? line : 1, "%s: %s", path, what);
}

static int by_place(const void *a, const void *b)
{
	const struct complaint *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

bool report_tell(struct report *r, conf_error_fn error, void *ctx)
{
	char text[LINE_SIZE];

	if (r->n)
		qsort(r->complaints, r->n, sizeof(*r->complaints), by_place);
	for (size_t i = 0; i < r->n; i++)
		error(ctx, r->complaints[i].text);
	if (report_full(r)) {
		snprintf(text, sizeof(text), "%s: there may be more: mend these first", r->files[0]);
		error(ctx, text);
	}
	if (r->no_memory) {
		snprintf(text, sizeof(text), "%s: out of memory", r->files[0]);
		error(ctx, text);
	}
	return r->n || r->no_memory;
}

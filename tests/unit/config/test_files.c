/* SPDX-License-Identifier: BSD-2-Clause */
/* Files rather than texts: hostile ones, what includes what, and the samples that come with the source. */
#include "conf_lab.h"

#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- hostile ones ----------------------------------------------------------------------------------- */

START_TEST(refuses_a_nul_byte)
{
	static const char text[] = "router = { id = \"192.0.2.1\"; as = 65001; };\n\0peers = ();";

	lab_errors[0] = '\0';
	ck_assert_ptr_null(conf_load_text(LAB_FILE, text, sizeof(text) - 1, lab_add_error, NULL));
	ck_assert_str_eq(lab_errors, "2: a NUL byte: this is no text file");
}
END_TEST

static char *repeat(const char *head, const char *piece, size_t times, const char *tail)
{
	size_t n = strlen(piece);
	char *text = malloc(strlen(head) + times * n + strlen(tail) + 1), *p = text;

	ck_assert_ptr_nonnull(text);
	p = stpcpy(p, head);
	for (size_t i = 0; i < times; i++)
		p = stpcpy(p, piece);
	stpcpy(p, tail);
	return text;
}

static const struct {
	const char *what, *head, *piece, *tail;
	size_t times;
	const char *error; /* the first one begins with it; NULL: none */
} big_rows[] = {
	{ "deep lists", "x = ", "(", "", 1000000, "1: brackets are nested more than 32 deep" },
	{ "deep groups", "", "a = {", "", 1000000, "1: brackets are nested more than 32 deep" },
	{ "many settings in one group", "x = { ", "a = 1;", "};", 20000,
	  "1: more than 10000 settings in one pair of braces" },
	{ "many values", "x = ( 1", ", 1", ");", 2000000, "1: more than 1000000 values in one file" },
	{ "a long string", HEAD "control = { socket = `/", "x", "`; };", 1000000,
	  "2: control.socket: is longer than" },
	{ "a long name", HEAD "", "x", " = 1;", 1000000, "2: xxxxxxxx" },
	{ "a long pattern", HEAD "prefix_sets = { s = [ `10.0.0.0/", "8", "` ]; };", 100000,
	  "2: prefix_sets.s[0]: `10.0.0.0/8888" },
	{ "a large set", HEAD "prefix_sets = { s = [ `10.0.0.0/8`", ", `10.1.0.0/16+`", "]; };", 100000,
	  NULL },
	{ "many unknown names", HEAD "filters = { f = ( { match = { peer = [ `x`", ", `y`", " ]; }; } ); };",
	  100000, "2: filters.f[0].match.peer[0]: there is no peer or group" },
	{ "many mistakes", HEAD "prefix_sets = { s = [ `x`", ", `y`", "]; };", 5000,
	  "2: prefix_sets.s[0]: `x`: not a prefix" },
};

START_TEST(stands_large_files)
{
	char *text = repeat(big_rows[_i].head, big_rows[_i].piece, big_rows[_i].times, big_rows[_i].tail);
	struct conf *c = lab_load(text);

	if (big_rows[_i].error)
		ck_assert_msg(!c, "%s: was taken", big_rows[_i].what);
	else
		ck_assert_msg(c != NULL, "%s: %.200s", big_rows[_i].what, lab_errors);
	if (big_rows[_i].error) {
		char want[128];

		snprintf(want, sizeof(want), "%s", big_rows[_i].error);
		lab_unquote(want);
		ck_assert_msg(strncmp(lab_errors, want, strlen(want)) == 0, "%s: %.200s", big_rows[_i].what,
		              lab_errors);
	}
	conf_free(c);
	free(text);
}
END_TEST

static unsigned told;

static void count(void *ctx, const char *line)
{
	(void)ctx;
	if (++told == 1001)
		ck_assert_str_eq(line, LAB_FILE ": there may be more: mend these first");
}

START_TEST(stops_at_a_thousand_mistakes)
{
	char *text = repeat("router = { id = \"192.0.2.1\"; as = 1; }; prefix_sets = { s = [ \"x\"",
	                    ", \"y\"", 100000, "]; };");

	told = 0;
	ck_assert_ptr_null(conf_load_text(LAB_FILE, text, strlen(text), count, NULL));
	ck_assert_uint_eq(told, 1001);
	free(text);
}
END_TEST

/* ---- files ------------------------------------------------------------------------------------------ */

static char folder[32];

static const char *in_folder(const char *name)
{
	static char path[2][256];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void put_file(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "w");

	ck_assert_ptr_nonnull(f);
	for (; *text; text++)
		fputc(*text == '`' ? '"' : *text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static struct conf *load_file(const char *name)
{
	lab_errors[0] = '\0';
	return conf_load(in_folder(name), lab_add_error, NULL);
}

static void make_folder(void)
{
	strcpy(folder, "/tmp/mcbgp-conf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	static const char *const names[] = { "main", "peers", "deep", "self", "fifo", "big" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	rmdir(in_folder("sub"));
	rmdir(folder);
}

/* Runs @test in a folder of its own. */
#define IN_FOLDER(test)          \
	do {                     \
		make_folder();   \
		test;            \
		remove_folder(); \
	} while (0)

static void expect_error(const char *file, const char *rest)
{
	char want[512];

	snprintf(want, sizeof(want), "%s:%s", in_folder(file), rest);
	lab_unquote(want);
	ck_assert_str_eq(lab_errors, want);
}

static void include_relative(void)
{
	struct conf *c;

	put_file("main", HEAD "@include `peers`\n");
	put_file("peers", PEER(""));
	c = load_file("main");
	ck_assert_msg(c != NULL, "%s", lab_errors);
	ck_assert_uint_eq(c->n_peers, 1);
	conf_free(c);
}

static void include_absolute(void)
{
	char text[512];
	struct conf *c;

	snprintf(text, sizeof(text), HEAD "@include `%s`\n", in_folder("peers"));
	put_file("main", text);
	put_file("peers", "\n" PEER("port = 0;"));
	c = load_file("main");
	ck_assert_ptr_null(c);
	expect_error("peers", "2: peers[0].port: 0 is not allowed: 1 to 65535");
}

static void include_wide(void)
{
	put_file("main", ROUTER("hold_time = 9;") "\n@include `peers`\nkernel = { table = 4294967295; };\n");
	put_file("peers", "\n" PEER_AS("4200000001"));
	ck_assert_ptr_null(load_file("main"));
	ck_assert_ptr_nonnull(strstr(lab_errors, "/main:3: kernel.table: 4294967295 does not fit"));
	ck_assert_ptr_nonnull(strstr(lab_errors, "/peers:2: peers[0].remote_as: 4200000001 does not fit"));
}

static void include_missing(void)
{
	char want[512];

	put_file("main", HEAD "\n@include `peers`\n");
	ck_assert_ptr_null(load_file("main"));
	snprintf(want, sizeof(want), "3: @include: `peers`: cannot read %s: No such file or directory",
	         in_folder("peers"));
	expect_error("main", want);
}

static void include_folder(void)
{
	ck_assert_int_eq(mkdir(in_folder("sub"), 0700), 0);
	put_file("main", HEAD "@include `sub`\n");
	ck_assert_ptr_null(load_file("main"));
	ck_assert_ptr_nonnull(strstr(lab_errors, "it is a folder"));
}

static void include_fifo(void)
{
	ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
	put_file("main", HEAD "@include `fifo`\n");
	ck_assert_ptr_null(load_file("main"));
	ck_assert_ptr_nonnull(strstr(lab_errors, "it is no regular file"));
}

static void include_itself(void)
{
	put_file("self", "@include `self`\n");
	put_file("main", HEAD "@include `self`\n");
	ck_assert_ptr_null(load_file("main"));
	ck_assert_ptr_nonnull(strstr(lab_errors, "files include each other more than 9 deep"));
}

static void include_both_ways(void)
{
	put_file("main", HEAD "@include `peers`\n@include `/dev/null`\n");
	put_file("peers", "");
	ck_assert_ptr_null(load_file("main"));
	ck_assert_ptr_nonnull(strstr(lab_errors, "all paths must be absolute, or all relative"));
}

static void syntax_error_in_included(void)
{
	put_file("main", HEAD "@include `peers`\n");
	put_file("peers", "\n\npeers = ;\n");
	ck_assert_ptr_null(load_file("main"));
	ck_assert_ptr_nonnull(strstr(lab_errors, "/peers:3: syntax error"));
}

static void file_missing(void)
{
	ck_assert_ptr_null(load_file("main"));
	expect_error("main", "1: cannot be read: No such file or directory");
}

static void file_is_folder(void)
{
	ck_assert_int_eq(mkdir(in_folder("sub"), 0700), 0);
	ck_assert_ptr_null(load_file("sub"));
	expect_error("sub", "1: cannot be read: it is a folder");
}

/* Nobody writes it: to wait would be for ever. */
static void file_is_fifo(void)
{
	ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
	ck_assert_ptr_null(load_file("fifo"));
	expect_error("fifo", "1: cannot be read: it is no regular file");
}

static void first_file_is_pipe(void)
{
	char name[32], text[] = HEAD;
	struct conf *c;
	int ends[2];

	lab_unquote(text);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	close(ends[1]);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
	ck_assert_ptr_null(conf_load(name, lab_add_error, NULL));
	c = conf_load_first(name, lab_add_error, NULL);
	ck_assert_ptr_nonnull(c);
	conf_free(c);
	close(ends[0]);
}

static void file_too_long(void)
{
	put_file("big", HEAD);
	ck_assert_int_eq(truncate(in_folder("big"), (16 << 20) + 1), 0);
	ck_assert_ptr_null(load_file("big"));
	expect_error("big", "1: cannot be read: it is longer than 16 MiB");
}

static void (*const file_rows[])(void) = {
	include_relative, include_absolute, include_wide,      include_missing,          include_folder,
	include_fifo,     include_itself,   include_both_ways, syntax_error_in_included, file_missing,
	file_is_folder,   file_too_long,    file_is_fifo,      first_file_is_pipe,
};

START_TEST(files_and_includes)
{
	IN_FOLDER(file_rows[_i]());
}
END_TEST

/* ---- the files that come with it -------------------------------------------------------------------- */

static const char *source_folder(void)
{
	const char *top = getenv("top_srcdir");

	return top ? top : ".";
}

static char *read_source(const char *name)
{
	static char text[LAB_BYTES];
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", source_folder(), name);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	n = fread(text, 1, sizeof(text) - 1, f);
	ck_assert_uint_lt(n, sizeof(text) - 1);
	text[n] = '\0';
	fclose(f);
	return text;
}

static const char *const samples[] = { "/conf/*.conf", "/conf/examples/*.conf" };

START_TEST(samples_load)
{
	char pattern[512];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s%s", source_folder(), samples[_i]);
	ck_assert_int_eq(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct conf *c;

		lab_errors[0] = '\0';
		c = conf_load(g.gl_pathv[i], lab_add_error, NULL);
		ck_assert_msg(c != NULL, "%s", lab_errors);
		ck_assert_uint_gt(c->n_peers, 0);
		conf_free(c);
	}
	globfree(&g);
}
END_TEST

/* Takes away what is between the marks. */
static void cut_later(char *text)
{
	static const char begin[] = "# later: begin\n", end[] = "# later: end\n";
	char *from, *to;

	while ((from = strstr(text, begin))) {
		to = strstr(from, end);
		ck_assert_ptr_nonnull(to);
		to += sizeof(end) - 1;
		memmove(from, to, strlen(to) + 1);
	}
}

START_TEST(the_complete_file_without_what_is_not_built)
{
	char *text = read_source("tests/unit/config/complete.conf");
	struct conf *c;

	cut_later(text);
	c = lab_conf(text);
	ck_assert_uint_eq(c->n_tunnels, 3);
	ck_assert_uint_eq(c->n_peers, 3);
	ck_assert_uint_eq(c->n_statics, 3);
	ck_assert_uint_eq(c->n_filters, 3);
	ck_assert_uint_eq(c->router.n_listen, 3);
	conf_free(c);
}
END_TEST

START_TEST(the_complete_file_with_what_is_not_built)
{
	static const char *const later[] = { ": metrics: ", ": peers[0].bfd: " };
	size_t n = sizeof(later) / sizeof(later[0]), i = 0;
	char *line;

	ck_assert_ptr_null(lab_load(read_source("tests/unit/config/complete.conf")));
	for (line = strtok(lab_errors, "\n"); line; line = strtok(NULL, "\n")) {
		ck_assert_msg(i < n && strstr(line, later[i]), "%s", line);
		ck_assert_msg(strstr(line, "not built yet") != NULL, "%s", line);
		i++;
	}
	ck_assert_uint_eq(i, n);
}
END_TEST

UNIT_MAIN("files", UNIT(refuses_a_nul_byte), UNIT_ROWS(stands_large_files, big_rows),
          UNIT(stops_at_a_thousand_mistakes), UNIT_ROWS(files_and_includes, file_rows),
          UNIT_ROWS(samples_load, samples), UNIT(the_complete_file_without_what_is_not_built),
          UNIT(the_complete_file_with_what_is_not_built))

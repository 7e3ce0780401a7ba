/* SPDX-License-Identifier: BSD-2-Clause */
/* mcbgpc.c - the operator's client: one command from the command line, or a prompt. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/prompt.h"
#include "config.h"
#include "mcbgp/ctl.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NO_DAEMON = 3 };

static const char usage[] = "usage: mcbgpc [-s SOCKET] [--json] [COMMAND...]\n"
                            "       mcbgpc -V\n"
                            "Without a command: a prompt. `mcbgpc help` lists the commands.\n";

struct options {
	const char *path;
	bool json;
};

/** @return -1, or the status to exit with at once. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	*o = (struct options){ .path = CTL_SOCKET };
	while ((c = getopt_long(argc, argv, "+s:Vh", known, NULL)) != -1) {
		switch (c) {
		case 's':
			o->path = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'V':
			puts(PACKAGE_STRING);
			return EXIT_DONE;
		case 'h':
			fputs(usage, stdout);
			return EXIT_DONE;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	return -1;
}

/** The words of the command line as one request. A word with blanks in it, or none at all, is a text: it goes
 * in quotes. false: it is no request. */
static bool join(char **words, int n, char *out, size_t size)
{
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		bool bare = words[i][0] && !strpbrk(words[i], " \t*[");
		const char *quote = bare || words[i][0] == '"' ? "" : "\"";
		int w = snprintf(out + len, size - len, "%s%s%s%s", i ? " " : "", quote, words[i], quote);

		if (strpbrk(words[i], "\r\n") || w < 0 || (size_t)w >= size - len)
			return false;
		len += (size_t)w;
	}
	return true;
}

static int run_command(struct client *c, const struct options *o, char **words, int n)
{
	const struct client_streams to = { stdout, stderr };
	char request[CTL_LINE_MAX - sizeof(CTL_JSON) - 1];

	if (!join(words, n, request, sizeof(request))) {
		fprintf(stderr, "mcbgpc: a command is one line of at most %zu bytes\n", sizeof(request));
		return EXIT_USAGE;
	}
	switch (client_ask(c, request, o->json, &to)) {
	case CLIENT_DONE:
		return EXIT_DONE;
	case CLIENT_REFUSED:
		return EXIT_REFUSED;
	case CLIENT_LOST:
		break;
	}
	fprintf(stderr, "mcbgpc: the daemon at %s hung up\n", o->path);
	return EXIT_NO_DAEMON;
}

int main(int argc, char **argv)
{
	struct options o;
	struct client c;
	int rc = parse_options(argc, argv, &o);

	if (rc >= 0)
		return rc;
	rc = client_open(&c, o.path);
	if (rc < 0) {
		fprintf(stderr, "mcbgpc: no mcbgpd at %s: %s\n", o.path, strerror(-rc));
		return EXIT_NO_DAEMON;
	}
	if (optind < argc)
		rc = run_command(&c, &o, argv + optind, argc - optind);
	else
		rc = prompt_run(&c, o.path, o.json) < 0 ? EXIT_NO_DAEMON : EXIT_DONE;
	client_close(&c);
	return fflush(stdout) == 0 ? rc : EXIT_REFUSED;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* mcbgpd.c - options and main(), nothing else. */
#include <getopt.h>
#include <stdio.h>

#include "config.h"
#include "daemon/daemon.h"

#define DEFAULT_FILE "/etc/mcbgpd.conf"

static int usage(void)
{
	fprintf(stderr, "usage: mcbgpd [-c FILE] [-s SOCKET] [-f] [-t] [-V]\n"
	                "       mcbgpd --genkey FILE\n"
	                "  -c FILE    configuration (" DEFAULT_FILE ")\n"
	                "  -s SOCKET  control socket, instead of control.socket\n"
	                "  -f         stay in the foreground, as it always does\n"
	                "  -t         check the configuration, print every error, exit with 0 or 1\n"
	                "  -V         version\n"
	                "  --genkey   make a WireGuard key if FILE is absent, print the public one\n");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option words[] = { { "genkey", required_argument, NULL, 'k' }, { 0 } };
	struct daemon_options o = { .file = DEFAULT_FILE };
	const char *key = NULL;
	bool check = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "c:s:ftV", words, NULL)) != -1) {
		switch (opt) {
		case 'c':
			o.file = optarg;
			break;
		case 's':
			o.socket = optarg;
			break;
		case 'f':
			break;
		case 'k':
			key = optarg;
			break;
		case 't':
			check = true;
			break;
		case 'V':
			puts("mcbgpd " PACKAGE_VERSION);
			return EXIT_ORDERED;
		default:
			return usage();
		}
	}
	if (optind < argc)
		return usage();
	if (key)
		return daemon_genkey(key);
	return check ? daemon_check(o.file) : daemon_run(&o);
}

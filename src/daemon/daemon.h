/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.h - the daemon as main() sees it. */
#ifndef MCBGP_DAEMON_DAEMON_H
#define MCBGP_DAEMON_DAEMON_H

#include <stdbool.h>

struct daemon_options {
	const char *file;   /* configuration */
	const char *socket; /* overrides control.socket; NULL: does not */
};

enum { EXIT_ORDERED = 0, EXIT_CONFIG = 1, EXIT_USAGE = 2, EXIT_SYSTEM = 3 };

/** Parse and validate the file, every error on stderr. @return EXIT_ORDERED or EXIT_CONFIG. */
int daemon_check(const char *file);
/** Run until told to end. @return the exit status. */
int daemon_run(const struct daemon_options *o);
/** Make a WireGuard key in @file unless it is there, and print its public one. @return the exit status. */
int daemon_genkey(const char *file);

#endif

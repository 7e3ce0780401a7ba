/* SPDX-License-Identifier: BSD-2-Clause */
/* client.h - requests to the control socket, and their replies line by line. Knows the protocol of
 * mcbgp/ctl.h, none of the commands. */
#ifndef MCBGP_CLI_CLIENT_H
#define MCBGP_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct client {
	int fd;
	char *buf; /* read and not yet taken */
	size_t start, len, size;
	bool listening; /* to a monitor, and a terminal is there to end it */
};

/** Connect to @path and read the greeting. @return 0 or -errno; -EPROTO: what answers there is no mcbgpd. */
int client_open(struct client *c, const char *path);
void client_close(struct client *c);

/** Where replies go: lines of refusals to @err, all others to @out. */
struct client_streams {
	FILE *out, *err;
};

enum client_result { CLIENT_DONE, CLIENT_REFUSED, CLIENT_LOST };
/** Send @request and print its reply as text without codes, or (@json) the document. */
enum client_result client_ask(struct client *c, const char *request, bool json,
                              const struct client_streams *to);
/** Send @request and hand the text of each line of its reply to @line. */
enum client_result client_collect(struct client *c, const char *request,
                                  void (*line)(void *arg, const char *text), void *arg);

#endif

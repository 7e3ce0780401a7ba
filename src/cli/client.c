/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c - see client.h. Replies of any length are passed on as they come. */
#include "cli/client.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mcbgp/ctl.h"

#define FIRST_SIZE  65536u
#define LINE_LIMIT  (64u << 20) /* a line above it is no reply of ours */
#define MONITOR     "{\"monitor\": "
#define RESULT      "{\"result\": "
#define REFUSAL_MAX 65536u /* bytes of a document that may be a refusal */

/* -- bytes ------------------------------------------------------------------------------------ */

static bool send_all(struct client *c, const char *bytes, size_t n);

/** Wait for the daemon, or for the operator to hit Enter, who has heard enough. */
static void wait_or_end(struct client *c)
{
	struct pollfd fds[] = { { c->fd, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
	char line[256];

	while (c->listening && poll(fds, 2, -1) >= 0 && !fds[0].revents) {
		if (!fds[1].revents)
			continue;
		c->listening = false;
		(void)!read(STDIN_FILENO, line, sizeof(line));
		send_all(c, "\n", 1);
	}
}

static int fill(struct client *c)
{
	char *grown;
	ssize_t n;

	if (c->start) {
		memmove(c->buf, c->buf + c->start, c->len);
		c->start = 0;
	}
	if (c->len == c->size) {
		if (c->size >= LINE_LIMIT)
			return -EMSGSIZE;
		grown = realloc(c->buf, c->size ? 2 * c->size : FIRST_SIZE);
		if (!grown)
			return -ENOMEM;
		c->buf = grown;
		c->size = c->size ? 2 * c->size : FIRST_SIZE;
	}
	fflush(stdout); /* what has come is seen while more is waited for */
	wait_or_end(c);
	do {
		n = recv(c->fd, c->buf + c->len, c->size - c->len, 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	c->len += (size_t)n;
	return 0;
}

/** The next line, NUL-ended without its newline, good until the next call; NULL: the daemon is gone. */
static char *next_line(struct client *c)
{
	size_t seen = 0;
	char *line, *newline;

	while (!c->len || !(newline = memchr(c->buf + c->start + seen, '\n', c->len - seen))) {
		seen = c->len;
		if (fill(c) < 0)
			return NULL;
	}
	line = c->buf + c->start;
	*newline = '\0';
	c->start += (size_t)(newline + 1 - line);
	c->len -= (size_t)(newline + 1 - line);
	return line;
}

static bool send_all(struct client *c, const char *bytes, size_t n)
{
	while (n) {
		ssize_t sent = send(c->fd, bytes, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		bytes += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* -- replies ---------------------------------------------------------------------------------- */

struct reply_line {
	unsigned code;
	bool last;
	char *text;
};

/** "1002-text", "0000 text" or " text" (with the code of the line before, which @out holds). false: neither.
 */
static bool parse_line(char *line, struct reply_line *out)
{
	char *end = line + 4;

	out->last = false;
	if (line[0] == ' ') {
		out->text = line + 1;
		return true;
	}
	for (const char *p = line; p < end; p++)
		if (!isdigit((unsigned char)*p))
			return false;
	if (*end != '-' && *end != ' ')
		return false;
	out->code = (unsigned)strtoul(line, NULL, 10);
	out->last = *end == ' ';
	out->text = end + 1;
	return true;
}

static bool next_reply(struct client *c, struct reply_line *r)
{
	char *line;

	do {
		line = next_line(c);
	} while (line && line[0] == '+'); /* nothing asked for */
	return line && parse_line(line, r);
}

static bool send_request(struct client *c, const char *prefix, const char *request)
{
	return send_all(c, prefix, strlen(prefix)) && send_all(c, request, strlen(request)) &&
	       send_all(c, "\n", 1);
}

static enum client_result print_text(struct client *c, const struct client_streams *to)
{
	enum client_result result = CLIENT_DONE;
	struct reply_line r = { 0 };

	do {
		bool refused;

		if (!next_reply(c, &r))
			return CLIENT_LOST;
		refused = r.code >= CTL_REFUSED_MIN;
		c->listening = r.code == CTL_EVENT_HEADING ? isatty(STDIN_FILENO) : c->listening;
		if (refused)
			result = CLIENT_REFUSED;
		if (!r.last || *r.text) /* an empty end is no line of the answer */
			fprintf(refused ? to->err : to->out, "%s\n", r.text);
	} while (!r.last);
	c->listening = false;
	return result;
}

/** Whether the document is a refusal; its text then goes to @err. */
static bool is_refusal(const char *text, size_t n, FILE *err)
{
	json_t *doc = json_loadb(text, n, 0, NULL);
	const json_t *error = json_object_get(doc, "error");
	const char *why = json_string_value(json_object_get(error, "text"));

	if (why)
		fprintf(err, "%s\n", why);
	json_decref(doc);
	return error != NULL;
}

/** A monitor's documents, one a line, until the one with the result. */
static enum client_result print_documents(struct client *c, const struct client_streams *to)
{
	char *line;

	c->listening = isatty(STDIN_FILENO);
	do {
		line = next_line(c);
		if (!line)
			return CLIENT_LOST;
		fprintf(to->out, "%s\n", line);
	} while (strncmp(line, RESULT, strlen(RESULT)) != 0);
	c->listening = false;
	return CLIENT_DONE;
}

/** One line, which may be longer than any memory: what is over REFUSAL_MAX is passed on unread. */
static enum client_result print_json(struct client *c, const struct client_streams *to)
{
	bool refused = false;
	char *newline;

	while (!c->len || !(newline = memchr(c->buf + c->start, '\n', c->len))) {
		if (c->len > REFUSAL_MAX) {
			fwrite(c->buf + c->start, 1, c->len, to->out);
			c->start = c->len = 0;
		}
		if (fill(c) < 0)
			return CLIENT_LOST;
	}
	if (strncmp(c->buf + c->start, MONITOR, strlen(MONITOR)) == 0)
		return print_documents(c, to);
	newline++;
	if ((size_t)(newline - (c->buf + c->start)) <= REFUSAL_MAX)
		refused = is_refusal(c->buf + c->start, (size_t)(newline - (c->buf + c->start)), to->err);
	fwrite(c->buf + c->start, 1, (size_t)(newline - (c->buf + c->start)), to->out);
	c->len -= (size_t)(newline - (c->buf + c->start));
	c->start = (size_t)(newline - c->buf);
	return refused ? CLIENT_REFUSED : CLIENT_DONE;
}

enum client_result client_ask(struct client *c, const char *request, bool json,
                              const struct client_streams *to)
{
	if (!send_request(c, json ? CTL_JSON " " : "", request))
		return CLIENT_LOST;
	return json ? print_json(c, to) : print_text(c, to);
}

enum client_result client_collect(struct client *c, const char *request,
                                  void (*line)(void *arg, const char *text), void *arg)
{
	struct reply_line r = { 0 };

	if (!send_request(c, "", request))
		return CLIENT_LOST;
	for (;;) {
		if (!next_reply(c, &r))
			return CLIENT_LOST;
		if (r.last)
			return r.code >= CTL_REFUSED_MIN ? CLIENT_REFUSED : CLIENT_DONE;
		line(arg, r.text);
	}
}

int client_open(struct client *c, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct reply_line r = { 0 };
	int rc = -ENAMETOOLONG;

	*c = (struct client){ .fd = -1 };
	if (strlen(path) >= sizeof(addr.sun_path))
		return rc;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		rc = -errno;
		goto fail;
	}
	rc = -EPROTO;
	if (!next_reply(c, &r) || r.code != CTL_WELCOME)
		goto fail;
	return 0;
fail:
	client_close(c);
	return rc;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	*c = (struct client){ .fd = -1 };
}

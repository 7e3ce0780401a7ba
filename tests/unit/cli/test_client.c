/* SPDX-License-Identifier: BSD-2-Clause */
/* test_client.c - replies as the client passes them on: text, refusals, documents, and a daemon that is none
 * or goes away. */
#include "cli/client.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

#define GREETING "0001 BIRD 2.0.12 compatible mcbgpd 9.9 ready.\n"

static char path[64];
static pid_t child;

/** A daemon for one client: says @greeting, hears one line, says @reply, hangs up. */
static void daemon_start(const char *greeting, const char *reply)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(path, sizeof(path), "/tmp/mcbgpc-%d", (int)getpid());
	strcpy(addr.sun_path, path);
	unlink(path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	child = fork();
	if (child == 0) {
		int client = accept(fd, NULL, NULL);
		char c = 0;

		if (write(client, greeting, strlen(greeting)) < 0)
			_exit(1);
		while (c != '\n' && read(client, &c, 1) == 1)
			;
		for (const char *p = reply; *p; p++) /* byte by byte: pieces are the client's to join */
			if (write(client, p, 1) < 0)
				_exit(1);
		_exit(0);
	}
	close(fd);
}

static void daemon_end(void)
{
	waitpid(child, NULL, 0);
	unlink(path);
}

static const struct {
	const char *reply;
	bool json;
	enum client_result want;
	const char *out, *err;
} replies[] = {
	{ "0000 \n", false, CLIENT_DONE, "", "" },
	{ "0013 Daemon is up\n", false, CLIENT_DONE, "Daemon is up\n", "" },
	{ "1007-Table master4:\n one\n \ttwo\n1008-\tthree\n0000 \n", false, CLIENT_DONE,
	  "Table master4:\none\n\ttwo\n\tthree\n", "" },
	{ "1002-a\n+something else\n b\n0000 \n", false, CLIENT_DONE, "a\nb\n", "" },
	{ "8003 No protocol x\n", false, CLIENT_REFUSED, "", "No protocol x\n" },
	{ "0009-a: disabled\n8007-b: no\n0000 \n", false, CLIENT_REFUSED, "a: disabled\n", "b: no\n" },
	{ "1002-a\n", false, CLIENT_LOST, "a\n", "" },
	{ "", false, CLIENT_LOST, "", "" },
	{ "12\n", false, CLIENT_LOST, "", "" },
	{ "\n", false, CLIENT_LOST, "", "" },
	{ "{\"routes\": []}\n", true, CLIENT_DONE, "{\"routes\": []}\n", "" },
	{ "{\"error\": {\"code\": 8003, \"text\": \"No \\\"x\\\"\"}}\n", true, CLIENT_REFUSED,
	  "{\"error\": {\"code\": 8003, \"text\": \"No \\\"x\\\"\"}}\n", "No \"x\"\n" },
	{ "{\"notes\": [], \"error\": {\"text\": \"no\"}}\n", true, CLIENT_REFUSED,
	  "{\"notes\": [], \"error\": {\"text\": \"no\"}}\n", "no\n" },
	{ "{\"routes\": [", true, CLIENT_LOST, "", "" },
};

START_TEST(reply)
{
	char *out, *err;
	size_t out_len, err_len;
	const struct client_streams to = { open_memstream(&out, &out_len), open_memstream(&err, &err_len) };
	struct client c;

	daemon_start(GREETING, replies[_i].reply);
	ck_assert_int_eq(client_open(&c, path), 0);
	ck_assert_int_eq(client_ask(&c, "show status", replies[_i].json, &to), replies[_i].want);
	fclose(to.out);
	fclose(to.err);
	ck_assert_str_eq(out, replies[_i].out);
	ck_assert_str_eq(err, replies[_i].err);
	free(out);
	free(err);
	client_close(&c);
	daemon_end();
}
END_TEST

START_TEST(long_document)
{
	size_t n = 300000, out_len;
	char *doc = malloc(n + 2), *out;
	const struct client_streams to = { open_memstream(&out, &out_len), stderr };
	struct client c;

	memset(doc, ' ', n);
	doc[0] = '{';
	doc[n - 1] = '}';
	doc[n] = '\n';
	doc[n + 1] = '\0';
	daemon_start(GREETING, doc);
	ck_assert_int_eq(client_open(&c, path), 0);
	ck_assert_int_eq(client_ask(&c, "show route", true, &to), CLIENT_DONE);
	fclose(to.out);
	ck_assert_str_eq(out, doc);
	free(out);
	free(doc);
	client_close(&c);
	daemon_end();
}
END_TEST

static void keep(void *arg, const char *text)
{
	strcat(arg, text);
	strcat(arg, ";");
}

START_TEST(collected_lines)
{
	char got[100] = "";
	struct client c;

	daemon_start(GREETING, "1103-show\tthis\n help\tthat\n0000 \n");
	ck_assert_int_eq(client_open(&c, path), 0);
	ck_assert_int_eq(client_collect(&c, "complete \"\"", keep, got), CLIENT_DONE);
	ck_assert_str_eq(got, "show\tthis;help\tthat;");
	client_close(&c);
	daemon_end();
}
END_TEST

START_TEST(not_our_daemon)
{
	struct client c;

	daemon_start("220 mail.example.com ESMTP\n", "");
	ck_assert_int_eq(client_open(&c, path), -EPROTO);
	client_close(&c); /* once more is fine */
	kill(child, SIGKILL);
	daemon_end();
	ck_assert_int_eq(client_open(&c, path), -ENOENT);
}
END_TEST

UNIT_MAIN("client", UNIT_ROWS(reply, replies), UNIT(long_document), UNIT(collected_lines),
          UNIT(not_our_daemon))

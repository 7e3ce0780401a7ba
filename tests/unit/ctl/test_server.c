/* SPDX-License-Identifier: BSD-2-Clause */
/* test_server.c - the control socket with clients as they should be, and as they should not. */
#include "ctl/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/loop.h"
#include "mcbgp/ctl.h"
#include "unit/ctl/fake_daemon.h"
#include "unit/unit.h"

#define ROUTES 20000

static struct fake_daemon fake;
static struct loop *loop;
static struct ctl_server *server;
static char dir[] = "/tmp/mcbgpd-ctl-XXXXXX", path[64];

static bool readonly;

static const struct ctl_socket *at(const char *where)
{
	static struct ctl_socket socket;

	socket = (struct ctl_socket){ .path = where, .readonly = readonly };
	return &socket;
}

static void serve(void)
{
	fake_daemon_init(&fake);
	loop = loop_new();
	ck_assert_ptr_nonnull(loop);
	if (!path[0]) {
		ck_assert_ptr_nonnull(mkdtemp(dir));
		snprintf(path, sizeof(path), "%s/ctl", dir);
	}
	ck_assert_int_eq(ctl_server_open(loop, &fake.backend, at(path), &server), 0);
}

static void end(void)
{
	ctl_server_close(server);
	loop_free(loop);
	fake_daemon_fini(&fake);
	ck_assert_int_eq(access(path, F_OK), -1);
	rmdir(dir);
}

static void stop_loop(void *ctx)
{
	(void)ctx;
	loop_stop(loop);
}

/** Let the loop turn for @ms. */
static void turn(unsigned ms)
{
	struct loop_timer *t = loop_timer_new(loop, stop_loop, NULL);

	loop_timer_at(t, loop_clock() + ms * UINT64_C(1000));
	loop_run(loop);
	loop_timer_free(t);
}

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/** Read until @until has come, turning the loop; what came, NUL-ended, good until the next call. */
static const char *hear(int fd, const char *until)
{
	static char buf[16 << 20];
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < 5000 && !strstr(len > 65536 ? buf + len - 65536 : buf, until); i++) {
		ssize_t n = recv(fd, buf + len, sizeof(buf) - len - 1, 0);

		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
		buf[len] = '\0';
		turn(1);
	}
	return buf;
}

/** Whether the daemon answers somebody new. */
static bool answers(void)
{
	int fd = dial();
	bool well;

	say(fd, "show status\n");
	well = strstr(hear(fd, "0013 "), "Daemon is up") != NULL;
	close(fd);
	return well;
}

static void many_routes(void)
{
	char prefix[32];

	for (unsigned i = 0; i < ROUTES; i++) {
		snprintf(prefix, sizeof(prefix), "100.%u.%u.0/24", i / 250, i % 250);
		fake_announce(fake.node1, prefix, 0, 0x0a000002, (struct blob){ 0 });
	}
	fake_settle(&fake);
}

START_TEST(greets_and_answers)
{
	struct stat st;
	int fd;

	serve();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	fd = dial();
	ck_assert_str_eq(hear(fd, "\n"), "0001 BIRD 2.0.12 compatible mcbgpd 9.9 ready.\n");
	say(fd, "show status\n");
	ck_assert_ptr_nonnull(strstr(hear(fd, "0013 "), "1011-Router ID is 10.0.0.1\n"));
	close(fd);
	end();
}
END_TEST

START_TEST(requests_sent_ahead)
{
	const char *text;
	int fd;

	serve();
	fd = dial();
	say(fd, "show status\nshow protocols\r\n\nnonsense\nshow stat");
	text = hear(fd, "unknown");
	ck_assert_ptr_nonnull(strstr(text, "0013 "));
	ck_assert_ptr_nonnull(strstr(text, "Established"));
	say(fd, "us\n");
	hear(fd, "0013 ");
	shutdown(fd, SHUT_WR);
	ck_assert_str_eq(hear(fd, "never"), ""); /* hung up */
	close(fd);
	end();
}
END_TEST

START_TEST(answers_after_the_asker_has_finished)
{
	int fd;

	serve();
	fd = dial();
	say(fd, "show protocols\n");
	shutdown(fd, SHUT_WR);
	ck_assert_ptr_nonnull(strstr(hear(fd, "0000 \n"), "Established"));
	close(fd);
	end();
}
END_TEST

START_TEST(endless_line)
{
	char junk[4096];
	int fd, keeper;

	serve();
	fd = dial();
	keeper = dial();
	memset(junk, 'x', sizeof(junk));
	for (unsigned sent = 0; sent < 256;) {
		ssize_t n = send(fd, junk, sizeof(junk), MSG_NOSIGNAL);

		ck_assert(n > 0 || errno == EAGAIN);
		sent += n > 0;
		turn(1);
	}
	say(fd, "\nshow status\n");
	ck_assert_ptr_nonnull(strstr(hear(fd, "0013 "), "9000 Command too long\n1000-"));
	close(fd);
	close(keeper);
	ck_assert(answers());
	end();
}
END_TEST

START_TEST(line_of_every_length_around_the_limit)
{
	char line[CTL_LINE_MAX + 8];
	int fd;

	serve();
	fd = dial();
	hear(fd, "ready");
	for (size_t len = CTL_LINE_MAX - 3; len < CTL_LINE_MAX + 3; len++) {
		memset(line, 'x', len);
		line[len] = '\0';
		say(fd, line);
		turn(1);
		say(fd, "\n");
		ck_assert_ptr_nonnull(strstr(hear(fd, "\n"), len < CTL_LINE_MAX ? "9001 " : "9000 "));
	}
	close(fd);
	end();
}
END_TEST

START_TEST(random_bytes)
{
	char junk[1500];
	unsigned seed = 1;

	serve();
	for (unsigned k = 0; k < 50; k++) {
		int fd = dial();

		for (size_t i = 0; i < sizeof(junk); i++)
			junk[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
		ck_assert_int_gt(send(fd, junk, sizeof(junk), MSG_NOSIGNAL), 0);
		turn(1);
		close(fd);
	}
	ck_assert(answers());
	end();
}
END_TEST

START_TEST(slow_reader)
{
	char some[3000];
	size_t total = 0;
	int fd, small = 4096;
	const char *text;

	serve();
	many_routes();
	fd = dial();
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	say(fd, "show route all\n");
	for (unsigned i = 0; i < 20; i++) {
		ssize_t n = recv(fd, some, sizeof(some), 0);

		total += n > 0 ? (size_t)n : 0;
		ck_assert(answers());
	}
	ck_assert_uint_gt(total, 0);
	text = hear(fd, "\n0000 \n");
	ck_assert_ptr_nonnull(strstr(text, "100.79.249.0/24"));
	close(fd);
	end();
}
END_TEST

START_TEST(readers_that_vanish)
{
	char some[100];

	serve();
	many_routes();
	for (unsigned i = 0; i < 30; i++) {
		int fd = dial();

		say(fd, i % 2 ? "show route all\nshow route all\n" : "json show route all\n");
		turn(3);
		(void)!recv(fd, some, sizeof(some), 0);
		close(fd);
		turn(1);
	}
	ck_assert(answers());
	end();
}
END_TEST

START_TEST(silent_clients_lock_nobody_out)
{
	int fds[3 * CTL_CLIENTS_MAX];

	serve();
	for (unsigned i = 0; i < 3 * CTL_CLIENTS_MAX; i++) {
		fds[i] = dial();
		turn(1);
	}
	ck_assert(answers());
	for (unsigned i = 0; i < 3 * CTL_CLIENTS_MAX; i++)
		close(fds[i]);
	ck_assert(answers());
	end();
}
END_TEST

/** All places taken by readers in the middle of an answer: the next one waits for one of them. */
START_TEST(busy_clients_are_waited_for)
{
	int fds[CTL_CLIENTS_MAX], late;

	serve();
	many_routes();
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++) {
		fds[i] = dial();
		say(fds[i], "show route all\n");
		turn(2);
	}
	late = dial();
	turn(20);
	ck_assert_int_eq(recv(late, &(char){ 0 }, 1, 0), -1);
	close(fds[7]);
	ck_assert_ptr_nonnull(strstr(hear(late, "\n"), "ready"));
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		if (i != 7)
			close(fds[i]);
	close(late);
	end();
}
END_TEST

/** Nobody of those that hold all places reads: one of them goes, but only after some time. */
START_TEST(readers_that_stand_still_lock_nobody_out)
{
	int fds[CTL_CLIENTS_MAX], late, small = 4096, closed = 0;
	static char some[1 << 20];

	serve();
	many_routes();
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++) {
		fds[i] = dial();
		setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		say(fds[i], "show route all\n");
		turn(2);
	}
	turn(3000);
	for (unsigned i = 0; i < 10; i++) { /* it is slow, but it reads */
		ck_assert_int_gt(recv(fds[0], some, sizeof(some), 0), 0);
		turn(20);
	}
	late = dial();
	turn(20);
	ck_assert_int_eq(recv(late, some, 1, 0), -1);
	for (unsigned i = 0; i < 20 && !strstr(hear(late, "\n"), "ready"); i++) /* 5 s each */
		ck_assert_uint_lt(i, 19);
	ck_assert(answers()); /* the one that came late gives way: it asks nothing */
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++) {
		ssize_t n;

		while ((n = recv(fds[i], some, sizeof(some), 0)) > 0)
			;
		closed += n == 0;
		ck_assert(i || n < 0);
		close(fds[i]);
	}
	ck_assert_int_eq(closed, 1);
	close(late);
	end();
}
END_TEST

/** They do read, a little now and then: too little to keep their places when somebody else waits. */
START_TEST(readers_that_trickle_lock_nobody_out)
{
	int fds[CTL_CLIENTS_MAX], late = -1;
	static char some[48000], greeting[8];
	ssize_t n = -1;

	serve();
	many_routes();
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++) {
		fds[i] = dial();
		say(fds[i], "show route all\nshow route all\nshow route all\n");
		turn(2);
	}
	for (unsigned k = 0; k < 15 && n < 0; k++) {
		for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
			(void)!recv(fds[i], some, sizeof(some), 0);
		if (k == 4)
			late = dial();
		turn(2000);
		n = late < 0 ? -1 : recv(late, greeting, sizeof(greeting), 0);
	}
	ck_assert_int_gt(n, 0);
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		close(fds[i]);
	close(late);
	end();
}
END_TEST

/* -- monitors --------------------------------------------------------------------------------- */

static void happen(const char *name, const char *peer, uint64_t number)
{
	const struct kv fields[] = { kv_str("peer", peer), kv_u64("number", number) };
	const struct ctl_event e = { LOGL_INFO, name, fields, 2 };

	ctl_server_event(server, &e);
}

static int watch(const char *request)
{
	int fd = dial();

	say(fd, request);
	hear(fd, "ends them\n");
	return fd;
}

START_TEST(monitor_tells_what_happens)
{
	const char *text;
	int fd;

	serve();
	ck_assert(!ctl_server_monitored(server));
	fd = watch("monitor\n");
	ck_assert(ctl_server_monitored(server));
	happen("session.up", "node1", 7);
	text = hear(fd, "\n");
	ck_assert_str_eq(text, "1106-03:04:05.678 level=info event=session.up peer=node1 number=7\n");
	happen("daemon.started", NULL, 8);
	ck_assert_str_eq(hear(fd, "\n"), " 03:04:05.678 level=info event=daemon.started number=8\n");
	say(fd, "\n");
	ck_assert_str_eq(hear(fd, "0000 \n"), "0000 \n");
	ck_assert(!ctl_server_monitored(server));
	happen("session.down", "node1", 9);
	say(fd, "show status\n");
	text = hear(fd, "0013 ");
	ck_assert_int_eq(strncmp(text, "1000-", 5),
	                 0); /* neither the event nor an answer to the empty line */
	close(fd);
	end();
}
END_TEST

static const struct {
	const char *request, *told; /* numbers of the events below that are told */
} selections[] = {
	{ "monitor\n", "01234567" },
	{ "monitor sessions\n", "012" },
	{ "monitor routes\n", "356" },
	{ "monitor tunnels\n", "4" },
	{ "monitor peer node1\n", "036" },
	{ "monitor ses peer node2\n", "1" },
	{ "monitor peer node1 routes\n", "36" },
};

START_TEST(monitor_selects)
{
	static const struct kv was[] = { { "was", KV_STR, { .str = "node1" } },
		                         { "number", KV_U64, { .u64 = 6 } } };
	const struct ctl_event gone = { LOGL_INFO, "route.gone", was, 2 };
	char told[16] = "";
	const char *text;
	int fd;

	serve();
	fd = watch(selections[_i].request);
	happen("session.up", "node1", 0);
	happen("session.down", "node2", 1);
	happen("peer.removed", NULL, 2);
	happen("route.best", "node1", 3);
	happen("tunnel.down", NULL, 4);
	happen("fib.refused", NULL, 5);
	ctl_server_event(server, &gone);
	happen("config.applied", NULL, 7);
	say(fd, "\n");
	text = hear(fd, "0000 \n");
	for (const char *p = text; (p = strstr(p, "number=")); p++)
		strncat(told, p + strlen("number="), 1);
	ck_assert_str_eq(told, selections[_i].told);
	close(fd);
	end();
}
END_TEST

/** What a reader is too slow for is counted, not kept. */
START_TEST(slow_monitor_loses_events)
{
	unsigned told = 0, lost = 0, total = 100000;
	const char *text;
	int fd;

	serve();
	fd = watch("monitor\n");
	for (unsigned i = 0; i < total; i++) {
		happen("session.up", "node1", i);
		if (i % 1000 == 0)
			turn(1);
	}
	turn(1);
	ck_assert(answers());
	say(fd, "\n");
	text = hear(fd, "\n0000 \n");
	for (const char *p = text; (p = strstr(p, "event=")); p++)
		told++;
	for (const char *p = text; (p = strstr(p, " events lost")); p++) {
		const char *digits = p;

		while (digits[-1] >= '0' && digits[-1] <= '9')
			digits--;
		lost += (unsigned)strtoul(digits, NULL, 10);
	}
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_gt(told, 0);
	ck_assert_uint_eq(told + lost, total);
	close(fd);
	end();
}
END_TEST

START_TEST(monitor_in_json)
{
	int fd;

	serve();
	fd = dial();
	say(fd, "json monitor sessions peer node1\n");
	ck_assert_ptr_nonnull(
	        strstr(hear(fd, "}\n"), "{\"monitor\": {\"kind\": \"sessions\", \"peer\": \"node1\"}}\n"));
	happen("session.up", "node1", 7);
	ck_assert_str_eq(hear(fd, "}\n"),
	                 "{\"event\": \"session.up\", \"time\": 1767323045.678, \"level\": \"info\", "
	                 "\"fields\": {\"peer\": \"node1\", \"number\": 7}}\n");
	say(fd, "\n");
	ck_assert_str_eq(hear(fd, "}\n"), "{\"result\": {\"code\": 0, \"text\": \"\"}}\n");
	close(fd);
	end();
}
END_TEST

/** A monitor ends with its asker, and with the daemon. */
START_TEST(monitor_ends)
{
	char text[200] = "";
	int fd, other;

	serve();
	fd = watch("monitor\n");
	shutdown(fd, SHUT_WR);
	ck_assert_str_eq(hear(fd, "never"), "0000 \n");
	close(fd);
	fd = watch("monitor\n");
	close(fd);
	turn(5);
	ck_assert(!ctl_server_monitored(server));
	other = watch("monitor\n");
	end();
	ck_assert_int_gt(recv(other, text, sizeof(text) - 1, 0), 0);
	ck_assert_str_eq(text, "0000 \n");
	close(other);
}
END_TEST

START_TEST(monitors_lock_nobody_out)
{
	int fds[CTL_CLIENTS_MAX];

	serve();
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		fds[i] = watch("monitor\n");
	ck_assert(answers());
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		close(fds[i]);
	end();
}
END_TEST

/* -- who may only look ------------------------------------------------------------------------ */

static const char *const changing[] = {
	"enable all",      "disable node1", "restart node1",    "reload all",      "configure",
	"configure check", "down",          "graceful restart", "log level debug", "log peer node1 debug"
};

START_TEST(readonly_socket_changes_nothing)
{
	char line[64];
	int fd;

	readonly = true;
	serve();
	fd = dial();
	hear(fd, "ready.\n");
	snprintf(line, sizeof(line), "%s\n", changing[_i]);
	say(fd, line);
	ck_assert_str_eq(hear(fd, "\n"), "8007 Access denied: this connection may only look\n");
	ck_assert(!fake.act[0] && !fake.stopped);
	say(fd, "show status\n");
	ck_assert_ptr_nonnull(strstr(hear(fd, "0013 "), "Daemon is up"));
	close(fd);
	end();
}
END_TEST

/** BIRD's `restrict`, which birdc -r sends first. */
START_TEST(restricted_for_good)
{
	int fd;

	serve();
	fd = dial();
	hear(fd, "ready.\n");
	say(fd, "restrict\n");
	ck_assert_str_eq(hear(fd, "\n"), "0016 Access restricted\n");
	say(fd, "disable node1\n");
	ck_assert_str_eq(hear(fd, "\n"), "8007 Access denied: this connection may only look\n");
	say(fd, "restrict\n");
	ck_assert_str_eq(hear(fd, "\n"), "0016 Access restricted\n");
	close(fd);
	fd = dial(); /* the next one is not */
	hear(fd, "ready.\n");
	say(fd, "disable node2\n");
	ck_assert_ptr_nonnull(strstr(hear(fd, "0000 "), "0009-node2: disabled"));
	close(fd);
	end();
}
END_TEST

START_TEST(stale_socket_is_replaced)
{
	struct ctl_server *second;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/ctl", dir);
	strcpy(addr.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd); /* as after kill -9 */
	serve();
	ck_assert_int_eq(ctl_server_open(loop, &fake.backend, at(path), &second), -EADDRINUSE);
	ck_assert(answers());
	end();
}
END_TEST

START_TEST(places_that_cannot_be_taken)
{
	char file[80], missing[80], longest[200];
	struct ctl_server *s;
	int fd;

	serve();
	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(missing, sizeof(missing), "%s/no/ctl", dir);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	close(fd);
	ck_assert_int_eq(ctl_server_open(loop, &fake.backend, at(file), &s), -ENOTSOCK);
	ck_assert_int_eq(access(file, F_OK), 0);
	ck_assert_int_eq(ctl_server_open(loop, &fake.backend, at(missing), &s), -ENOENT);
	ck_assert_int_eq(ctl_server_open(loop, &fake.backend, at(longest), &s), -ENAMETOOLONG);
	unlink(file);
	end();
}
END_TEST

START_TEST(last_words_at_the_end)
{
	char text[200] = "";
	int fd;

	serve();
	fd = dial();
	say(fd, "down\n");
	while (!fake.stopped)
		turn(1);
	end();
	ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(text, "0007 Shutdown requested\n"));
	close(fd);
}
END_TEST

UNIT_MAIN("server", UNIT(greets_and_answers), UNIT(requests_sent_ahead),
          UNIT(answers_after_the_asker_has_finished), UNIT(endless_line),
          UNIT(line_of_every_length_around_the_limit), UNIT(random_bytes), UNIT(slow_reader),
          UNIT(readers_that_vanish), UNIT(silent_clients_lock_nobody_out), UNIT(busy_clients_are_waited_for),
          UNIT(readers_that_stand_still_lock_nobody_out), UNIT(readers_that_trickle_lock_nobody_out),
          UNIT(monitor_tells_what_happens), UNIT_ROWS(monitor_selects, selections),
          UNIT(slow_monitor_loses_events), UNIT(monitor_in_json), UNIT(monitor_ends),
          UNIT(monitors_lock_nobody_out), UNIT_ROWS(readonly_socket_changes_nothing, changing),
          UNIT(restricted_for_good), UNIT(stale_socket_is_replaced), UNIT(places_that_cannot_be_taken),
          UNIT(last_words_at_the_end))

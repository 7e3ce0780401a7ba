/* SPDX-License-Identifier: BSD-2-Clause */
/* test_listen.c - which keys the listening sockets are given, and in which order: while one is replaced, what
 * comes without it must find no open door. */
#include "io/listen.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>

#include "unit/io/sides.h"

/* The keys as the kernel was told them: "+10.0.0.1/32 KEY" and "-10.0.0.1/32", a line each. */
static char told[512];

static void note(const struct tcp_md5sig *sig)
{
	struct sockaddr_in a;
	struct prefix p;
	char text[PREFIX_STRLEN];
	size_t used = strlen(told);

	memcpy(&a, &sig->tcpm_addr, sizeof(a));
	p.addr = ip_from_bytes(IP_V4, (const uint8_t *)&a.sin_addr);
	p.len = sig->tcpm_prefixlen;
	prefix_print(&p, text);
	if (sig->tcpm_keylen)
		snprintf(told + used, sizeof(told) - used, "+%s %.*s\n", text, sig->tcpm_keylen,
		         sig->tcpm_key);
	else
		snprintf(told + used, sizeof(told) - used, "-%s\n", text);
}

/** In place of the C library's. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (level != IPPROTO_TCP || option != TCP_MD5SIG_EXT)
		return (int)syscall(SYS_setsockopt, fd, level, option, value, len);
	note(value);
	return 0;
}

static void on_accepted(void *ctx, int fd, const struct sock_ends *ends)
{
	(void)ctx;
	(void)fd;
	(void)ends;
	ck_abort_msg("nobody connects");
}

static struct listeners *listeners;

static void open_one(void)
{
	struct conf_listen at;

	setup();
	at = (struct conf_listen){ addr("127.0.82.1"), port };
	listeners = listeners_new(loop, on_accepted, NULL);
	ck_assert_ptr_nonnull(listeners);
	ck_assert_int_eq(listeners_apply(listeners, &at, 1), 0);
}

static void close_all(void)
{
	listeners_free(listeners);
	teardown();
}

/* @return what the kernel was told for it */
static const char *sign(const void *owner, const char *peer, const char *key)
{
	struct secret s = { .len = (uint8_t)strlen(key) };
	struct listen_key k = { .secret = &s };

	memcpy(s.bytes, key, s.len);
	ck_assert(prefix_parse(peer, true, &k.peer));
	told[0] = '\0';
	ck_assert_int_eq(listeners_sign(listeners, owner, &k), 0);
	return told;
}

static const char *unsign(const void *owner)
{
	told[0] = '\0';
	listeners_unsign(listeners, owner);
	return told;
}

START_TEST(key_is_replaced_in_place)
{
	int peer;

	open_one();
	ck_assert_str_eq(sign(&peer, "10.0.0.2/32", "first"), "+10.0.0.2/32 first\n");
	ck_assert_str_eq(sign(&peer, "10.0.0.2/32", "first"), "+10.0.0.2/32 first\n");
	ck_assert_str_eq(sign(&peer, "10.0.0.2/32", "second"), "+10.0.0.2/32 second\n");
	ck_assert_str_eq(unsign(&peer), "-10.0.0.2/32\n");
	ck_assert_str_eq(unsign(&peer), "");
	close_all();
}
END_TEST

START_TEST(key_moves_with_its_peer)
{
	int peer;

	open_one();
	sign(&peer, "10.0.0.2/32", "key");
	ck_assert_str_eq(sign(&peer, "10.0.0.0/24", "key"), "+10.0.0.0/24 key\n-10.0.0.2/32\n");
	close_all();
}
END_TEST

START_TEST(key_stays_while_somebody_has_it)
{
	int one, other;

	open_one();
	sign(&one, "10.0.0.2/32", "key");
	sign(&other, "10.0.0.2/32", "key");
	ck_assert_str_eq(unsign(&one), "+10.0.0.2/32 key\n");
	ck_assert_str_eq(unsign(&other), "-10.0.0.2/32\n");
	close_all();
}
END_TEST

/* -- of a peer, through reloads ------------------------------------------------------------------ */

static char password_file[] = "/tmp/mcbgp-password-XXXXXX";

static void write_password(const char *text)
{
	FILE *f = fopen(password_file, "w");

	ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static const char *reload(void)
{
	told[0] = '\0';
	ck_assert_int_eq(peers_apply(left.set, &left.conf, &left.conf), 0);
	return told;
}

START_TEST(password_is_replaced_in_place)
{
	int fd = mkstemp(password_file);

	ck_assert_int_ge(fd, 0);
	close(fd);
	write_password("first");
	one_side();
	left.peers[0] = entry("node", "127.0.82.1", "127.0.82.7", 65001, 65002);
	left.peers[0].passive = true;
	left.peers[0].password_file = password_file;
	side_apply(&left, 1);
	ck_assert_str_eq(reload(), "+127.0.82.7/32 first\n");
	write_password("second");
	ck_assert_str_eq(reload(), "+127.0.82.7/32 second\n");
	write_password(""); /* of no use: no session, so no key either */
	ck_assert_str_eq(reload(), "-127.0.82.7/32\n");
	ck_assert_int_eq(unlink(password_file), 0);
	side_free(&left);
	teardown();
}
END_TEST

UNIT_MAIN("listen", UNIT(key_is_replaced_in_place), UNIT(key_moves_with_its_peer),
          UNIT(key_stays_while_somebody_has_it), UNIT(password_is_replaced_in_place))

/* SPDX-License-Identifier: BSD-2-Clause */
/* test_sysctl.c - what the host is to be set to: written where it differs, named where it cannot be written.
 */
#include "netlink/sysctl.h"

#include "unit/netlink/netns.h"
#include "unit/unit.h"

static char logged[1 << 14];

static void keep_log(void *ctx, enum log_level level, const char *event, const struct kv *kv, size_t n)
{
	size_t used = strlen(logged);

	(void)ctx;
	log_format(logged + used, sizeof(logged) - used - 1, level, event, kv, n);
	strcat(logged, "\n");
}

static const struct conf_host left_alone = { CONF_UNSET, CONF_UNSET, -1, -1 };
static const struct conf_host wanted = { CONF_ON, CONF_ON, 1, 2 };

static void start(void)
{
	netns_enter();
	log_set_sink(keep_log, NULL);
	log_set_level(LOGL_INFO);
	must("echo 0 >/proc/sys/net/ipv4/ip_forward && echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter");
}

static unsigned lines(void)
{
	unsigned n = 0;

	for (const char *c = logged; *c; c++)
		n += *c == '\n';
	return n;
}

START_TEST(written_once)
{
	start();
	ck_assert_uint_eq(sysctl_apply(&wanted), 0);
	ck_assert_msg(lines() == 6, "%s", logged);
	must("test $(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding "
	     "/proc/sys/net/ipv4/fib_multipath_hash_policy /proc/sys/net/ipv6/fib_multipath_hash_policy "
	     "/proc/sys/net/ipv4/fib_multipath_use_neigh /proc/sys/net/ipv4/conf/all/rp_filter | tr -d "
	     "'\\n') = "
	     "111112");
	logged[0] = '\0';
	ck_assert_uint_eq(sysctl_apply(&wanted), 0);
	ck_assert_str_eq(logged, "");
	ck_assert_int_eq(sysctl_set("net.ipv4.ip_forward", 1), 0);
	ck_assert_int_eq(sysctl_set("net.ipv4.ip_forward", 0), 1);
}
END_TEST

START_TEST(absent_is_left_alone)
{
	start();
	ck_assert_uint_eq(sysctl_apply(&left_alone), 0);
	ck_assert_str_eq(logged, "");
	must("test $(cat /proc/sys/net/ipv4/ip_forward) = 0");
}
END_TEST

/* A dot in a link's name is a slash in the name of its sysctl. */
START_TEST(link_with_a_dot)
{
	start();
	must("ip link add a.b type veth peer name c");
	ck_assert_int_eq(sysctl_set("net.ipv4.conf.a/b.rp_filter", 2), 1);
	must("test $(cat /proc/sys/net/ipv4/conf/a.b/rp_filter) = 2");
	ck_assert_int_eq(sysctl_set("net.ipv4.conf.d.rp_filter", 2), -ENOENT);
}
END_TEST

START_TEST(what_cannot_be_written_is_named)
{
	start();
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	must("mount --make-rprivate / && mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro "
	     "/proc/sys");
	ck_assert_uint_eq(sysctl_apply(&wanted), 6);
	ck_assert_msg(strstr(logged,
	                     "level=error event=host.sysctl sysctl=net.ipv4.ip_forward value=1 "
	                     "error=\"Read-only file system\" hint=\"set it on the host, or leave it out"),
	              "%s", logged);
}
END_TEST

UNIT_MAIN("sysctl", UNIT(written_once), UNIT(absent_is_left_alone), UNIT(link_with_a_dot),
          UNIT(what_cannot_be_written_is_named))

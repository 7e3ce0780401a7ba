/* SPDX-License-Identifier: BSD-2-Clause */
/* test_fib_refused.c - a kernel that refuses what a real one cannot be made to refuse: told by the prefix,
 * between the FIB and the socket. The request is spoiled on its way, so that the kernel refuses it in
 * earnest, and the answer says what the test wants on its way back. */
#include "unit/netlink/fibtest.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define NO_FAMILY 0x7f
#define SEQS      4096u

static struct {
	int err;         /* 0: nothing is refused */
	unsigned times;  /* that it is */
} refuse[256];           /* by the second byte of an IPv4 prefix */
static int answer[SEQS]; /* by sequence number */

ssize_t __real_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
ssize_t __real_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);

static void spoil(struct nlmsghdr *h)
{
	struct rtmsg *rtm = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	uint8_t at = 0;

	answer[h->nlmsg_seq % SEQS] = 0;
	if ((h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type != RTM_DELROUTE) || rtm->rtm_family != AF_INET)
		return;
	mnl_attr_for_each(a, h, sizeof(*rtm))
	{
		if (mnl_attr_get_type(a) == RTA_DST)
			at = ((const uint8_t *)mnl_attr_get_payload(a))[1];
	}
	if (!refuse[at].err || !refuse[at].times)
		return;
	refuse[at].times--;
	answer[h->nlmsg_seq % SEQS] = -refuse[at].err;
	rtm->rtm_family = NO_FAMILY;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(uintptr_t)buf;
	int left = (int)len;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		spoil(h);
	return __real_mnl_socket_sendto(nl, buf, len);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t got = __real_recvmsg(fd, msg, flags);
	struct nlmsghdr *h = msg->msg_iov->iov_base;
	int left = (int)got;

	for (; left > 0 && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

		if (h->nlmsg_type == NLMSG_ERROR && e->error == -EOPNOTSUPP && answer[h->nlmsg_seq % SEQS])
			e->error = answer[h->nlmsg_seq % SEQS];
	}
	return got;
}

static unsigned told; /* fib.refused events */

static void count_refusals(void *ctx, enum log_level level, const char *event, const struct kv *kv, size_t n)
{
	told += strcmp(event, "fib.refused") == 0;
	if (getenv("TEST_LOG"))
		netns_log(ctx, level, event, kv, n);
}

static void begin(void)
{
	start();
	log_set_sink(count_refusals, NULL);
	ck_assert(stats().nexthop_objects);
}

static const struct {
	const char *prefix;
	int err;
	enum fib_refusal cause;
} causes[] = {
	{ "10.200.0.0/16", EBUSY, FIB_BUSY },          { "10.201.0.0/16", ENOBUFS, FIB_FULL },
	{ "10.202.0.0/16", ENOMEM, FIB_FULL },         { "10.203.0.0/16", ENOSPC, FIB_FULL },
	{ "10.204.0.0/16", EAGAIN, FIB_BUSY },         { "10.205.0.0/16", EPERM, FIB_OTHER },
	{ "10.206.0.0/16", ENETUNREACH, FIB_MISSING },
};
#define N_CAUSES (sizeof(causes) / sizeof(causes[0]))

static bool causes_installed(void *ctx)
{
	(void)ctx;
	return stats().routes_installed == N_CAUSES;
}

START_TEST(refusal_is_counted_told_once_shown_and_ends_with_its_cause)
{
	uint64_t counted[FIB_REFUSALS] = { 0 };
	const char *why;

	begin();
	for (size_t i = 0; i < N_CAUSES; i++) {
		refuse[200 + i].err = causes[i].err;
		refuse[200 + i].times = UINT32_MAX;
		counted[causes[i].cause]++;
		want(causes[i].prefix, "a0", "10.1.0.2", NULL, NULL);
	}
	for (unsigned again = 0; again < 3; again++) {
		settle();
		ck_assert_uint_eq(stats().routes_failed, N_CAUSES);
		ck_assert_uint_eq(told, N_CAUSES);
		fib_link_changed(fib, ifindex("a0")); /* they are tried anew */
	}
	for (size_t i = 0; i < N_CAUSES; i++) {
		struct prefix p = pfx(causes[i].prefix);

		ck_assert_int_eq(fib_query(fib, &p, &why), FIB_FAILED);
		ck_assert_msg(strstr(why, strerror(causes[i].err)), "%s", why);
		ck_assert_uint_ge(stats().refused[causes[i].cause], 3 * counted[causes[i].cause]);
	}
	ck_assert_uint_eq(stats().refused[FIB_EXISTS], 0);
	settle();
	memset(refuse, 0, sizeof(refuse)); /* no event tells of that */
	ck_assert(run_until(loop, causes_installed, NULL, 20000));
	ck_assert_int_eq(lines("ip route show proto 178"), N_CAUSES);
	finish();
}
END_TEST

START_TEST(short_refusal_is_nobodys_business)
{
	begin();
	for (size_t i = 0; i < 5; i++) { /* what time may mend */
		refuse[200 + i].err = causes[i].err;
		refuse[200 + i].times = 2;
		want(causes[i].prefix, "a0", "10.1.0.2", NULL, NULL);
	}
	settle();
	ck_assert_uint_eq(stats().routes_installed, 5);
	ck_assert_uint_eq(told, 0);
	finish();
}
END_TEST

/* What is there stays until it can be changed, and what is to go goes when it can. */
START_TEST(replacement_and_deletion_refused)
{
	begin();
	want("10.200.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	want("10.201.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	for (unsigned i = 200; i < 202; i++) {
		refuse[i].err = EBUSY;
		refuse[i].times = UINT32_MAX;
	}
	want("10.200.0.0/16", "a0", "10.1.0.3", NULL, NULL);
	want_none("10.201.0.0/16");
	settle();
	ck_assert_uint_eq(stats().routes_failed, 2);
	ck_assert_int_eq(lines("ip route show via 10.1.0.2 proto 178"), 2);
	memset(refuse, 0, sizeof(refuse));
	fib_link_changed(fib, ifindex("a0"));
	settle();
	ck_assert_uint_eq(stats().routes_failed, 0);
	ck_assert_int_eq(lines("ip route show via 10.1.0.3 proto 178"), 1);
	ck_assert_int_eq(lines("ip route show proto 178"), 1);
	finish();
}
END_TEST

/* "No such route" to a replacement: it is made anew, and found to be there after all. */
START_TEST(kernel_that_denies_what_it_has)
{
	begin();
	want("10.200.0.0/16", "a0", "10.1.0.2", NULL, NULL);
	settle();
	refuse[200].err = ESRCH;
	refuse[200].times = 1;
	want("10.200.0.0/16", "a0", "10.1.0.3", NULL, NULL);
	settle();
	ck_assert_uint_eq(stats().refused[FIB_MISSING], 1);
	ck_assert_uint_eq(stats().refused[FIB_EXISTS], 1);
	ck_assert_uint_eq(stats().routes_installed, 1);
	ck_assert_int_eq(lines("ip route show proto 178"), 1);
	ck_assert_int_eq(lines("ip route show via 10.1.0.3 proto 178"), 1);
	finish();
}
END_TEST

UNIT_MAIN("fib_refused", UNIT(refusal_is_counted_told_once_shown_and_ends_with_its_cause),
          UNIT(short_refusal_is_nobodys_business), UNIT(replacement_and_deletion_refused),
          UNIT(kernel_that_denies_what_it_has))

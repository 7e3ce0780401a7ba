/* SPDX-License-Identifier: BSD-2-Clause */
/* test_fib_under_way.c - what happens to routes while the writer's thread has them: it is held where the test
 * wants it, just before the kernel has the batch or just after. */
#include "netlink/fib_priv.h"
#include "unit/netlink/fibtest.h"

#include <libmnl/libmnl.h>
#include <pthread.h>

#include "lib/log.h"

#define ROUTES 100u

enum where { NOWHERE, BEFORE, AFTER };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum where hold;
	bool is_held, no_thread;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
static pthread_t loop_thread;

ssize_t __real_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);

static void pass(enum where here)
{
	pthread_mutex_lock(&gate.lock);
	while (gate.hold == here) {
		gate.is_held = true;
		pthread_cond_broadcast(&gate.changed);
		pthread_cond_wait(&gate.changed, &gate.lock);
	}
	pthread_mutex_unlock(&gate.lock);
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	ssize_t rc;

	if (pthread_equal(pthread_self(), loop_thread))
		return __real_mnl_socket_sendto(nl, buf, len);
	pass(BEFORE);
	rc = __real_mnl_socket_sendto(nl, buf, len);
	pass(AFTER);
	return rc;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	return gate.no_thread ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

static void hold(enum where where)
{
	pthread_mutex_lock(&gate.lock);
	gate.hold = where;
	gate.is_held = false;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static bool held(void *ctx)
{
	bool is;

	(void)ctx;
	pthread_mutex_lock(&gate.lock);
	is = gate.is_held;
	pthread_mutex_unlock(&gate.lock);
	return is;
}

static const char *nth(unsigned i)
{
	static char text[32];

	snprintf(text, sizeof(text), "10.100.%u.0/24", i);
	return text;
}

static void want_all(const char *gateway)
{
	for (unsigned i = 0; i < ROUTES; i++)
		want(nth(i), "a0", gateway, NULL, NULL);
}

static void want_none_of_all(void)
{
	for (unsigned i = 0; i < ROUTES; i++)
		want_none(nth(i));
}

static void begin(void)
{
	loop_thread = pthread_self();
	start();
}

/* The wishes so far are with the thread, and it is held. */
static void under_way(enum where where)
{
	hold(where);
	ck_assert(run_until(loop, held, NULL, 20000));
}

static void go_on(void)
{
	hold(NOWHERE);
	settle();
}

static int via(const char *gateway)
{
	return lines(sh("echo -n 'ip route show via %s proto 178'", gateway));
}

/* In the kernel, and as we think. */
static void assert_all_via(const char *gateway)
{
	ck_assert_int_eq(via(gateway), ROUTES);
	ck_assert_int_eq(lines("ip route show proto 178"), ROUTES);
	ck_assert_uint_eq(stats().routes_installed, ROUTES);
	ck_assert_uint_eq(stats().routes_failed, 0);
}

/* With compat mode on, the kernel refuses what ip(8) asks for. */
static void delete_by_hand(const char *prefix)
{
	must("sysctl -qw net.ipv4.nexthop_compat_mode=0");
	must("ip route del %s proto 178", prefix);
	must("sysctl -qw net.ipv4.nexthop_compat_mode=1");
}

static const enum where places[] = { BEFORE, AFTER };

START_TEST(wishes_change)
{
	begin();
	want_all("10.1.0.2");
	under_way(places[_i]);
	for (unsigned i = 0; i < ROUTES; i++) {
		if (i % 4 == 0)
			want_none(nth(i));
		else if (i % 4 == 1)
			want(nth(i), "a0", "10.1.0.3", NULL, NULL);
		else if (i % 4 == 2) {
			want(nth(i), "a0", "10.1.0.3", NULL, NULL);
			want(nth(i), "a0", "10.1.0.2", NULL, NULL);
		}
	}
	go_on();
	ck_assert_int_eq(via("10.1.0.2"), ROUTES / 2);
	ck_assert_int_eq(via("10.1.0.3"), ROUTES / 4);
	ck_assert_uint_eq(stats().routes_installed, ROUTES / 4 * 3);
	ck_assert_uint_eq(stats().requests, ROUTES + ROUTES / 2); /* none twice at a time */
	want_none_of_all();
	under_way(places[_i]);
	want_all("10.1.0.3");
	go_on();
	assert_all_via("10.1.0.3");
	finish();
}
END_TEST

/* Somebody deletes a route before or after our own request for it. */
START_TEST(a_route_is_deleted_by_hand)
{
	struct prefix p = pfx(nth(7));

	begin();
	want_all("10.1.0.2");
	settle();
	want_all("10.1.0.3");
	under_way(places[_i]);
	delete_by_hand(nth(7));
	fib_lost(fib, &p);
	go_on();
	assert_all_via("10.1.0.3");
	finish();
}
END_TEST

START_TEST(a_new_route_is_deleted_by_hand)
{
	struct prefix p = pfx(nth(7));

	begin();
	want_all("10.1.0.2");
	under_way(AFTER);
	delete_by_hand(nth(7));
	fib_lost(fib, &p);
	go_on();
	assert_all_via("10.1.0.2");
	finish();
}
END_TEST

static const bool certain[] = { true, false };

START_TEST(a_foreign_route_comes_in_front)
{
	struct prefix p = pfx(nth(7));

	begin();
	want_all("10.1.0.2");
	under_way(AFTER);
	must("ip route prepend %s via 10.1.0.7 metric 32 proto static", nth(7));
	fib_foreign(fib, &p, 254, 32, certain[_i]);
	go_on();
	ck_assert_int_eq(state(nth(7)), FIB_FAILED);
	ck_assert_int_eq(lines(sh("echo -n 'ip route show %s proto static'", nth(7))), 1);
	ck_assert_int_eq(lines("ip route show proto 178"), ROUTES - 1);
	must("ip route del %s proto static", nth(7));
	fib_retry(fib, &p);
	settle();
	assert_all_via("10.1.0.2");
	finish();
}
END_TEST

/* It was there before our request, is the cause of its refusal, and goes before we hear of that. */
START_TEST(a_foreign_route_goes)
{
	struct prefix p = pfx(nth(7));

	begin();
	must("ip route add %s via 10.1.0.7 metric 32 proto static", nth(7));
	want_all("10.1.0.2");
	under_way(AFTER);
	must("ip route del %s proto static", nth(7));
	fib_retry(fib, &p);
	go_on();
	assert_all_via("10.1.0.2");
	finish();
}
END_TEST

/* The same, and the wish goes too: nothing is left that could fail. */
START_TEST(a_refused_wish_is_given_up)
{
	begin();
	must("ip route add %s via 10.1.0.7 metric 32 proto static", nth(7));
	want_all("10.1.0.2");
	under_way(AFTER);
	want_none(nth(7));
	go_on();
	ck_assert_int_eq(state(nth(7)), FIB_ABSENT);
	ck_assert_uint_eq(stats().routes_failed, 0);
	ck_assert_int_eq(lines("ip route show proto 178"), ROUTES - 1);
	must("ip route del %s proto static", nth(7));
	finish();
}
END_TEST

/* What the kernel has against a wish is not held against the next one. */
START_TEST(a_refused_wish_is_replaced)
{
	params.nexthop_groups = false;
	begin();
	want_all("192.0.2.99"); /* no link leads there */
	under_way(places[_i]);
	want_all("10.1.0.2");
	go_on();
	assert_all_via("10.1.0.2");
	finish();
}
END_TEST

#define MANY 20000u

static void want_many(void)
{
	struct fib_hop hop = { .gateway = ip("10.1.0.2"), .ifindex = ifindex("a0"), .weight = 1 };
	struct fib_route r = { .kind = FIB_UNICAST, .hops = &hop, .n_hops = 1 };

	for (uint32_t i = 0; i < MANY; i++) {
		struct ip a = ip_v4(0x0b000000u + (i << 8));
		struct prefix p = prefix_make(&a, 24);

		ck_assert_int_eq(fib_set(fib, &p, &r), 0);
	}
	settle();
	ck_assert_uint_eq(stats().routes_installed, MANY);
}

static bool dumping(void *ctx)
{
	(void)ctx;
	return fib->dumping >= 0;
}

/* The kernel fills a buffer of a dump before it is read: what it says may be older than the event. */
START_TEST(a_route_is_deleted_while_all_are_dumped)
{
	begin();
	want_many();
	fib_resync(fib);
	ck_assert(run_until(loop, dumping, NULL, 20000));
	must("sysctl -qw net.ipv4.nexthop_compat_mode=0");
	for (uint32_t i = 0; i < MANY; i += MANY / 20) {
		struct ip a = ip_v4(0x0b000000u + (i << 8));
		struct prefix p = prefix_make(&a, 24);
		char text[PREFIX_STRLEN];

		must("ip route del %s proto 178", prefix_print(&p, text));
		fib_lost(fib, &p);
	}
	settle();
	ck_assert_int_eq(lines("ip route show proto 178"), MANY);
	finish();
}
END_TEST

START_TEST(a_resync_waits)
{
	uint64_t before;

	begin();
	want_all("10.1.0.2");
	settle();
	before = stats().resyncs;
	want_none_of_all();
	under_way(places[_i]);
	fib_resync(fib);
	run_until(loop, NULL, NULL, 20);
	ck_assert_uint_eq(stats().resyncs, before);
	go_on();
	ck_assert_uint_eq(stats().resyncs, before + 1);
	ck_assert_int_eq(lines("ip route show proto 178"), 0);
	ck_assert_uint_eq(stats().put_back, 0);
	finish();
}
END_TEST

static bool audited(void *ctx)
{
	(void)ctx;
	return stats().audits > 0;
}

/* Even of what is wished for again as it was: as we think it is installed. */
START_TEST(an_audit_finds_nothing)
{
	begin();
	want_all("10.1.0.2");
	settle();
	for (unsigned i = 0; i < ROUTES; i++) {
		if (i % 2)
			want(nth(i), "a0", "10.1.0.3", NULL, NULL);
		else
			want_none(nth(i));
	}
	under_way(places[_i]);
	for (unsigned i = 0; i < ROUTES; i += 3)
		want(nth(i), "a0", "10.1.0.2", NULL, NULL);
	fib_audit(fib);
	ck_assert(run_until(loop, audited, NULL, 20000));
	ck_assert_uint_eq(stats().audit_found, 0);
	go_on();
	want_all("10.1.0.2");
	settle();
	assert_all_via("10.1.0.2");
	finish();
}
END_TEST

/* What a dead next hop needs does not wait for the routes. */
START_TEST(a_next_hop_dies)
{
	begin();
	want("10.99.0.0/16", "a0", "10.1.0.2", "10.1.0.3", NULL);
	settle();
	want_all("10.1.0.2");
	under_way(places[_i]);
	ck_assert_uint_eq(judge("10.1.0.3"), 1);
	ck_assert_ptr_null(strstr(sh("ip route show 10.99.0.0/16"), "10.1.0.3"));
	ck_assert(held(NULL));
	go_on();
	ck_assert_int_eq(via("10.1.0.2"), ROUTES + 1);
	finish();
}
END_TEST

static bool all_in_kernel(void *ctx)
{
	(void)ctx;
	return lines("ip route show proto 178") == ROUTES;
}

/* Its link goes, and the object with it, of which the requests under way know the number only. */
START_TEST(a_link_goes)
{
	begin();
	want_all("10.1.0.2");
	under_way(places[_i]);
	must("ip link set a0 down");
	fib_link_changed(fib, ifindex("a0"));
	run_until(loop, NULL, NULL, 20);
	must("ip link set a0 up");
	fib_link_changed(fib, ifindex("a0"));
	go_on();
	ck_assert(run_until(loop, all_in_kernel, NULL, 20000)); /* until then they count as installed */
	assert_all_via("10.1.0.2");
	finish();
}
END_TEST

static void *release_soon(void *ctx)
{
	usleep(*(useconds_t *)ctx);
	hold(NOWHERE);
	return ctx;
}

static const struct {
	enum where place;
	bool flush; /* an ordered end; otherwise the routes stay */
} ends[] = { { BEFORE, false }, { BEFORE, true }, { AFTER, false }, { AFTER, true } };

START_TEST(the_end_waits)
{
	useconds_t soon = 20000;
	bool flush = ends[_i].flush;
	pthread_t other;

	begin();
	want_all("10.1.0.2");
	under_way(ends[_i].place);
	ck_assert_int_eq(pthread_create(&other, NULL, release_soon, &soon), 0);
	fib_close(fib, flush);
	pthread_join(other, NULL);
	ck_assert_int_eq(lines("ip route show proto 178"), flush ? 0 : ROUTES);
	ck_assert_int_eq(lines("ip nexthop show proto 178"), flush ? 0 : 1);
	loop_free(loop);
}
END_TEST

/* There is no time for one route after the other: the next hops take them along. */
START_TEST(the_end_cannot_wait)
{
	useconds_t late = 3500000;
	pthread_t other;

	begin();
	want_many();
	hold(BEFORE);
	ck_assert_int_eq(pthread_create(&other, NULL, release_soon, &late), 0);
	fib_close(fib, true);
	pthread_join(other, NULL);
	ck_assert_int_eq(lines("ip route show proto 178; ip nexthop show proto 178"), 0);
	loop_free(loop);
}
END_TEST

static void count_complaints(void *ctx, enum log_level level, const char *event, const struct kv *kv,
                             size_t n)
{
	(void)level;
	(void)kv;
	(void)n;
	*(unsigned *)ctx += strcmp(event, "fib.no_thread") == 0;
}

START_TEST(without_a_thread)
{
	unsigned complaints = 0;

	begin();
	log_set_sink(count_complaints, &complaints);
	gate.no_thread = true;
	want_all("10.1.0.2");
	settle();
	assert_all_via("10.1.0.2");
	want_none_of_all();
	settle();
	ck_assert_int_eq(lines("ip route show proto 178"), 0);
	ck_assert_uint_eq(stats().requests, 2 * ROUTES);
	ck_assert_uint_eq(complaints, 1);
	gate.no_thread = false;
	want_all("10.1.0.3");
	settle();
	assert_all_via("10.1.0.3");
	finish();
}
END_TEST

UNIT_MAIN("fib_under_way", UNIT_ROWS(wishes_change, places), UNIT_ROWS(a_route_is_deleted_by_hand, places),
          UNIT(a_new_route_is_deleted_by_hand), UNIT_ROWS(a_foreign_route_comes_in_front, certain),
          UNIT(a_foreign_route_goes), UNIT(a_refused_wish_is_given_up),
          UNIT_ROWS(a_refused_wish_is_replaced, places), UNIT(a_route_is_deleted_while_all_are_dumped),
          UNIT_ROWS(a_resync_waits, places), UNIT_ROWS(an_audit_finds_nothing, places),
          UNIT_ROWS(a_next_hop_dies, places), UNIT_ROWS(a_link_goes, places), UNIT_ROWS(the_end_waits, ends),
          UNIT(the_end_cannot_wait), UNIT(without_a_thread))

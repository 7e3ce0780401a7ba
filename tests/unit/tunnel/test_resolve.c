/* SPDX-License-Identifier: BSD-2-Clause */
/* test_resolve.c - names to addresses, and questions that nobody waits for any more. */
#include "tunnel/resolve.h"

#include "unit/netlink/netns.h"
#include "unit/unit.h"

struct answer {
	struct resolve *question;
	struct ip address;
	bool failed, there;
};

/* Frees the question from inside, as users do. */
static void on_answer(void *ctx, const struct ip *address, const char *error)
{
	struct answer *a = ctx;

	resolve_free(a->question);
	a->question = NULL;
	a->address = *address;
	a->failed = error;
	a->there = true;
}

static bool is_there(void *ctx)
{
	const struct answer *a = ctx;

	return a->there;
}

static const struct {
	const char *name;
	bool found;
} names[] = {
	{ "127.0.0.1", true },
	{ "localhost", true },
	{ "no-such-name.invalid", false },
};

START_TEST(answers)
{
	struct loop *l = loop_new();
	struct answer a = { 0 };

	netns_enter(); /* no server to ask */
	a.question = resolve_new(l, names[_i].name, on_answer, &a);
	ck_assert_ptr_nonnull(a.question);
	ck_assert(run_until(l, is_there, &a, 20000));
	ck_assert_int_eq(a.failed, !names[_i].found);
	ck_assert_int_eq(a.address.family != IP_NONE, names[_i].found);
	loop_free(l);
}
END_TEST

START_TEST(left_to_itself)
{
	struct loop *l = loop_new();

	for (int i = 0; i < 20; i++)
		resolve_free(resolve_new(l, "localhost", on_answer, NULL));
	run_until(l, NULL, NULL, 200);
	loop_free(l);
}
END_TEST

UNIT_MAIN("resolve", UNIT_ROWS(answers, names), UNIT(left_to_itself))

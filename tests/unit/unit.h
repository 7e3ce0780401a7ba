/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h - the main() of every unit test program: names its cases, runs them, speaks TAP.
 *
 *	START_TEST(parses_default_route) { ... } END_TEST
 *	START_TEST(refuses_host_bits) { ck_assert_msg(..., "%s", rows[_i].what); } END_TEST
 *
 *	UNIT_MAIN("prefix", UNIT(parses_default_route), UNIT_ROWS(refuses_host_bits, rows))
 *
 * CK_FORK=no in the environment runs everything in one process, for a debugger.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

#define UNIT_COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/** One test; with @rows > 0 it runs once a row, the row's number in _i. */
struct unit {
	const TTest *test;
	int rows;
};

#define UNIT(fn)        \
	{               \
		(fn), 0 \
	}
#define UNIT_ROWS(fn, rows)            \
	{                              \
		(fn), UNIT_COUNT(rows) \
	}

/** Runs @units as the suite @name, TAP on stdout.  @return the program's exit status. */
static inline int unit_main(const char *name, const struct unit *units, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < n; i++) {
		if (units[i].rows)
			tcase_add_loop_test(tcase, units[i].test, 0, units[i].rows);
		else
			tcase_add_test(tcase, units[i].test);
	}
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define UNIT_MAIN(name, ...)                                                     \
	int main(void)                                                           \
	{                                                                        \
		const struct unit units[] = { __VA_ARGS__ };                     \
		return unit_main(name, units, sizeof(units) / sizeof(units[0])); \
	}

#endif

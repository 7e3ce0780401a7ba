/* SPDX-License-Identifier: BSD-2-Clause */
/* test_loop.c - turns, jobs, timers, and handles freed where it hurts. */
#include "io/loop.h"

#include <signal.h>
#include <unistd.h>

#include "unit/unit.h"

static struct loop *loop;
static struct loop_timer *timer;
static struct loop_job *job, *other;
static struct loop_fd *watcher;
static struct loop_signal *catcher;
static int pipe_end[2];
static unsigned runs, other_runs, fired;
static uint64_t deadline, fired_at;

static void stop(void *ctx)
{
	(void)ctx;
	loop_stop(loop);
}

static void note_and_stop(void *ctx)
{
	(void)ctx;
	fired_at = loop_now(loop);
	loop_stop(loop);
}

START_TEST(timer_is_never_early)
{
	loop = loop_new();
	timer = loop_timer_new(loop, note_and_stop, NULL);
	for (unsigned i = 0; i < 20; i++) {
		deadline = loop_clock() + 1000 + 777 * i;
		loop_timer_at(timer, deadline);
		loop_run(loop);
		ck_assert_uint_ge(fired_at, deadline);
		ck_assert_uint_lt(fired_at, deadline + 1000000);
	}
	loop_timer_at(timer, 0); /* the past: next turn */
	loop_run(loop);
	loop_timer_free(timer);
	loop_free(loop);
}
END_TEST

static void free_own_timer(void *ctx)
{
	(void)ctx;
	fired++;
	loop_timer_free(timer);
	timer = NULL;
}

START_TEST(timer_frees_itself)
{
	struct loop_timer *end;

	loop = loop_new();
	timer = loop_timer_new(loop, free_own_timer, NULL);
	end = loop_timer_new(loop, stop, NULL);
	loop_timer_at(timer, loop_clock() + 1000);
	loop_timer_at(end, loop_clock() + 5000);
	loop_run(loop);
	ck_assert_uint_eq(fired, 1);
	ck_assert_ptr_null(timer);
	loop_timer_free(end);
	loop_free(loop);
}
END_TEST

static bool count_to_ten(void *ctx)
{
	(void)ctx;
	return ++runs < 10;
}

START_TEST(job_runs_until_done_and_lets_timers_in)
{
	loop = loop_new();
	timer = loop_timer_new(loop, stop, NULL);
	job = loop_job_new(loop, count_to_ten, NULL);
	loop_job_kick(job);
	loop_job_kick(job);
	loop_timer_at(timer, loop_clock() + 20000);
	loop_run(loop);
	ck_assert_uint_eq(runs, 10);
	loop_job_free(job);
	loop_timer_free(timer);
	loop_free(loop);
}
END_TEST

static bool run_for_ever(void *ctx)
{
	(void)ctx;
	runs++;
	return true;
}

static void drain(void *ctx, unsigned events)
{
	char c;

	(void)ctx;
	ck_assert_uint_eq(events, LOOP_READ);
	ck_assert_int_eq(read(pipe_end[0], &c, 1), 1);
	ck_assert_int_eq(write(pipe_end[1], "x", 1), 1); /* readable again: a socket that is always busy */
}

START_TEST(busy_descriptor_does_not_starve_jobs)
{
	loop = loop_new();
	ck_assert_int_eq(pipe(pipe_end), 0);
	ck_assert_int_eq(write(pipe_end[1], "x", 1), 1);
	watcher = loop_fd_new(loop, pipe_end[0], LOOP_READ, drain, NULL);
	job = loop_job_new(loop, run_for_ever, NULL);
	timer = loop_timer_new(loop, stop, NULL);
	loop_job_kick(job);
	loop_timer_at(timer, loop_clock() + 10000);
	loop_run(loop);
	ck_assert_uint_gt(runs, 10);
	loop_job_free(job);
	loop_fd_free(watcher);
	loop_timer_free(timer);
	loop_free(loop);
}
END_TEST

static bool work_until(void *ctx)
{
	const uint64_t *end = ctx;

	other_runs++;
	return loop_clock() < *end;
}

static bool background_three_times(void *ctx)
{
	uint64_t *last = ctx, now = loop_now(loop);

	if (runs++)
		ck_assert_uint_ge(now - *last, 20000);
	*last = now;
	if (runs == 3)
		loop_stop(loop);
	return true;
}

START_TEST(background_waits_but_not_for_ever)
{
	uint64_t end = loop_clock() + 5000000, last = 0;

	loop = loop_new();
	runs = other_runs = 0;
	job = loop_job_new_background(loop, background_three_times, &last);
	other = loop_job_new(loop, work_until, &end);
	loop_job_kick(job);
	loop_job_kick(other);
	loop_run(loop);
	ck_assert_uint_eq(runs, 3);
	ck_assert_uint_ge(other_runs, 3);
	ck_assert_uint_lt(loop_clock(), end);
	loop_job_free(job);
	loop_job_free(other);
	loop_free(loop);
}
END_TEST

static bool free_both_jobs(void *ctx)
{
	(void)ctx;
	runs++;
	loop_job_free(other);
	loop_job_free(job);
	return true;
}

static bool count_other(void *ctx)
{
	(void)ctx;
	other_runs++;
	return true;
}

START_TEST(job_frees_itself_and_the_next)
{
	loop = loop_new();
	job = loop_job_new(loop, free_both_jobs, NULL);
	other = loop_job_new(loop, count_other, NULL);
	timer = loop_timer_new(loop, stop, NULL);
	loop_job_kick(job);
	loop_job_kick(other);
	loop_timer_at(timer, loop_clock() + 2000);
	loop_run(loop);
	ck_assert_uint_eq(runs, 1);
	ck_assert_uint_eq(other_runs, 0);
	loop_timer_free(timer);
	loop_free(loop);
}
END_TEST

static bool kick_once(void *ctx)
{
	(void)ctx;
	if (++runs < 3)
		loop_job_kick(job);
	else
		loop_stop(loop);
	return false;
}

START_TEST(kick_inside_run_counts)
{
	loop = loop_new();
	job = loop_job_new(loop, kick_once, NULL);
	loop_job_kick(job);
	loop_run(loop);
	ck_assert_uint_eq(runs, 3);
	loop_job_free(job);
	loop_free(loop);
}
END_TEST

static void free_own_watcher(void *ctx, unsigned events)
{
	(void)ctx;
	(void)events;
	fired++;
	loop_fd_free(watcher);
	watcher = NULL;
	close(pipe_end[0]);
}

START_TEST(descriptor_watcher_frees_itself)
{
	loop = loop_new();
	ck_assert_int_eq(pipe(pipe_end), 0);
	ck_assert_int_eq(write(pipe_end[1], "x", 1), 1);
	watcher = loop_fd_new(loop, pipe_end[0], 0, free_own_watcher, NULL);
	timer = loop_timer_new(loop, stop, NULL);
	loop_timer_at(timer, loop_clock() + 2000);
	loop_run(loop);
	ck_assert_uint_eq(fired, 0); /* paused */
	loop_fd_set(watcher, LOOP_READ);
	loop_timer_at(timer, loop_clock() + 2000);
	loop_run(loop);
	ck_assert_uint_eq(fired, 1);
	loop_timer_free(timer);
	loop_free(loop);
	close(pipe_end[1]);
}
END_TEST

static void free_own_signal(void *ctx)
{
	(void)ctx;
	loop_signal_free(catcher);
	loop_stop(loop);
}

START_TEST(signal_ends_the_loop)
{
	loop = loop_new();
	catcher = loop_signal_new(loop, SIGUSR1, free_own_signal, NULL);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	loop_run(loop);
	loop_free(loop);
}
END_TEST

START_TEST(null_is_fine_to_free)
{
	loop_fd_free(NULL);
	loop_timer_free(NULL);
	loop_job_free(NULL);
	loop_signal_free(NULL);
	loop_free(NULL);
}
END_TEST

UNIT_MAIN("loop", UNIT(timer_is_never_early), UNIT(timer_frees_itself),
          UNIT(job_runs_until_done_and_lets_timers_in), UNIT(busy_descriptor_does_not_starve_jobs),
          UNIT(job_frees_itself_and_the_next), UNIT(background_waits_but_not_for_ever),
          UNIT(kick_inside_run_counts), UNIT(descriptor_watcher_frees_itself), UNIT(signal_ends_the_loop),
          UNIT(null_is_fine_to_free))

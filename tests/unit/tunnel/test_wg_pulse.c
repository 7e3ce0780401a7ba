/* SPDX-License-Identifier: BSD-2-Clause */
/* test_wg_pulse.c - when a WireGuard peer is dead: looks at clocks of the test's own. */
#include "tunnel/wg_pulse.h"

#include "unit/unit.h"

#include <stddef.h>

#define S     UINT64_C(1000000)
#define BOOT  1000 /* monotonic seconds at the first look */
#define EPOCH 1700000000

/* One look: seconds after the first, what the kernel says (0: none yet; otherwise seconds after EPOCH +
 * 1000), how far the wall clock was set off since. */
struct look {
	unsigned at;
	int handshake;
	int skew;
	bool dead;
};
#define NEVER INT32_MIN

static const struct {
	const char *what;
	uint16_t keepalive;
	uint32_t timeout;
	struct look looks[6];
	size_t n;
} rows[] = {
	{ "a handshake every two minutes",
	  25,
	  180,
	  { { 0, 0, 0, false }, { 119, 0, 0, false }, { 125, 120, 0, false }, { 245, 240, 0, false } },
	  4 },
	{ "none for 180 s",
	  25,
	  180,
	  { { 0, 0, 0, false }, { 179, 0, 0, false }, { 180, 0, 0, true }, { 400, 0, 0, true } },
	  4 },
	{ "and alive again by the next",
	  25,
	  180,
	  { { 0, 0, 0, false },
	    { 200, 0, 0, true },
	    { 210, 208, 0, false },
	    { 387, 208, 0, false },
	    { 388, 208, 0, true } },
	  5 },
	{ "long ago at the first look", 25, 180, { { 0, -181, 0, true }, { 5, 4, 0, false } }, 2 },
	{ "not so long ago",
	  25,
	  180,
	  { { 0, -100, 0, false }, { 79, -100, 0, false }, { 80, -100, 0, true } },
	  3 },
	{ "never one",
	  25,
	  180,
	  { { 0, NEVER, 0, false },
	    { 179, NEVER, 0, false },
	    { 180, NEVER, 0, true },
	    { 185, 183, 0, false } },
	  4 },
	{ "no keepalive", 0, 180, { { 0, 0, 0, false }, { 9999, 0, 0, false } }, 2 },
	{ "never to be dead", 25, 0, { { 0, 0, 0, false }, { 9999, 0, 0, false } }, 2 },
	{ "another time", 5, 10, { { 0, 0, 0, false }, { 9, 0, 0, false }, { 10, 0, 0, true } }, 3 },
	{ "the wall clock is set forward",
	  25,
	  180,
	  { { 0, 0, 0, false }, { 10, 0, 5000, false }, { 20, 15, 5000, false }, { 179, 15, 5000, false } },
	  4 },
	{ "the wall clock is set back",
	  25,
	  180,
	  { { 0, 0, 0, false },
	    { 10, 0, -5000, false },
	    { 130, 120, -5000, false },
	    { 320, 120, -5000, true } },
	  4 },
	{ "dead, and the device is made anew",
	  25,
	  180,
	  { { 0, 0, 0, false }, { 200, 0, 0, true }, { 201, NEVER, 0, true }, { 205, 203, 0, false } },
	  4 },
	{ "alive, and the device is made anew",
	  25,
	  180,
	  { { 0, 0, 0, false }, { 100, NEVER, 0, false }, { 200, NEVER, 0, false }, { 280, NEVER, 0, true } },
	  4 },
};

START_TEST(verdicts)
{
	struct wg_pulse p = { 0 };
	bool before = false;

	for (size_t i = 0; i < rows[_i].n; i++) {
		const struct look *l = &rows[_i].looks[i];
		uint64_t now = (BOOT + l->at) * S, dies;
		int64_t handshake = l->handshake == NEVER ? 0 : EPOCH + l->handshake + l->skew;
		bool changed;

		wg_pulse_feel(&p,
		              i && l->handshake == rows[_i].looks[i - 1].handshake ? p.handshake : handshake,
		              EPOCH + l->at + l->skew, now);
		dies = wg_pulse_dies_us(&p, rows[_i].keepalive, rows[_i].timeout);
		changed = wg_pulse_judge(&p, rows[_i].keepalive, rows[_i].timeout, now);
		ck_assert_msg(p.dead == l->dead, "%s, after %u s", rows[_i].what, l->at);
		ck_assert_msg(changed == (l->dead != before), "%s, after %u s", rows[_i].what, l->at);
		ck_assert_msg(before || (dies <= now) == l->dead, "%s, after %u s", rows[_i].what, l->at);
		before = l->dead;
	}
}
END_TEST

/* When a name is asked for again: silence counts with and without keepalive. */
START_TEST(silence)
{
	struct wg_pulse p = { 0 };

	wg_pulse_feel(&p, 0, EPOCH, BOOT * S);
	ck_assert(wg_pulse_silent(&p, WG_REJECT_AFTER_S, BOOT * S)); /* none yet */
	wg_pulse_feel(&p, EPOCH, EPOCH + 5, (BOOT + 5) * S);
	ck_assert(!wg_pulse_silent(&p, WG_REJECT_AFTER_S, (BOOT + 179) * S));
	ck_assert(wg_pulse_silent(&p, WG_REJECT_AFTER_S, (BOOT + 180) * S));
}
END_TEST

/* A machine that was started less than 180 s ago, and a clock that claims the handshake to be older. */
START_TEST(handshake_from_before_the_machine_was_started)
{
	struct wg_pulse p = { 0 };

	wg_pulse_feel(&p, EPOCH - 100000, EPOCH, 60 * S);
	ck_assert(!wg_pulse_judge(&p, 25, 180, 60 * S) && !p.dead);
	ck_assert(wg_pulse_judge(&p, 25, 180, 180 * S) && p.dead);
}
END_TEST

UNIT_MAIN("wg_pulse", UNIT_ROWS(verdicts, rows), UNIT(silence),
          UNIT(handshake_from_before_the_machine_was_started))

/* SPDX-License-Identifier: BSD-2-Clause */
/* test_fsm.c - every cell of RFC 4271 8.2.2, written down a second time in a second form: a column a state.
 */
#include "bgp/fsm.h"

#include "unit/unit.h"

enum outcome {
	STAY,     /* no change, no effect */
	DIALS,    /* to Connect */
	REDIALS,  /* to Connect, the connection being tried is given up */
	WAITS,    /* to Active */
	OPENS,    /* to OpenSent: OPEN goes out, the large hold timer runs */
	LOSES,    /* OpenSent's TCP connection is gone: to Active, retry timer runs */
	CONFIRMS, /* to OpenConfirm: KEEPALIVE goes out, timers run */
	COMES_UP, /* to Established */
	BEATS,    /* KEEPALIVE goes out, its timer runs again */
	HEARS,    /* the hold timer begins anew */
	LEARNS,   /* the same, and the table gets the UPDATE */
	ANSWERS,  /* the table gets the ROUTE-REFRESH */
	QUITS,    /* to Idle, nothing is said */
	TELLS,    /* to Idle with a NOTIFICATION */
};

static const struct {
	enum bgp_event event;
	enum outcome want[ST_COUNT]; /* Idle, Connect, Active, OpenSent, OpenConfirm, Established */
} rows[] = {
	{ EV_START, { DIALS, STAY, STAY, STAY, STAY, STAY } },
	{ EV_START_PASSIVE, { WAITS, STAY, STAY, STAY, STAY, STAY } },
	{ EV_STOP, { STAY, QUITS, QUITS, TELLS, TELLS, TELLS } },
	{ EV_RETRY_EXPIRES, { STAY, REDIALS, DIALS, TELLS, TELLS, TELLS } },
	{ EV_HOLD_EXPIRES, { STAY, QUITS, QUITS, TELLS, TELLS, TELLS } },
	{ EV_SEND_HOLD_EXPIRES, { STAY, QUITS, QUITS, TELLS, TELLS, TELLS } },
	{ EV_KEEPALIVE_DUE, { STAY, QUITS, QUITS, TELLS, BEATS, BEATS } },
	{ EV_TCP_UP, { STAY, OPENS, OPENS, STAY, STAY, STAY } },
	{ EV_TCP_FAILS, { STAY, QUITS, QUITS, LOSES, QUITS, QUITS } },
	{ EV_OPEN, { STAY, QUITS, QUITS, CONFIRMS, TELLS, TELLS } },
	{ EV_HEADER_ERR, { STAY, QUITS, QUITS, TELLS, TELLS, TELLS } },
	{ EV_OPEN_ERR, { STAY, QUITS, QUITS, TELLS, TELLS, TELLS } },
	{ EV_COLLISION, { STAY, QUITS, QUITS, TELLS, TELLS, TELLS } },
	{ EV_NOTIFICATION_VERSION, { STAY, QUITS, QUITS, QUITS, QUITS, QUITS } },
	{ EV_NOTIFICATION, { STAY, QUITS, QUITS, QUITS, QUITS, QUITS } },
	{ EV_KEEPALIVE, { STAY, QUITS, QUITS, TELLS, COMES_UP, HEARS } },
	{ EV_UPDATE, { STAY, QUITS, QUITS, TELLS, TELLS, LEARNS } },
	{ EV_UPDATE_ERR, { STAY, QUITS, QUITS, TELLS, TELLS, TELLS } },
	{ EV_REFRESH, { STAY, QUITS, QUITS, TELLS, TELLS, ANSWERS } },
	{ EV_BFD_DOWN, { STAY, STAY, STAY, TELLS, TELLS, TELLS } },
};

#define ENDS (FX_CLOSE | FX_STOP_RETRY | FX_STOP_TIMERS)

static struct fsm_step step_of(enum bgp_state from, enum outcome o)
{
	unsigned down = from == ST_ESTABLISHED ? FX_DOWN : 0;

	switch (o) {
	case STAY:
		return (struct fsm_step){ from, 0 };
	case DIALS:
		return (struct fsm_step){ ST_CONNECT, FX_DIAL | FX_ARM_RETRY };
	case REDIALS:
		return (struct fsm_step){ ST_CONNECT, FX_CLOSE | FX_DIAL | FX_ARM_RETRY };
	case WAITS:
		return (struct fsm_step){ ST_ACTIVE, 0 };
	case OPENS:
		return (struct fsm_step){ ST_OPENSENT, FX_SEND_OPEN | FX_STOP_RETRY | FX_ARM_OPEN_HOLD };
	case LOSES:
		return (struct fsm_step){ ST_ACTIVE, FX_CLOSE | FX_STOP_TIMERS | FX_ARM_RETRY };
	case CONFIRMS:
		return (struct fsm_step){ ST_OPENCONFIRM, FX_SEND_KEEPALIVE | FX_STOP_RETRY | FX_ARM_HOLD |
			                                          FX_ARM_KEEPALIVE };
	case COMES_UP:
		return (struct fsm_step){ ST_ESTABLISHED, FX_UP | FX_ARM_HOLD };
	case BEATS:
		return (struct fsm_step){ from, FX_SEND_KEEPALIVE | FX_ARM_KEEPALIVE };
	case HEARS:
		return (struct fsm_step){ from, FX_ARM_HOLD };
	case LEARNS:
		return (struct fsm_step){ from, FX_DELIVER | FX_ARM_HOLD };
	case ANSWERS:
		return (struct fsm_step){ from, FX_DELIVER };
	case QUITS:
		return (struct fsm_step){ ST_IDLE, ENDS | down };
	case TELLS:
		return (struct fsm_step){ ST_IDLE, FX_SEND_NOTIFY | ENDS | down };
	}
	return (struct fsm_step){ ST_COUNT, 0 };
}

START_TEST(every_cell)
{
	for (enum bgp_state s = 0; s < ST_COUNT; s++) {
		struct fsm_step got = fsm_step(s, rows[_i].event), want = step_of(s, rows[_i].want[s]);

		ck_assert_msg(got.next == want.next && got.fx == want.fx,
		              "%s in %s: to %s with %#x, want %s with %#x", bgp_event_name(rows[_i].event),
		              bgp_state_name(s), bgp_state_name(got.next), got.fx, bgp_state_name(want.next),
		              want.fx);
	}
}
END_TEST

START_TEST(every_event_has_its_row)
{
	ck_assert_int_eq(UNIT_COUNT(rows), EV_COUNT);
	for (int i = 0; i < EV_COUNT; i++)
		ck_assert_int_eq(rows[i].event, i);
}
END_TEST

START_TEST(routes_go_exactly_when_established_is_left)
{
	for (enum bgp_state s = 0; s < ST_COUNT; s++) {
		for (enum bgp_event e = 0; e < EV_COUNT; e++) {
			struct fsm_step got = fsm_step(s, e);

			ck_assert_int_eq(!!(got.fx & FX_DOWN),
			                 s == ST_ESTABLISHED && got.next != ST_ESTABLISHED);
			ck_assert_int_eq(!!(got.fx & FX_UP),
			                 s != ST_ESTABLISHED && got.next == ST_ESTABLISHED);
			ck_assert(!(got.fx & FX_DELIVER) || s == ST_ESTABLISHED);
		}
	}
}
END_TEST

UNIT_MAIN("fsm", UNIT_ROWS(every_cell, rows), UNIT(every_event_has_its_row),
          UNIT(routes_go_exactly_when_established_is_left))

/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_session.c - bytes, events and time into a session in every state. Properties: no more is consumed than
 * given; never an effect that the table has not for this state; what is delivered was delivered in
 * Established; output stays bounded and consists of whole messages; an ended session reads nothing, and
 * leaves no more than was agreed on. */
#include <assert.h>
#include <string.h>

#include "mcbgp/bgp.h"
#include "unit/bgp/talk.h"

static const struct session_conf conf = {
	.local_as = 65001,
	.remote_as = 65002,
	.local_id = 0x0a000001,
	.hold_time = 90,
	.connect_retry = 5,
	.caps = { .families = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6),
	          .multiprotocol = true,
	          .route_refresh = true,
	          .as4 = true,
	          .enhanced_refresh = true,
	          .graceful_restart = true,
	          .gr_notification = true,
	          .gr_time = 120,
	          .gr_families = FAM_BIT(FAM_IPV4) | FAM_BIT(FAM_IPV6),
	          .ext_message = true },
};

static struct session session;

static void on_update(void *ctx, const struct update *u)
{
	(void)ctx;
	(void)u;
	assert(session.state == ST_ESTABLISHED);
}

static void on_refresh(void *ctx, const struct refresh *r)
{
	(void)ctx;
	assert(session.state == ST_ESTABLISHED && r->family < FAM_COUNT);
}

/* The effects of one call, which changes the state once at most. */
static void check_effects(enum bgp_state from, unsigned fx)
{
	assert(!(fx & FX_DOWN) == !(from == ST_ESTABLISHED && session.state != ST_ESTABLISHED));
	assert(!(fx & FX_UP) == !(from != ST_ESTABLISHED && session.state == ST_ESTABLISHED));
	assert(!(fx & ~(unsigned)(FX_CLOSE | FX_DOWN | FX_DIAL | FX_UP)));
	assert(!(fx & FX_CLOSE) || session.state <= ST_ACTIVE);
	assert(!(fx & FX_DOWN) || !(session_retains(&session) & ~session.neg.families));
}

static void check_output(void)
{
	size_t len;
	const uint8_t *out = session_output(&session, &len);
	struct reader r = rd_init(out, len);
	struct frame f;
	struct notify why;

	assert(len <= SESSION_OUT_MAX);
	while (rd_left(&r))
		assert(frame_next(&r, BGP_MAX_LEN, &f, &why) == FRAME_OK);
}

/* One act: its first byte says what, the second how much. @return bytes of @data used. */
static size_t act(const uint8_t *data, size_t len, uint64_t *now)
{
	enum bgp_state from = session.state;
	size_t n = data[1] < len - 2 ? data[1] : len - 2, taken = 0;
	char text[512] = "";
	unsigned fx;

	if (data[0] < EV_COUNT) {
		if (data[0] == EV_UPDATE || data[0] == EV_REFRESH || data[0] == EV_OPEN ||
		    data[0] == EV_KEEPALIVE)
			return 2; /* these come as messages only */
		fx = session_event(&session, (enum bgp_event)data[0], *now);
		n = 0;
	} else if (data[0] < 40) {
		*now += data[1] * SECOND;
		fx = session_tick(&session, *now);
		assert(!session_deadline(&session) || session_deadline(&session) > *now);
		n = 0;
	} else if (data[0] < 50) {
		session_ask_refresh(&session, (enum family)(data[1] % FAM_COUNT));
		fx = n = 0;
	} else {
		n = data[0] > 200 ? len - 2 : n;
		fx = session_input(&session, data + 2, n, &taken, *now);
		assert(taken <= n && (taken == 0 || from >= ST_OPENSENT));
	}
	check_effects(from, fx);
	check_output();
	session_end_print(&session.end, text, sizeof(text));
	assert(strlen(text) < sizeof(text));
	return n + 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct session_sink sink = { on_update, on_refresh, NULL };
	const struct open theirs = { BGP_VERSION, 65002, 30, 0x0a000002, conf.caps };
	uint64_t now = 1000 * SECOND;

	if (len < 1 || session_init(&session, &conf, &sink, 1) < 0)
		return 0;
	talk_bring_to(&session, data[0] % ST_COUNT, &theirs, now);
	data++;
	len--;
	while (len > 2) {
		size_t used = act(data, len, &now);

		data += used;
		len -= used;
	}
	session_fini(&session);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* test_log.c - events as text, levels, the sink. */
#include "lib/log.h"
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *value, *text;
} strings[] = {
	{ "OpenConfirm", "k=OpenConfirm" },
	{ "two words", "k=\"two words\"" },
	{ "a=b", "k=\"a=b\"" },
	{ "say \"hi\"", "k=\"say \\\"hi\\\"\"" },
	{ "back\\slash", "k=\"back\\\\slash\"" },
	{ "line\nlevel=error event=forged", "k=\"line\\x0alevel=error event=forged\"" },
	{ "\x1b[2J", "k=\"\\x1b[2J\"" },
	{ "\x7f", "k=\"\\x7f\"" },
	{ "grüße", "k=grüße" },
	{ "", "k=\"\"" },
};

START_TEST(string_values)
{
	char buf[256], want[256];
	struct kv kv = kv_str("k", strings[_i].value);

	snprintf(want, sizeof(want), "level=error event=e %s", strings[_i].text);
	ck_assert_uint_eq(log_format(buf, sizeof(buf), LOGL_ERROR, "e", &kv, 1), strlen(want));
	ck_assert_str_eq(buf, want);
}
END_TEST

START_TEST(every_type)
{
	struct ip a = ip_v4(0xc0000201);
	struct prefix p = prefix_make(&a, 24);
	const struct kv kv[] = { kv_ip("peer", &a),        kv_prefix("net", &p),
		                 kv_str("absent", NULL),   kv_u64("big", UINT64_MAX),
		                 kv_i64("low", INT64_MIN), kv_errno("cause", -ENOENT),
		                 kv_errno("same", ENOENT) };
	char buf[256];

	log_format(buf, sizeof(buf), LOGL_INFO, "session.state", kv, sizeof(kv) / sizeof(kv[0]));
	ck_assert_str_eq(buf, "level=info event=session.state peer=192.0.2.1 net=192.0.2.0/24 "
	                      "big=18446744073709551615 low=-9223372036854775808 "
	                      "cause=\"No such file or directory\" same=\"No such file or directory\"");
}
END_TEST

START_TEST(cut_at_every_size)
{
	struct kv kv = kv_str("key", "some value");
	char full[128], buf[128];
	size_t len = log_format(full, sizeof(full), LOGL_DEBUG, "e", &kv, 1), n;

	ck_assert_uint_eq(log_format(buf, 0, LOGL_DEBUG, "e", &kv, 1), 0);
	for (size_t size = 1; size < sizeof(buf); size++) {
		memset(buf, 'x', sizeof(buf));
		n = log_format(buf, size, LOGL_DEBUG, "e", &kv, 1);
		ck_assert_uint_eq(n, len < size ? len : size - 1);
		ck_assert(memcmp(buf, full, n) == 0 && buf[n] == '\0');
		ck_assert(buf[size] == 'x');
	}
}
END_TEST

static struct {
	unsigned calls;
	enum log_level level;
	size_t fields;
} heard;

static void listen_in(void *ctx, enum log_level level, const char *event, const struct kv *kv, size_t n)
{
	ck_assert_ptr_eq(ctx, &heard);
	(void)kv;
	ck_assert_str_eq(event, "it.happened");
	heard.calls++;
	heard.level = level;
	heard.fields = n;
}

START_TEST(sink_hears_up_to_its_level)
{
	log_event(LOGL_ERROR, "it.happened", kv_u64("a", 1)); /* no sink: goes nowhere */
	log_set_sink(listen_in, &heard);
	log_event(LOGL_DEBUG, "it.happened", kv_u64("a", 1));
	ck_assert_uint_eq(heard.calls, 0);
	log_event(LOGL_INFO, "it.happened", kv_u64("a", 1), kv_u64("b", 2));
	ck_assert_uint_eq(heard.calls, 1);
	ck_assert_uint_eq(heard.fields, 2);
	log_set_level(LOGL_DEBUG);
	log_event(LOGL_DEBUG, "it.happened", kv_u64("a", 1));
	ck_assert_uint_eq(heard.calls, 2);
	ck_assert_int_eq(heard.level, LOGL_DEBUG);
}
END_TEST

/** One peer may be listened to more closely, or less. */
START_TEST(levels_of_peers)
{
	char name[LOG_PEER_NAME_MAX + 1];

	log_set_sink(listen_in, &heard);
	heard.calls = 0;
	ck_assert(log_set_peer_level("loud", LOGL_DEBUG));
	ck_assert(log_set_peer_level("still", LOGL_DEBUG));
	ck_assert(log_set_peer_level("still", LOGL_ERROR));
	log_event(LOGL_DEBUG, "it.happened", kv_u64("a", 1), kv_str("peer", "loud"));
	ck_assert_uint_eq(heard.calls, 1);
	log_event(LOGL_WARNING, "it.happened", kv_str("peer", "still"));
	log_event(LOGL_DEBUG, "it.happened", kv_str("peer", "somebody"));
	log_event(LOGL_DEBUG, "it.happened", kv_str("peer", NULL));
	log_event(LOGL_DEBUG, "it.happened", kv_str("address", "loud"));
	ck_assert_uint_eq(heard.calls, 1);
	log_event(LOGL_ERROR, "it.happened", kv_str("peer", "still"));
	ck_assert_uint_eq(heard.calls, 2);
	log_forget_peer_level("loud");
	log_forget_peer_level("nobody");
	log_event(LOGL_DEBUG, "it.happened", kv_str("peer", "loud"));
	ck_assert_uint_eq(heard.calls, 2);
	log_event(LOGL_WARNING, "it.happened", kv_str("peer", "still")); /* it has kept its own */
	ck_assert_uint_eq(heard.calls, 2);
	for (unsigned i = 1; i < LOG_PEERS_MAX; i++) {
		snprintf(name, sizeof(name), "peer%u", i);
		ck_assert(log_set_peer_level(name, LOGL_INFO));
	}
	ck_assert(!log_set_peer_level("one too many", LOGL_INFO));
	ck_assert(log_set_peer_level("still", LOGL_INFO)); /* it has its place */
	memset(name, 'x', LOG_PEER_NAME_MAX);
	name[LOG_PEER_NAME_MAX] = '\0';
	log_forget_peer_level("peer1");
	ck_assert(log_set_peer_level(name, LOGL_DEBUG)); /* as long as a name can be */
	log_event(LOGL_DEBUG, "it.happened", kv_str("peer", name));
	ck_assert_uint_eq(heard.calls, 3);
}
END_TEST

START_TEST(values_as_they_are)
{
	const struct ip a = ip_v4(0xc0000201);
	const struct prefix p = prefix_make(&a, 24);
	const struct {
		struct kv kv;
		const char *want;
	} values[] = {
		{ kv_str("k", "two \"words\""), "two \"words\"" },
		{ kv_str("k", NULL), "" },
		{ kv_u64("k", UINT64_MAX), "18446744073709551615" },
		{ kv_i64("k", -5), "-5" },
		{ kv_ip("k", &a), "192.0.2.1" },
		{ kv_prefix("k", &p), "192.0.2.0/24" },
		{ kv_errno("k", -ENOENT), "No such file or directory" },
	};
	char buf[64];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct text t = text_init(buf, sizeof(buf));

		log_print_value(&values[i].kv, &t);
		ck_assert_str_eq(buf, values[i].want);
	}
}
END_TEST

START_TEST(tap_hears_everything)
{
	log_set_tap(listen_in, &heard);
	log_event(LOGL_DEBUG, "it.happened", kv_u64("a", 1)); /* without a sink, and below the level */
	ck_assert_uint_eq(heard.calls, 1);
	log_set_tap(NULL, NULL);
	log_event(LOGL_ERROR, "it.happened", kv_u64("a", 1));
	ck_assert_uint_eq(heard.calls, 1);
}
END_TEST

UNIT_MAIN("log", UNIT_ROWS(string_values, strings), UNIT(every_type), UNIT(cut_at_every_size),
          UNIT(sink_hears_up_to_its_level), UNIT(levels_of_peers), UNIT(tap_hears_everything),
          UNIT(values_as_they_are))

/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefix patterns: what is accepted survives its own text, and a set of that one pattern matches what the
 * pattern's fields say. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "policy/prefix_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_text(const struct prefix_pattern *p)
{
	char text[PREFIX_PATTERN_STRLEN];
	struct prefix_pattern again;
	const char *err;

	assert(prefix_pattern_parse(prefix_pattern_print(p, text, sizeof(text)), &again, &err));
	assert(prefix_equal(&p->prefix, &again.prefix));
	assert(p->min_len == again.min_len && p->max_len == again.max_len);
}

/* Every prefix of @a, whatever its length. */
static void check_set(const struct prefix_set *s, const struct prefix_pattern *p, const struct ip *a)
{
	for (unsigned len = 0; len <= ip_bits(a->family); len++) {
		struct prefix q = prefix_make(a, (uint8_t)len);
		bool related = prefix_contains(&p->prefix, &q) || prefix_contains(&q, &p->prefix);

		assert(prefix_set_match(s, &q) == (related && len >= p->min_len && len <= p->max_len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct prefix_pattern p;
	struct prefix_set *s;
	char text[128];
	const char *err = NULL;
	struct ip near;

	if (len >= sizeof(text))
		return 0;
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	if (!prefix_pattern_parse(text, &p, &err)) {
		assert(err && *err);
		return 0;
	}
	assert(!err);
	check_text(&p);
	s = prefix_set_new();
	assert(s && prefix_set_add(s, &p) == 0 && prefix_set_count(s) == 1);
	near = p.prefix.addr;
	check_set(s, &p, &near);
	near.b[len % ip_bytes(near.family)] ^= (uint8_t)(1u << len / 16 % 8);
	check_set(s, &p, &near);
	prefix_set_free(s);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: what differs between two snapshots, and what that costs.
 *
 * Fields are compared by the option table, each by its type, and the table says what a change of it costs: a
 * setting that is added there is compared here. Values that mean the same are the same, whatever the file
 * looked like: a filter under another name, a setting moved from a peer to its group, a default written out.
 */
#include "config/diff.h"

static bool string_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool section_same(const struct section *s, const void *a, const void *b);

static bool list_same(const struct section *s, const char *a, size_t n, const char *b, size_t m)
{
	bool same = n == m;

	for (size_t i = 0; i < n && same; i++)
		same = section_same(s, a + i * s->size, b + i * s->size);
	return same;
}

static bool array_same(const void *a, size_t n, const void *b, size_t m, size_t size)
{
	return n == m && (n == 0 || memcmp(a, b, n * size) == 0);
}

static bool strings_same(char *const *a, size_t n, char *const *b, size_t m)
{
	bool same = n == m;

	for (size_t i = 0; i < n && same; i++)
		same = string_same(a[i], b[i]);
	return same;
}

/* The array that the field at @field points to. */
static const void *elements(const char *field)
{
	return *(const void *const *)(const void *)field;
}

/* A number that is not there is not 0. (A text that is not there has its default.) */
static bool given_same(const struct option *o, const void *a, const void *b)
{
	if (!o->given || o->type == OPT_STRING)
		return true;
	return ((const bool *)a)[o->given - 1] == ((const bool *)b)[o->given - 1];
}

static bool bfd_same(const struct conf_peer *a, const struct conf_peer *b)
{
	return a->bfd == b->bfd && a->bfd_interval_ms == b->bfd_interval_ms &&
	       a->bfd_multiplier == b->bfd_multiplier;
}

static bool policy_same(const struct conf_policy *a, const struct conf_policy *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind != POLICY_FILTER || filter_equal(a->filter, b->filter);
}

bool diff_setting_same(const struct option *o, const void *a, const void *b)
{
	const char *x = (const char *)a + o->offset, *y = (const char *)b + o->offset;
	const size_t *n = (const void *)((const char *)a + o->count_offset);
	const size_t *m = (const void *)((const char *)b + o->count_offset);

	if (o->later) /* which has no field */
		return true;
	switch (o->type) {
	case OPT_STRING:
	case OPT_ENDPOINT:
	case OPT_TOKEN:
	case OPT_LINK:
		return string_same(*(char *const *)(const void *)x, *(char *const *)(const void *)y);
	case OPT_POLICY:
		return policy_same((const void *)x, (const void *)y);
	case OPT_ADDRESSES:
		return array_same(elements(x), *n, elements(y), *m, sizeof(struct conf_address));
	case OPT_IPS:
		return array_same(elements(x), *n, elements(y), *m, sizeof(struct ip));
	case OPT_PREFIXES:
		return array_same(elements(x), *n, elements(y), *m, sizeof(struct prefix));
	case OPT_ALLOWED_IPS:
		return ((const struct conf_wg_peer *)a)->allowed_bgp ==
		               ((const struct conf_wg_peer *)b)->allowed_bgp &&
		       array_same(elements(x), *n, elements(y), *m, sizeof(struct prefix));
	case OPT_PATTERNS:
		return strings_same(elements(x), *n, elements(y), *m);
	case OPT_LIST:
		return list_same(o->section, elements(x), *n, elements(y), *m);
	case OPT_GROUP:
		return section_same(o->section, x, y);
	case OPT_BFD:
		return bfd_same(a, b);
	case OPT_GRE_KEY: /* stands for the next two */
		return true;
	default:
		return memcmp(x, y, o->size) == 0 && given_same(o, a, b);
	}
}

static bool section_same(const struct section *s, const void *a, const void *b)
{
	return diff_effects(s, a, b) == 0;
}

unsigned diff_effects(const struct section *s, const void *a, const void *b)
{
	unsigned mask = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!diff_setting_same(&s->options[i], a, b))
			mask |= 1u << s->options[i].effect;
	}
	return mask;
}

unsigned diff_peer(const struct conf_peer *old, const struct conf_peer *new, const struct conf *old_conf,
                   const struct conf *new_conf)
{
	static const enum peer_change costs[] = {
		[EFFECT_NONE] = PEER_RUNTIME,
		[EFFECT_ROUTES] = PEER_POLICY,
		[EFFECT_SESSION] = PEER_RESET,
	};
	unsigned effects = diff_effects(&schema_peer, old, new), mask = 0;

	for (size_t e = 0; e < sizeof(costs) / sizeof(costs[0]); e++) {
		if (effects & 1u << e)
			mask |= 1u << costs[e];
	}
	if (!diff_router_identity_same(old_conf, new_conf))
		mask |= 1u << PEER_RESET;
	return mask ? mask : 1u << PEER_SAME;
}

bool diff_tunnel_same(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	return section_same(&schema_tunnel, a, b);
}

bool diff_static_same(const struct conf_static *a, const struct conf_static *b)
{
	return section_same(&schema_static, a, b);
}

bool diff_router_identity_same(const struct conf *a, const struct conf *b)
{
	return a->router.id == b->router.id && a->router.as == b->router.as;
}

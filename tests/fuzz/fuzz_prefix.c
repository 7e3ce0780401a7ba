/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_prefix.c - text that parses prints to text that parses the same; containment agrees with a look at
 * every bit; and a tree of the prefixes finds what containment says. The first byte chooses between text and
 * bytes. */
#include "lib/prefix.h"
#include "lib/ptree.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_printed(const struct prefix *p)
{
	char buf[PREFIX_STRLEN];
	struct prefix again;
	struct ip a;

	assert(prefix_parse(prefix_print(p, buf), true, &again) && prefix_equal(p, &again));
	assert(ip_parse(ip_print(&p->addr, buf), &a) && ip_equal(&p->addr, &a));
}

static void check_text(const uint8_t *data, size_t len)
{
	struct prefix loose, strict;
	char text[80];
	bool parses;

	if (len >= sizeof(text))
		return;
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	parses = prefix_parse(text, false, &loose);
	if (prefix_parse(text, true, &strict))
		assert(parses && prefix_equal(&loose, &strict));
	if (parses)
		check_printed(&loose);
}

static bool contains_by_bits(const struct prefix *p, const struct prefix *q)
{
	if (p->addr.family != q->addr.family || q->len < p->len)
		return false;
	for (unsigned i = 0; i < p->len; i++) {
		if (ip_bit(&p->addr, i) != ip_bit(&q->addr, i))
			return false;
	}
	return true;
}

/* 18 bytes each: family, length, address. */
#define MAX_PREFIXES 16

static size_t take(const uint8_t *data, size_t len, struct prefix *p)
{
	size_t n = 0;

	for (; n < MAX_PREFIXES && len >= 18; n++, data += 18, len -= 18) {
		struct ip a = ip_from_bytes(data[0] & 1 ? IP_V4 : IP_V6, data + 2);

		p[n] = prefix_make(&a, (uint8_t)(data[1] % (ip_bits(a.family) + 1u)));
		check_printed(&p[n]);
	}
	return n;
}

static void check_bytes(const uint8_t *data, size_t len)
{
	struct prefix p[MAX_PREFIXES];
	struct ptree_node node[MAX_PREFIXES], *found;
	size_t n = take(data, len, p), left = 0;
	struct ptree t;

	ptree_init(&t);
	for (size_t i = 0; i < n; i++) {
		found = ptree_insert(&t, &node[i], &p[i]);
		assert(!found || prefix_equal(&found->prefix, &p[i]));
		left += !found;
	}
	assert(t.count == left);
	for (size_t i = 0; i < n; i++) {
		assert(prefix_equal(&ptree_find(&t, &p[i])->prefix, &p[i]));
		for (size_t k = 0; k < n; k++) {
			assert(prefix_contains(&p[i], &p[k]) == contains_by_bits(&p[i], &p[k]));
			found = ptree_less_specific(ptree_find(&t, &p[k]));
			if (prefix_contains(&p[i], &p[k]) && p[i].len < p[k].len)
				assert(found && found->prefix.len >= p[i].len);
		}
	}
	while ((found = ptree_first(&t)))
		ptree_remove(&t, found);
	assert(t.count == 0 && !t.spare);
	ptree_fini(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	if (data[0] & 1)
		check_text(data + 1, len - 1);
	else
		check_bytes(data + 1, len - 1);
	return 0;
}

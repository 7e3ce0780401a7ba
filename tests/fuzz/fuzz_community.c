/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_community.c - what is printed can be written: a pattern's text reads back as the same pattern, and the
 * text of a value on the wire is, in the configuration's notation, a pattern that matches it. The first byte
 * chooses the kind, and whether the rest is text or values. */
#include "bgp/community.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct attrs_edit edit;

static struct blob *list_of(enum community_kind kind)
{
	return kind == COMMUNITY_PLAIN ? &edit.a.communities
	       : kind == COMMUNITY_EXT ? &edit.a.ext_communities
	                               : &edit.a.large_communities;
}

static void check_value(const struct community_pattern *p)
{
	static const struct attrs nothing;
	struct blob *list = list_of(p->kind);

	attrs_edit_begin(&edit, &nothing);
	community_add(&edit, p);
	community_add(&edit, p);
	assert(list->len == community_size(p->kind) && community_match(p->kind, list->p, p));
	community_delete(&edit, p);
	assert(list->len == 0 && edit.a.present == 0 && !edit.bad);
}

static void check_text(enum community_kind kind, const uint8_t *data, size_t len)
{
	char text[80], printed[80];
	struct community_pattern p, again;
	const char *err = NULL;

	if (len >= sizeof(text))
		return;
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	if (!community_parse(kind, text, &p, &err)) {
		assert(err);
		return;
	}
	community_pattern_print(&p, printed, sizeof(printed));
	assert(community_parse(kind, printed, &again, &err) && community_pattern_equal(&p, &again));
	if (!p.wild)
		check_value(&p);
}

/* "(rt, 65000, 1)" -> "rt:65000:1" */
static void to_configuration(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (*text == ',')
			*out++ = ':';
		else if (!strchr("() ", *text))
			*out++ = *text;
	}
	*out = '\0';
}

/** What ends at the border of the AS goes, the rest stays in its order. */
static void check_border(struct blob ext)
{
	static const struct attrs nothing;
	const struct blob *left = &edit.a.ext_communities;
	uint32_t at = 0;

	attrs_edit_begin(&edit, &nothing);
	edit.a.ext_communities = ext;
	edit.a.present = ext.len ? ATTR_BIT(BGP_ATTR_EXT_COMMUNITIES) : 0;
	community_drop_nontransitive(&edit);
	assert(!edit.bad && !left->len == !edit.a.present);
	for (uint32_t i = 0; i < ext.len; i += 8) {
		if (ext.p[i] & 0x40)
			continue;
		assert(at < left->len && memcmp(left->p + at, ext.p + i, 8) == 0);
		at += 8;
	}
	assert(at == left->len);
	assert(community_link_bandwidth(ext) >= 0 && isfinite(community_link_bandwidth(ext)));
}

static void check_list(enum community_kind kind, const uint8_t *data, size_t len)
{
	struct attrs a = { 0 };
	struct community_pattern p;
	const char *err;
	char text[80];

	attrs_edit_begin(&edit, &a);
	*list_of(kind) = (struct blob){ data, (uint32_t)(len - len % community_size(kind)) };
	if (kind == COMMUNITY_EXT) {
		check_border(*list_of(kind));
		attrs_edit_begin(&edit, &a);
		*list_of(kind) = (struct blob){ data, (uint32_t)(len - len % community_size(kind)) };
	}
	while (list_of(kind)->len) {
		uint32_t before = list_of(kind)->len;

		assert(community_print(kind, list_of(kind)->p, text, sizeof(text)) == strlen(text));
		to_configuration(text);
		assert(community_parse(kind, text, &p, &err) && !p.wild);
		assert(community_list_match(kind, *list_of(kind), &p));
		community_delete(&edit, &p);
		if (edit.bad)
			return;
		assert(list_of(kind)->len < before && !community_list_match(kind, *list_of(kind), &p));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	if (data[0] & 0x80)
		check_list(data[0] % 3, data + 1, len - 1);
	else
		check_text(data[0] % 3, data + 1, len - 1);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the value of a setting in words, as the file would have it but for the quotes; for those who are shown
 * what changes. Secrets are in files: what is printed of them is a path. */
#include <sodium.h>

#include "config/schema.h"

#define LIST_SHOWN 6 /* elements of a list; of a longer one the rest is counted */

/* Prints element @i of the array at @elements. */
typedef void element_fn(const void *elements, size_t i, struct text *out);

static void print_u32(const void *elements, size_t i, struct text *out)
{
	text_u32(out, ((const uint32_t *)elements)[i]);
}

static void print_ip(const void *elements, size_t i, struct text *out)
{
	char buf[IP_STRLEN];

	text_str(out, ip_print(&((const struct ip *)elements)[i], buf));
}

static void print_prefix(const void *elements, size_t i, struct text *out)
{
	char buf[PREFIX_STRLEN];

	text_str(out, prefix_print(&((const struct prefix *)elements)[i], buf));
}

static void print_address(const void *elements, size_t i, struct text *out)
{
	const struct conf_address *a = &((const struct conf_address *)elements)[i];

	print_ip(&a->address, 0, out);
	text_char(out, '/');
	text_u32(out, a->len);
}

static void print_string(const void *elements, size_t i, struct text *out)
{
	const char *s = ((char *const *)elements)[i];

	text_str(out, s ? s : "none");
}

static void print_array(const struct option *o, const void *base, element_fn *print, struct text *out)
{
	const char *const fields = base;
	size_t n = *(const size_t *)(const void *)(fields + o->count_offset);
	const void *elements = *(const void *const *)(const void *)(fields + o->offset);

	text_char(out, '[');
	for (size_t i = 0; i < n && i < LIST_SHOWN; i++) {
		text_str(out, i ? ", " : "");
		print(elements, i, out);
	}
	if (n > LIST_SHOWN) {
		text_str(out, " and ");
		text_u64(out, n - LIST_SHOWN);
		text_str(out, " more");
	}
	text_char(out, ']');
}

/* ---- numbers and words ------------------------------------------------------------------------------ */

static int64_t number_at(const struct option *o, const void *field)
{
	uint16_t two;
	uint32_t four;

	if (o->size == 1)
		return *(const uint8_t *)field;
	if (o->size == sizeof(two)) {
		memcpy(&two, field, sizeof(two));
		return two;
	}
	memcpy(&four, field, sizeof(four));
	return four;
}

static void print_int(const struct option *o, const void *base, const void *field, struct text *out)
{
	int64_t v = number_at(o, field);

	if (o->given && !((const bool *)base)[o->given - 1])
		text_str(out, "none");
	else if (v == 0 && o->zero)
		text_str(out, o->zero);
	else
		text_i64(out, v);
}

/* The word of a keyword's value; a value without one is "none" or unset. */
static void print_word(const struct option *o, const void *base, const void *field, struct text *out)
{
	bool given = !o->given || ((const bool *)base)[o->given - 1];
	uint32_t v = (uint32_t)number_at(o, field);

	for (const struct keyword *w = o->words; given && w->word; w++) {
		if ((uint32_t)w->value == v) {
			text_str(out, w->word);
			return;
		}
	}
	text_str(out, given && o->preset_text ? o->preset_text : "none");
}

static void print_words(const struct option *o, const void *field, struct text *out)
{
	uint32_t mask = (uint32_t)number_at(o, field);
	bool some = false;

	text_char(out, '[');
	for (const struct keyword *w = o->words; w->word; w++) {
		if (!(mask & 1u << w->value))
			continue;
		text_str(out, some ? ", " : "");
		text_str(out, w->word);
		some = true;
	}
	text_char(out, ']');
}

static void print_tristate(const void *field, struct text *out)
{
	enum conf_tristate v;

	memcpy(&v, field, sizeof(v));
	text_str(out, v == CONF_UNSET ? "left as the host has it" : v == CONF_ON ? "true" : "false");
}

static void print_policy(const struct conf_policy *p, struct text *out)
{
	static const char *const words[] = {
		[POLICY_UNSET] = "unset", [POLICY_ALL] = "all", [POLICY_NONE] = "none"
	};

	text_str(out, p->kind == POLICY_FILTER ? p->filter->name : words[p->kind]);
}

static void print_router_id(const void *field, struct text *out)
{
	struct ip a;
	uint32_t id;

	memcpy(&id, field, sizeof(id));
	a = ip_v4(id);
	print_ip(&a, 0, out);
}

static void print_ip_or_none(const struct ip *a, struct text *out)
{
	if (a->family)
		print_ip(a, 0, out);
	else
		text_str(out, "none");
}

static void print_range(const struct prefix *p, struct text *out)
{
	if (p->addr.family)
		print_prefix(p, 0, out);
	else
		text_str(out, "none");
}

static void print_key(const uint8_t *key, struct text *out)
{
	char base64[48];

	sodium_bin2base64(base64, sizeof(base64), key, 32, sodium_base64_VARIANT_ORIGINAL);
	text_str(out, base64);
}

static void print_bfd(const struct conf_peer *p, struct text *out)
{
	if (!p->bfd) {
		text_str(out, "false");
		return;
	}
	text_u32(out, p->bfd_interval_ms);
	text_str(out, " ms x ");
	text_u32(out, p->bfd_multiplier);
}

static void print_allowed(const struct option *o, const void *base, struct text *out)
{
	if (((const struct conf_wg_peer *)base)->allowed_bgp)
		text_str(out, "bgp ");
	print_array(o, base, print_prefix, out);
}

/* What lies in one field and is no number. */
static bool print_one(const struct option *o, const void *base, const void *field, struct text *out)
{
	switch (o->type) {
	case OPT_BOOL:
		text_str(out, *(const bool *)field ? "true" : "false");
		return true;
	case OPT_TRISTATE:
		print_tristate(field, out);
		return true;
	case OPT_ROUTER_ID:
		print_router_id(field, out);
		return true;
	case OPT_STRING:
	case OPT_TOKEN:
	case OPT_LINK:
	case OPT_ENDPOINT:
		print_string(field, 0, out);
		return true;
	case OPT_IP:
		print_ip_or_none(field, out);
		return true;
	case OPT_PREFIX:
		print_range(field, out);
		return true;
	case OPT_POLICY:
		print_policy(field, out);
		return true;
	case OPT_BFD:
		print_bfd(base, out);
		return true;
	case OPT_WG_KEY:
		print_key(field, out);
		return true;
	default:
		return false;
	}
}

void schema_print_value(const struct option *o, const void *base, struct text *out)
{
	const void *field = (const char *)base + o->offset;

	if (print_one(o, base, field, out))
		return;
	switch (o->type) {
	case OPT_INT:
	case OPT_AS:
		print_int(o, base, field, out);
		break;
	case OPT_KEYWORD:
		print_word(o, base, field, out);
		break;
	case OPT_KEYWORDS:
		print_words(o, field, out);
		break;
	case OPT_INTS:
		print_array(o, base, print_u32, out);
		break;
	case OPT_IPS:
		print_array(o, base, print_ip, out);
		break;
	case OPT_PREFIXES:
		print_array(o, base, print_prefix, out);
		break;
	case OPT_ADDRESSES:
		print_array(o, base, print_address, out);
		break;
	case OPT_PATTERNS:
		print_array(o, base, print_string, out);
		break;
	case OPT_ALLOWED_IPS:
		print_allowed(o, base, out);
		break;
	default: /* sections, and parts of filters: told as a whole */
		text_str(out, "...");
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: values that mean something by themselves: numbers, names, addresses, words of a table.
 *
 * An integer that libconfig wrapped carries its literal as a hook (see load.c), so that the error names what
 * was written and how to write it. Where numbers above 2147483647 are right, a decimal text is as good as one
 * with an L. */
#include "config/loader.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mcbgp/bgp.h"

#define TOKEN_MAX 63
#define LINK_MAX  15 /* IFNAMSIZ - 1 */

/* ---- numbers ---------------------------------------------------------------------------------------- */

static bool is_integer(const config_setting_t *s)
{
	int type = config_setting_type(s);

	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

/* Digits and nothing else, below 2^63. */
static bool parse_decimal(const char *text, int64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return !errno && !*end;
}

static void report_range(struct loader *l, const config_setting_t *s, const struct option *o,
                         const char *value)
{
	char range[128];
	struct text out = text_init(range, sizeof(range));

	schema_print_range(o, &out);
	report_setting(&l->report, s, NULL, "%s is not allowed: %s", value, range);
}

/* The value of a literal that libconfig could not hold; INT64_MAX when no C type can. */
static int64_t wide_value(const char *literal)
{
	bool hex = literal[0] == '0' && (literal[1] | 0x20) == 'x';

	return strtoll(literal, NULL, hex ? 16 : 10); /* saturates */
}

/* What libconfig wrapped: @s is not what the file says. @max: the greatest value that is right.
 * @return false: the value would be wrong however written. */
static bool report_wide(struct loader *l, const config_setting_t *s, int64_t max)
{
	const char *literal = config_setting_get_hook(s);
	int64_t value = wide_value(literal);

	if (max <= INT32_MAX || value < 0 || value > max)
		return false;
	report_setting(&l->report, s, NULL,
	               "%s does not fit into 32 bits with a sign: write %sL or \"%" PRId64 "\"", literal,
	               literal, value);
	return true;
}

static bool in_range(const struct option *o, int64_t v)
{
	return (v >= o->min && v <= o->max) || (v == 0 && o->zero);
}

static bool number_of(struct loader *l, const config_setting_t *s, const struct option *o, int64_t *out)
{
	char value[32];
	struct text t = text_init(value, sizeof(value));

	if (config_setting_type(s) == CONFIG_TYPE_STRING && o->max > INT32_MAX) {
		if (!parse_decimal(config_setting_get_string(s), out)) {
			report_wrong_value(l, s, o, "is no number");
			return false;
		}
	} else if (!is_integer(s)) {
		report_wrong_type(l, s, o);
		return false;
	} else if (config_setting_get_hook(s)) {
		if (!report_wide(l, s, o->max))
			report_range(l, s, o, config_setting_get_hook(s));
		return false;
	} else {
		*out = config_setting_get_int64(s);
	}
	if (in_range(o, *out))
		return true;
	text_i64(&t, *out);
	report_range(l, s, o, value);
	return false;
}

void read_int(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	int64_t v;

	if (number_of(l, s, o, &v))
		field_store(option_field(o, base), o->size, v);
}

void read_bool(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	if (config_setting_type(s) == CONFIG_TYPE_BOOL)
		field_store(option_field(o, base), o->size, config_setting_get_bool(s) != 0);
	else
		report_wrong_type(l, s, o);
}

/* "64512.7", RFC 5396 */
static bool parse_asdot(const char *text, int64_t *out)
{
	const char *dot = strchr(text, '.');
	int64_t high, low;
	char buf[8];

	if (!dot || (size_t)(dot - text) >= sizeof(buf))
		return false;
	memcpy(buf, text, (size_t)(dot - text));
	buf[dot - text] = '\0';
	if (!parse_decimal(buf, &high) || !parse_decimal(dot + 1, &low) || high > UINT16_MAX ||
	    low > UINT16_MAX)
		return false;
	*out = high << 16 | low;
	return true;
}

#define AS_RANGE "1 to 4294967295; above 2147483647 write 4200000001L or \"4200000001\""

static bool as_of(struct loader *l, const config_setting_t *s, const struct option *o, int64_t *out)
{
	if (config_setting_type(s) == CONFIG_TYPE_STRING) {
		const char *text = config_setting_get_string(s);

		if (parse_decimal(text, out) || parse_asdot(text, out))
			return true;
		report_wrong_value(l, s, o, "is no AS number");
	} else if (!is_integer(s)) {
		report_wrong_type(l, s, o);
	} else if (!config_setting_get_hook(s)) {
		*out = config_setting_get_int64(s);
		return true;
	} else if (!report_wide(l, s, UINT32_MAX)) {
		report_setting(&l->report, s, NULL, "%s is not allowed: " AS_RANGE,
		               (const char *)config_setting_get_hook(s));
	}
	return false;
}

void read_as(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	int64_t as;

	if (!as_of(l, s, o, &as))
		return;
	if (as < 1 || as > UINT32_MAX)
		report_setting(&l->report, s, NULL, "%" PRId64 " is not allowed: " AS_RANGE, as);
	else if (as == BGP_AS_TRANS)
		report_setting(&l->report, s, NULL,
		               "23456 is not allowed: it stands for AS numbers that old speakers "
		               "cannot write (RFC 6793); give the real one");
	else
		field_store(option_field(o, base), o->size, as);
}

void read_ints(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	uint32_t *array = load_array(l, s, o, base, sizeof(*array));
	int64_t v;

	for (size_t i = 0; array && has_item(l, s, i); i++) {
		if (number_of(l, item(s, i), o, &v))
			array[i] = (uint32_t)v;
	}
}

/* ---- texts and names -------------------------------------------------------------------------------- */

void set_string(struct loader *l, const struct option *o, void *base, const char *text)
{
	char **field = option_field(o, base);

	free(*field);
	*field = load_strdup(l, text);
}

static bool all_of(const char *text, int (*is)(int))
{
	while (*text && is((unsigned char)*text))
		text++;
	return !*text;
}

bool is_token(const char *name)
{
	return *name && strlen(name) <= TOKEN_MAX && all_of(name, isgraph);
}

static bool is_link(const char *name)
{
	return *name && strlen(name) <= LINK_MAX && all_of(name, isgraph) && !strpbrk(name, "/:") &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int is_no_control(int c)
{
	return !iscntrl(c);
}

void read_string(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	const char *text = read_text(l, s, o);

	if (!text)
		return;
	if (!*text)
		report_setting(&l->report, s, NULL, "is empty: give it a value or leave it out");
	else if (!all_of(text, is_no_control))
		report_wrong_value(l, s, o, "has control characters in it");
	else
		set_string(l, o, base, text);
}

void read_token(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	const char *text = read_text(l, s, o);

	if (text && is_token(text))
		set_string(l, o, base, text);
	else if (text)
		report_wrong_value(l, s, o, "is not allowed");
}

void read_link(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	const char *text = read_text(l, s, o);

	if (text && is_link(text))
		set_string(l, o, base, text);
	else if (text)
		report_wrong_value(l, s, o, "is not allowed");
}

void read_patterns(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	char **array = load_array(l, s, o, base, sizeof(*array));

	for (size_t i = 0; array && has_item(l, s, i); i++) {
		const char *text = read_text(l, item(s, i), o);

		if (text && is_token(text))
			array[i] = load_strdup(l, text);
		else if (text)
			report_wrong_value(l, item(s, i), o, "is not allowed");
	}
}

/* ---- words of a table ------------------------------------------------------------------------------- */

static const struct keyword *keyword_of(struct loader *l, config_setting_t *s, const struct option *o)
{
	const char *text = read_text(l, s, o);

	if (!text)
		return NULL;
	for (const struct keyword *w = o->words; w->word; w++) {
		if (strcmp(w->word, text) != 0)
			continue;
		if (!w->later)
			return w;
		report_wrong_value(l, s, o, "is not built yet");
		return NULL;
	}
	report_wrong_value(l, s, o, "is not allowed");
	return NULL;
}

void read_keyword(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	const struct keyword *w = keyword_of(l, s, o);

	if (w)
		field_store(option_field(o, base), o->size, w->value);
}

void read_keywords(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	int64_t mask = 0;

	if (item_count(s) == 0)
		report_empty(l, s, o);
	for (size_t i = 0; has_item(l, s, i); i++) {
		const struct keyword *w = keyword_of(l, item(s, i), o);

		if (w)
			mask |= INT64_C(1) << w->value;
	}
	field_store(option_field(o, base), o->size, mask);
}

void read_policy(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct conf_policy *policy = option_field(o, base);
	const char *text = read_text(l, s, o);
	struct nearest n = { .wanted = text };
	const struct filter *f;

	if (!text)
		return;
	if (strcmp(text, "all") == 0) {
		*policy = (struct conf_policy){ .kind = POLICY_ALL };
	} else if (strcmp(text, "none") == 0) {
		*policy = (struct conf_policy){ .kind = POLICY_NONE };
	} else if ((f = conf_find_filter(l->conf, text))) {
		*policy = (struct conf_policy){ .kind = POLICY_FILTER, .filter = f };
	} else {
		for (size_t i = 0; i < l->conf->n_filters; i++)
			nearest_try(&n, l->conf->filters[i]->name);
		report_unknown_name(l, s, "filter", &n);
	}
}

/* ---- addresses and prefixes ------------------------------------------------------------------------- */

static bool ip_of(struct loader *l, const config_setting_t *s, const struct option *o, struct ip *out)
{
	const char *text = read_text(l, s, o);

	if (!text)
		return false;
	if (ip_parse(text, out))
		return true;
	report_wrong_value(l, s, o, "is no address");
	return false;
}

void read_ip(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct ip a;

	if (ip_of(l, s, o, &a))
		memcpy(option_field(o, base), &a, sizeof(a));
}

void read_ips(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct ip *array = load_array(l, s, o, base, sizeof(*array));

	for (size_t i = 0; array && has_item(l, s, i); i++)
		ip_of(l, item(s, i), o, &array[i]);
}

void read_router_id(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct ip a;

	if (!ip_of(l, s, o, &a))
		return;
	if (a.family != IP_V4 || ip_is_zero(&a))
		report_wrong_value(l, s, o, "is not allowed");
	else
		field_store(option_field(o, base), o->size, ip_to_v4(&a));
}

bool prefix_of(struct loader *l, const config_setting_t *s, const struct option *o, struct prefix *out)
{
	const char *text = read_text(l, s, o);
	char right[PREFIX_STRLEN];

	if (!text)
		return false;
	if (prefix_parse(text, true, out))
		return true;
	if (prefix_parse(text, false, out))
		report_setting(&l->report, s, NULL,
		               "\"%s\" has bits set beyond its length: \"%s\" would be right", text,
		               prefix_print(out, right));
	else
		report_wrong_value(l, s, o, "is no prefix");
	return false;
}

void read_prefix(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct prefix p;

	if (prefix_of(l, s, o, &p))
		memcpy(option_field(o, base), &p, sizeof(p));
}

void read_prefixes(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct prefix *array = load_array(l, s, o, base, sizeof(*array));

	for (size_t i = 0; array && has_item(l, s, i); i++)
		prefix_of(l, item(s, i), o, &array[i]);
}

/* "192.168.234.1/24": an address of a link with the length of its network, of which it must not be the name.
 */
static bool address_of(struct loader *l, const config_setting_t *s, const struct option *o,
                       struct conf_address *out)
{
	const char *text = read_text(l, s, o);
	char host[IP_STRLEN];
	size_t n = text ? strcspn(text, "/") : 0;
	struct prefix p;

	if (!text)
		return false;
	if (n >= sizeof(host) || !prefix_parse(text, false, &p)) {
		report_wrong_value(l, s, o, "is no address with a length");
		return false;
	}
	memcpy(host, text, n);
	host[n] = '\0';
	if (!text[n] || !ip_parse(host, &out->address)) {
		report_setting(&l->report, s, NULL,
		               "\"%s\" has no length: write \"%s/24\", or what its network has", text, text);
		return false;
	}
	if (p.len < ip_bits(p.addr.family) - 1 && ip_equal(&p.addr, &out->address)) {
		report_wrong_value(l, s, o, "is the network itself, not an address in it");
		return false;
	}
	out->len = p.len;
	return true;
}

void read_addresses(struct loader *l, config_setting_t *s, const struct option *o, void *base)
{
	struct conf_address *array = load_array(l, s, o, base, sizeof(*array));

	for (size_t i = 0; array && has_item(l, s, i); i++)
		address_of(l, item(s, i), o, &array[i]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: what the option table says, in words; for errors, and for the test that holds the manual page to it.
 */
#include "config/schema.h"

#include <string.h>

const struct option *schema_find(const struct section *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->options[i].name, name) == 0)
			return &s->options[i];
	}
	return NULL;
}

#define NAME_MAX_EDITS 63

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned edit_distance(const char *a, const char *b)
{
	/* Rows of the table of distances between beginnings of @a and of @b: this one and the two before. */
	unsigned row[3][NAME_MAX_EDITS + 1];
	size_t n = strnlen(a, NAME_MAX_EDITS), m = strnlen(b, NAME_MAX_EDITS);

	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3];
		const unsigned *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			now[j] = least(last[j], now[j - 1]) + 1;
			now[j] = least(now[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

void nearest_try(struct nearest *n, const char *name)
{
	unsigned d;

	if (!name)
		return;
	d = edit_distance(n->wanted, name);
	if (n->name && d >= n->distance)
		return;
	n->name = name;
	n->distance = d;
}

const char *schema_nearest(const struct section *s, const char *name)
{
	struct nearest n = { .wanted = name };

	for (size_t i = 0; i < s->n; i++)
		nearest_try(&n, s->options[i].name);
	return n.name;
}

void schema_print_range(const struct option *o, struct text *out)
{
	if (o->zero) {
		text_str(out, "0 (");
		text_str(out, o->zero);
		text_str(out, ") or ");
	}
	text_i64(out, o->min);
	text_str(out, " to ");
	text_i64(out, o->max);
	if (o->unit) {
		text_char(out, ' ');
		text_str(out, o->unit);
	}
}

/* "a", "b" or "c"; those that are not built are left out, unless none is. */
static void print_words(const struct option *o, struct text *out)
{
	const struct keyword *shown[8];
	size_t n = 0;

	for (const struct keyword *w = o->words; w->word && n < 8; w++) {
		if (o->later || !w->later)
			shown[n++] = w;
	}
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_str(out, i + 1 < n ? ", " : " or ");
		text_char(out, '"');
		text_str(out, shown[i]->word);
		text_char(out, '"');
	}
}

#define AN_AS_NUMBER \
	"an AS number, 1 to 4294967295; above 2147483647 as 4200000001L or \"4200000001\"; or \"64512.7\""

static const char *const wanted[OPT_TYPES] = {
	[OPT_BOOL] = "true or false",
	[OPT_TRISTATE] = "true or false",
	[OPT_AS] = AN_AS_NUMBER,
	[OPT_ROUTER_ID] = "an IPv4 address such as \"192.0.2.1\"",
	[OPT_STRING] = "a text in quotes",
	[OPT_TOKEN] = "a name in quotes, at most 63 printable characters without blanks",
	[OPT_LINK] = "a name of a link in quotes, at most 15 characters without blanks or \"/\"",
	[OPT_IP] = "an address such as \"192.0.2.1\"",
	[OPT_PREFIX] = "a prefix such as \"192.0.2.0/24\"",
	[OPT_POLICY] = "\"all\", \"none\" or the name of a filter",
	[OPT_BFD] = "true, false or { interval = 100; multiplier = 3; }",
	[OPT_IPS] = "addresses such as [ \"192.0.2.1\" ]",
	[OPT_WG_KEY] = "a key in base64, 44 characters in quotes",
	[OPT_ENDPOINT] = "a host and a port such as \"192.0.2.1:51820\"",
	[OPT_ALLOWED_IPS] = "prefixes such as [ \"192.0.2.0/24\" ], or \"bgp\", or both",
	[OPT_PREFIXES] = "addresses or prefixes such as [ \"192.0.2.1\", \"198.51.100.0/24\" ]",
	[OPT_ADDRESSES] = "addresses with lengths such as [ \"192.0.2.1/24\" ]",
	[OPT_PATTERNS] = "names or shell patterns of links such as [ \"eth0\", \"cali*\" ]",
	[OPT_PREFIX_SETS] = "names of prefix_sets such as [ \"pods\" ]",
	[OPT_SOURCES] = "names of peers or peer_groups such as [ \"node1\" ]",
	[OPT_AS_PATHS] = "POSIX regular expressions such as [ \"^65001( |$)\" ]",
	[OPT_NEXT_HOP] = "\"self\", \"keep\" or an address",
	[OPT_GROUP] = "settings in { }",
	[OPT_LIST] = "a list of settings, ( { }, { } )",
	[OPT_SET_MAP] = "named sets, { NAME = [ \"192.0.2.0/24+\" ]; }",
	[OPT_FILTER_MAP] = "named lists of terms, { NAME = ( { } ); }",
	[OPT_GROUP_MAP] = "named settings, { NAME = { }; }",
	[OPT_PEERS] = "a list of settings, ( { }, { } )",
};

static const char *wanted_communities(const struct option *o)
{
	static const char *const values[] = { "communities such as [ \"65000:1\" ]",
		                              "extended communities such as [ \"rt:65000:1\" ]",
		                              "large communities such as [ \"65000:1:2\" ]" };
	static const char *const patterns[] = {
		"communities or patterns such as [ \"65000:1\", \"65000:*\" ]",
		"extended communities or patterns such as [ \"rt:65000:*\" ]",
		"large communities or patterns such as [ \"65000:1:*\" ]"
	};

	return o->type == OPT_COMMUNITIES || o->type == OPT_DELETE_COMMUNITY ? patterns[o->kind]
	                                                                     : values[o->kind];
}

void schema_print_wanted(const struct option *o, struct text *out)
{
	switch (o->type) {
	case OPT_INT:
	case OPT_GRE_KEY:
		text_str(out, "an integer, ");
		schema_print_range(o, out);
		break;
	case OPT_INTS:
		text_str(out, "integers such as [ 100 ], ");
		schema_print_range(o, out);
		break;
	case OPT_KEYWORD:
		print_words(o, out);
		break;
	case OPT_KEYWORDS:
		text_str(out, "any of ");
		print_words(o, out);
		break;
	case OPT_COMMUNITIES:
	case OPT_ADD_COMMUNITY:
	case OPT_DELETE_COMMUNITY:
	case OPT_SET_COMMUNITY:
		text_str(out, wanted_communities(o));
		break;
	default:
		text_str(out, wanted[o->type]);
	}
}

static const char *preset_word(const struct option *o)
{
	for (const struct keyword *w = o->words; w->word; w++) {
		if (w->value == o->preset)
			return w->word;
	}
	return "none";
}

void schema_print_preset(const struct option *o, struct text *out)
{
	if (o->required) {
		text_str(out, "required");
	} else if (o->preset_text) {
		text_str(out, o->preset_text);
	} else if (o->type == OPT_BOOL) {
		text_str(out, o->preset ? "true" : "false");
	} else if (o->type == OPT_INT) {
		text_i64(out, o->preset);
	} else if (o->type == OPT_KEYWORD) {
		text_str(out, preset_word(o));
	} else if (o->type == OPT_POLICY) {
		text_str(out, o->preset == POLICY_ALL ? "all" : "none");
	} else {
		text_str(out, "none");
	}
}

const char *schema_effect_text(enum option_effect e)
{
	static const char *const texts[] = {
		[EFFECT_NONE] = "nothing is disturbed",
		[EFFECT_ROUTES] = "routes are evaluated again",
		[EFFECT_SESSION] = "the session is reset",
		[EFFECT_SESSIONS] = "every session is reset",
		[EFFECT_LINK] = "the link is changed in place",
		[EFFECT_LINK_NEW] = "the link is replaced",
		[EFFECT_START] = "needs a start of the daemon",
	};

	return texts[e];
}

const char *schema_effect_name(enum option_effect e)
{
	static const char *const names[] = {
		[EFFECT_NONE] = "none",       [EFFECT_ROUTES] = "routes",
		[EFFECT_SESSION] = "session", [EFFECT_SESSIONS] = "sessions",
		[EFFECT_LINK] = "link",       [EFFECT_LINK_NEW] = "link_replaced",
		[EFFECT_START] = "start",
	};

	return names[e];
}

void field_store(void *field, size_t size, int64_t value)
{
	uint8_t one = (uint8_t)value;
	uint16_t two = (uint16_t)value;
	uint32_t four = (uint32_t)value;

	if (size == 1)
		memcpy(field, &one, sizeof(one));
	else if (size == 2)
		memcpy(field, &two, sizeof(two));
	else
		memcpy(field, &four, sizeof(four));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* test_filters.c - what is shown of filters: their terms, which of them decided, routes by their keys. */
#include <jansson.h>
#include <string.h>

#include "unit/ctl/answer.h"

/** What policy decided, and by which term of which filter. */
START_TEST(filters_are_named)
{
	static const uint8_t unwanted[] = { 0xfd, 0xe8, 0, 66 };
	json_t *doc, *route;
	const char *text;

	start();
	fake_announce(daemon_.node1, "10.77.9.0/24", 0, 0x0a000002, (struct blob){ unwanted, 4 });
	fake_settle(&daemon_);
	ck_assert_str_eq(answer("show route filtered"),
	                 "1007-Table master4:\n"
	                 " 10.77.9.0/24         unicast [node1 03:04:00.678] (100) [AS65002i]\n"
	                 "1012-\tFilter: term 1 of import filter imp rejects it\n"
	                 "0000 \n");
	doc = json_loads(answer("json show route filtered"), 0, NULL);
	route = json_array_get(json_object_get(doc, "routes"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(route, "import_filter")), "imp");
	ck_assert_int_eq(json_integer_value(json_object_get(route, "import_term")), 1);
	json_decref(doc);
	fake_announce(daemon_.node1, "10.77.3.0/24", 0, 0x0a000002, (struct blob){ 0 });
	fake_settle(&daemon_);
	text = answer("show route export node2 10.77.3.0/24 all");
	ck_assert_ptr_nonnull(strstr(text, "\tFilter: term 1 of export filter exp accepts it\n"));
	fake_announce(daemon_.node1, "10.77.4.0/25", 0, 0x0a000002, (struct blob){ 0 });
	fake_settle(&daemon_);
	text = answer("show route noexport node2 10.77.4.0/25 all");
	ck_assert_ptr_nonnull(strstr(text, "\tNot exported: no term of the export filter accepts it\n"));
}
END_TEST

static const struct {
	const char *line, *want;
} answers[] = {
	{ "show filters", "1105-Filter imp\n"
	                  " \tTerm 1: reject\n"
	                  " \t\tmatch: community 65000:66\n"
	                  " \tTerm 2: accept\n"
	                  " Filter exp\n"
	                  " \tTerm 1: accept\n"
	                  " \t\tmatch: prefix pods\n"
	                  "0000 \n" },
	{ "show filters exp", "1105-Filter exp\n"
	                      " \tTerm 1: accept\n"
	                      " \t\tmatch: prefix pods\n"
	                      "0000 \n" },
	{ "test filter imp 10.0.0.0/8 community 65000:66", "1105-Filter imp, 10.0.0.0/8\n"
	                                                   " \tTerm 1: reject\n"
	                                                   " \tRejected by term 1\n"
	                                                   "0023 \n" },
	{ "test filter exp 10.0.0.0/8", "1105-Filter exp, 10.0.0.0/8\n"
	                                " \tTerm 1: does not match\n"
	                                " \tRejected: no term accepts it\n"
	                                "0023 \n" },
	{ "test filter imp 10.0.0.0/8 as_path \"65001 65002 {65003 65004} 65005\" med 7 local_pref 300 "
	  "origin "
	  "egp next_hop 10.0.0.9 community 65000:1 community 65000:2 large_community 1:2:3 peer node1",
	  "1105-Filter imp, 10.0.0.0/8\n"
	  " \tTerm 1: does not match\n"
	  " \tTerm 2: accept\n"
	  " \tAccepted by term 2\n"
	  "1012-\tBGP.origin: EGP\n"
	  " \tBGP.as_path: 65001 65002 {65003 65004} 65005\n"
	  " \tBGP.next_hop: 10.0.0.9\n"
	  " \tBGP.med: 7\n"
	  " \tBGP.local_pref: 300\n"
	  " \tBGP.community: (65000,1) (65000,2)\n"
	  " \tBGP.large_community: (1, 2, 3)\n"
	  "0023 \n" },
	{ "complete \"show filters e\"", "1103-exp\t\n0000 \n" },
	{ "complete \"test filter imp 10.0.0.0/8 large\"",
	  "1103-large_community\tsuch as 65000:1:2; may be said again\n0000 \n" },
};

START_TEST(shown)
{
	start();
	ck_assert_str_eq(answer(answers[_i].line), answers[_i].want);
}
END_TEST

static const struct {
	const char *line;
	unsigned code;
	const char *piece;
} refusals[] = {
	{ "show filters expo", CTL_NOT_FOUND, "No filter expo; did you mean exp?" },
	{ "show filters exp imp", CTL_PARSE_ERROR, "one name is enough: imp" },
	{ "test filter", CTL_PARSE_ERROR, "NAME PREFIX" },
	{ "test filter nix 10.0.0.0/8", CTL_NOT_FOUND, "No filter nix; show filters names them" },
	{ "test filter all 10.0.0.0/8", CTL_NOT_FOUND,
	  "all is no filter, but the policy that lets every route pass; show filters names the filters" },
	{ "test filter none 10.0.0.0/8", CTL_NOT_FOUND,
	  "none is no filter, but the policy that lets no route pass" },
	{ "show filters all", CTL_NOT_FOUND, "all is no filter" },
	{ "test filter imp", CTL_PARSE_ERROR, "a prefix is needed" },
	{ "test filter imp 10.0.0.1/8", CTL_PARSE_ERROR,
	  "10.0.0.1/8: a prefix is needed, without host bits" },
	{ "test filter imp 10.0.0.0/8 med", CTL_PARSE_ERROR, "its value is missing" },
	{ "test filter imp 10.0.0.0/8 med 4294967296", CTL_PARSE_ERROR, "no number of 32 bits" },
	{ "test filter imp 10.0.0.0/8 as_path \"1 {2\"", CTL_PARSE_ERROR, "sets in { }" },
	{ "test filter imp 10.0.0.0/8 as_path \"{}\"", CTL_PARSE_ERROR, "sets in { }" },
	{ "test filter imp 10.0.0.0/8 as_path x", CTL_PARSE_ERROR, "numbers with blanks" },
	{ "test filter imp 10.0.0.0/8 community 65000:*", CTL_PARSE_ERROR, "a pattern" },
	{ "test filter imp 10.0.0.0/8 community 65000", CTL_PARSE_ERROR, "65000" },
	{ "test filter imp 10.0.0.0/8 next_hop 10.0.0", CTL_PARSE_ERROR, "no address" },
	{ "test filter imp 10.0.0.0/8 origin bgp", CTL_PARSE_ERROR, "igp, egp or incomplete" },
	{ "test filter imp 10.0.0.0/8 source bpg", CTL_PARSE_ERROR, "bgp, static or direct" },
	{ "test filter imp 10.0.0.0/8 peer nobody", CTL_NO_PROTOCOL, "nobody" },
	{ "test filter imp 10.0.0.0/8 peer device1", CTL_PARSE_ERROR, "it has no routes" },
	{ "test filter imp 10.0.0.0/8 colour red", CTL_PARSE_ERROR, "no such attribute" },
	{ "show route where", CTL_PARSE_ERROR, "KEY = VALUE" },
	{ "show route where med", CTL_PARSE_ERROR, "KEY = VALUE" },
	{ "show route where med = ", CTL_PARSE_ERROR, "KEY = VALUE" },
	{ "show route where med > 5", CTL_PARSE_ERROR, "KEY = VALUE" },
	{ "show route where med=5", CTL_PARSE_ERROR, "blanks belong around" },
	{ "show route where colour = red", CTL_PARSE_ERROR,
	  "no such key; a key is one of prefix, community" },
	{ "show route where med = x", CTL_PARSE_ERROR, "x: no number" },
	{ "show route where community = 1", CTL_PARSE_ERROR, "1:" },
	{ "show route where as_path ~ \"(\"", CTL_PARSE_ERROR, "(" },
	{ "show route where next_hop = 10.0.0.1/8", CTL_PARSE_ERROR, "no address" },
	{ "show route where prefix = 10.0.0.1/8", CTL_PARSE_ERROR, "10.0.0.1/8" },
	{ "show route where origin = x", CTL_PARSE_ERROR, "igp" },
	{ "show route where med = 5 and", CTL_PARSE_ERROR, "KEY = VALUE" },
	{ "show route where med = 5 where med = 6", CTL_PARSE_ERROR, "where, once" },
	{ "show route 10.77.99.0/24 where med = 5", CTL_NOT_FOUND, "Network not found" },
};

START_TEST(refused)
{
	const char *text;

	start();
	text = answer(refusals[_i].line);
	ck_assert_msg(strtoul(text, NULL, 10) == refusals[_i].code, "%s: %s", refusals[_i].line, text);
	ck_assert_msg(strstr(text, refusals[_i].piece) != NULL, "%s: %s", refusals[_i].line, text);
	ck_assert_msg(strchr(text, '\n')[1] == '\0', "one line: %s", text);
}
END_TEST

static const struct {
	const char *condition;
	unsigned shown; /* of the four paths */
} conditions[] = {
	{ "community = 65000:1", 1 },
	{ "community ~ 65000:*", 1 },
	{ "community != 65000:1", 3 },
	{ "community = no-export", 1 },
	{ "community = 65000:1 and community = 65000:2", 0 }, /* not "either of them" */
	{ "as_path ~ \"65009$\"", 1 },
	{ "as_path ~ \"^65002$\"", 2 },
	{ "med = 0", 4 },
	{ "local_pref = 100 and source = bgp", 3 },
	{ "source = static", 1 },
	{ "peer = node2", 1 },
	{ "peer !~ node2 and source = bgp", 2 },
	{ "next_hop = 10.0.0.2", 1 },
	{ "next_hop ~ 10.0.0.0/24", 2 },
	{ "origin = igp and family = ipv4", 4 },
	{ "family = ipv6", 0 },
	{ "prefix ~ 10.77.0.0/16+", 3 },
	{ "prefix = 10.66.0.0/18", 1 },
	{ "prefix ~ 10.77.0.0/16{24,24} and prefix != 10.77.1.0/24", 1 },
};

START_TEST(where)
{
	char line[256], want[64];

	start();
	snprintf(line, sizeof(line), "show route table master4 where %s count", conditions[_i].condition);
	snprintf(want, sizeof(want), "1007-%u of 4 routes for 3 networks in table master4\n0000 \n",
	         conditions[_i].shown);
	ck_assert_str_eq(answer(line), want);
}
END_TEST

/** The attributes that are looked at are those that are shown. */
START_TEST(where_on_export)
{
	start();
	ck_assert_ptr_nonnull(strstr(answer("show route export node2 where as_path ~ \"^65001$\" all"),
	                             "BGP.as_path: 65001\n"));
	ck_assert_str_eq(answer("show route export node2 where as_path ~ \"^65002\""), "0000 \n");
}
END_TEST

START_TEST(in_json)
{
	json_t *doc, *o;

	start();
	doc = json_loads(answer("json show filters imp"), 0, NULL);
	o = json_array_get(json_object_get(json_array_get(json_object_get(doc, "filters"), 0), "terms"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(o, "action")), "reject");
	ck_assert_str_eq(json_string_value(json_array_get(
	                         json_object_get(json_object_get(o, "match"), "community"), 0)),
	                 "65000:66");
	json_decref(doc);
	doc = json_loads(answer("json test filter imp 10.0.0.0/8 med 5"), 0, NULL);
	o = json_object_get(doc, "evaluation");
	ck_assert_str_eq(json_string_value(json_object_get(o, "verdict")), "accept");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "term")), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(o, "attributes"), "med")), 5);
	json_decref(doc);
}
END_TEST

UNIT_MAIN("filters", UNIT(filters_are_named), UNIT_ROWS(shown, answers), UNIT_ROWS(refused, refusals),
          UNIT_ROWS(where, conditions), UNIT(where_on_export), UNIT(in_json))

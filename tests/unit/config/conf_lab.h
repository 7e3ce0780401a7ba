/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_lab.h - what the tests of the configuration share: texts in, snapshots and errors out.
 *
 * A backquote in a text stands for a double quote. Errors come as `LINE: path: what`, one a line, without the
 * file's name. */
#ifndef TESTS_UNIT_CONFIG_CONF_LAB_H
#define TESTS_UNIT_CONFIG_CONF_LAB_H

#include "config/load.h"

#include <stdio.h>

#include "unit/unit.h"

#define LAB_FILE  "t.conf"
#define LAB_BYTES 32768

static char lab_errors[LAB_BYTES];

static inline void lab_unquote(char *text)
{
	for (; *text; text++) {
		if (*text == '`')
			*text = '"';
	}
}

static inline void lab_add_error(void *ctx, const char *line)
{
	size_t used = strlen(lab_errors), prefix = strlen(LAB_FILE ":");

	(void)ctx;
	if (strncmp(line, LAB_FILE ":", prefix) == 0)
		line += prefix;
	snprintf(lab_errors + used, sizeof(lab_errors) - used, "%s%s", used ? "\n" : "", line);
}

/** The snapshot of @text, or NULL with what is wrong in lab_errors. */
static inline struct conf *lab_load(const char *text)
{
	char *copy = strdup(text);
	struct conf *c;

	ck_assert_ptr_nonnull(copy);
	lab_unquote(copy);
	lab_errors[0] = '\0';
	c = conf_load_text(LAB_FILE, copy, strlen(copy), lab_add_error, NULL);
	free(copy);
	return c;
}

/** The same of a text that must be right. */
static inline struct conf *lab_conf(const char *text)
{
	struct conf *c = lab_load(text);

	ck_assert_msg(c != NULL, "%s", lab_errors);
	return c;
}

/** @text is refused with exactly these @errors, a line each. */
static inline void lab_refuse(const char *what, const char *text, const char *errors)
{
	struct conf *c = lab_load(text);
	char want[4096];

	snprintf(want, sizeof(want), "%s", errors);
	lab_unquote(want);
	conf_free(c);
	ck_assert_msg(!c, "%s: was taken", what);
	ck_assert_msg(strcmp(lab_errors, want) == 0, "%s:\n%s\ninstead of\n%s", what, lab_errors, want);
}

#define ROUTER(settings) "router = { id = `192.0.2.1`; as = 65001; " settings " };"
#define HEAD             ROUTER("") "\n"
#define PEER(settings)   "peers = ( { name = `a`; address = `192.0.2.2`; remote_as = 65002; " settings " } );"
#define PEER_AS(as)      "peers = ( { name = `a`; address = `192.0.2.2`; remote_as = " as "; } );"
#define PEER_AT(address) "peers = ( { name = `a`; address = `" address "`; remote_as = 65002; } );"
#define PEER_NAMED(name) "peers = ( { name = `" name "`; address = `192.0.2.2`; remote_as = 65002; } );"
#define TUNNEL(settings) \
	"tunnels = ( { name = `t0`; type = `vxlan`; vni = 1; remote = `192.0.2.9`; " settings " } );"
#define TUNNEL_NAMED(name) \
	"tunnels = ( { name = `" name "`; type = `vxlan`; vni = 1; remote = `192.0.2.9`; } );"
#define MATCH(settings)  "filters = { f = ( { match = { " settings "; }; } ); };"
#define SET(settings)    "filters = { f = ( { set = { " settings "; }; } ); };"
#define STATIC(settings) "static = ( { " settings "; } );"

#endif

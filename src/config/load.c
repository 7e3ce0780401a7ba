/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: from a file to a snapshot, or to all that is wrong with it.
 *
 * The text is scanned (scan.c) before libconfig parses it, the tree is read against the option table
 * (load_section.c), sections are checked against each other, and the errors are told in the order of lines.
 * There is a snapshot only when there is no error at all. */
#include "config/load.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "config/loader.h"
#include "config/scan.h"
#include "mcbgp/bgp.h"

#define SOCKET_PATH_MAX 107 /* sun_path, without its NUL */

/* ---- router and control ----------------------------------------------------------------------------- */

static void default_listen(struct loader *l)
{
	struct conf_router *r = &l->conf->router;

	r->listen = load_alloc(l, 2, sizeof(*r->listen));
	if (!r->listen)
		return;
	r->listen[r->n_listen++] = (struct conf_listen){ .address = { .family = IP_V4 }, .port = BGP_PORT };
	r->listen[r->n_listen++] = (struct conf_listen){ .address = { .family = IP_V6 }, .port = BGP_PORT };
}

/* Two sockets cannot listen where the address of one covers that of the other. */
static bool listen_conflict(const struct conf_listen *a, const struct conf_listen *b)
{
	return a->port == b->port && a->address.family && a->address.family == b->address.family &&
	       (ip_equal(&a->address, &b->address) || ip_is_zero(&a->address) || ip_is_zero(&b->address));
}

#define LISTEN_MAX 256

static void check_listen(struct loader *l, config_setting_t *list)
{
	const struct conf_router *r = &l->conf->router;

	if (r->n_listen > LISTEN_MAX) {
		report_setting(&l->report, list, NULL,
		               "more than %d places to listen: 0.0.0.0 stands for all addresses", LISTEN_MAX);
		return;
	}
	for (size_t i = 0; i < r->n_listen; i++) {
		const config_setting_t *s = item(list, i);

		if (ip_is_multicast(&r->listen[i].address))
			report_setting(&l->report, s, "address",
			               "can be nobody's address: needs one of this host");
		for (size_t j = 0; j < i; j++) {
			if (!listen_conflict(&r->listen[i], &r->listen[j]))
				continue;
			report_setting(&l->report, s, NULL,
			               "port %u of this address is taken by router.listen[%zu]: take one of "
			               "the two away",
			               r->listen[i].port, j);
			break;
		}
	}
}

static bool may_be_id(uint32_t id)
{
	const struct ip a = ip_v4(id);

	return !ip_is_multicast(&a) && !ip_is_loopback(&a) && id != UINT32_MAX;
}

static void check_router(struct loader *l)
{
	struct conf_router *r = &l->conf->router;
	config_setting_t *s = config_setting_get_member(l->root, "router"), *list;

	if (r->id && !may_be_id(r->id))
		report_setting(&l->report, s, "id",
		               "is no address that a host can have (RFC 6286 allows it, other speakers do "
		               "not): needs an IPv4 address such as \"192.0.2.1\"");
	if (!r->cluster_id)
		r->cluster_id = r->id;
	if (!s || !config_setting_is_group(s))
		return;
	check_timers(l, s, r->hold_time, r->keepalive);
	list = config_setting_get_member(s, "listen");
	if (!list)
		default_listen(l);
	else if (config_setting_is_list(list) && item_count(list) == 0)
		report_setting(
		        &l->report, list, NULL,
		        "is empty: needs a list such as ( { address = \"0.0.0.0\"; } ), or leave it out");
	else if (r->listen)
		check_listen(l, list);
}

static void check_socket(struct loader *l, const config_setting_t *s, const char *name, const char *path)
{
	if (path && *path != '/')
		report_setting(&l->report, s, name, "\"%s\" is relative: needs a path that begins with /",
		               path);
	if (path && strlen(path) > SOCKET_PATH_MAX)
		report_setting(&l->report, s, name,
		               "is longer than the %d bytes that the path of a socket may have",
		               SOCKET_PATH_MAX);
}

static void check_control(struct loader *l)
{
	const config_setting_t *s = config_setting_get_member(l->root, "control");
	const struct conf_control *c = &l->conf->control;

	check_socket(l, s, "socket", c->socket);
	check_socket(l, s, "readonly_socket", c->readonly_socket);
	if (c->socket && c->readonly_socket && strcmp(c->socket, c->readonly_socket) == 0)
		report_setting(&l->report, s, "readonly_socket",
		               "is the path of socket already: needs another one");
	if (c->readonly_group && !c->readonly_socket)
		report_setting(&l->report, s, "readonly_group",
		               "means nothing without readonly_socket: set that too, or leave it out");
}

static void check_kernel(struct loader *l)
{
	const config_setting_t *s = config_setting_get_member(l->root, "kernel");

	if (l->conf->kernel.table == RT_TABLE_LOCAL)
		report_setting(&l->report, s, "table",
		               "255 is the kernel's own table of local addresses: needs another, 254 is the "
		               "main one");
}

/* ---- the tree --------------------------------------------------------------------------------------- */

/* Hangs each literal that does not fit on its setting: both come in the order of the text. */
static void mark_wide(config_setting_t *s, const struct scan *scan, size_t *integers, size_t *next)
{
	int type = config_setting_type(s);

	if (config_setting_is_aggregate(s)) {
		for (size_t i = 0; i < item_count(s); i++)
			mark_wide(item(s, i), scan, integers, next);
	} else if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64) {
		if (*next < scan->n_wide && scan->wide[*next].index == *integers)
			config_setting_set_hook(s, scan->wide[(*next)++].text);
		++*integers;
	}
}

static void read_tree(struct loader *l)
{
	section_defaults(l, &schema_root, l->conf);
	collect_origins(l);
	section_read(l, l->root, &schema_root, l->conf);
	check_router(l);
	check_control(l);
	check_tunnels(l);
	check_statics(l);
	check_kernel(l);
	check_peers(l);
}

static void report_syntax(struct loader *l, const config_t *c)
{
	static const struct {
		const char *text, *mend;
	} mends[] = {
		{ "syntax error",
		  "look for a missing ; or , or bracket, here or on the line before, or a , too many" },
		{ "mismatched element type in array", "all values in [ ] must be of one type, numbers all "
		                                      "with an L or all without; in ( ) they may differ" },
		{ "duplicate setting name", "a setting may be there once" },
	};
	const char *text = config_error_text(c), *mend = "";

	for (size_t i = 0; i < sizeof(mends) / sizeof(mends[0]); i++) {
		if (strcmp(text, mends[i].text) == 0)
			mend = mends[i].mend;
	}
	report_line(&l->report, config_error_file(c), (unsigned)config_error_line(c), "%s%s%s", text,
	            *mend ? ": " : "", mend);
}

static void parse(struct loader *l, const char *text, const struct scan *scan)
{
	size_t integers = 0, next = 0;
	config_t c;

	config_init(&c);
	if (scan->include_relative && *l->report.folder)
		config_set_include_dir(&c, l->report.folder);
	if (config_read_string(&c, text)) {
		l->root = config_root_setting(&c);
		mark_wide(l->root, scan, &integers, &next);
		read_tree(l);
	} else {
		report_syntax(l, &c);
	}
	/* Errors quote names of files that belong to @c, so they are told before it goes: see
	 * conf_load_text(). */
	config_destroy(&c);
}

static void loader_fini(struct loader *l)
{
	for (size_t i = 0; i < l->n_groups; i++)
		conf_peer_fini(&l->groups[i]);
	free(l->groups);
	seen_free(&l->origins);
	report_fini(&l->report);
	conf_free(l->conf);
}

struct conf *conf_load_text(const char *file, const char *text, size_t len, conf_error_fn error, void *ctx)
{
	struct loader l = { 0 };
	struct scan scan = { .report = &l.report };
	struct conf *c = NULL;

	if (report_init(&l.report, file) < 0)
		return NULL;
	l.conf = load_alloc(&l, 1, sizeof(*l.conf));
	if (l.conf)
		l.conf->file = load_strdup(&l, file);
	if (!l.report.no_memory && scan_text(&scan, text, len))
		parse(&l, text, &scan);
	if (!report_tell(&l.report, error, ctx)) {
		c = l.conf;
		l.conf = NULL;
	}
	scan_fini(&scan);
	loader_fini(&l);
	return c;
}

static struct conf *load_file(const char *file, bool regular, conf_error_fn error, void *ctx)
{
	const char *why = NULL;
	struct report r;
	struct conf *c;
	char *text;
	size_t len;

	text = scan_read_file(file, regular, &len, &why);
	if (text) {
		c = conf_load_text(file, text, len, error, ctx);
		free(text);
		return c;
	}
	if (report_init(&r, file) == 0) {
		report_line(&r, NULL, 1, "cannot be read: %s", why);
		report_tell(&r, error, ctx);
		report_fini(&r);
	}
	return NULL;
}

struct conf *conf_load(const char *file, conf_error_fn error, void *ctx)
{
	return load_file(file, true, error, ctx);
}

struct conf *conf_load_first(const char *file, conf_error_fn error, void *ctx)
{
	return load_file(file, false, error, ctx);
}

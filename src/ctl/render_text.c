/* SPDX-License-Identifier: BSD-2-Clause */
/* render_text.c - DOC: answers in BIRD's words, columns and codes, which scripts cut and clients parse.
 *
 * What BIRD 2.0.12 shows is shown in its place and width; what only we know comes behind it, on lines of its
 * own or at the end of a line. Texts may come from a peer (shutdown communication, software version):
 * whatever could end a line or drive a terminal is replaced. Protocols and routes have a file each. */
#include <inttypes.h>
#include <stdio.h>

#include "ctl/render_text.h"

#define EVENT_TEXT_MAX 2048 /* bytes of an event; the rest is cut */

/** Bytes that are printable, or part of UTF-8. The tab is ours, for indentation. */
static void disarm(char *p, size_t n)
{
	for (; n; p++, n--)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			*p = '?';
}

static void line_text(struct render *r, unsigned code, bool last, const char *format, va_list args)
{
	size_t begin;

	if (last)
		out_printf(r->out, "%04u ", code);
	else if (code == r->code)
		out_printf(r->out, " ");
	else
		out_printf(r->out, "%04u-", code);
	r->code = code;
	begin = r->out->len;
	out_vprintf(r->out, format, args);
	if (r->out->len > begin) /* printing may have moved the bytes */
		disarm(r->out->buf + r->out->start + begin, r->out->len - begin);
	out_write(r->out, "\n", 1);
}

void text_line(struct render *r, unsigned code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_text(r, code, false, format, args);
	va_end(args);
}

__attribute__((format(printf, 3, 4))) static void last_line(struct render *r, unsigned code,
                                                            const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_text(r, code, true, format, args);
	va_end(args);
}

static void text_begin(struct render *r, const char *key, bool single)
{
	(void)key;
	(void)single;
	r->began = true;
}

static void text_end(struct render *r, enum ctl_code code, const char *text)
{
	r->ended = true;
	last_line(r, code, "%s", text);
}

static void text_note(struct render *r, enum ctl_code code, const char *name, const char *text)
{
	text_line(r, code, "%s%s%s", name ? name : "", name ? ": " : "", text);
}

static void text_change(struct render *r, const struct ctl_change *c)
{
	text_line(r, CTL_CHANGE, "%s", c->text);
}

static void text_monitor(struct render *r, const char *kind, const char *peer)
{
	text_line(r, CTL_EVENT_HEADING, "Events%s%s%s%s as they happen; a further line ends them",
	          *kind ? " of " : "", kind, peer ? " of " : "", peer ? peer : "");
}

static void text_event(struct render *r, const struct ctl_event *e)
{
	char text[EVENT_TEXT_MAX], time[TIME_STRLEN];

	log_format(text, sizeof(text), e->level, e->name, e->fields, e->n_fields);
	text_line(r, CTL_EVENT, "%s %s", render_time(r, r->clock.mono_us, time), text);
}

static void text_lost(struct render *r, uint64_t events)
{
	text_line(r, CTL_EVENT, "%" PRIu64 " events lost: they came faster than they were read", events);
}

static void text_help(struct render *r, const struct help_item *h)
{
	text_line(r, CTL_HELP, "%s%s%s", h->words, *h->args ? " " : "", h->args);
	text_line(r, CTL_HELP, "\t%s", h->text);
}

static void text_completion(struct render *r, const char *word, const char *text)
{
	text_line(r, CTL_HELP, "%s\t%s", word, text);
}

char *text_id(uint32_t id, char *buf)
{
	struct ip a = ip_v4(id);

	return ip_print(&a, buf);
}

/* -- show status ------------------------------------------------------------------------------ */

/* What others did to the kernel's table, and what it refused. */
static void text_kernel_faults(struct render *r, const struct ctl_status *s)
{
	char date[TIME_STRLEN];

	text_line(r, CTL_UPTIME, "Kernel audits: %" PRIu64 " completed, %" PRIu64 " differences found%s%s",
	          s->fib_audits, s->fib_audit_found, s->fib_audits ? ", last on " : "",
	          s->fib_audits ? render_date(r, s->fib_audited_us, date) : "");
	text_line(r, CTL_UPTIME, "Kernel repairs: %" PRIu64 " routes put back, full comparisons: %" PRIu64,
	          s->fib_put_back, s->fib_resyncs);
	text_line(r, CTL_UPTIME,
	          "Kernel refusals: %" PRIu64 " exists, %" PRIu64 " missing, %" PRIu64 " busy, %" PRIu64
	          " no room, %" PRIu64 " other",
	          s->fib_refused[CTL_EXISTS], s->fib_refused[CTL_MISSING], s->fib_refused[CTL_BUSY],
	          s->fib_refused[CTL_FULL], s->fib_refused[CTL_OTHER]);
}

static void text_status(struct render *r, const struct ctl_status *s)
{
	char buf[IP_STRLEN], date[TIME_STRLEN];

	/* Clients that check for a BIRD take no codes but these in this answer. */
	text_line(r, CTL_VERSION, "%s mcbgpd %s", CTL_COMPATIBLE, s->version);
	text_line(r, CTL_UPTIME, "Router ID is %s", text_id(s->router_id, buf));
	text_line(r, CTL_UPTIME, "Hostname is %s", s->hostname);
	text_line(r, CTL_UPTIME, "Current server time is %s", render_date(r, r->clock.mono_us, date));
	text_line(r, CTL_UPTIME, "Last reboot on %s", render_date(r, s->started_us, date));
	text_line(r, CTL_UPTIME, "Last reconfiguration on %s", render_date(r, s->configured_us, date));
	text_line(r, CTL_UPTIME, "AS is %" PRIu32, s->as);
	text_line(r, CTL_UPTIME, "Configuration is %s", s->file);
	if (s->confirm_us > r->clock.mono_us)
		text_line(r, CTL_UPTIME, "Undone in %u s unless confirmed",
		          (unsigned)((s->confirm_us - r->clock.mono_us) / 1000000));
	text_line(r, CTL_UPTIME, "Kernel routes use %s",
	          s->nexthop_objects ? "nexthop objects"
	                             : "RTA_MULTIPATH: this kernel has no nexthop objects");
	text_line(r, CTL_UPTIME,
	          "Kernel routes: %" PRIu64 " installed, %" PRIu64 " queued, %" PRIu64 " failed",
	          s->fib_installed, s->fib_queued, s->fib_failed);
	text_kernel_faults(r, s);
	if (s->adopting)
		text_line(r, CTL_GR_STATUS, "Graceful restart recovery in progress");
}

/* -- tunnels, links, memory ------------------------------------------------------------------- */

static void text_tunnel_heading(struct render *r)
{
	text_line(r, CTL_TUNNEL_HEADING, "%-15s %-9s %-6s %-12s %-5s %-15s %-15s %s", "Name", "Type", "State",
	          "Since", "MTU", "Local", "Remote", "Info");
}

#define TUNNEL_FIELD(r, name, format, ...) \
	text_line(r, CTL_TUNNEL_DETAIL, "  %-12s " format, name ":", __VA_ARGS__)

static void wireguard_peer(struct render *r, const struct ctl_wg_peer *p)
{
	char addr[IP_STRLEN], since[TIME_STRLEN];

	TUNNEL_FIELD(r, "Peer", "%s", p->public_key);
	if (p->endpoint.family)
		TUNNEL_FIELD(r, "  Endpoint", "%s port %u", ip_print(&p->endpoint, addr), p->endpoint_port);
	TUNNEL_FIELD(r, "  Handshake", "%s%s",
	             p->handshake_us ? render_time(r, p->handshake_us, since) : "none yet",
	             p->dead ? " (dead: its next hops are not used)" : "");
	TUNNEL_FIELD(r, "  Received", "%" PRIu64 " bytes", p->rx_bytes);
	TUNNEL_FIELD(r, "  Sent", "%" PRIu64 " bytes", p->tx_bytes);
	TUNNEL_FIELD(r, "  Allowed", "%zu prefixes", p->n_allowed);
}

static void tunnel_details(struct render *r, const struct ctl_tunnel *t)
{
	char addr[IP_STRLEN];

	for (size_t i = 0; i < t->n_addresses; i++)
		TUNNEL_FIELD(r, "Address", "%s/%u", ip_print(&t->addresses[i].address, addr),
		             t->addresses[i].len);
	for (size_t i = 0; i < t->n_remotes; i++)
		TUNNEL_FIELD(r, "Remote", "%s", ip_print(&t->remotes[i], addr));
	TUNNEL_FIELD(r, "Received", "%" PRIu64 " bytes, %" PRIu64 " packets", t->rx_bytes, t->rx_packets);
	TUNNEL_FIELD(r, "Sent", "%" PRIu64 " bytes, %" PRIu64 " packets", t->tx_bytes, t->tx_packets);
	if (t->public_key)
		TUNNEL_FIELD(r, "Public key", "%s", t->public_key);
	for (size_t i = 0; i < t->n_wg_peers; i++)
		wireguard_peer(r, &t->wg_peers[i]);
}

/** "vni 101 port 4789 ", "port 51820 peers 2 dead 1 handshake 03:04:00.678 ": what is told of a tunnel in a
 * line. */
static void tunnel_info(const struct render *r, const struct ctl_tunnel *t, char *buf, size_t size)
{
	char since[TIME_STRLEN], dead[32] = "";
	uint64_t handshake = 0;
	size_t n_dead = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < t->n_wg_peers; i++) {
		n_dead += t->wg_peers[i].dead;
		if (t->wg_peers[i].handshake_us > handshake)
			handshake = t->wg_peers[i].handshake_us;
	}
	if (n_dead)
		snprintf(dead, sizeof(dead), "dead %zu ", n_dead);
	if (t->vni)
		snprintf(buf, size, "vni %" PRIu32 " port %u ", t->vni, t->port);
	else if (t->listen_port)
		snprintf(buf, size, "port %u peers %zu %shandshake %s ", t->listen_port, t->n_wg_peers, dead,
		         handshake ? render_time(r, handshake, since) : "none");
}

static void text_tunnel(struct render *r, const struct ctl_tunnel *t, bool all)
{
	char since[TIME_STRLEN], local[IP_STRLEN], remote[IP_STRLEN], info[128];

	tunnel_info(r, t, info, sizeof(info));
	text_line(r, CTL_TUNNEL, "%-15s %-9s %-6s %-12s %-5" PRIu32 " %-15s %-15s %s%s", t->name, t->type,
	          render_tunnel_state(t), render_time(r, t->since_us, since), t->mtu,
	          ip_print(&t->local, local), ip_print(&t->remote, remote), info, t->error ? t->error : "");
	if (all)
		tunnel_details(r, t);
}

static void text_interface(struct render *r, const struct ctl_interface *i)
{
	char addr[IP_STRLEN];

	text_line(r, CTL_INTERFACE, "%s %s (index=%" PRIu32 ")", i->name, i->up ? "up" : "down", i->ifindex);
	text_line(r, CTL_INTERFACE_FLAGS, "\tAdmin%s Link%s MTU=%" PRIu32 "%s%s%s",
	          i->admin_up ? "Up" : "Down", i->up ? "Up" : "Down", i->mtu, *i->kind ? " Kind=" : "",
	          i->kind, i->ours ? " Ours" : "");
	for (size_t k = 0; k < i->n_addresses; k++)
		text_line(r, CTL_INTERFACE_ADDRESS, "\t%s/%u", ip_print(&i->addresses[k].address, addr),
		          i->addresses[k].len);
}

static void text_interface_summary_heading(struct render *r)
{
	text_line(r, CTL_INTERFACE_SUMMARY_HEADING, "%-10s %-6s %-18s %s", "Interface", "State",
	          "IPv4 address", "IPv6 address");
}

/** The first address of @family; "" when there is none. */
static char *first_address(const struct ctl_interface *i, uint8_t family, char *buf, size_t size)
{
	char address[IP_STRLEN];

	buf[0] = '\0';
	for (size_t k = 0; k < i->n_addresses && !buf[0]; k++)
		if (i->addresses[k].address.family == family)
			snprintf(buf, size, "%s/%u", ip_print(&i->addresses[k].address, address),
			         i->addresses[k].len);
	return buf;
}

static void text_interface_summary(struct render *r, const struct ctl_interface *i)
{
	char v4[PREFIX_STRLEN], v6[PREFIX_STRLEN];

	text_line(r, CTL_INTERFACE_SUMMARY, "%-10s %-6s %-18s %s", i->name, i->up ? "up" : "down",
	          first_address(i, IP_V4, v4, sizeof(v4)), first_address(i, IP_V6, v6, sizeof(v6)));
}

static void text_neighbor_heading(struct render *r)
{
	text_line(r, CTL_NEIGHBOR_HEADING, "%-25s %-25s %-12s %-11s %s", "Next hop", "Neighbor", "Interface",
	          "State", "Address");
}

static void text_neighbor(struct render *r, const struct ctl_neighbor *n)
{
	const char *link = n->ifindex ? r->backend->ifname(r->backend->ctx, n->ifindex) : NULL;
	char hop[IP_STRLEN], gateway[IP_STRLEN], address[LLADDR_STRLEN];

	text_line(r, CTL_NEIGHBOR, "%-25s %-25s %-12s %-11s %s%s", ip_print(&n->next_hop, hop),
	          ip_print(&n->gateway, gateway), link ? link : "-", n->state, render_lladdr(n, address),
	          n->dead ? " Dead" : "");
}

static void text_bfd_heading(struct render *r)
{
	text_line(r, CTL_BFD, "bfd1:");
	text_line(r, CTL_BFD, "%-25s %-10s %-10s %-12s  %8s %8s", "IP address", "Interface", "State", "Since",
	          "Interval", "Timeout");
}

static void text_memory_heading(struct render *r)
{
	text_line(r, CTL_MEMORY, "mcbgpd memory usage");
	text_line(r, CTL_MEMORY, "%-17s %15s %15s %15s", "", "Bytes", "Objects", "Bytes each");
}

static void text_memory(struct render *r, const char *what, size_t bytes, size_t count)
{
	if (count)
		text_line(r, CTL_MEMORY, "%-17s %15zu %15zu %15.1f", what, bytes, count,
		          (double)bytes / (double)count);
	else
		text_line(r, CTL_MEMORY, "%-17s %15zu", what, bytes);
}

const struct render_ops render_text = {
	.begin = text_begin,
	.status = text_status,
	.protocol_heading = text_protocol_heading,
	.protocol = text_protocol,
	.table = text_table,
	.route = text_route,
	.adopted = text_adopted,
	.count = text_count,
	.tunnel_heading = text_tunnel_heading,
	.tunnel = text_tunnel,
	.interface = text_interface,
	.interface_summary_heading = text_interface_summary_heading,
	.interface_summary = text_interface_summary,
	.neighbor_heading = text_neighbor_heading,
	.neighbor = text_neighbor,
	.bfd_heading = text_bfd_heading,
	.memory_heading = text_memory_heading,
	.memory = text_memory,
	.filter = text_filter,
	.evaluation = text_evaluation,
	.note = text_note,
	.change = text_change,
	.monitor = text_monitor,
	.event = text_event,
	.lost = text_lost,
	.help = text_help,
	.completion = text_completion,
	.end = text_end,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl.h - the contract of the control socket, for daemon, client and tests.
 *
 * A UNIX stream socket speaks BIRD's control protocol. The daemon greets; then a line asks, and lines answer:
 *
 *	NNNN-text	more follow
 *	NNNN text	the last one
 *	 text		as the line before: same code, more follow
 *
 * Codes below 1000 end an answer that is a success, 1000 to 7999 are data, 8000 to 8999 refuse at run time,
 * 9000 and above do not understand. An empty success is "0000 ". A request that begins with the word `json`
 * is answered with one JSON document on one line instead, without codes; that of a refusal has the key
 * "error": { "code": N, "text": "…" }. The other keys of the documents are listed in mcbgpc(8). Requests may
 *be sent ahead; they are answered in order. */
#ifndef MCBGP_CTL_H
#define MCBGP_CTL_H

#define CTL_SOCKET "/run/mcbgpd/mcbgpd.sock"
#define CTL_LINE_MAX \
	4096 /* bytes of a request with its newline; of a longer one the rest is skipped: CTL_TOO_LONG */
#define CTL_JSON        "json"
#define CTL_COMPATIBLE  "BIRD 2.0.12 compatible"
#define CTL_REFUSED_MIN 8000 /* codes from here on are no success */

/* Codes 0000 to 0025, 1000 to 1018, 2002 and those above 8000 are BIRD's, and mean what they mean there; 11xx
 * and 81xx are ours. */
enum ctl_code {
	CTL_OK = 0,
	CTL_WELCOME = 1,
	CTL_READING = 2,
	CTL_RECONFIGURED = 3,
	CTL_SHUTDOWN = 7,
	CTL_ALREADY_DISABLED = 8,
	CTL_DISABLED = 9,
	CTL_ALREADY_ENABLED = 10,
	CTL_ENABLED = 11,
	CTL_RESTARTED = 12,
	CTL_STATUS_END = 13,
	CTL_ROUTE_TOTAL = 14,
	CTL_RELOADING = 15,
	CTL_RESTRICTED = 16,
	CTL_CONFIRMED = 18,
	CTL_NOTHING_TO_DO = 19,
	CTL_CONFIG_OK = 20,
	CTL_UNDO_REQUESTED = 21,
	CTL_UNDO_SCHEDULED = 22,
	CTL_EVALUATED = 23,
	CTL_GR_STATUS = 24,
	CTL_GR_REQUESTED = 25,
	CTL_NEEDS_RESTART = 100, /* a setting that is in the file, but not in force yet */

	CTL_VERSION = 1000,
	CTL_INTERFACE = 1001,
	CTL_PROTOCOL = 1002,
	CTL_INTERFACE_ADDRESS = 1003,
	CTL_INTERFACE_FLAGS = 1004,
	CTL_INTERFACE_SUMMARY = 1005,
	CTL_PROTOCOL_DETAIL = 1006,
	CTL_ROUTE = 1007,
	CTL_ROUTE_TYPE = 1008,
	CTL_UPTIME = 1011,
	CTL_ROUTE_ATTRIBUTES = 1012,
	CTL_MEMORY = 1018,
	CTL_BFD = 1020,
	CTL_TUNNEL = 1101,
	CTL_TUNNEL_DETAIL = 1102,
	CTL_HELP = 1103,
	CTL_FILTER = 1105,
	CTL_EVENT = 1106,
	CTL_NEIGHBOR = 1107,
	CTL_CHANGE = 1104, /* what a new configuration would change */

	CTL_PROTOCOL_HEADING = 2002,
	CTL_INTERFACE_SUMMARY_HEADING = 2005,
	CTL_TUNNEL_HEADING = 2101,
	CTL_EVENT_HEADING = 2106,
	CTL_NEIGHBOR_HEADING = 2107,

	CTL_NOT_FOUND = 8001,
	CTL_CONFIG_ERROR = 8002,
	CTL_NO_PROTOCOL = 8003,
	CTL_RELOAD_FAILED = 8006,
	CTL_DENIED = 8007,
	CTL_NOT_BUILT = 8100, /* a later version will have it */
	CTL_NO_MEMORY = 8101,
	CTL_STOPPING = 8102,
	CTL_TOO_LONG = 9000,
	CTL_PARSE_ERROR = 9001,
};

#endif

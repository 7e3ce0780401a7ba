/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor.h - a request that is answered by events as they happen. */
#ifndef MCBGP_CTL_MONITOR_H
#define MCBGP_CTL_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct monitor {
	bool on;
	int kind;         /* enum in monitor.c: which events; negative: all */
	const char *peer; /* only those that name it; NULL: all. In the request's line */
	uint64_t lost;    /* events that its reader was too slow for, and has not been told of */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* netns.h - sockets in network namespaces other than our own, and one clock for all. */
#ifndef MCBGP_BENCH_NETNS_H
#define MCBGP_BENCH_NETNS_H

#include <stdint.h>

/** Move this thread into the namespace called @name (as `ip netns` knows it). Ends the program when it
 * cannot. */
void netns_enter(const char *name);
/** socket(2) made in @name; the thread stays where it is. Ends the program when it cannot. */
int netns_socket(const char *name, int domain, int type, int protocol);
/** CLOCK_MONOTONIC, nanoseconds: the same for every process of the host, Python's time.monotonic_ns() too. */
uint64_t now_ns(void);
/** Print to stderr and exit with 1; @errno's text is added when it is set. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* md5_drops.h - what the kernel drops without a word for its TCP MD5 signature (RFC 2385 4.1). It counts that
 * for the network namespace, whoever sent it: neither socket nor peer ever hears of it. */
#ifndef MCBGP_IO_MD5_DROPS_H
#define MCBGP_IO_MD5_DROPS_H

#include <stdint.h>

#define MD5_DROPS_FILE "/proc/self/net/netstat"

/** Segments. */
struct md5_drops {
	uint64_t missing;    /* without a signature, where there is a key: TCPMD5NotFound */
	uint64_t unexpected; /* signed, where there is no key: TCPMD5Unexpected */
	uint64_t wrong;      /* signed with another key: TCPMD5Failure */
};

/** The counters in the file @path; 0 for each that is not there, or cannot be read. */
struct md5_drops md5_drops_read(const char *path);

#endif

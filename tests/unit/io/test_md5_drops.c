/* SPDX-License-Identifier: BSD-2-Clause */
/* test_md5_drops.c - counters in the kernel's form, and in forms that it does not have. */
#include "io/md5_drops.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/unit.h"

static const struct {
	const char *what, *text;
	struct md5_drops want;
} files[] = {
	{ "all three",
	  "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPSackShifted\n"
	  "TcpExt: 1 2 3 4 5\n"
	  "IpExt: InNoRoutes InTruncatedPkts\n"
	  "IpExt: 6 7\n",
	  { 2, 3, 4 } },
	{ "above 32 bits", "TcpExt: TCPMD5Failure\nTcpExt: 5000000000\n", { 0, 0, 5000000000 } },
	{ "none of them", "TcpExt: SyncookiesSent\nTcpExt: 1\n", { 0 } },
	{ "fewer numbers than names",
	  "TcpExt: TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure\nTcpExt: 2\n",
	  { 2, 0, 0 } },
	{ "no numbers at all", "TcpExt: TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure\n", { 0 } },
	{ "no number", "TcpExt: TCPMD5NotFound TCPMD5Unexpected\nTcpExt: x 3\n", { 0, 3, 0 } },
	{ "no newline at the end", "TcpExt: TCPMD5NotFound\nTcpExt: 2", { 2, 0, 0 } },
	{ "nothing", "", { 0 } },
};

START_TEST(counters_are_found_by_name)
{
	char path[] = "/tmp/mcbgp-netstat-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	struct md5_drops got;

	ck_assert(f && fputs(files[_i].text, f) >= 0 && fclose(f) == 0);
	got = md5_drops_read(path);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_msg(got.missing == files[_i].want.missing && got.unexpected == files[_i].want.unexpected &&
	                      got.wrong == files[_i].want.wrong,
	              "%s", files[_i].what);
}
END_TEST

START_TEST(no_file_means_no_drops)
{
	const struct md5_drops got = md5_drops_read("/nonexistent");

	ck_assert_uint_eq(got.missing + got.unexpected + got.wrong, 0);
}
END_TEST

UNIT_MAIN("md5_drops", UNIT_ROWS(counters_are_found_by_name, files), UNIT(no_file_means_no_drops))

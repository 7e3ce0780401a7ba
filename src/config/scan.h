/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.h - a look at the text of a configuration before libconfig parses it, for what libconfig does not tell
 * or does not survive. */
#ifndef MCBGP_CONFIG_SCAN_H
#define MCBGP_CONFIG_SCAN_H

#include "config/report.h"

#define SCAN_MAX_BYTES    (16u << 20) /* of one file */
#define SCAN_MAX_DEPTH    32          /* of nested brackets */
#define SCAN_MAX_INCLUDES 100         /* files, all together */
#define SCAN_MAX_NESTED   9           /* includes in includes */
#define SCAN_MAX_MEMBERS  10000       /* settings in one pair of braces: libconfig compares each with all */
#define SCAN_MAX_VALUES   1000000     /* separators in one file: libconfig takes 80 bytes a value */

/** An integer literal that does not fit what libconfig makes of it. */
struct wide_literal {
	size_t index; /* among all integer literals, from 0, in the order in which libconfig reads them */
	char text[32];
};

struct scan {
	struct report *report;
	struct wide_literal *wide;
	size_t n_wide;
	size_t integers; /* literals met so far */
	unsigned n_included;
	bool include_relative, include_absolute;
	bool refused; /* something that libconfig must not see; reported */
};

void scan_fini(struct scan *s);
/** Scan @text (NUL-ended, @len bytes), and the files that it includes, into @s: zero but for `report`.
 * @return false: refused. */
bool scan_text(struct scan *s, const char *text, size_t len);
/** The whole of @path, NUL-ended; the caller frees it. @regular: only of a regular file. NULL: *@why says why
 * not. */
char *scan_read_file(const char *path, bool regular, size_t *len, const char **why);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* report.h - errors of a configuration: collected with where they are, told in the order of lines. */
#ifndef MCBGP_CONFIG_REPORT_H
#define MCBGP_CONFIG_REPORT_H

#include <libconfig.h>

#include "config/load.h"

/** There are no errors beyond this many: what is read after them is not looked at. */
#define REPORT_MOST 1000

struct complaint {
	size_t file; /* number of the file, in order of appearance */
	unsigned line;
	size_t seq; /* order of arrival */
	char *text;
};

struct report {
	char *folder; /* of the file, where relative @include paths begin; "": the working directory */
	char **files; /* [0]: the file itself; then what it includes */
	size_t n_files;
	struct complaint *complaints;
	size_t n;
	bool no_memory;
};

static inline bool report_full(const struct report *r)
{
	return r->n >= REPORT_MOST;
}

int report_init(struct report *r, const char *file); /* 0 or -ENOMEM */
void report_fini(struct report *r);

/** Where the file is that an @include names as @path. The caller frees it; NULL: out of memory. */
char *report_resolve(const struct report *r, const char *path);

/** `FILE:LINE: what`; @included: the file as its @include names it, NULL for the file itself. */
__attribute__((format(printf, 4, 5))) void report_line(struct report *r, const char *included, unsigned line,
                                                       const char *format, ...);
/** `FILE:LINE: path.of.setting: what`; with @member, of that member of @s, which need not exist. */
__attribute__((format(printf, 4, 5))) void report_setting(struct report *r, const config_setting_t *s,
                                                          const char *member, const char *format, ...);

/** Hands the lines to @error, by file and line. @return whether there was any. */
bool report_tell(struct report *r, conf_error_fn error, void *ctx);

#endif

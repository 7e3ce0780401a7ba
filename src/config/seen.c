/* SPDX-License-Identifier: BSD-2-Clause */
/* seen.c - keys met so far, and where; so that a file with 100,000 peers is checked in the time it takes to
 * read it. */
#define HASH_NONFATAL_OOM 1
#include "config/loader.h"

#include <stdlib.h>
#include <uthash.h>

struct seen {
	UT_hash_handle hh; /* head: struct seen *, owns its elements */
	const config_setting_t *where;
	char key[]; /* NUL-ended, whatever it holds */
};

const config_setting_t *seen_add(struct seen **set, const void *key, size_t len,
                                 const config_setting_t *where, struct report *report)
{
	struct seen *s;

	HASH_FIND(hh, *set, key, len, s);
	if (s)
		return s->where;
	s = calloc(1, sizeof(*s) + len + 1);
	if (!s) {
		report->no_memory = true;
		return NULL;
	}
	s->where = where;
	memcpy(s->key, key, len);
	HASH_ADD_KEYPTR(hh, *set, s->key, len, s);
	if (!s->hh.tbl) { /* uthash had no memory for it */
		report->no_memory = true;
		free(s);
	}
	return NULL;
}

const config_setting_t *seen_where(struct seen *set, const void *key, size_t len)
{
	struct seen *s;

	HASH_FIND(hh, set, key, len, s);
	return s ? s->where : NULL;
}

void seen_nearest(const struct seen *set, struct nearest *n)
{
	for (const struct seen *s = set; s; s = s->hh.next)
		nearest_try(n, s->key);
}

void seen_free(struct seen **set)
{
	struct seen *s = *set, *next;

	HASH_CLEAR(hh, *set); /* the table; its elements keep their links */
	for (; s; s = next) {
		next = s->hh.next;
		free(s);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* words.c - see words.h. */
#include "ctl/words.h"

#include <string.h>

#define DISTANCE_MAX 24 /* letters of a word that are compared */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

const char *words_split(char *line, struct words *out)
{
	char *p = line;

	out->n = 0;
	for (;;) {
		struct word *w;
		char *end;

		while (blank(*p))
			p++;
		if (!*p)
			return NULL;
		if (out->n == WORDS_MAX)
			return "too many words";
		w = &out->w[out->n++];
		w->quoted = *p == '"';
		if (w->quoted) {
			w->text = ++p;
			end = strchr(p, '"');
			if (!end)
				return "a quote is not closed";
			if (end[1] && !blank(end[1]))
				return "a blank is missing after a closing quote";
		} else {
			w->text = p;
			end = p + strcspn(p, " \t\r\"");
			if (*end == '"')
				return "a blank is missing before a quote";
		}
		p = *end ? end + 1 : end;
		*end = '\0';
	}
}

int keyword_find(const struct keyword *known, const char *text)
{
	int found = KEYWORD_NONE;
	size_t len = strlen(text);

	for (const struct keyword *k = known; k->word; k++) {
		if (strncmp(k->word, text, len) != 0)
			continue;
		if (!k->word[len])
			return k->value;
		found = found == KEYWORD_NONE ? k->value : KEYWORD_AMBIGUOUS;
	}
	return len ? found : KEYWORD_NONE;
}

bool words_u32(const char *text, uint32_t *out)
{
	uint64_t v = 0;

	if (!*text)
		return false;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		v = 10 * v + (uint64_t)(*p - '0');
		if (v > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)v;
	return true;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned words_distance(const char *a, const char *b)
{
	size_t n = strnlen(b, DISTANCE_MAX);
	unsigned row[DISTANCE_MAX + 1];

	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 0; i < DISTANCE_MAX && a[i]; i++) {
		unsigned corner = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= n; j++) {
			unsigned change = corner + (a[i] != b[j - 1]);

			corner = row[j];
			row[j] = least(change, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[n];
}

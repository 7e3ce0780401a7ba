/* SPDX-License-Identifier: BSD-2-Clause */
/* words.h - a request line cut into words, and abbreviations of known ones. Pure. */
#ifndef MCBGP_CTL_WORDS_H
#define MCBGP_CTL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 32 /* of a request */

struct word {
	const char *text;
	bool quoted; /* "…": a text or a pattern, never a keyword */
};

struct words {
	struct word w[WORDS_MAX];
	size_t n;
};

/** Cut @line in place: blanks separate; "…" is one word, without its quotes (there is no way to write a quote
 * inside). @return NULL, or what is wrong. */
const char *words_split(char *line, struct words *out);

/** A word that is known in some place of a request, and what it means there. */
struct keyword {
	const char *word, *help;
	int value; /* never negative */
};

enum { KEYWORD_NONE = -1, KEYWORD_AMBIGUOUS = -2 };
/** The value of the keyword that @text is, or begins without ambiguity; KEYWORD_*: there is none, or several.
 * @known ends with a row without a word. */
int keyword_find(const struct keyword *known, const char *text);

/** A whole word that is a number of 32 bits. */
bool words_u32(const char *text, uint32_t *out);
/** How many changes of a letter make @a of @b: to name the nearest known word. */
unsigned words_distance(const char *a, const char *b);

#endif

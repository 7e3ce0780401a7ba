/* SPDX-License-Identifier: BSD-2-Clause */
/* AS path expressions: "expression NUL path". What is accepted can be run on anything, and means the same in
 * parentheses, as one of two alternatives, and repeated once. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policy/as_regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define TEXT_MAX 256

/* @format with @text in it gives the answer @want, unless it has become too large or too deep. */
static void check_variant(const char *format, const char *text, const char *path, bool want)
{
	char variant[TEXT_MAX + 16], err[256];
	struct as_regex *re;

	snprintf(variant, sizeof(variant), format, text, text);
	re = as_regex_new(variant, err, sizeof(err));
	if (!re) {
		assert(strstr(err, "too large") || strstr(err, "within one another"));
		return;
	}
	assert(as_regex_match(re, path) == want);
	as_regex_free(re);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[TEXT_MAX], err[256] = "";
	struct as_regex *re;
	const char *path;
	bool want;

	if (len >= sizeof(text) / 2)
		return 0;
	if (len)
		memcpy(text, data, len);
	text[len] = text[len + 1] = '\0';
	path = text + strlen(text) + 1;
	re = as_regex_new(text, err, sizeof(err));
	if (!re) {
		assert(*err);
		return 0;
	}
	want = as_regex_match(re, path);
	as_regex_free(re);
	check_variant("(%s)", text, path, want);
	check_variant("(%s){1,1}", text, path, want);
	check_variant("%s|%s", text, path, want);
	check_variant("^.*(%s).*$", text, path, want && strspn(path, "0123456789 {}()") == strlen(path));
	return 0;
}

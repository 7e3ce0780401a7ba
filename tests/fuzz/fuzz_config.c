/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration: what is refused has a reason; what is taken means the same when it is read again. */
#include "config/load.h"

#include <assert.h>
#include <stdlib.h>

#include "config/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets the string that it was reading when it finds a syntax error. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

/* Every line names the file and says something of it. */
static void count(void *ctx, const char *line)
{
	assert(strncmp(line, "fuzz:", 5) == 0 && line[5]);
	for (const char *p = line; *p; p++)
		assert((unsigned char)*p >= ' ');
	++*(unsigned *)ctx;
}

static void check_same(const struct conf *a, const struct conf *b)
{
	assert(diff_router_identity_same(a, b));
	assert(a->n_peers == b->n_peers && a->n_tunnels == b->n_tunnels && a->n_statics == b->n_statics);
	for (size_t i = 0; i < a->n_peers; i++) {
		assert(diff_peer(&a->peers[i], &b->peers[i], a, b) == 1u << PEER_SAME);
		assert(a->peers[i].remote_as && a->peers[i].local_as);
		assert(a->peers[i].is_range == !a->peers[i].address.family);
	}
	for (size_t i = 0; i < a->n_tunnels; i++)
		assert(diff_tunnel_same(&a->tunnels[i], &b->tunnels[i]));
	for (size_t i = 0; i < a->n_statics; i++)
		assert(diff_static_same(&a->statics[i], &b->statics[i]));
	for (size_t i = 0; i < a->n_filters; i++)
		assert(filter_equal(a->filters[i], b->filters[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned errors = 0;
	struct conf *a, *b;
	char *text;

	if (memmem(data, len, "@include", 8)) /* reads files: not from here */
		return 0;
	text = malloc(len + 1);
	if (!text)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	a = conf_load_text("fuzz", text, len, count, &errors);
	assert(!a == (errors > 0));
	if (a) {
		b = conf_load_text("fuzz", text, len, count, &errors);
		assert(b);
		check_same(a, b);
		conf_free(b);
	}
	conf_free(a);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_aspath.c - the laws of AS_PATH algebra, over any two paths that aspath_check() accepts. The first byte
 * chooses the size of the numbers, the next two how many bytes the first path has. */
#include "bgp/aspath.h"
#include "mcbgp/bgp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct path {
	uint8_t b[1 << 18];
	struct blob blob;
};

static struct writer sink(struct path *p)
{
	return wr_init(p->b, sizeof(p->b));
}

static struct blob written(struct path *p, const struct writer *w)
{
	assert(!w->bad);
	p->blob = (struct blob){ p->b, (uint32_t)(w->p - p->b) };
	assert(aspath_check(rd_init(p->blob.p, p->blob.len), 4));
	return p->blob;
}

static bool same(struct blob a, struct blob b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* The canonical form of a path on the wire. @return false: not a path. */
static bool take(struct path *p, const uint8_t *b, size_t len, unsigned as_size)
{
	struct writer w = sink(p);

	if (!aspath_check(rd_init(b, len), as_size))
		return false;
	if (as_size == 2)
		aspath_widen(rd_init(b, len), &w);
	else
		wr_bytes(&w, b, len);
	written(p, &w);
	return true;
}

static void check_narrow(struct blob path)
{
	static struct path two, back;
	struct writer w = sink(&two);

	aspath_narrow(path, &w);
	assert(!w.bad && take(&back, two.b, (size_t)(w.p - two.b), 2));
	assert(aspath_len(back.blob) == aspath_len(path));
	assert(!aspath_needs_as4(path) || !same(back.blob, path));
	assert(aspath_has_confed(path) || aspath_needs_as4(path) || same(back.blob, path));
}

static void check_without_confed(struct blob path)
{
	static struct path out;
	struct writer w = sink(&out);

	aspath_without_confed(path, &w);
	written(&out, &w);
	assert(!aspath_has_confed(out.blob));
	assert(aspath_len(out.blob) == aspath_len(path));
	assert(aspath_has_confed(path) || same(out.blob, path));
}

static void check_print(struct blob path)
{
	static char buf[1 << 18];
	char cut[24];
	size_t len = aspath_print(path, buf, sizeof(buf));

	assert(len == strlen(buf) && aspath_print(path, cut, sizeof(cut)) == len);
	assert(strncmp(cut, buf, strlen(cut)) == 0);
	assert((len == 0) == (path.len == 0));
}

static void check_prepend(struct blob path, uint32_t as, unsigned times)
{
	static struct path out;
	struct writer w = sink(&out);
	unsigned len = aspath_len(path) + times;

	aspath_prepend(path, as, times, &w);
	written(&out, &w);
	assert(aspath_len(out.blob) == (len < UINT16_MAX ? len : UINT16_MAX));
	assert(aspath_count(out.blob, as) == aspath_count(path, as) + times);
	assert(aspath_origin(out.blob) == (path.len ? aspath_origin(path) : times ? as : 0));
	if (times)
		assert(aspath_first(out.blob) == as);
	else
		assert(same(out.blob, path));
}

static void check_merge(struct blob path, struct blob as4)
{
	static struct path out;
	struct writer w = sink(&out);

	aspath_merge(path, as4, &w);
	written(&out, &w);
	assert(aspath_len(out.blob) == aspath_len(path));
	if (aspath_len(path) < aspath_len(as4))
		assert(same(out.blob, path));
}

static void check_edits(struct blob path)
{
	static struct path out, again;
	struct writer w = sink(&out);

	aspath_remove_private(path, &w);
	written(&out, &w);
	assert(aspath_count(out.blob, 64512) == 0 && aspath_count(out.blob, 4294967294) == 0);
	w = sink(&again);
	aspath_remove_private(out.blob, &w);
	assert(same(written(&again, &w), out.blob));

	w = sink(&out);
	aspath_replace(path, 1, 2, &w);
	written(&out, &w);
	assert(aspath_count(out.blob, 1) == 0);
	assert(aspath_count(out.blob, 2) == aspath_count(path, 1) + aspath_count(path, 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct path a, b;
	unsigned as_size;
	size_t first;

	if (len < 3 || len > 4096)
		return 0;
	as_size = data[0] & 1 ? 2 : 4;
	first = (size_t)(data[1] << 8 | data[2]) % (len - 2);
	if (!take(&a, data + 3, first, as_size) || !take(&b, data + 3 + first, len - 3 - first, 4))
		return 0;
	check_narrow(a.blob);
	check_without_confed(a.blob);
	check_print(a.blob);
	check_prepend(a.blob, 65000, data[0]);
	check_merge(a.blob, b.blob);
	check_edits(a.blob);
	return 0;
}

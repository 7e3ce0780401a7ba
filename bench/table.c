/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: made-up routing tables
 *
 * What a daemon does with a table depends on its shape more than on its content: how long prefixes are, how
 * they nest, how many share their attributes, in what order they come. The shape here is that of the
 * Internet's table of 2025 - 60 % /24, aggregates with more specific ones inside, sets of attributes whose
 * sizes have a long tail
 * - and everything else is random from a fixed seed. 10/8 is left to the laboratory's own network. */
#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/update.h"

#define PATH_MAX 6u /* AS numbers, without what is prepended */

struct route {
	uint32_t addr; /* host byte order */
	uint8_t len;
	bool alone;
};

struct table {
	uint32_t count, groups;
	struct route *routes;  /* in order of announcing */
	uint32_t *group_first; /* groups + 1 places: the first route of each set of attributes */
	uint32_t *slots;       /* open addressing by prefix: index + 1, 0: empty */
	uint32_t slot_mask;
};

/* splitmix64 */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t draw(uint64_t *seed)
{
	return mix((*seed)++);
}

/* ---- prefixes ---------------------------------------------------------------------------------- */

static uint8_t draw_length(uint64_t *seed)
{
	static const struct {
		uint8_t len;
		uint16_t per_mille;
	} mix_of_lengths[] = { { 24, 600 }, { 23, 95 }, { 22, 125 }, { 21, 50 }, { 20, 50 },
		               { 19, 35 },  { 18, 20 }, { 17, 10 },  { 16, 15 } };
	unsigned at = draw(seed) % 1000;
	size_t i = 0;

	while (at >= mix_of_lengths[i].per_mille)
		at -= mix_of_lengths[i++].per_mille;
	return mix_of_lengths[i].len;
}

/* Where the search for the next prefix goes on. Half of a large block's space stays open for more specific
 * ones. */
static uint32_t behind(uint32_t addr, uint8_t len)
{
	uint32_t size = UINT32_C(1) << (32 - len);

	return addr + (len >= 20 ? size : size / 8);
}

static void make_prefixes(struct route *routes, uint32_t count)
{
	uint32_t cursor = UINT32_C(1) << 24, covered = 0;
	uint64_t seed = 1;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t len = draw_length(&seed);
		uint32_t size = UINT32_C(1) << (32 - len);
		uint32_t addr = (cursor + size - 1) & ~(size - 1);

		if (addr >> 24 == 10 || addr >> 24 == 127)
			addr = ((addr >> 24) + 1) << 24;
		assert(addr >> 24 < 224);
		routes[i] = (struct route){ .addr = addr, .len = len, .alone = addr >= covered };
		if (addr + size > covered)
			covered = addr + size;
		cursor = behind(addr, len);
	}
}

/* ---- order and groups -------------------------------------------------------------------------- */

/* Sizes of sets, six on the average: most have a prefix or two, a few have many. */
static uint32_t draw_run(uint64_t *seed)
{
	static const uint8_t sizes[] = { 1, 1, 1, 1, 2, 2, 3, 5, 10, 34 };

	return sizes[draw(seed) % (sizeof(sizes) / sizeof(*sizes))];
}

/* Cuts 0..count into runs; returns how many, their beginnings in @first, which has room for count + 1. */
static uint32_t cut_runs(uint32_t count, uint32_t *first)
{
	uint32_t runs = 0;
	uint64_t seed = 2;

	for (uint32_t at = 0; at < count; at += draw_run(&seed))
		first[runs++] = at;
	first[runs] = count;
	return runs;
}

static void shuffle(uint32_t *v, uint32_t n)
{
	uint64_t seed = 3;

	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = (uint32_t)(draw(&seed) % i), keep = v[i - 1];

		v[i - 1] = v[j];
		v[j] = keep;
	}
}

/* Copies @from to t->routes run by run, and lets @runs_per_group of them share attributes (0: all). */
static bool arrange(struct table *t, const struct route *from, uint32_t runs_per_group, bool sorted)
{
	uint32_t *first = malloc((t->count + 1) * sizeof(*first));
	uint32_t *order = malloc((t->count + 1) * sizeof(*order));
	uint32_t runs, at = 0;
	bool ok = first && order;

	if (!ok)
		goto out;
	runs = cut_runs(t->count, first);
	for (uint32_t i = 0; i < runs; i++)
		order[i] = i;
	if (!sorted)
		shuffle(order, runs);
	for (uint32_t i = 0; i < runs; i++) {
		uint32_t n = first[order[i] + 1] - first[order[i]];

		if (runs_per_group ? i % runs_per_group == 0 : i == 0)
			t->group_first[t->groups++] = at;
		memcpy(t->routes + at, from + first[order[i]], n * sizeof(*from));
		at += n;
	}
	t->group_first[t->groups] = t->count;
out:
	free(first);
	free(order);
	return ok;
}

/* ---- finding ----------------------------------------------------------------------------------- */

uint64_t table_hash(uint32_t addr, uint8_t len)
{
	return mix((uint64_t)addr << 8 | len);
}

uint64_t table_sum(const struct table *t, uint32_t first, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = first; i < first + count; i++)
		sum += table_hash(t->routes[i].addr, t->routes[i].len);
	return sum;
}

static uint32_t slot_of(const struct table *t, uint32_t addr, uint8_t len)
{
	return (uint32_t)table_hash(addr, len) & t->slot_mask;
}

static bool make_index(struct table *t)
{
	uint32_t slots = 1;

	while (slots < t->count * 2)
		slots *= 2;
	t->slots = calloc(slots, sizeof(*t->slots));
	t->slot_mask = slots - 1;
	if (!t->slots)
		return false;
	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t s = slot_of(t, t->routes[i].addr, t->routes[i].len);

		while (t->slots[s])
			s = (s + 1) & t->slot_mask;
		t->slots[s] = i + 1;
	}
	return true;
}

uint32_t table_find(const struct table *t, uint32_t addr, uint8_t len)
{
	for (uint32_t s = slot_of(t, addr, len); t->slots[s]; s = (s + 1) & t->slot_mask) {
		const struct route *r = &t->routes[t->slots[s] - 1];

		if (r->addr == addr && r->len == len)
			return t->slots[s] - 1;
	}
	return UINT32_MAX;
}

/* ---- the table --------------------------------------------------------------------------------- */

struct table *table_new(uint32_t count, uint32_t share, bool sorted)
{
	struct table *t = NULL;
	struct route *by_address = NULL;

	if (!count || count > TABLE_MAX)
		return NULL;
	t = calloc(1, sizeof(*t));
	by_address = malloc(count * sizeof(*by_address));
	if (!t || !by_address)
		goto fail;
	t->count = count;
	t->routes = malloc(count * sizeof(*t->routes));
	t->group_first = malloc((count + 1) * sizeof(*t->group_first));
	if (!t->routes || !t->group_first)
		goto fail;
	make_prefixes(by_address, count);
	if (!arrange(t, by_address, share ? (share + 5) / 6 : 0, sorted) || !make_index(t))
		goto fail;
	free(by_address);
	return t;
fail:
	free(by_address);
	table_free(t);
	return NULL;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	free(t->routes);
	free(t->group_first);
	free(t->slots);
	free(t);
}

uint32_t table_count(const struct table *t)
{
	return t->count;
}

uint32_t table_addr(const struct table *t, uint32_t i)
{
	return t->routes[i].addr;
}

uint8_t table_len(const struct table *t, uint32_t i)
{
	return t->routes[i].len;
}

bool table_alone(const struct table *t, uint32_t i)
{
	return t->routes[i].alone;
}

static uint32_t group_of(const struct table *t, uint32_t i)
{
	uint32_t low = 0, high = t->groups;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (t->group_first[mid] <= i)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* ---- messages ---------------------------------------------------------------------------------- */

static const struct codec_ctx codec = { .as4 = true, .families = FAM_BIT(FAM_IPV4) };

/* A set of attributes and the bytes it points into. */
struct made_attrs {
	struct attrs a;
	uint8_t path[2 + (PATH_MAX + PREPEND_MAX) * 4], communities[12 * 4], large[2 * 12];
};

static void make_path(struct made_attrs *m, uint32_t group, const struct origin *o, uint64_t *seed)
{
	unsigned transit = draw(seed) % (PATH_MAX - 1); /* between the feed and the origin */
	unsigned len = 1 + o->prepend + transit + 1;
	struct writer w = wr_init(m->path, sizeof(m->path));

	wr_u8(&w, BGP_AS_SEQUENCE);
	wr_u8(&w, (uint8_t)len);
	for (unsigned i = 0; i <= o->prepend; i++)
		wr_u32(&w, o->as);
	for (unsigned i = 0; i < transit; i++)
		wr_u32(&w, (uint32_t)(1000 + draw(seed) % 30000));
	wr_u32(&w, 200000 + o->variant * TABLE_MAX + group);
	assert(!w.bad);
	m->a.as_path = (struct blob){ m->path, (uint32_t)(w.p - m->path) };
	m->a.path_len = (uint16_t)len;
}

static void make_communities(struct made_attrs *m, uint64_t *seed)
{
	unsigned n = draw(seed) % 10, large = draw(seed) % 4 ? 0 : 2;
	uint32_t last = 0;

	for (unsigned i = 0; i < n; i++) { /* ascending, so that nobody has to sort */
		last += (uint32_t)(1 + draw(seed) % (UINT32_C(1) << 27));
		wr_put_u32(m->communities + 4 * i, last);
	}
	for (unsigned i = 0; i < large; i++) {
		wr_put_u32(m->large + 12 * i, 64512);
		wr_put_u32(m->large + 12 * i + 4, i);
		wr_put_u32(m->large + 12 * i + 8, (uint32_t)draw(seed) % 1000);
	}
	if (n) {
		m->a.present |= ATTR_BIT(BGP_ATTR_COMMUNITIES);
		m->a.communities = (struct blob){ m->communities, 4 * n };
	}
	if (large) {
		m->a.present |= ATTR_BIT(BGP_ATTR_LARGE_COMMUNITIES);
		m->a.large_communities = (struct blob){ m->large, 12 * large };
	}
}

/* The origin's AS makes sets of different groups different. */
static void make_attrs(struct made_attrs *m, uint32_t group, const struct origin *o)
{
	uint64_t seed = mix((uint64_t)group << 8 | o->variant);

	m->a = (struct attrs){ 0 };
	m->a.present = ATTR_BIT(BGP_ATTR_ORIGIN) | ATTR_BIT(BGP_ATTR_AS_PATH) | ATTR_BIT(BGP_ATTR_NEXT_HOP);
	m->a.origin = draw(&seed) % 8 ? BGP_ORIGIN_IGP : BGP_ORIGIN_INCOMPLETE;
	m->a.next_hop = ip_v4(o->next_hop);
	make_path(m, group, o, &seed);
	make_communities(m, &seed);
	if (draw(&seed) % 3 == 0) {
		m->a.present |= ATTR_BIT(BGP_ATTR_MED);
		m->a.med = (uint32_t)(draw(&seed) % 200);
	}
}

static struct prefix prefix_of(const struct route *r)
{
	struct ip addr = ip_v4(r->addr);

	return prefix_make(&addr, r->len);
}

static bool append(struct messages *m, size_t *room, const uint8_t *bytes, size_t len)
{
	if (m->len + len > *room) {
		size_t more = *room ? *room * 2 : 65536;
		uint8_t *grown = realloc(m->bytes, more);

		if (!grown)
			return false;
		m->bytes = grown;
		*room = more;
	}
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
	return true;
}

/* Packs @count routes from @first on behind @a (NULL: withdraws) into as many messages as it takes. */
static bool pack(const struct table *t, uint32_t first, uint32_t count, const struct attrs *a,
                 struct messages *out, size_t *room)
{
	uint8_t buf[BGP_MAX_LEN];
	struct update_packer p;

	for (uint32_t i = first; i < first + count;) {
		bool begun = update_pack_begin(&p, buf, sizeof(buf), &codec, FAM_IPV4, a);

		assert(begun);
		for (; i < first + count; i++) {
			struct prefix prefix = prefix_of(&t->routes[i]);

			if (!update_pack_add(&p, &prefix, 0))
				break;
		}
		if (!append(out, room, buf, update_pack_end(&p)))
			return false;
	}
	return true;
}

bool table_announce(const struct table *t, uint32_t first, uint32_t count, const struct origin *o,
                    struct messages *out)
{
	uint32_t end = first + count;
	size_t room = 0;

	*out = (struct messages){ 0 };
	for (uint32_t g = group_of(t, first); first < end; g++) {
		uint32_t upto = t->group_first[g + 1] < end ? t->group_first[g + 1] : end;
		struct made_attrs m;

		make_attrs(&m, g, o);
		if (!pack(t, first, upto - first, &m.a, out, &room)) {
			messages_free(out);
			return false;
		}
		first = upto;
	}
	return true;
}

bool table_withdraw(const struct table *t, uint32_t first, uint32_t count, struct messages *out)
{
	size_t room = 0;

	*out = (struct messages){ 0 };
	if (pack(t, first, count, NULL, out, &room))
		return true;
	messages_free(out);
	return false;
}

size_t table_announce_one(const struct table *t, uint32_t i, const struct origin *o, uint8_t *buf)
{
	struct prefix prefix = prefix_of(&t->routes[i]);
	struct made_attrs m;
	struct update_packer p;
	bool fits;

	make_attrs(&m, group_of(t, i), o);
	fits = update_pack_begin(&p, buf, BGP_MAX_LEN, &codec, FAM_IPV4, &m.a) &&
	       update_pack_add(&p, &prefix, 0);
	assert(fits);
	return update_pack_end(&p);
}

void messages_free(struct messages *m)
{
	free(m->bytes);
	*m = (struct messages){ 0 };
}

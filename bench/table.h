/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h - routing tables made up by rule: the same arguments give the same table on every machine.
 *
 * Prefixes have the Internet's mix of lengths, aggregates cover more specific ones, and what shares a set of
 * attributes lies together. A route is known by its index, which is also the order of announcing. */
#ifndef MCBGP_BENCH_TABLE_H
#define MCBGP_BENCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

#define TABLE_MAX   2000000u
#define PREPEND_MAX 4u

/** @count prefixes, @share of them to a set of attributes on the average (0: one set for all). @sorted:
 * announced by address, else in random order, neighbors mostly together. NULL: out of memory, or @count is 0
 * or above TABLE_MAX. */
struct table *table_new(uint32_t count, uint32_t share, bool sorted);
void table_free(struct table *t); /* NULL is fine */

uint32_t table_count(const struct table *t);
uint32_t table_addr(const struct table *t, uint32_t i); /* host byte order */
uint8_t table_len(const struct table *t, uint32_t i);
/** No other prefix of the table covers this one: its route is gone when its address is unreachable. */
bool table_alone(const struct table *t, uint32_t i);
/** The index of a prefix; UINT32_MAX: not of this table. */
uint32_t table_find(const struct table *t, uint32_t addr, uint8_t len);

/** A number that a set of prefixes has whatever their order: the sum of these over all of them. */
uint64_t table_hash(uint32_t addr, uint8_t len);
uint64_t table_sum(const struct table *t, uint32_t first, uint32_t count);

/** What one speaker says: whole messages, ready for write(2). */
struct messages {
	uint8_t *bytes;
	size_t len;
};

/** Who says it. */
struct origin {
	uint32_t as;       /* first in every AS_PATH */
	uint32_t next_hop; /* host byte order */
	unsigned variant;  /* another number, other attributes */
	unsigned prepend;  /* times that `as` is there once more, at most PREPEND_MAX */
};

/** UPDATEs announcing @count routes from @first on. false: out of memory. */
bool table_announce(const struct table *t, uint32_t first, uint32_t count, const struct origin *o,
                    struct messages *out);
/** UPDATEs withdrawing them, packed full. false: out of memory. */
bool table_withdraw(const struct table *t, uint32_t first, uint32_t count, struct messages *out);
/** One UPDATE for one route into @buf (BGP_MAX_LEN bytes). @return its length. */
size_t table_announce_one(const struct table *t, uint32_t i, const struct origin *o, uint8_t *buf);
void messages_free(struct messages *m);

#endif

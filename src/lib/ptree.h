/* SPDX-License-Identifier: BSD-2-Clause */
/* ptree.h - Patricia tree keyed by prefix: exact match, longest match, ordered walks. One tree holds one or
 * both families.
 *
 * Nodes are the caller's (embed a struct ptree_node); the tree allocates only its inner branch nodes. */
#ifndef MCBGP_LIB_PTREE_H
#define MCBGP_LIB_PTREE_H

#include "lib/prefix.h"

struct ptree_node {
	struct prefix prefix; /* set by ptree_insert(); not to be changed while in the tree */
	bool branch;          /* an inner node of the tree's own, never handed out */
	struct ptree_node *parent, *child[2];
};

struct ptree {
	struct ptree_node *root[2]; /* IPv4, IPv6 */
	size_t count;               /* the caller's nodes */
	struct ptree_node *spare;   /* branch nodes in reserve, so that ptree_remove() cannot fail */
};

void ptree_init(struct ptree *t);
/** Frees the inner nodes; the caller's nodes are forgotten, not freed: those still in the tree must be alive.
 */
void ptree_fini(struct ptree *t);
/** Insert @n under @p. @return NULL when inserted; the node that already has this prefix; or @n itself when
 * out of memory. */
struct ptree_node *ptree_insert(struct ptree *t, struct ptree_node *n, const struct prefix *p);
void ptree_remove(struct ptree *t, struct ptree_node *n);
struct ptree_node *ptree_find(const struct ptree *t, const struct prefix *p);  /* exact */
struct ptree_node *ptree_match(const struct ptree *t, const struct prefix *p); /* longest that contains @p */
struct ptree_node *ptree_match_ip(const struct ptree *t, const struct ip *a);
struct ptree_node *ptree_less_specific(const struct ptree_node *n); /* next shorter match, or NULL */
/** The first node, in the order of the walk, whose prefix is @p or lies within it; NULL: none. Those that
 * follow it within @p follow it in the walk. */
struct ptree_node *ptree_first_within(const struct ptree *t, const struct prefix *p);
/** Walk in the order of prefix_cmp() (IPv4 first). The node handed out may be removed before asking for the
 * next one only if the next one was asked for first. */
struct ptree_node *ptree_first(const struct ptree *t);
struct ptree_node *ptree_next(const struct ptree *t, const struct ptree_node *n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: the Patricia tree.
 *
 * Each node stands for its prefix, and everything below it lies within that prefix; the bit behind the prefix
 * chooses the child. A branch node of the tree's own stands where two subtrees part and no caller's node has
 * that prefix; it always has both children. Pre-order is then the order of prefix_cmp().
 *
 * Removal must not fail, yet taking out a node with two children needs a branch in its place. So the tree
 * keeps one branch in reserve for every caller's node with two children, allocated when the second child
 * came. */
#include "lib/ptree.h"

#include <assert.h>
#include <stdlib.h>

void ptree_init(struct ptree *t)
{
	*t = (struct ptree){ 0 };
}

static struct ptree_node **root_of(const struct ptree *t, uint8_t family)
{
	assert(family == IP_V4 || family == IP_V6);
	return (struct ptree_node **)&t->root[family == IP_V6];
}

static bool has_two_children(const struct ptree_node *n)
{
	return n->child[0] && n->child[1];
}

/* Which child of @n leads to @a; @a lies within @n and is longer. */
static unsigned side(const struct ptree_node *n, const struct ip *a)
{
	return ip_bit(a, n->prefix.len);
}

/* The pointer that holds @n: its parent's, or the root. */
static struct ptree_node **slot_of(struct ptree *t, const struct ptree_node *n)
{
	struct ptree_node *up = n->parent;

	return up ? &up->child[up->child[1] == n] : root_of(t, n->prefix.addr.family);
}

static void adopt(struct ptree_node *parent, unsigned which, struct ptree_node *child)
{
	parent->child[which] = child;
	if (child)
		child->parent = parent;
}

/* @n takes over the children of @old, and its place. */
static void replace(struct ptree_node **slot, const struct ptree_node *old, struct ptree_node *n)
{
	n->parent = old->parent;
	adopt(n, 0, old->child[0]);
	adopt(n, 1, old->child[1]);
	*slot = n;
}

static bool reserve_branch(struct ptree *t)
{
	struct ptree_node *b = calloc(1, sizeof(*b));

	if (!b)
		return false;
	b->branch = true;
	b->child[0] = t->spare;
	t->spare = b;
	return true;
}

static struct ptree_node *take_spare(struct ptree *t)
{
	struct ptree_node *b = t->spare;

	assert(b);
	t->spare = b->child[0];
	b->child[0] = NULL;
	return b;
}

static void give_spare(struct ptree *t, struct ptree_node *b)
{
	*b = (struct ptree_node){ .branch = true, .child = { t->spare, NULL } };
	t->spare = b;
}

/* A place in the tree: the pointer that would hold a node, and the node above it. */
struct place {
	struct ptree_node *up, **slot;
};

/* Descend to where @p belongs: the slot is empty, or holds a node that does not properly contain @p. */
static struct place descend(struct ptree *t, const struct prefix *p)
{
	struct place at = { NULL, root_of(t, p->addr.family) };

	while (*at.slot && (*at.slot)->prefix.len < p->len && prefix_contains(&(*at.slot)->prefix, p)) {
		at.up = *at.slot;
		at.slot = &at.up->child[side(at.up, &p->addr)];
	}
	return at;
}

/* @n, a leaf, into the empty place @at. */
static bool insert_leaf(struct ptree *t, struct place at, struct ptree_node *n)
{
	if (at.up && !at.up->branch && (at.up->child[0] || at.up->child[1]) && !reserve_branch(t))
		return false;
	n->parent = at.up;
	*at.slot = n;
	return true;
}

/* @n between the place @at and the node there, which lies within @n. */
static void insert_above(struct place at, struct ptree_node *n)
{
	struct ptree_node *below = *at.slot;

	n->parent = at.up;
	*at.slot = n;
	adopt(n, side(n, &below->prefix.addr), below);
}

/* @n beside the node at @at, under a new branch. */
static bool insert_beside(struct ptree *t, struct place at, struct ptree_node *n)
{
	struct ptree_node *other = *at.slot, *b;

	if (!reserve_branch(t))
		return false;
	b = take_spare(t);
	b->prefix =
	        prefix_make(&n->prefix.addr, (uint8_t)ip_common_bits(&n->prefix.addr, &other->prefix.addr));
	b->parent = at.up;
	*at.slot = b;
	adopt(b, side(b, &n->prefix.addr), n);
	adopt(b, side(b, &other->prefix.addr), other);
	return true;
}

struct ptree_node *ptree_insert(struct ptree *t, struct ptree_node *n, const struct prefix *p)
{
	struct place at = descend(t, p);
	struct ptree_node *found = *at.slot;

	if (found && !found->branch && prefix_equal(&found->prefix, p))
		return found;
	*n = (struct ptree_node){ .prefix = *p };
	if (!found) {
		if (!insert_leaf(t, at, n))
			return n;
	} else if (prefix_equal(&found->prefix, p)) {
		replace(at.slot, found, n);
		give_spare(t, found);
	} else if (prefix_contains(p, &found->prefix)) {
		insert_above(at, n);
	} else if (!insert_beside(t, at, n)) {
		return n;
	}
	t->count++;
	return NULL;
}

/* @child (or nothing) in the place of @n. */
static void splice(struct ptree *t, const struct ptree_node *n, struct ptree_node *child)
{
	*slot_of(t, n) = child;
	if (child)
		child->parent = n->parent;
}

static void remove_leaf(struct ptree *t, const struct ptree_node *n)
{
	struct ptree_node *up = n->parent;
	bool up_was_full = up && has_two_children(up);

	splice(t, n, NULL);
	if (!up_was_full)
		return;
	if (up->branch) {
		splice(t, up, up->child[0] ? up->child[0] : up->child[1]);
		free(up);
	} else {
		free(take_spare(t));
	}
}

void ptree_remove(struct ptree *t, struct ptree_node *n)
{
	struct ptree_node *b;

	assert(!n->branch && t->count > 0);
	if (has_two_children(n)) {
		b = take_spare(t);
		b->prefix = n->prefix;
		replace(slot_of(t, n), n, b);
	} else if (n->child[0] || n->child[1]) {
		splice(t, n, n->child[0] ? n->child[0] : n->child[1]);
	} else {
		remove_leaf(t, n);
	}
	n->parent = n->child[0] = n->child[1] = NULL;
	t->count--;
}

struct ptree_node *ptree_find(const struct ptree *t, const struct prefix *p)
{
	struct ptree_node *n = *root_of(t, p->addr.family);

	while (n && n->prefix.len < p->len)
		n = n->child[side(n, &p->addr)];
	return n && !n->branch && prefix_equal(&n->prefix, p) ? n : NULL;
}

struct ptree_node *ptree_match(const struct ptree *t, const struct prefix *p)
{
	struct ptree_node *n = *root_of(t, p->addr.family), *best = NULL;

	while (n && prefix_contains(&n->prefix, p)) {
		if (!n->branch)
			best = n;
		n = n->prefix.len < p->len ? n->child[side(n, &p->addr)] : NULL;
	}
	return best;
}

struct ptree_node *ptree_match_ip(const struct ptree *t, const struct ip *a)
{
	struct prefix host = { *a, ip_bits(a->family) };

	return host.len ? ptree_match(t, &host) : NULL;
}

struct ptree_node *ptree_less_specific(const struct ptree_node *n)
{
	struct ptree_node *up = n->parent;

	while (up && up->branch)
		up = up->parent;
	return up;
}

/* @n, or the caller's node that comes next. A branch has children, so there is one. */
static struct ptree_node *skip_branches(struct ptree_node *n)
{
	while (n && n->branch)
		n = n->child[0];
	return n;
}

struct ptree_node *ptree_first_within(const struct ptree *t, const struct prefix *p)
{
	struct ptree_node *n = *root_of(t, p->addr.family);

	while (n && n->prefix.len < p->len)
		n = n->child[side(n, &p->addr)];
	return n && prefix_contains(p, &n->prefix) ? skip_branches(n) : NULL;
}

/* What follows @n in pre-order when its own subtree is done; NULL at the end of the family. */
static struct ptree_node *after_subtree(const struct ptree_node *n)
{
	for (const struct ptree_node *up = n->parent; up; n = up, up = up->parent) {
		if (up->child[1] && up->child[1] != n)
			return up->child[1];
	}
	return NULL;
}

static struct ptree_node *step(const struct ptree_node *n)
{
	if (n->child[0])
		return n->child[0];
	return n->child[1] ? n->child[1] : after_subtree(n);
}

struct ptree_node *ptree_first(const struct ptree *t)
{
	return skip_branches(t->root[0] ? t->root[0] : t->root[1]);
}

struct ptree_node *ptree_next(const struct ptree *t, const struct ptree_node *n)
{
	struct ptree_node *next = step(n);

	if (!next && n->prefix.addr.family == IP_V4)
		next = t->root[1];
	return skip_branches(next);
}

/* The deepest node reached by going left first: where a post-order walk of @n's subtree begins. */
static struct ptree_node *first_leaf(struct ptree_node *n)
{
	while (n->child[0] || n->child[1])
		n = n->child[0] ? n->child[0] : n->child[1];
	return n;
}

/* Frees the branches of one family in post-order: a node's links are read before it goes. */
static void free_branches(struct ptree_node *root)
{
	struct ptree_node *n = root ? first_leaf(root) : NULL, *up;

	while (n) {
		up = n->parent;
		if (up && up->child[0] == n && up->child[1])
			up = first_leaf(up->child[1]);
		if (n->branch)
			free(n);
		n = up;
	}
}

void ptree_fini(struct ptree *t)
{
	free_branches(t->root[0]);
	free_branches(t->root[1]);
	while (t->spare)
		free(take_spare(t));
	ptree_init(t);
}

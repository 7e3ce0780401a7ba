/* SPDX-License-Identifier: BSD-2-Clause */
/* group_paths.c - what an ADD-PATH group has told its members, path by path. Groups without ADD-PATH have
 * nothing here: for them a bit per prefix says all. */
#include <stdlib.h>
#include <string.h>

#include "rib/group.h"

const struct sent_paths *group_paths(const struct group *g, enum family f, dest_id id)
{
	return id < g->n_paths[f] ? g->paths[f][id] : NULL;
}

static bool reserve(struct group *g, enum family f, dest_id id)
{
	uint32_t n = table_end(&g->rib->tables[f]);
	struct sent_paths **grown;

	if (id < g->n_paths[f])
		return true;
	n += n / 2;
	grown = reallocarray(g->paths[f], n, sizeof(struct sent_paths *));
	if (!grown)
		return false;
	memset(grown + g->n_paths[f], 0, (n - g->n_paths[f]) * sizeof(struct sent_paths *));
	g->paths[f] = grown;
	g->n_paths[f] = n;
	return true;
}

static struct sent_paths *paths_new(const struct sent_path *path, uint32_t n)
{
	struct sent_paths *s = malloc(sizeof(*s) + n * sizeof(*path));

	if (!s)
		return NULL;
	s->n = n;
	memcpy(s->path, path, n * sizeof(*path));
	return s;
}

static void paths_free(struct rib *r, struct sent_paths *s)
{
	for (uint32_t i = 0; s && i < s->n; i++)
		attrs_unref(r->attrs, s->path[i].attrs);
	free(s);
}

bool group_paths_set(struct group *g, enum family f, dest_id id, const struct sent_path *path, uint32_t n)
{
	struct sent_paths *s = NULL;

	if (!n && !group_paths(g, f, id))
		return true;
	if (!reserve(g, f, id))
		return false;
	if (n && !(s = paths_new(path, n)))
		return false;
	paths_free(g->rib, g->paths[f][id]);
	g->paths[f][id] = s;
	return true;
}

void group_paths_forget(struct group *g, enum family f, dest_id id, uint32_t path)
{
	struct sent_paths *s = g->paths[f][id];
	uint32_t i = 0;

	while (s->path[i].id != path)
		i++;
	attrs_unref(g->rib->attrs, s->path[i].attrs);
	s->path[i] = s->path[--s->n];
	if (s->n)
		return;
	free(s);
	g->paths[f][id] = NULL;
}

static bool copy_dest(struct group *to, enum family f, dest_id id, const struct sent_paths *s)
{
	if (!group_paths_set(to, f, id, s->path, s->n))
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		attrs_ref(s->path[i].attrs);
	return true;
}

bool group_paths_copy(struct group *to, const struct group *from)
{
	for (enum family f = 0; f < FAM_COUNT; f++)
		for (dest_id id = 0; id < from->n_paths[f]; id++)
			if (from->paths[f][id] && !copy_dest(to, f, id, from->paths[f][id]))
				return false;
	return true;
}

void group_paths_free(struct group *g)
{
	for (enum family f = 0; f < FAM_COUNT; f++) {
		for (dest_id id = 0; id < g->n_paths[f]; id++)
			paths_free(g->rib, g->paths[f][id]);
		free(g->paths[f]);
	}
}

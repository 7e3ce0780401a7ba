/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.c - the end of a snapshot, looking up by name in one, and a text that several must read alike. */
#include "config/conf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void tunnel_fini(struct conf_tunnel *t)
{
	for (size_t i = 0; i < t->n_peers; i++) {
		free(t->peers[i].endpoint);
		free(t->peers[i].allowed_ips);
		free(t->peers[i].tunnel_address);
		free(t->peers[i].preshared_key_file);
	}
	free(t->name);
	free(t->remotes);
	free(t->interface);
	free(t->addresses);
	free(t->private_key_file);
	free(t->peers);
}

void conf_peer_fini(struct conf_peer *p)
{
	free(p->name);
	free(p->group);
	free(p->description);
	free(p->interface);
	free(p->password_file);
}

static void free_lists(struct conf *c)
{
	for (size_t i = 0; i < c->n_tunnels; i++)
		tunnel_fini(&c->tunnels[i]);
	for (size_t i = 0; i < c->n_peers; i++)
		conf_peer_fini(&c->peers[i]);
	for (size_t i = 0; i < c->n_statics; i++)
		free(c->statics[i].interface);
	for (size_t i = 0; i < c->direct.n_interfaces; i++)
		free(c->direct.interfaces[i]);
	for (size_t i = 0; i < c->n_filters; i++)
		filter_free(c->filters[i]);
	for (size_t i = 0; i < c->n_prefix_sets; i++) { /* after the filters that borrow them */
		free(c->prefix_sets[i].name);
		prefix_set_free(c->prefix_sets[i].set);
	}
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	free_lists(c);
	free(c->file);
	free(c->router.listen);
	free(c->control.socket);
	free(c->control.group);
	free(c->control.readonly_socket);
	free(c->control.readonly_group);
	free(c->tunnels);
	free(c->prefix_sets);
	free(c->filters);
	free(c->peers);
	free(c->statics);
	free(c->direct.interfaces);
	free(c);
}

bool conf_split_endpoint(const char *text, char *host, size_t size, uint16_t *port)
{
	const char *colon = strrchr(text, ':'), *end = colon;
	bool bracketed = text[0] == '[';
	unsigned long number;
	char *rest;

	if (!colon || !isdigit((unsigned char)colon[1]))
		return false;
	number = strtoul(colon + 1, &rest, 10);
	if (*rest || number < 1 || number > UINT16_MAX)
		return false;
	if (bracketed && (colon < text + 2 || colon[-1] != ']'))
		return false;
	text += bracketed;
	end -= bracketed;
	if (end <= text || (size_t)(end - text) >= size ||
	    (!bracketed && memchr(text, ':', (size_t)(end - text))))
		return false;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	*port = (uint16_t)number;
	return true;
}

const struct filter *conf_find_filter(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_filters; i++) {
		if (strcmp(c->filters[i]->name, name) == 0)
			return c->filters[i];
	}
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* link_address.c - see the header. A peer shares a link with us when it has a link-local address or one
 * within a subnet of the link. */
#include "io/link_address.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static struct ip address_of(const struct sockaddr *sa)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (sa && sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		return ip_from_bytes(IP_V4, (const uint8_t *)&v4.sin_addr);
	}
	if (sa && sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		return ip_from_bytes(IP_V6, (const uint8_t *)&v6.sin6_addr);
	}
	return (struct ip){ 0 };
}

static bool shares_subnet(const struct ip *a, const struct ip *mask, const struct ip *remote)
{
	if (a->family != remote->family || mask->family != a->family)
		return false;
	for (size_t i = 0; i < ip_bytes(a->family); i++)
		if ((a->b[i] ^ remote->b[i]) & mask->b[i])
			return false;
	return true;
}

static void take(struct link_address *out, const struct ip *a)
{
	struct ip *place = a->family == IP_V4 ? &out->v4 : &out->v6;

	if (ip_is_loopback(a))
		return;
	if (a->family == IP_V6 && ip_is_link_local(a))
		place = &out->link_local;
	if (place->family == IP_NONE)
		*place = *a;
}

void link_address_find(uint32_t ifindex, const struct ip *remote, struct link_address *out)
{
	bool shared = remote->family == IP_V6 && ip_is_link_local(remote);
	struct ifaddrs *all, *i;
	char name[IFNAMSIZ];

	*out = (struct link_address){ 0 };
	if (!ifindex || !if_indextoname(ifindex, name) || getifaddrs(&all) < 0)
		return;
	for (i = all; i; i = i->ifa_next) {
		const struct ip a = address_of(i->ifa_addr), mask = address_of(i->ifa_netmask);

		if (a.family == IP_NONE || strcmp(i->ifa_name, name) != 0)
			continue;
		shared |= shares_subnet(&a, &mask, remote);
		take(out, &a);
	}
	freeifaddrs(all);
	if (!shared)
		out->link_local = (struct ip){ 0 };
}

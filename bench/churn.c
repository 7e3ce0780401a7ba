/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: steady churn
 *
 * A change is a route announced with other attributes and another next hop, so that the sink and the kernel
 * both have to hear of it. Its clock runs from just before the write(2) that says it to the event of its
 * arrival. A route whose change has not arrived when its turn comes again counts as lost there. */
#include "churn.h"

#include <stdlib.h>

#include "mcbgp/bgp.h"
#include "netns.h"

#define STRIDE 7919u /* a prime: neighbors do not change one after the other */

/* One place where changes come out. */
struct outlet {
	bool *waited_for; /* by route, from plan.first on */
	uint32_t *us;     /* delays, one a change that arrived */
	uint32_t arrived, waiting, lost;
};

struct churn {
	const struct table *table;
	struct churn_plan plan;
	struct speaker *from, *sink;
	struct kernel *kernel;
	int fd;
	uint64_t begun;
	uint32_t total, said;
	uint64_t *said_at; /* by route */
	bool *moved;       /* by route */
	struct outlet at_sink, at_kernel;
};

static bool outlet_init(struct outlet *o, uint32_t routes, uint32_t changes)
{
	o->waited_for = calloc(routes, sizeof(*o->waited_for));
	o->us = calloc(changes, sizeof(*o->us));
	return o->waited_for && o->us;
}

static void outlet_fini(struct outlet *o)
{
	free(o->waited_for);
	free(o->us);
}

static void outlet_expect(struct outlet *o, uint32_t route)
{
	if (o->waited_for[route])
		o->lost++;
	else
		o->waiting++;
	o->waited_for[route] = true;
}

static void outlet_arrived(struct outlet *o, uint32_t route, uint64_t said_at)
{
	if (!o->waited_for[route])
		return;
	o->waited_for[route] = false;
	o->waiting--;
	o->us[o->arrived++] = (uint32_t)((now_ns() - said_at) / 1000);
}

/* ---- arrivals ---------------------------------------------------------------------------------- */

static void heard(void *ctx, uint32_t addr, uint8_t len, bool withdrawn)
{
	struct churn *c = ctx;
	uint32_t route = table_find(c->table, addr, len) - c->plan.first;

	if (!withdrawn && route < c->plan.count)
		outlet_arrived(&c->at_sink, route, c->said_at[route]);
}

static void seen(void *ctx, uint32_t index)
{
	struct churn *c = ctx;
	uint32_t route = index - c->plan.first;

	if (route < c->plan.count)
		outlet_arrived(&c->at_kernel, route, c->said_at[route]);
}

void churn_kernel(struct churn *c)
{
	kernel_events(c->kernel, seen, c);
}

int churn_fd(const struct churn *c)
{
	return c->fd;
}

/* ---- changes ----------------------------------------------------------------------------------- */

static bool change_one(struct churn *c)
{
	uint32_t route = (uint32_t)((uint64_t)c->said * STRIDE % c->plan.count);
	bool moved = !c->moved[route];
	struct origin o = { .as = c->from->as,
		            .next_hop = moved ? c->plan.next_hop : c->from->local,
		            .variant = 1 + moved };
	uint8_t buf[BGP_MAX_LEN];
	size_t len = table_announce_one(c->table, c->plan.first + route, &o, buf);
	uint64_t now = now_ns();

	if (!speaker_say_now(c->from, buf, len))
		return false;
	c->said++;
	c->said_at[route] = now;
	c->moved[route] = moved;
	outlet_expect(&c->at_sink, route);
	if (c->kernel)
		outlet_expect(&c->at_kernel, route);
	return true;
}

void churn_tick(struct churn *c, uint64_t now)
{
	uint64_t due = (now - c->begun) * c->plan.rate / UINT64_C(1000000000);

	while (c->said < c->total && c->said < due && change_one(c))
		;
}

bool churn_done(const struct churn *c)
{
	return c->said == c->total && !c->at_sink.waiting && !c->at_kernel.waiting;
}

/* ---- the whole --------------------------------------------------------------------------------- */

struct churn *churn_new(const struct table *t, const struct churn_plan *plan, struct speaker *from,
                        struct speaker *sink, struct kernel *kernel)
{
	struct churn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->table = t;
	c->plan = *plan;
	c->from = from;
	c->sink = sink;
	c->kernel = kernel;
	c->total = plan->rate * plan->seconds;
	c->fd = kernel ? kernel_listen(kernel) : -1;
	c->said_at = calloc(plan->count, sizeof(*c->said_at));
	c->moved = calloc(plan->count, sizeof(*c->moved));
	if (!c->said_at || !c->moved || !outlet_init(&c->at_sink, plan->count, c->total) ||
	    !outlet_init(&c->at_kernel, plan->count, c->total)) {
		churn_free(c);
		return NULL;
	}
	sink->on_route = heard;
	sink->on_route_ctx = c;
	c->begun = now_ns();
	return c;
}

void churn_free(struct churn *c)
{
	if (!c)
		return;
	c->sink->on_route = NULL;
	if (c->kernel)
		kernel_unlisten(c->kernel);
	outlet_fini(&c->at_sink);
	outlet_fini(&c->at_kernel);
	free(c->said_at);
	free(c->moved);
	free(c);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void print_outlet(struct outlet *o, const char *name, FILE *out)
{
	uint32_t n = o->arrived;

	qsort(o->us, n, sizeof(*o->us), by_size);
	fprintf(out,
	        "\"%s\": {\"arrived\": %u, \"lost\": %u, \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u}",
	        name, n, o->lost + o->waiting, n ? o->us[n / 2] : 0, n ? o->us[n - 1 - n / 100] : 0,
	        n ? o->us[n - 1] : 0);
}

void churn_print(struct churn *c, FILE *out)
{
	fprintf(out, "{\"said\": %u, ", c->said);
	print_outlet(&c->at_sink, "sink", out);
	fprintf(out, ", ");
	print_outlet(&c->at_kernel, "kernel", out);
	fprintf(out, "}");
}

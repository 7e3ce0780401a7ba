/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: desired routes -> the kernel's table.
 *
 * Each prefix has two facts: the set of next hops that is wanted and the one the kernel has acknowledged.
 * Where they differ the entry waits in a queue, once, however often the wish changes. A job takes from the
 * queue what fits one batch (plan), the writer's thread hands it to the kernel, and the acknowledged facts
 * are moved when it is back (done). Two batches are under way at most, and never two requests for one entry.
 * Nexthop objects are the loop's own affair and go ahead of all: what a dead next hop needs does not wait.
 *
 * Foreign routes are never touched. A new route is asked for with NLM_F_EXCL; EEXIST leads to a dump of the
 * table that names who is there: a route of our protocol is adopted, another one is a conflict, told once and
 * tried again when it goes (fib_retry). NLM_F_REPLACE, which overwrites the first route of that prefix and
 * metric whatever its protocol, is only used for what the kernel has acknowledged to us. Deletions name our
 * protocol. Somebody may still put a route of the same prefix and metric in front of an installed one of
 * ours; ours is deleted then, since a replacement would hit his, and that is a conflict like any other
 * (fib_foreign). What remains is a replacement that is on its way to the kernel at that moment, in one of two
 * batches.
 *
 * Ways back to the truth, from cheap to dear:
 * - fib_lost(): one route is gone;
 * - verify: the nexthop objects are compared with a dump of them (few); a lost object means that its routes
 * are gone, found by a sweep over our own table;
 * - resync: the kernel's routes of our protocol are dumped, a few buffers a turn, and what was not seen is
 * gone. Nothing is written meanwhile, nor under way, so that what the dump says and what we think cannot
 * differ for a good reason. An event about an entry that is under way leads here.
 *
 * - audit: once a minute, and in passing, whether all of this is true (fib_audit.c). */
#include "netlink/fib_priv.h"

#include <errno.h>
#include <linux/nexthop.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/log.h"
#include "netlink/sysctl.h"

#define DUMP_BUFFERS 2        /* a turn's part of a dump */
#define RETRY_US     5000000u /* for refusals that no event ends */
#define FLUSH_US     3000000u /* an ordered end takes no longer for routes; their objects take the rest along */
#define COMPAT_MODE  "net.ipv4.nexthop_compat_mode"

int fib_set(struct fib *f, const struct prefix *p, const struct fib_route *r)
{
	int t = fib_tab(p);
	uint32_t set = 0, h = r ? fibtab_get(&f->tab[t], p) : fibtab_find(&f->tab[t], p);
	struct fibent *e;

	if (!h)
		return r ? -ENOMEM : 0;
	e = fibent_begin(f, t, h);
	if (r)
		set = hopset_get(f->sets, p->addr.family, r, true);
	if (!r || set) {
		hopset_put(f->sets, e->want);
		e->want = set;
		e->flags &= (uint8_t)~ENT_ADOPTED;
		if (!set || !(e->flags & ENT_FAILED) ||
		    e->why != WHY_CONFLICT) /* that ends when the other goes */
			fibent_clear(e);
	}
	fibent_end(f, t, h);
	return r && !set ? -ENOMEM : 0;
}

/* -- the jobs ----------------------------------------------------------------------------------- */

/* With compat mode on, replacing a group announces every route behind it, which is 60 times slower at half a
 * million routes. With it off, ip(8) no longer shows the gateways of routes. So it is off for the moment of
 * the replacement only. */
static int sync_quietly(struct fib *f)
{
	int written = sysctl_set(COMPAT_MODE, 0);
	int rc = hopsets_sync(f->sets, f->nl);

	if (written == 1)
		(void)sysctl_set(COMPAT_MODE, 1);
	if (written < 0 && !f->compat_told) {
		f->compat_told = true;
		log_event(
		        LOGL_WARNING, "fib.compat_mode", kv_str("sysctl", COMPAT_MODE),
		        kv_errno("error", written),
		        kv_str("hint", "set it to 0 on the host: failover of many routes is slow otherwise"));
	}
	return rc;
}

static void sync_objects(struct fib *f)
{
	int rc = 0;

	if (f->verify && f->stats.nexthop_objects)
		rc = fib_verify_objects(f);
	f->verify = false;
	if (rc == 0 && hopsets_pending(f->sets))
		rc = sync_quietly(f);
	f->verify |= hopsets_suspect(f->sets) || rc == -EINTR; /* EINTR: others change them all the time */
	if (rc < 0 && rc != -EINTR)
		log_event(LOGL_ERROR, "fib.nexthops", kv_errno("error", rc));
	f->retry_wanted |= rc < 0 || hopsets_any_failed(f->sets);
}

/* Nothing waits: objects that no route needs may go. */
static void settle(struct fib *f)
{
	if (f->ending) {
		f->ending = false;
		hopsets_adopt_end(f->sets);
	}
	if (!f->adopting && f->n_strays)
		fib_delete_strays(f);
	if (hopsets_purge(f->sets, f->nl) < 0)
		f->verify = true;
}

/* Writing has to wait. */
static bool busy(const struct fib *f)
{
	return f->dumping >= 0 || f->sweep.on || f->resync;
}

/* A loss in the middle of a dump may concern what has been dumped already; the sweep at its end is this one.
 */
static void sweep_wanted(struct fib *f)
{
	if (f->dumping >= 0)
		f->resync = true;
	else if (!f->sweep.on)
		fib_sweep_begin(f, false);
}

/* A piece of what writing has to wait for. */
static void check_piece(struct fib *f)
{
	if (f->dumping >= 0) {
		for (unsigned i = 0; i < DUMP_BUFFERS && f->dumping >= 0; i++)
			(void)fib_resync_step(f);
	} else if (f->sweep.on) {
		fib_sweep_step(f);
	} else {
		fib_resync_begin(f);
	}
}

static void write_piece(struct fib *f)
{
	for (unsigned i = 0; i < WRITER_BATCHES && fib_write(f); i++)
		;
}

static void arm_retry(struct fib *f)
{
	if (f->retry_wanted && !f->retry_armed) {
		f->retry_armed = true;
		loop_timer_at(f->retry, loop_now(f->loop) + RETRY_US);
	}
	f->retry_wanted = false;
}

/* Whether a turn could do more than wait for the writer, or for a check. */
static bool more(const struct fib *f)
{
	if (f->verify || hopsets_pending(f->sets))
		return true;
	if (busy(f))
		return false; /* check() kicks the job when it is through */
	return hopsets_sweep_needed(f->sets) || (!fib_queues_empty(f) && writer_room(f->writer));
}

static bool run(void *ctx)
{
	struct fib *f = ctx;

	sync_objects(f);
	if (hopsets_sweep_needed(f->sets) || f->retry_failed)
		sweep_wanted(f);
	if (!busy(f))
		write_piece(f);
	if (busy(f)) /* perhaps because of what has just been refused */
		loop_job_kick(f->check);
	else if (fib_queues_empty(f) && !writer_busy(f->writer))
		settle(f);
	arm_retry(f);
	return more(f);
}

/* What is under way comes back first, and run() goes on with this. */
static bool check(void *ctx)
{
	struct fib *f = ctx;

	if (!busy(f) || writer_busy(f->writer))
		return false;
	check_piece(f);
	arm_retry(f);
	if (!busy(f))
		loop_job_kick(f->job);
	return busy(f);
}

static void on_written(void *ctx)
{
	struct fib *f = ctx;

	fib_written(f);
	loop_job_kick(f->job);
}

static void on_retry(void *ctx)
{
	struct fib *f = ctx;

	f->retry_armed = false;
	f->retry_failed = f->verify = true;
	f->resync |= f->resync_failed;
	f->resync_failed = false;
	hopsets_retry(f->sets);
	loop_job_kick(f->job);
}

/* -- events ------------------------------------------------------------------------------------- */

void fib_adopt_end(struct fib *f)
{
	if (!f->adopting)
		return;
	f->adopting = false;
	f->ending = true;
	for (int t = 0; t < 2; t++) {
		for (uint32_t h = fibtab_next(&f->tab[t], 0); h; h = fibtab_next(&f->tab[t], h)) {
			if (!(fibtab_at(&f->tab[t], h)->flags & ENT_ADOPTED))
				continue;
			fibent_begin(f, t, h)->flags &= (uint8_t)~ENT_ADOPTED;
			fibent_end(f, t, h);
		}
	}
	loop_job_kick(f->job);
}

static bool is_local(const struct fib *f, int t, const struct fibent *e)
{
	struct fib_hop hops[RT_HOPS_MAX];
	struct fib_route r;

	if (e->have == HOPSET_BLACKHOLE)
		return e->len < ip_bits(f->tab[t].family);
	if (e->have <= HOPSET_UNKNOWN)
		return e->have == HOPSET_UNREACHABLE;
	hopset_route(f->sets, e->have, hops, &r);
	return r.n_hops == 1 && hops[0].gateway.family == IP_NONE;
}

void fib_adopt_local_end(struct fib *f)
{
	uint64_t n = 0;

	for (int t = 0; t < 2; t++) {
		for (uint32_t h = fibtab_next(&f->tab[t], 0); h; h = fibtab_next(&f->tab[t], h)) {
			const struct fibent *e = fibtab_at(&f->tab[t], h);

			if (!(e->flags & ENT_ADOPTED) || !is_local(f, t, e))
				continue;
			fibent_begin(f, t, h)->flags &= (uint8_t)~ENT_ADOPTED;
			fibent_end(f, t, h);
			n++;
		}
	}
	if (n)
		log_event(LOGL_INFO, "fib.left_behind", kv_u64("routes", n));
}

size_t fib_members_judge(struct fib *f, fib_alive_fn alive, void *ctx)
{
	size_t dead = hopsets_judge(f->sets, alive, ctx);

	if (hopsets_pending(f->sets)) {
		sync_objects(f); /* at once, ahead of all routes */
		loop_job_kick(f->job);
	}
	return dead;
}

/* Of an entry that is under way: before our request, or after it? */
static void in_doubt(struct fib *f)
{
	f->resync = f->inspect = true;
	loop_job_kick(f->job);
}

void fib_lost(struct fib *f, const struct prefix *p)
{
	int t = fib_tab(p);
	uint32_t h = fibtab_find(&f->tab[t], p);
	struct fibent *e;

	if (h && fibtab_at(&f->tab[t], h)->flags & ENT_SENT) {
		in_doubt(f);
		return;
	}
	if (!h || fibtab_at(&f->tab[t], h)->have == HOPSET_NONE)
		return;
	f->resync |= f->dumping >= 0; /* the next buffer may have been filled before */
	e = fibent_begin(f, t, h);
	f->stats.put_back += e->want != HOPSET_NONE;
	fibent_has(f, e, HOPSET_NONE);
	e->flags &= (uint8_t)~ENT_ADOPTED;
	fibent_end(f, t, h);
}

void fib_foreign(struct fib *f, const struct prefix *p, uint32_t table, uint32_t metric, bool certain)
{
	int t = fib_tab(p);
	uint32_t h = fibtab_find(&f->tab[t], p);
	bool sent = h && fibtab_at(&f->tab[t], h)->flags & ENT_SENT;

	if (!h || table != f->params.table || metric != fib_route_key(f, p).metric)
		return;
	if (fibtab_at(&f->tab[t], h)->have == HOPSET_NONE && !sent)
		return;
	if (certain && !sent) {
		fibent_behind(f, fibent_begin(f, t, h));
		fibent_end(f, t, h);
	} else {
		in_doubt(f);
	}
}

void fib_retry(struct fib *f, const struct prefix *p)
{
	int t = fib_tab(p);
	uint32_t h = fibtab_find(&f->tab[t], p);

	if (!h || !(fibtab_at(&f->tab[t], h)->flags & ENT_FAILED))
		return;
	fibent_clear(fibent_begin(f, t, h));
	fibent_end(f, t, h);
}

void fib_link_changed(struct fib *f, uint32_t ifindex)
{
	if (!hopsets_uses_link(f->sets, ifindex))
		return;
	f->verify = f->retry_failed = true;
	f->resync |= !f->stats.nexthop_objects;
	hopsets_retry(f->sets);
	loop_job_kick(f->job);
}

void fib_resync(struct fib *f)
{
	f->verify = f->resync = f->retry_conflicts = true;
	loop_job_kick(f->job);
}

static void on_object_event(void *ctx, const struct nlmsghdr *h)
{
	struct fib *f = ctx;
	struct nh_msg m;

	if ((h->nlmsg_type == RTM_NEWNEXTHOP || h->nlmsg_type == RTM_DELNEXTHOP) && nh_parse(h, &m))
		f->verify |= hopsets_owns(f->sets, m.id);
}

static void on_objects_readable(void *ctx, unsigned events)
{
	struct fib *f = ctx;
	int rc = nls_events(f->objects, on_object_event, f);

	(void)events;
	f->verify |= rc < 0; /* events were lost */
	if (f->verify)
		loop_job_kick(f->job);
}

/* -- opening and closing ------------------------------------------------------------------------ */

static void ignore_message(void *ctx, const struct nlmsghdr *h)
{
	(void)ctx;
	(void)h;
}

/* @return 1: the kernel has nexthop objects, 0: it has not, -errno. */
static int objects_available(struct fib *f)
{
	const struct nhmsg all = { 0 };
	int rc = nls_dump(f->nl, RTM_GETNEXTHOP, &all, sizeof(all));

	while (rc >= 0 && (rc = nls_dump_step(f->nl, ignore_message, NULL)) > 0)
		;
	if (rc == -EOPNOTSUPP || rc == -EINVAL)
		return 0;
	return rc == 0 || rc == -EINTR ? 1 : rc;
}

/* Their buckets can be listed since there are any (Linux 5.13). */
static bool resilient_groups_available(struct fib *f)
{
	const struct nhmsg all = { 0 };
	int rc = nls_dump(f->nl, RTM_GETNEXTHOPBUCKET, &all, sizeof(all));

	while (rc >= 0 && (rc = nls_dump_step(f->nl, ignore_message, NULL)) > 0)
		;
	return rc == 0 || rc == -EINTR;
}

static int open_objects(struct fib *f)
{
	const unsigned group = RTNLGRP_NEXTHOP;
	uint32_t own = nls_port_id(f->nl);
	int rc;

	rc = nls_open_events(&group, 1, &f->objects);
	if (rc == 0)
		rc = nls_ignore_ports(f->objects, &own, 1);
	if (rc < 0)
		return rc;
	f->objects_fd = loop_fd_new(f->loop, nls_fd(f->objects), LOOP_READ, on_objects_readable, f);
	return f->objects_fd ? fib_verify_objects(f) : -ENOMEM;
}

/* What a previous run left. */
static int adopt(struct fib *f)
{
	int rc;

	fib_resync_begin(f);
	f->stats.resyncs = 0;
	while (f->dumping >= 0) {
		rc = fib_resync_step(f);
		if (rc < 0)
			return rc;
	}
	while (f->sweep.on)
		fib_sweep_step(f);
	if (f->count[FIB_INSTALLED])
		log_event(LOGL_INFO, "fib.adopted", kv_u64("routes", f->count[FIB_INSTALLED]));
	return 0;
}

static int open_all(struct fib *f)
{
	uint64_t seed[2];
	int rc, objects = 0;

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	fibtab_init(&f->tab[0], IP_V4, seed[0]);
	fibtab_init(&f->tab[1], IP_V6, seed[1]);
	f->job = loop_job_new(f->loop, run, f);
	f->check = loop_job_new_background(f->loop, check, f);
	f->retry = loop_timer_new(f->loop, on_retry, f);
	if (!f->job || !f->check || !f->retry || fib_audit_open(f) < 0)
		return -ENOMEM;
	if ((rc = nls_open(&f->nl)) < 0 || (rc = nls_open(&f->routes)) < 0 ||
	    (rc = writer_open(f->loop, on_written, f, &f->writer)) < 0)
		return rc;
	if (f->params.nexthop_groups && (objects = objects_available(f)) < 0)
		return objects;
	f->stats.nexthop_objects = objects;
	f->sets = hopsets_new(f->params.protocol, objects, objects && resilient_groups_available(f));
	if (!f->sets)
		return -ENOMEM;
	if (objects && (rc = open_objects(f)) < 0)
		return rc;
	return adopt(f);
}

int fib_open(struct loop *l, const struct fib_params *p, struct fib **out)
{
	struct fib *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	f->loop = l;
	f->params = *p;
	f->dumping = -1;
	f->adopting = true;
	rc = open_all(f);
	if (rc < 0) {
		fib_close(f, false);
		return rc;
	}
	*out = f;
	return 0;
}

/* @return false: nothing is left that could be done. */
static bool flush_piece(struct fib *f)
{
	if (fib_write(f))
		return true;
	if (!writer_busy(f->writer))
		return false;
	writer_wait(f->writer);
	fib_written(f);
	return true;
}

/* Every route and object of ours leaves the kernel. */
static void flush(struct fib *f)
{
	uint64_t deadline = loop_clock() + FLUSH_US;

	fib_adopt_end(f);
	for (int t = 0; t < 2; t++) {
		for (uint32_t h = fibtab_next(&f->tab[t], 0); h; h = fibtab_next(&f->tab[t], h)) {
			struct fibent *e = fibent_begin(f, t, h);

			hopset_put(f->sets, e->want);
			e->want = HOPSET_NONE;
			fibent_clear(e);
			fibent_end(f, t, h);
		}
	}
	while (loop_clock() < deadline && flush_piece(f))
		;
	while (writer_busy(f->writer)) {
		writer_wait(f->writer);
		fib_written(f);
	}
	if (!fib_queues_empty(f)) {
		log_event(LOGL_WARNING, "fib.flush_slow", kv_u64("routes", f->count[FIB_QUEUED]));
		(void)hopsets_drop(f->sets, f->nl);
	}
	settle(f);
}

void fib_close(struct fib *f, bool flush_routes)
{
	if (!f)
		return;
	if (flush_routes)
		flush(f);
	writer_close(f->writer);
	loop_job_free(f->job);
	loop_job_free(f->check);
	loop_timer_free(f->retry);
	fib_audit_close(f);
	loop_fd_free(f->objects_fd);
	nls_close(f->objects);
	nls_close(f->routes);
	nls_close(f->nl);
	hopsets_free(f->sets);
	fibtab_fini(&f->tab[0]);
	fibtab_fini(&f->tab[1]);
	free(f->strays);
	free(f);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* nls.h - rtnetlink sockets (libnl has the prefix nl_): batches of requests with one acknowledgement, dumps
 * in pieces, events.
 *
 * The kernel works a request off inside sendmsg(): when nls_send() returns, every answer has been read.
 * Errors always come back, so only the last request of a batch asks for an acknowledgement, and a request
 * without an error before it has succeeded. */
#ifndef MCBGP_NETLINK_NLS_H
#define MCBGP_NETLINK_NLS_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NL_MSG_MAX     16384u /* bytes one request may take */
#define NL_BATCH_MAX   1024u  /* requests a batch */
#define NL_IGNORED_MAX 8u     /* ports */

struct nls;
/** A socket for requests and dumps. @return 0 or -errno. */
int nls_open(struct nls **out);
/** A socket that hears the multicast @groups (RTNLGRP_*), non-blocking. @return 0 or -errno. */
int nls_open_events(const unsigned *groups, size_t n, struct nls **out);
void nls_close(struct nls *n); /* NULL is fine */
int nls_fd(const struct nls *n);
uint32_t nls_port_id(const struct nls *n);

/* -- batches ------------------------------------------------------------------------------------ */

/** A new request at the end of the batch, with room for NL_MSG_MAX bytes in all; attributes follow by
 * mnl_attr_put*(). NULL: the batch is full, send it first. Finished by the next nls_request() or nls_send().
 */
struct nlmsghdr *nls_request(struct nls *n, uint16_t type, uint16_t flags);
bool nls_room(const struct nls *n);          /* nls_request() would succeed */
uint32_t nls_batch_len(const struct nls *n); /* requests in the batch */
/** @index: of the request in its batch. @err: negative. @text: the kernel's own words, or NULL. */
typedef void (*nls_error_fn)(void *ctx, uint32_t index, int err, const char *text);
/** Sends the batch and hears all its errors. The batch is empty afterwards. @return 0, or -errno when the
 * fate of the requests is unknown. */
int nls_send(struct nls *n, nls_error_fn error, void *ctx);

/* -- dumps -------------------------------------------------------------------------------------- */

typedef void (*nls_msg_fn)(void *ctx, const struct nlmsghdr *h);
/** Begin a dump: @header is what follows the nlmsghdr (struct rtmsg, nhmsg …); the kernel checks it strictly
 * and filters by it. */
int nls_dump(struct nls *n, uint16_t type, const void *header, size_t len);
/** The next buffer of the running dump. @return 1: there is more, 0: complete, -EINTR: complete, but the
 * kernel says that the table changed meanwhile (dump again), or another -errno. */
int nls_dump_step(struct nls *n, nls_msg_fn msg, void *ctx);

/** Whether a whole message is at @h, @len bytes from the end. mnl_nlmsg_ok() takes a length of 2 GiB and more
 * for a negative one, and lets it pass. */
static inline bool nls_msg_ok(const struct nlmsghdr *h, int len)
{
	return mnl_nlmsg_ok(h, len) && h->nlmsg_len <= INT32_MAX;
}

/* -- events ------------------------------------------------------------------------------------- */

/** Keep what the sockets with @port_ids cause away from this one, in the kernel (a socket filter); @count: up
 * to NL_IGNORED_MAX. @return 0 or -errno. */
int nls_ignore_ports(struct nls *n, const uint32_t *port_ids, size_t count);
/** One buffer of events. @return 1: there may be more, 0: none left, -ENOBUFS: some were lost, or another
 * -errno. */
int nls_events(struct nls *n, nls_msg_fn msg, void *ctx);

/* -- attributes --------------------------------------------------------------------------------- */

/** Index the attributes of @h, which begin after @header bytes, by type up to @max (@tb has @max + 1 places);
 * later ones of a type win, unknown ones are skipped. @return false: the message is shorter than @header. */
bool nls_attrs(const struct nlmsghdr *h, size_t header, const struct nlattr **tb, uint16_t max);
/** The payload as a number; false when it is absent or has another size. */
bool nls_u32(const struct nlattr *a, uint32_t *out);

#endif

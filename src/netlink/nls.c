/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: rtnetlink as a transport.
 *
 * What a request means is not known here; this file packs requests into one sendmsg(), tells their errors
 * apart by sequence number, and reads dumps and events with bounds checked. Sockets for requests block, with
 * a time-out that only a kernel in trouble reaches. Buffers for receiving are large, because an overrun costs
 * a dump: the kernel drops what does not fit and says ENOBUFS once. RFC 3549. */
#include "netlink/nls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define BATCH_SIZE   (128u * 1024)
#define RECV_SIZE    (64u * 1024)
#define SOCKET_QUEUE (8 * 1024 * 1024)
#define TIMEOUT_S    5

struct nls {
	struct mnl_socket *sock;
	uint32_t seq;      /* of the last request */
	uint32_t first;    /* sequence number of the batch's first request */
	uint32_t requests; /* in the batch */
	size_t used;       /* bytes of whole requests; the last one may still grow */
	struct nlmsghdr *last;
	uint32_t dump_seq;
	bool dump_torn; /* the table changed while it was dumped */
	uint8_t *batch; /* BATCH_SIZE; NULL for event sockets */
	uint8_t *in;    /* RECV_SIZE */
};

/* -- sockets ------------------------------------------------------------------------------------ */

static void enlarge_queue(int fd)
{
	const int size = SOCKET_QUEUE;

	/* Without CAP_NET_ADMIN in the first user namespace the system's limit applies: more resyncs, nothing
	 * worse. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int open_socket(int flags, struct nls **out)
{
	struct nls *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->in = malloc(RECV_SIZE);
	n->sock = n->in ? mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags) : NULL;
	if (!n->sock || mnl_socket_bind(n->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int rc = n->in ? -errno : -ENOMEM;

		nls_close(n);
		return rc;
	}
	enlarge_queue(nls_fd(n));
	*out = n;
	return 0;
}

int nls_open(struct nls **out)
{
	const struct timeval patience = { .tv_sec = TIMEOUT_S };
	const int on = 1;
	struct nls *n = NULL;
	int rc = open_socket(0, &n);

	if (!n)
		return rc;
	n->batch = malloc(BATCH_SIZE);
	if (!n->batch) {
		nls_close(n);
		return -ENOMEM;
	}
	/* Each is a convenience of newer kernels (4.2, 4.12, 4.20); the parsing below does without. */
	(void)mnl_socket_setsockopt(n->sock, NETLINK_CAP_ACK, (void *)&on, sizeof(on));
	(void)mnl_socket_setsockopt(n->sock, NETLINK_EXT_ACK, (void *)&on, sizeof(on));
	(void)mnl_socket_setsockopt(n->sock, NETLINK_GET_STRICT_CHK, (void *)&on, sizeof(on));
	(void)setsockopt(nls_fd(n), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*out = n;
	return 0;
}

int nls_open_events(const unsigned *groups, size_t count, struct nls **out)
{
	struct nls *n = NULL;
	int rc = open_socket(SOCK_NONBLOCK, &n);

	if (!n)
		return rc;
	for (size_t i = 0; i < count; i++) {
		int group = (int)groups[i];

		if (mnl_socket_setsockopt(n->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
			rc = -errno;
			nls_close(n);
			return rc;
		}
	}
	*out = n;
	return 0;
}

void nls_close(struct nls *n)
{
	if (!n)
		return;
	if (n->sock)
		mnl_socket_close(n->sock);
	free(n->batch);
	free(n->in);
	free(n);
}

int nls_fd(const struct nls *n)
{
	return mnl_socket_get_fd(n->sock);
}

uint32_t nls_port_id(const struct nls *n)
{
	return mnl_socket_get_portid(n->sock);
}

/* -- receiving ---------------------------------------------------------------------------------- */

/* One datagram from the kernel into n->in. @return its length, 0 for one that is to be skipped, -errno. */
static ssize_t receive(struct nls *n)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = n->in, .iov_len = RECV_SIZE };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t len;

	do
		len = recvmsg(nls_fd(n), &msg, 0);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	return from.nl_pid == 0 ? len : 0; /* processes may write to us, too */
}

/* The kernel's verdict in an NLMSG_ERROR; @text: its words, if it has any. */
static int error_of(const struct nlmsghdr *h, const char **text)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[NLMSGERR_ATTR_MSG + 1];
	size_t skip = sizeof(*e);

	*text = NULL;
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*e))
		return -EBADMSG;
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > sizeof(e->msg))
		skip += e->msg.nlmsg_len - sizeof(e->msg);
	if (h->nlmsg_flags & NLM_F_ACK_TLVS && skip <= mnl_nlmsg_get_payload_len(h) &&
	    nls_attrs(h, skip, tb, NLMSGERR_ATTR_MSG) && tb[NLMSGERR_ATTR_MSG] &&
	    mnl_attr_validate(tb[NLMSGERR_ATTR_MSG], MNL_TYPE_NUL_STRING) == 0)
		*text = mnl_attr_get_str(tb[NLMSGERR_ATTR_MSG]);
	return e->error;
}

/* -- batches ------------------------------------------------------------------------------------ */

static void finish_last(struct nls *n)
{
	if (!n->last)
		return;
	assert(n->last->nlmsg_len <= NL_MSG_MAX);
	n->used += MNL_ALIGN(n->last->nlmsg_len);
	n->last = NULL;
}

bool nls_room(const struct nls *n)
{
	size_t used = n->used + (n->last ? MNL_ALIGN(n->last->nlmsg_len) : 0);

	return n->requests < NL_BATCH_MAX && used + NL_MSG_MAX <= BATCH_SIZE;
}

struct nlmsghdr *nls_request(struct nls *n, uint16_t type, uint16_t flags)
{
	if (!nls_room(n))
		return NULL;
	finish_last(n);
	n->last = mnl_nlmsg_put_header(n->batch + n->used);
	n->last->nlmsg_type = type;
	n->last->nlmsg_flags = NLM_F_REQUEST | flags;
	n->last->nlmsg_seq = ++n->seq;
	if (n->requests++ == 0)
		n->first = n->seq;
	return n->last;
}

uint32_t nls_batch_len(const struct nls *n)
{
	return n->requests;
}

/* Hears the answers of the batch in n->in; @return true once the last request has been answered. */
static bool hear_answers(struct nls *n, int len, nls_error_fn error, void *ctx)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)n->in;
	const char *text;

	for (; nls_msg_ok(h, len); h = mnl_nlmsg_next(h, &len)) {
		uint32_t index = h->nlmsg_seq - n->first;
		int err;

		if (h->nlmsg_type != NLMSG_ERROR || index >= n->requests)
			continue; /* left over from a dump that was given up */
		err = error_of(h, &text);
		if (err)
			error(ctx, index, err, text);
		if (index == n->requests - 1)
			return true;
	}
	return false;
}

int nls_send(struct nls *n, nls_error_fn error, void *ctx)
{
	ssize_t len = 0;

	if (n->requests == 0)
		return 0;
	n->last->nlmsg_flags |= NLM_F_ACK;
	finish_last(n);
	if (mnl_socket_sendto(n->sock, n->batch, n->used) < 0)
		len = -errno;
	while (len >= 0) {
		len = receive(n);
		if (len > 0 && hear_answers(n, (int)len, error, ctx))
			break;
	}
	n->used = 0;
	n->requests = 0;
	return len < 0 ? (int)len : 0;
}

/* -- dumps -------------------------------------------------------------------------------------- */

int nls_dump(struct nls *n, uint16_t type, const void *header, size_t len)
{
	struct nlmsghdr *h;

	assert(n->requests == 0 && len <= NL_MSG_MAX / 2);
	h = mnl_nlmsg_put_header(n->batch);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = n->dump_seq = ++n->seq;
	memcpy(mnl_nlmsg_put_extra_header(h, len), header, len);
	n->dump_torn = false;
	return mnl_socket_sendto(n->sock, h, h->nlmsg_len) < 0 ? -errno : 0;
}

/* The status that NLMSG_DONE carries since Linux 4.15. */
static int done_status(const struct nlmsghdr *h)
{
	int status = 0;

	if (mnl_nlmsg_get_payload_len(h) >= sizeof(status))
		memcpy(&status, mnl_nlmsg_get_payload(h), sizeof(status));
	return status < 0 ? status : 0;
}

int nls_dump_step(struct nls *n, nls_msg_fn msg, void *ctx)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)n->in;
	ssize_t got = receive(n);
	int len = (int)got;
	const char *text;

	if (got < 0)
		return (int)got;
	for (; nls_msg_ok(h, len); h = mnl_nlmsg_next(h, &len)) {
		if (h->nlmsg_seq != n->dump_seq)
			continue;
		n->dump_torn |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (h->nlmsg_type == NLMSG_DONE)
			return done_status(h) < 0 ? done_status(h) : n->dump_torn ? -EINTR : 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			return error_of(h, &text);
		msg(ctx, h);
	}
	return 1;
}

/* -- events ------------------------------------------------------------------------------------- */

int nls_ignore_ports(struct nls *n, const uint32_t *port_ids, size_t count)
{
	struct sock_filter code[NL_IGNORED_MAX + 3];
	struct sock_fprog program = { .len = (unsigned short)(count + 3), .filter = code };

	assert(count <= NL_IGNORED_MAX);
	/* Classic BPF loads in network byte order what netlink has in the host's. */
	code[0] =
	        (struct sock_filter)BPF_STMT(BPF_LD | BPF_ABS | BPF_W, offsetof(struct nlmsghdr, nlmsg_pid));
	for (size_t i = 0; i < count; i++) /* to the last statement, or on to the next */
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port_ids[i]),
		                                           (uint8_t)(count - i), 0);
	code[1 + count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	code[2 + count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return setsockopt(nls_fd(n), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
	                                                                                          : 0;
}

int nls_events(struct nls *n, nls_msg_fn msg, void *ctx)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)n->in;
	ssize_t got = receive(n);
	int len = (int)got;

	if (got < 0)
		return got == -EAGAIN ? 0 : (int)got;
	for (; nls_msg_ok(h, len); h = mnl_nlmsg_next(h, &len))
		msg(ctx, h);
	return 1;
}

/* -- attributes --------------------------------------------------------------------------------- */

bool nls_attrs(const struct nlmsghdr *h, size_t header, const struct nlattr **tb, uint16_t max)
{
	const struct nlattr *a;

	memset(tb, 0, (max + 1u) * sizeof(*tb));
	if (mnl_nlmsg_get_payload_len(h) < MNL_ALIGN(header))
		return mnl_nlmsg_get_payload_len(h) >= header;
	mnl_attr_for_each(a, h, (unsigned)header)
	{
		if (mnl_attr_get_type(a) <= max)
			tb[mnl_attr_get_type(a)] = a;
	}
	return true;
}

bool nls_u32(const struct nlattr *a, uint32_t *out)
{
	if (!a || mnl_attr_get_payload_len(a) != sizeof(*out))
		return false;
	*out = mnl_attr_get_u32(a);
	return true;
}

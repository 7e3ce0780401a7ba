/* SPDX-License-Identifier: BSD-2-Clause */
/* speaker.h - one end of a BGP session that says what was prepared and counts what it hears. */
#ifndef MCBGP_BENCH_SPEAKER_H
#define MCBGP_BENCH_SPEAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "table.h"

enum speaker_state { SPEAKER_DOWN, SPEAKER_CONNECTING, SPEAKER_OPENED, SPEAKER_UP };

/** Called for each route heard: @addr in host byte order. */
typedef void (*route_fn)(void *ctx, uint32_t addr, uint8_t len, bool withdrawn);

struct speaker {
	/* who it is: set before the first speaker_connect() */
	char name[32];
	char netns[64];
	uint32_t local, remote; /* host byte order */
	uint32_t as;
	uint16_t hold_time; /* seconds */

	/* what it may say; owned */
	struct messages announce, withdraw;

	/* what it has heard since speaker_mark() */
	uint64_t announced, withdrawn; /* prefixes */
	uint64_t sum;                  /* of table_hash(): announced less withdrawn */
	uint64_t heard_at;             /* the last UPDATE; ns, 0: none */

	route_fn on_route; /* NULL: count only */
	void *on_route_ctx;

	uint64_t worst_gap; /* between two messages since it was last set to 0, ns */

	/* the session */
	enum speaker_state state;
	bool wanted; /* to be dialled again when it does not come up */
	bool eager;  /* announces as soon as it is up */
	int fd;
	uint64_t up_at, again_at, message_at, keepalive_at; /* ns */
	const uint8_t *out;                                 /* being written; borrowed from the messages */
	size_t out_left;
	uint8_t *in; /* owned */
	size_t in_len;
	char cause[128]; /* why it went down, "" when it has not */
};

/** In place; @s is zero but for who it is. false: out of memory. */
bool speaker_init(struct speaker *s);
void speaker_fini(struct speaker *s);

/** Dial, and again until it is up. The descriptor may change at every speaker_tick(). */
void speaker_connect(struct speaker *s);
void speaker_close(struct speaker *s, bool cease);
/** Begin to say @m (borrowed). */
void speaker_say(struct speaker *s, const struct messages *m);
/** Write @bytes at once and whole; only between messages, for a few bytes. false: they do not fit. */
bool speaker_say_now(struct speaker *s, const uint8_t *bytes, size_t len);
/** Counters begin anew. */
void speaker_mark(struct speaker *s);

/** epoll found it readable or writable. */
void speaker_ready(struct speaker *s, bool readable, bool writable);
/** Something to write waits. */
bool speaker_wants_write(const struct speaker *s);
/** Dial again, KEEPALIVE: call it every few milliseconds while a session comes up, each second otherwise. */
void speaker_tick(struct speaker *s, uint64_t now);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* render_text.h - what the parts of the text renderer share; nobody else includes it. */
#ifndef MCBGP_CTL_RENDER_TEXT_H
#define MCBGP_CTL_RENDER_TEXT_H

#include "ctl/render.h"

/** One line of an answer that goes on, made harmless for the reader's terminal. */
void text_line(struct render *r, unsigned code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/** @id as an address; @buf: IP_STRLEN. */
char *text_id(uint32_t id, char *buf);

/* render_text_protocol.c, render_text_route.c, render_text_filter.c: as in struct render_ops */
void text_protocol_heading(struct render *r);
void text_protocol(struct render *r, const struct ctl_proto *p, bool all);
void text_table(struct render *r, const char *name);
void text_route(struct render *r, const struct route_item *i);
void text_adopted(struct render *r, const struct ctl_adopted *a);
/** "	BGP.<name>: <value>" each; @exported: as on the wire. */
void text_attributes(struct render *r, const struct attrs *a, bool exported);
void text_filter(struct render *r, const struct filter *f);
void text_evaluation(struct render *r, const struct evaluation *e);
void text_count(struct render *r, const struct route_count *c);

#endif

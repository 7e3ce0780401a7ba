/* SPDX-License-Identifier: BSD-2-Clause */
/* wg_shown.h - the WireGuard part of a tunnel, as the control socket shows it. */
#ifndef MCBGP_DAEMON_WG_SHOWN_H
#define MCBGP_DAEMON_WG_SHOWN_H

#include "ctl/backend.h"
#include "tunnel/tunnel.h"

struct wg_shown;
/** Adds to @out what @v has of WireGuard; @out borrows from what is returned. NULL: nothing was added, since
 * @v is another kind of tunnel, or there is no memory. */
struct wg_shown *wg_shown_new(const struct tunnel_view *v, uint64_t now_us, struct ctl_tunnel *out);
void wg_shown_free(struct wg_shown *w); /* NULL is fine */

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* systemd.h - what systemd is told: ready, reloading, stopping, a line for `systemctl status`, and that the
 * loop still turns. Outside of systemd, or built without its library, all of it does nothing. */
#ifndef MCBGP_DAEMON_SYSTEMD_H
#define MCBGP_DAEMON_SYSTEMD_H

struct daemon;
struct systemd;

/** Begins to feed the watchdog where the unit has one. @d is borrowed. NULL: out of memory. */
struct systemd *systemd_new(struct daemon *d);
void systemd_free(struct systemd *n);      /* NULL is fine */
void systemd_ready(struct systemd *n);     /* started, or reloaded */
void systemd_reloading(struct systemd *n); /* until systemd_ready(), whatever comes of it */
void systemd_stopping(struct systemd *n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl.h - the host settings of the configuration, written only where the host differs. */
#ifndef MCBGP_NETLINK_SYSCTL_H
#define MCBGP_NETLINK_SYSCTL_H

#include "config/conf.h"

/** Bring /proc/sys to @h; absent settings are left alone. What cannot be written is logged by its sysctl name
 * and the mend. @return how many failed. */
size_t sysctl_apply(const struct conf_host *h);
/** Write one value, e.g. ("net.ipv4.conf.wg0.rp_filter", 0), unless it is there already. @return 1 written, 0
 * nothing to do, -errno. */
int sysctl_set(const char *name, int value);

#endif

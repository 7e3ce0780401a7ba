/* SPDX-License-Identifier: BSD-2-Clause */
/* log_sink.h - where events of lib/log.h go: standard error, syslog or the journal. One a process, as they
 * are. */
#ifndef MCBGP_IO_LOG_SINK_H
#define MCBGP_IO_LOG_SINK_H

#include "config/conf.h"

/** Become the sink of lib/log.h, or change the target. Standard error (also where there is no journal, which
 * is said): a line an event, with the time in UTC. Of identical events a few are written within ten seconds;
 * the next one that is written says how many were not (repeated=N). */
void log_sink_open(enum log_target target);
void log_sink_close(void); /* events go nowhere from then on */

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* journal.h - events to systemd's journal, by its own protocol: each field of an event is a field there. */
#ifndef MCBGP_IO_JOURNAL_H
#define MCBGP_IO_JOURNAL_H

#include "lib/log.h"

/** Whether there is a journal to send to; never, where this was built without libsystemd. */
bool journal_there(void);
/** MESSAGE=@message, PRIORITY, MCBGPD_EVENT=@event, and MCBGPD_KEY=value for each field, as many as fit;
 * @repeated equal events were not sent before this one. */
void journal_send(enum log_level level, const char *event, const char *message, unsigned repeated,
                  const struct kv *kv, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* prompt.h - the interactive client: line editing, history, completion from the daemon's own table. */
#ifndef MCBGP_CLI_PROMPT_H
#define MCBGP_CLI_PROMPT_H

#include "cli/client.h"

/** Read commands from the terminal until `quit`, `exit` or end of file. A daemon that went is dialled anew at
 * @path. @return 0, -ENOMEM, or CLIENT_LOST's -ECONNRESET. */
int prompt_run(struct client *c, const char *path, bool json);

#endif

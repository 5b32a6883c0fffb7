/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd and a daemon say to each other, over a plain datagram socket and inherited descriptors. */
#ifndef RUNBOOK_SYSTEMD_H
#define RUNBOOK_SYSTEMD_H

#include "runbook/error.h"

/* As sd_notify(3) has it; nothing happens without NOTIFY_SOCKET, and nobody waits. Thread-safe. */
void systemd_ready(void);
void systemd_reloading(void); /* followed by systemd_ready() */
void systemd_stopping(void);

/*
 * The one listening socket that was passed to this very process (LISTEN_PID, LISTEN_FDS), as
 * sd_listen_fds(3) has it: descriptor 3. It stays the caller's. -ENOENT, -EINVAL.
 */
int systemd_socket(int *ret_fd, struct error *error);

#endif

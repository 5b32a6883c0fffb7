/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd and a daemon say to each other, over a plain datagram socket and inherited descriptors. */
#ifndef RUNBOOK_SYSTEMD_H
#define RUNBOOK_SYSTEMD_H

#include "runbook/clock.h"
#include "runbook/error.h"

/* As sd_notify(3) has it; nothing happens without NOTIFY_SOCKET, and nobody waits. Thread-safe. */
void systemd_ready(void);
void systemd_reloading(void); /* followed by systemd_ready() */
void systemd_stopping(void);

/*
 * For the thread that decides, which WatchdogSec= of the unit watches: tells systemd that it goes on, when
 * that is due.
 * `*next`, which is 0 at first, becomes when to call again at the latest: an instant of the monotonic clock,
 * of which `now` is one, or INT64_MAX where nobody watches this process ($WATCHDOG_USEC, $WATCHDOG_PID).
 * Sooner calls say nothing.
 */
void systemd_alive(nsec now, nsec *next);

/*
 * The one listening socket that was passed to this very process (LISTEN_PID, LISTEN_FDS), as
 * sd_listen_fds(3) has it: descriptor 3. It stays the caller's. -ENOENT, -EINVAL.
 */
int systemd_socket(int *ret_fd, struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connecting and waiting within a deadline, for protocols that have no library or one that would wait for
 * ever.
 *
 * The sockets do not block and are closed in programs that are started. All of it gives a negative errno and
 * no sentence, which is the caller's to say; -ETIMEDOUT is the deadline's. Thread-safe.
 */
#ifndef RUNBOOK_SOCKET_H
#define RUNBOOK_SOCKET_H

#include <poll.h>
#include <sys/socket.h>

#include "runbook/clock.h"

/* Connects a stream socket to one address; the caller closes *ret_fd. */
int socket_connect(const struct sockaddr *address, socklen_t length, struct deadline deadline, int *ret_fd);

/* Waits until the descriptor can do one of `events` (POLLIN, POLLOUT), or has failed. Which, as poll() tells
 * it. */
int socket_wait(int fd, short events, struct deadline deadline);

#endif

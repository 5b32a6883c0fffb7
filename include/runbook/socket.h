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

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "runbook/clock.h"

/* Connects a stream socket to one address; the caller closes *ret_fd. */
int socket_connect(const struct sockaddr *address, socklen_t length, struct deadline deadline, int *ret_fd);

/*
 * The addresses of a host, IPv4 and IPv6; the caller frees them by freeaddrinfo(). A name is looked up by a
 * thread that is left behind when the deadline passes, for nothing can interrupt it. -EHOSTUNREACH: there are
 * none, `ret_reason` (static) says why; -EAGAIN: too many were left behind.
 */
int socket_resolve(const char *host, const char *port, struct deadline deadline, struct addrinfo **ret,
                   const char **ret_reason);

/* Connects to the first that takes the connection, each of which has its share of the time; which one that
 * was goes to `ret_address` (may be NULL). The error is the last one's. */
int socket_connect_any(const struct addrinfo *addresses, struct deadline deadline, int *ret_fd,
                       const struct addrinfo **ret_address);

/* Waits until the descriptor can do one of `events` (POLLIN, POLLOUT), or has failed. Which, as poll() tells
 * it. */
int socket_wait(int fd, short events, struct deadline deadline);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers of the clients share: where the real servers are, and peers that misbehave. */
#ifndef TESTS_INTEGRATION_CLIENT_H
#define TESTS_INTEGRATION_CLIENT_H

#include "tests/harness/unit.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "runbook/clock.h"
#include "runbook/text.h"

#define SOON deadline_in(20 * NSEC_PER_SEC) /* nothing here takes that long; it fails rather than hangs */

/* What test_clients.py says. */
static inline const char *given(const char *variable)
{
        const char *value = getenv(variable);
        if (!value || !*value)
                fail_msg("%s is not set: run by pytest", variable);
        return value;
}

/* A TCP port of 127.0.0.1 that takes connections (the kernel does) and says nothing; close the descriptor. */
static inline int silent_listener(int *ret_port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
        assert_int_equal(listen(fd, 8), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

/* A port where nobody listens. */
static inline int closed_port(void)
{
        int port = 0, fd = silent_listener(&port);
        close(fd);
        return port;
}

/* A file with a secret; unlink() it. */
static inline void write_secret(char path[static 32], const char *value)
{
        strcpy(path, "/tmp/runbook-secret-XXXXXX");
        int fd = mkstemp(path);
        assert_int_equal(write(fd, value, strlen(value)), strlen(value));
        close(fd);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/drivers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/peer.h"

const char *given(const char *variable)
{
        const char *value = getenv(variable);
        if (!value || !*value)
                fail_msg("%s is not set: run by pytest", variable);
        return value;
}

int silent_listener(int *ret_port)
{
        uint16_t port = 0;
        int fd = peer_listen(&port);
        *ret_port = port;
        return fd;
}

int closed_port(void)
{
        int port = 0, fd = silent_listener(&port);
        close(fd);
        return port;
}

void write_secret(char path[static 32], const char *value)
{
        strcpy(path, "/tmp/runbook-secret-XXXXXX");
        int fd = mkstemp(path);
        assert_int_equal(write(fd, value, strlen(value)), strlen(value));
        close(fd);
}

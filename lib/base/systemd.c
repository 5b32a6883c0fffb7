/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's two small protocols: readiness told over a socket, and a socket taken over. */
#include "runbook/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runbook/clock.h"
#include "runbook/text.h"

enum { FIRST_PASSED = 3 };

/* "/run/systemd/notify", or "@…" in the abstract namespace. */
static void notify_manager(const char *state)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        size_t length = path ? strlen(path) : 0;
        if (length == 0 || length >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
                return;
        memcpy(address.sun_path, path, length);
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return;
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

void systemd_ready(void)
{
        notify_manager("READY=1");
}

void systemd_reloading(void)
{
        _cleanup_free_ char *state =
                text_format("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(clock_monotonic() / 1000));
        if (state)
                notify_manager(state);
}

void systemd_stopping(void)
{
        notify_manager("STOPPING=1");
}

static bool is_number(const char *word, long number)
{
        char *end;
        return word && *word && strtol(word, &end, 10) == number && *end == '\0';
}

/* How long systemd waits for a word; 0: it does not wait for one of ours. */
static nsec watchdog_patience(void)
{
        const char *microseconds = getenv("WATCHDOG_USEC"), *process = getenv("WATCHDOG_PID");
        char *end;
        if (!microseconds || !*microseconds || (process && !is_number(process, (long)getpid())))
                return 0;
        long long value = strtoll(microseconds, &end, 10);
        return *end == '\0' && value > 0 && value < INT64_MAX / 1000 ? value * 1000 : 0;
}

void systemd_alive(nsec now, nsec *next)
{
        if (now < *next)
                return;
        nsec patience = watchdog_patience();
        *next = patience > 0 ? now + patience / 2 : INT64_MAX;
        if (patience > 0)
                notify_manager("WATCHDOG=1");
}

int systemd_socket(int *ret_fd, struct error *error)
{
        const char *count = getenv("LISTEN_FDS");
        int listening = 0;
        socklen_t length = sizeof(listening);
        if (!count || !is_number(getenv("LISTEN_PID"), (long)getpid()))
                return error_set(
                        error, ENOENT,
                        "systemd has passed no socket: is there a .socket unit, and was it started?");
        if (!is_number(count, 1))
                return error_set(error, EINVAL, "systemd has passed %s sockets: one is served, no more",
                                 count);
        if (getsockopt(FIRST_PASSED, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0 || !listening)
                return error_set(error, EINVAL, "what systemd has passed is no listening stream socket");
        if (fcntl(FIRST_PASSED, F_SETFD, FD_CLOEXEC) < 0 ||
            fcntl(FIRST_PASSED, F_SETFL, fcntl(FIRST_PASSED, F_GETFL) | O_NONBLOCK) < 0)
                return error_set(error, errno, "cannot prepare the socket that systemd has passed");
        *ret_fd = FIRST_PASSED;
        return 0;
}

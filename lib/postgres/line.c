/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a server may say, of which libpq itself has no notion: it reads as long as there is something, and
 * keeps every row, every message that is not whole yet, every parameter and notification.
 *
 * So it gets no more than a portion at a time. Between it and the server stands a pair of sockets: its
 * descriptor is one end, and what it is to read is put there by hand, and counted. That is so over TCP, a
 * unix socket and TLS alike, for it is below all that libpq does with the bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/postgres/internal.h"
#include "runbook/socket.h"

enum { PORTION = 16384 };

static size_t unread(int fd)
{
        int length = 0;
        return ioctl(fd, FIONREAD, &length) < 0 || length < 0 ? 0 : (size_t)length;
}

static void leave(struct postgres_line *line)
{
        close_p(&line->server);
        close_p(&line->ours);
        line->server = line->ours = -1;
        line->ended = false;
}

/* Before it has said its first word there is nothing to count, and libpq asks the socket who is there. */
static bool is_spoken(const PGconn *connection)
{
        switch (PQstatus(connection)) {
        case CONNECTION_BAD:
        case CONNECTION_NEEDED:
        case CONNECTION_STARTED:
        case CONNECTION_MADE: return false;
        default: return PQsocket(connection) >= 0;
        }
}

static int enter(struct postgres_line *line, int fd)
{
        int pair[2];
        struct stat status;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        _cleanup_close_ int theirs = pair[0], ours = pair[1];
        _cleanup_close_ int server = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (server < 0 || fstat(theirs, &status) < 0 || dup3(theirs, fd, O_CLOEXEC) < 0)
                return -errno;
        line->theirs = status.st_ino;
        line->server = TAKE_FD(server);
        line->ours = TAKE_FD(ours);
        return 0;
}

int postgres_line_follow(struct postgres_line *line)
{
        const int fd = PQsocket(line->connection);
        struct stat status;
        /* Of several hosts libpq has gone on to the next, whose descriptor may have the same number. */
        if (line->server >= 0 && (fd < 0 || fstat(fd, &status) < 0 || status.st_ino != line->theirs))
                leave(line);
        return line->server < 0 && is_spoken(line->connection) ? enter(line, fd) : 0;
}

/* What libpq has written goes to the server. False: it takes no more for now. */
static bool carry_out(struct postgres_line *line)
{
        char portion[PORTION];
        for (ssize_t n; (n = recv(line->ours, portion, sizeof(portion), MSG_PEEK | MSG_DONTWAIT)) > 0;) {
                ssize_t sent = send(line->server, portion, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (sent < 0 && (errno == EAGAIN || errno == EINTR))
                        return false;
                /* Who hears no more may have said why: that is still to be read. */
                (void)recv(line->ours, portion, (size_t)(sent < 0 ? n : sent), MSG_DONTWAIT);
        }
        return true;
}

/* One portion, when libpq has read the one before: there is room for it, then. */
static void carry_in(struct postgres_line *line)
{
        char portion[PORTION];
        if (line->ended || unread(PQsocket(line->connection)) > 0)
                return;
        ssize_t n = recv(line->server, portion, sizeof(portion), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n > 0) {
                line->taken += (uint64_t)n;
                if (send(line->ours, portion, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == n)
                        return;
        }
        line->ended = true;
        shutdown(line->ours, SHUT_WR);
}

static int ready_events(int fd, short events)
{
        struct pollfd poller = {.fd = fd, .events = events};
        return poll(&poller, 1, 0) > 0 ? poller.revents : 0;
}

bool postgres_line_heard(struct postgres_line *line)
{
        const int fd = PQsocket(line->connection);
        if (fd < 0)
                return false;
        if (line->server >= 0)
                carry_in(line);
        return ready_events(fd, POLLIN) != 0;
}

int postgres_line_wait(struct postgres_line *line, short events, struct deadline deadline)
{
        const int fd = PQsocket(line->connection);
        if (fd < 0)
                return -ECONNRESET;
        while (!deadline_passed(deadline)) {
                if (line->server < 0)
                        return socket_wait(fd, events, deadline);
                const bool all_out = carry_out(line);
                carry_in(line);
                int r = ready_events(fd, events);
                if (r != 0)
                        return r;
                const bool may_come = !line->ended && unread(fd) == 0;
                r = socket_wait(line->server, (short)((may_come ? POLLIN : 0) | (all_out ? 0 : POLLOUT)),
                                deadline);
                if (r < 0)
                        return r;
        }
        return -ETIMEDOUT;
}

int postgres_line_look(const struct postgres_line *line)
{
        return line->taken > line->rows + POSTGRES_ANSWER_MAX ? -EMSGSIZE : 0;
}

int postgres_line_consume(struct postgres_line *line)
{
        return PQconsumeInput(line->connection) ? postgres_line_look(line) : -ECONNRESET;
}

void postgres_line_begin(struct postgres_line *line)
{
        line->beside += line->taken > line->rows ? line->taken - line->rows : 0;
        line->taken = line->rows = 0;
}

bool postgres_line_is_worn(const struct postgres_line *line)
{
        return line->beside > POSTGRES_ANSWER_MAX;
}

void postgres_line_close(struct postgres_line *line)
{
        PQfinish(line->connection);
        /* Its goodbye is in the pair. */
        if (line->server >= 0)
                (void)carry_out(line);
        leave(line);
        *line = POSTGRES_NO_LINE;
}

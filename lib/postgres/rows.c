/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a server may answer, of which libpq itself has no notion: it keeps every row, every notice that is
 * not whole yet, and every parameter and notification.
 *
 * Rows come one by one and are put together again as far as they are wanted. What else has come in is found
 * out from the socket: what the kernel has received, without what still lies there, is what libpq took.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/postgres/internal.h"

/* What libpq takes at once at least, when there is as much. */
#define TAKEN_LEAST ((size_t)8192)

static size_t unread(int fd)
{
        int length = 0;
        return ioctl(fd, FIONREAD, &length) < 0 || length < 0 ? 0 : (size_t)length;
}

/* All bytes of a TCP connection so far; false for a unix socket. */
static bool count_received(int fd, uint64_t *ret)
{
        struct tcp_info info = {0};
        socklen_t size = sizeof(info);
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
            size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received))
                return false;
        *ret = info.tcpi_bytes_received;
        return true;
}

void postgres_meter_begin(struct postgres_meter *meter, PGconn *connection)
{
        uint64_t received = 0;
        *meter = (struct postgres_meter){0};
        meter->counted = count_received(PQsocket(connection), &received);
        size_t left = unread(PQsocket(connection));
        meter->begin = received > left ? received - left : 0;
}

int postgres_meter_look(struct postgres_meter *meter, PGconn *connection)
{
        const int fd = PQsocket(connection);
        uint64_t received = 0;
        if (fd >= 0 && count_received(fd, &received)) {
                const uint64_t known = meter->begin + unread(fd);
                meter->taken = received > known ? received - known : 0;
        }
        return meter->taken > meter->rows + POSTGRES_ANSWER_MAX ? -EMSGSIZE : 0;
}

int postgres_meter_consume(struct postgres_meter *meter, PGconn *connection)
{
        const int fd = PQsocket(connection);
        const size_t before = meter->counted ? 0 : unread(fd);
        if (!PQconsumeInput(connection))
                return -ECONNRESET;
        if (!meter->counted) {
                const size_t after = unread(fd), least = before < TAKEN_LEAST ? before : TAKEN_LEAST;
                meter->taken += before > after + least ? before - after : least;
        }
        return postgres_meter_look(meter, connection);
}

/* As it came: a type, the length, how many fields, and each with its length before it. */
static size_t row_length(const PGresult *row)
{
        size_t length = 1 + 4 + 2;
        for (int column = 0; column < PQnfields(row); column++)
                length += 4 + (size_t)PQgetlength(row, 0, column);
        return length;
}

static int append_row(PGresult *rows, const PGresult *row)
{
        const int at = PQntuples(rows);
        for (int column = 0; column < PQnfields(row); column++)
                if (!PQsetvalue(rows, at, column,
                                PQgetisnull(row, 0, column) ? NULL : PQgetvalue(row, 0, column),
                                PQgetisnull(row, 0, column) ? -1 : PQgetlength(row, 0, column)))
                        return -ENOMEM;
        return 0;
}

/* Once one is not kept, none behind it is: what there is of an answer is its beginning. */
static bool is_beyond(const struct postgres_rows *rows, const struct statement *statement,
                      const PGresult *row)
{
        return rows->beyond > 0 ||
               (statement->ret_cut && (size_t)PQntuples(rows->result) >= statement->rows_most) ||
               PQresultMemorySize(rows->result) + PQresultMemorySize(row) > POSTGRES_ANSWER_MAX;
}

int postgres_rows_take(struct postgres_rows *rows, const struct statement *statement, const PGresult *row,
                       struct postgres_meter *meter)
{
        const size_t length = row_length(row);
        meter->rows += length;
        if (!rows->result && !(rows->result = PQcopyResult(row, PG_COPYRES_ATTRS)))
                return -ENOMEM;
        if (!is_beyond(rows, statement, row))
                return append_row(rows->result, row);
        if (!statement->ret_cut)
                return -EMSGSIZE;
        ++*statement->ret_cut;
        rows->beyond += length;
        return rows->beyond > POSTGRES_ANSWER_MAX;
}

int64_t postgres_touched(const PGresult *result)
{
        return PQnfields(result) > 0 ? PQntuples(result) : strtoll(PQcmdTuples((PGresult *)result), NULL, 10);
}

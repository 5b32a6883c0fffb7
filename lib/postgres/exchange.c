/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements to a server and answers from it, within a deadline.
 *
 * What is known beforehand is sent at once, as a pipeline: one round trip, in which the server skips what
 * comes after a statement that it refuses. It goes by the extended protocol, which takes one statement in one
 * text, whoever wrote it; only PgBouncer's console knows nothing but the simple one.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "lib/postgres/internal.h"
#include "runbook/socket.h"
#include "runbook/trace.h"

int postgres_wait(PGconn *connection, short events, struct deadline deadline)
{
        int fd = PQsocket(connection);
        return fd < 0 ? -ECONNRESET : socket_wait(fd, events, deadline);
}

/* A statement's first line; its parameters are never shown. */
static void trace_statement(struct deadline deadline, const struct statement *statement)
{
        const char *sql = statement->sql;
        if (!deadline.trace || statement->is_frame)
                return;
        sql += strspn(sql, " \t\r\n");
        trace_step(deadline, "%.*s", (int)strcspn(sql, "\r\n"), sql);
}

static void trace_result(struct deadline deadline, const PGresult *result)
{
        const char *sqlstate = deadline.trace ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
        if (sqlstate)
                trace_step(deadline, "refused, SQLSTATE %s", sqlstate);
        else
                trace_step(deadline, "answered, %d rows", PQntuples(result));
}

bool postgres_is_refusal(const PGresult *result)
{
        ExecStatusType status = PQresultStatus(result);
        return result &&
               (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_EMPTY_QUERY);
}

static int flush(PGconn *connection, struct deadline deadline)
{
        for (int pending; (pending = PQflush(connection)) != 0;) {
                if (pending < 0)
                        return -ECONNRESET;
                int r = postgres_wait(connection, POLLIN | POLLOUT, deadline);
                if (r < 0)
                        return r;
                if ((r & POLLIN) && !PQconsumeInput(connection))
                        return -ECONNRESET;
        }
        return 0;
}

static int send_all(PGconn *connection, const struct statement *statements, size_t count,
                    struct deadline deadline)
{
        if (statements->simple) {
                trace_statement(deadline, statements);
                return PQsendQuery(connection, statements->sql) ? flush(connection, deadline) : -ECONNRESET;
        }
        if (!PQenterPipelineMode(connection))
                return -ECONNRESET;
        for (size_t i = 0; i < count; i++) {
                const struct statement *statement = &statements[i];
                trace_statement(deadline, statement);
                if (!PQsendQueryParams(connection, statement->sql, statement->count, NULL,
                                       statement->parameters, NULL, NULL, 0))
                        return -ECONNRESET;
        }
        return PQpipelineSync(connection) ? flush(connection, deadline) : -ECONNRESET;
}

/* The next of libpq's results, NULL between those of two statements. */
static int next_result(PGconn *connection, struct deadline deadline, PGresult **ret)
{
        while (PQisBusy(connection)) {
                int r = postgres_wait(connection, POLLIN, deadline);
                if (r < 0)
                        return r;
                if (!PQconsumeInput(connection))
                        return -ECONNRESET;
        }
        *ret = PQgetResult(connection);
        ExecStatusType status = PQresultStatus(*ret);
        /* COPY has no end that could be waited for here. */
        return *ret && (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
                       ? -ENOTSUP
                       : 0;
}

/* Whether an answer is the one to tell, rather than the one before. */
static bool is_wanted(const PGresult *before, bool before_is_frame, const PGresult *answer, bool is_frame)
{
        if (!before)
                return true;
        if (postgres_is_refusal(before) || PQresultStatus(answer) == PGRES_PIPELINE_ABORTED)
                return false;
        return postgres_is_refusal(answer) || before_is_frame || !is_frame;
}

int postgres_converse(PGconn *connection, const struct statement *statements, size_t count,
                      struct deadline deadline, PGresult **ret, const struct statement **ret_of)
{
        _cleanup_result_ PGresult *told = NULL;
        const struct statement *of = statements;
        int r = send_all(connection, statements, count, deadline);
        for (size_t at = 0; r >= 0;) {
                _cleanup_result_ PGresult *next = NULL;
                r = next_result(connection, deadline, &next);
                if (r >= 0 && PQstatus(connection) != CONNECTION_OK)
                        r = -ECONNRESET;
                if (r == -ECONNRESET && postgres_is_refusal(told))
                        *ret = TAKE_PTR(told);
                if (r < 0)
                        return r;
                if (PQresultStatus(next) == PGRES_PIPELINE_SYNC || (!next && statements->simple))
                        break;
                if (!next) {
                        at++;
                        continue;
                }
                if (at >= count)
                        return -ECONNRESET;
                if (!statements[at].is_frame && PQresultStatus(next) != PGRES_PIPELINE_ABORTED)
                        trace_result(deadline, next);
                if (is_wanted(told, of->is_frame, next, statements[at].is_frame)) {
                        PQclear(told);
                        told = TAKE_PTR(next);
                        of = &statements[at];
                }
        }
        if (r < 0)
                return r;
        if (!told || (!statements->simple && !PQexitPipelineMode(connection)))
                return -ECONNRESET;
        *ret = TAKE_PTR(told);
        if (ret_of)
                *ret_of = of;
        return 0;
}

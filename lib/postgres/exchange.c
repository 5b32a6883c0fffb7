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
#include "runbook/trace.h"

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

/* What is sent and what comes back. */
struct conversation {
        struct postgres_line *line;
        const struct statement *statements;
        size_t count, at; /* `at`: the one whose answer comes */
        struct deadline deadline;
        struct postgres_rows rows;  /* of that one */
        PGresult *told;             /* the answer that is the one to tell so far, */
        const struct statement *of; /* and whose it is */
};

static void conversation_release(struct conversation *talk)
{
        PQclear(talk->rows.result);
        PQclear(talk->told);
}

static int flush(struct conversation *talk)
{
        for (int pending; (pending = PQflush(talk->line->connection)) != 0;) {
                if (pending < 0)
                        return -ECONNRESET;
                int r = postgres_line_wait(talk->line, POLLIN | POLLOUT, talk->deadline);
                if (r >= 0 && (r & POLLIN))
                        r = postgres_line_consume(talk->line);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Of what was asked for the rows come one by one. */
static void begin_answer(struct conversation *talk)
{
        PQclear(talk->rows.result);
        talk->rows = (struct postgres_rows){0};
        if (talk->at < talk->count && !talk->statements[talk->at].is_frame)
                (void)PQsetSingleRowMode(
                        talk->line->connection); /* not after a refusal, where there are none */
}

static int send_all(struct conversation *talk)
{
        PGconn *connection = talk->line->connection;
        if (talk->statements->simple) {
                trace_statement(talk->deadline, talk->statements);
                if (!PQsendQuery(connection, talk->statements->sql))
                        return -ECONNRESET;
                begin_answer(talk);
                return flush(talk);
        }
        if (!PQenterPipelineMode(connection))
                return -ECONNRESET;
        for (size_t i = 0; i < talk->count; i++) {
                const struct statement *statement = &talk->statements[i];
                trace_statement(talk->deadline, statement);
                if (!PQsendQueryParams(connection, statement->sql, statement->count, NULL,
                                       statement->parameters, NULL, NULL, 0))
                        return -ECONNRESET;
        }
        if (!PQpipelineSync(connection))
                return -ECONNRESET;
        begin_answer(talk);
        return flush(talk);
}

/* The next of libpq's results, NULL between those of two statements. */
static int next_result(struct conversation *talk, PGresult **ret)
{
        if (deadline_passed(talk->deadline))
                return -ETIMEDOUT;
        while (PQisBusy(talk->line->connection)) {
                int r = postgres_line_wait(talk->line, POLLIN, talk->deadline);
                if (r >= 0)
                        r = postgres_line_consume(talk->line);
                if (r < 0)
                        return r;
        }
        *ret = PQgetResult(talk->line->connection);
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

/* A result, which is a row or ends an answer. 1: the rest of the rows is not worth reading. */
static int take_result(struct conversation *talk, PGresult **result)
{
        if (talk->at >= talk->count)
                return -ECONNRESET;
        const struct statement *statement = &talk->statements[talk->at];
        int left = 0;
        if (PQresultStatus(*result) == PGRES_SINGLE_TUPLE) {
                left = PQnfields(*result) > 0
                               ? postgres_rows_take(&talk->rows, statement, *result, talk->line)
                               : 0;
                if (left <= 0)
                        return left;
        }
        if (talk->rows.result && (left > 0 || PQresultStatus(*result) == PGRES_TUPLES_OK)) {
                PQclear(*result);
                *result = TAKE_PTR(talk->rows.result);
        }
        if (!statement->is_frame && PQresultStatus(*result) != PGRES_PIPELINE_ABORTED)
                trace_result(talk->deadline, *result);
        if (is_wanted(talk->told, talk->of->is_frame, *result, statement->is_frame)) {
                PQclear(talk->told);
                talk->told = TAKE_PTR(*result);
                talk->of = statement;
        }
        return left;
}

/* Until all is answered. 1: it was left in the middle. */
static int hear_all(struct conversation *talk, PGresult **ret_last_word)
{
        for (;;) {
                _cleanup_result_ PGresult *next = NULL;
                int r = next_result(talk, &next);
                if (r >= 0 && PQstatus(talk->line->connection) != CONNECTION_OK)
                        r = -ECONNRESET;
                if (r == -ECONNRESET && postgres_is_refusal(talk->told))
                        *ret_last_word = TAKE_PTR(talk->told);
                if (r < 0)
                        return r;
                if (PQresultStatus(next) == PGRES_PIPELINE_SYNC || (!next && talk->statements->simple))
                        return 0;
                if (next) {
                        r = take_result(talk, &next);
                        if (r != 0)
                                return r;
                } else {
                        talk->at++;
                        begin_answer(talk);
                }
        }
}

int postgres_converse(struct postgres_line *line, const struct statement *statements, size_t count,
                      struct deadline deadline, PGresult **ret, const struct statement **ret_of)
{
        _cleanup_(conversation_release) struct conversation talk = {.line = line,
                                                                    .statements = statements,
                                                                    .count = count,
                                                                    .deadline = deadline,
                                                                    .of = statements};
        postgres_line_begin(line);
        int r = send_all(&talk);
        if (r >= 0)
                r = hear_all(&talk, ret);
        if (r < 0)
                return r;
        if (!talk.told || (r == 0 && !statements->simple && !PQexitPipelineMode(line->connection)))
                return -ECONNRESET;
        *ret = TAKE_PTR(talk.told);
        if (ret_of)
                *ret_of = talk.of;
        return r;
}

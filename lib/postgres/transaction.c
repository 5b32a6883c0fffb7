/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions and their settings: each statement stands in one, and leaves nothing on the session.
 *
 * The frame around a statement goes with it, as one pipeline, so that it costs no round trip of its own.
 * Only what a statement that may write is followed by waits for its answer: one that was late is cancelled
 * then, and not committed by an END that was under way already.
 */
#include <errno.h>
#include <string.h>

#include "lib/postgres/internal.h"

/* What a read-only statement of an operator's sets is taken back by this, and still the transaction counts as
 * committed: rollbacks are what people are alerted of. */
#define SAVEPOINT "runbook"

/* BEGIN, settings, SAVEPOINT, the statement, ROLLBACK TO, END. */
enum { FRAME_MAX = 6 };

struct frame {
        struct text settings;
        struct statement statements[FRAME_MAX];
        size_t count;
};

static void put_setting(struct text *text, const char *name, nsec value)
{
        if (value > 0)
                text_printf(text, ", pg_catalog.set_config('%s', '%lld', true)", name,
                            (long long)(value > NSEC_PER_MSEC ? value / NSEC_PER_MSEC : 1));
}

static void frame_add(struct frame *frame, const char *sql)
{
        frame->statements[frame->count++] = (struct statement){.sql = sql, .is_frame = true};
}

/* Should this side stop in the middle of several statements, the server gives the transaction up after as
 * long as one of them may take. */
static int frame_open(struct frame *frame, const struct postgres *postgres,
                      const struct postgres_terms *terms, struct error *error)
{
        struct text *settings = &frame->settings;
        text_puts(settings, "SELECT pg_catalog.set_config('row_security', 'off', true)");
        if (terms->own)
                text_puts(settings, ", pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)");
        put_setting(settings, "statement_timeout", terms->statement_timeout);
        put_setting(settings, "lock_timeout", terms->lock_timeout);
        put_setting(settings, "idle_in_transaction_session_timeout", terms->statement_timeout);
        if (!postgres->is_named)
                text_printf(settings, ", pg_catalog.set_config('application_name', '%s', true)",
                            postgres->options.application_name);
        if (text_error(settings) < 0)
                return error_oom(error);
        frame_add(frame, terms->read_only ? "BEGIN READ ONLY" : "BEGIN");
        frame_add(frame, text_string(settings));
        return 0;
}

static void frame_release(struct frame *frame)
{
        text_free(&frame->settings);
}

/* The server has ended the session, or takes no statement now: it is shut down, has crashed, starts, or lacks
 * room; or two transactions were in each other's way, and this one was taken back. */
static bool refusal_may_pass(const char *sqlstate)
{
        static const char *const states[] = {"57P01", "57P02", "57P03", "53300", "40001", "40P01"};
        for (size_t i = 0; i < N_ELEMENTS(states); i++)
                if (string_equal(sqlstate, states[i]))
                        return true;
        return false;
}

static int refuse(struct postgres *postgres, const PGresult *result, const struct statement *statement,
                  struct error *error)
{
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        _cleanup_text_ struct text message = {0};
        strncpy(postgres->sqlstate, sqlstate ? sqlstate : "", SQLSTATE_LENGTH);
        postgres_put_message(result, statement, PQuser(postgres->line.connection), &message);
        int r = error_set(error, EREMOTEIO, "%s", text_string(&message));
        return refusal_may_pass(postgres->sqlstate) ? error_may_pass(error, r) : r;
}

/* Why an answer was not waited for. */
static int explain_leaving(int r, struct error *error)
{
        if (r == -ENOMEM)
                return error_oom(error);
        if (r == -EMSGSIZE)
                return error_set(error, EMSGSIZE, "the answer has more than %zu MiB, and was cancelled",
                                 POSTGRES_ANSWER_MAX >> 20);
        return r == -ENOTSUP ? error_set(error, ENOTSUP, "COPY cannot be run here")
                             : error_set(error, ETIMEDOUT, "the query took too long and was cancelled");
}

static int exchange(struct postgres *postgres, const struct statement *statements, size_t count,
                    struct deadline deadline, PGresult **ret, struct error *error)
{
        _cleanup_result_ PGresult *result = NULL;
        const struct statement *of = NULL;
        int r = postgres_make_ready(postgres, deadline, error);
        if (r < 0)
                return r;
        r = postgres_converse(&postgres->line, statements, count, deadline, &result, &of);
        if (r > 0 || r == -ETIMEDOUT || r == -ENOTSUP || r == -EMSGSIZE || r == -ENOMEM) {
                postgres_cancel(postgres->line.connection);
                postgres_disconnect(postgres);
                if (r < 0)
                        return explain_leaving(r, error);
                if (ret)
                        *ret = TAKE_PTR(result);
                return 0;
        }
        if (r < 0) {
                _cleanup_text_ struct text line = {0};
                postgres_one_line(result ? PQresultErrorMessage(result)
                                         : PQerrorMessage(postgres->line.connection),
                                  &line);
                postgres_disconnect(postgres);
                return error_may_pass(error,
                                      error_set(error, ECONNRESET, "the connection to PostgreSQL broke: %s",
                                                text_string(&line)));
        }
        postgres->in_transaction = PQtransactionStatus(postgres->line.connection) != PQTRANS_IDLE;
        if (postgres_is_refusal(result))
                return refuse(postgres, result, of, error);
        if (ret)
                *ret = TAKE_PTR(result);
        return 0;
}

int postgres_begin(struct postgres *postgres, bool read_only, struct deadline deadline, struct error *error)
{
        _cleanup_(frame_release) struct frame frame = {0};
        struct postgres_terms terms = postgres->options.terms;
        terms.read_only |= read_only;
        /* First, because it is known only then whether the session has a name. */
        int r = postgres_make_ready(postgres, deadline, error);
        if (r >= 0)
                r = frame_open(&frame, postgres, &terms, error);
        return r < 0 ? r : exchange(postgres, frame.statements, frame.count, deadline, NULL, error);
}

/* END is COMMIT, and also ends a transaction that failed. By this word a frame's end is told apart, in the
 * server's log, from a COMMIT that a step asks for and depends on. */
static int end_transaction(struct postgres *postgres, bool failed, struct deadline deadline,
                           struct error *error)
{
        static const struct statement end = {.sql = "END", .is_frame = true};
        _cleanup_result_ PGresult *result = NULL;
        if (!postgres->in_transaction)
                return 0;
        int r = exchange(postgres, &end, 1, deadline, &result, error);
        if (r >= 0 && !failed && strcmp(PQcmdStatus(result), "COMMIT") != 0)
                r = error_set(error, EREMOTEIO, "the server rolled the transaction back");
        return r;
}

/* The statement in its frame, but for the END of one that may write. */
static int send_framed(struct postgres *postgres, const struct postgres_terms *terms,
                       const struct statement *statement, struct deadline deadline, PGresult **ret,
                       struct error *error)
{
        _cleanup_(frame_release) struct frame frame = {0};
        int r = frame_open(&frame, postgres, terms, error);
        if (r < 0)
                return r;
        const bool saved = terms->read_only && !terms->own;
        if (saved)
                frame_add(&frame, "SAVEPOINT " SAVEPOINT);
        frame.statements[frame.count++] = *statement;
        if (saved)
                frame_add(&frame, "ROLLBACK TO SAVEPOINT " SAVEPOINT);
        if (terms->read_only)
                frame_add(&frame, "END");
        return exchange(postgres, frame.statements, frame.count, deadline, ret, error);
}

static int ask_console(struct postgres *postgres, const struct statement *statement, struct deadline deadline,
                       PGresult **ret, struct error *error)
{
        struct statement simple = *statement;
        simple.simple = true;
        if (statement->count > 0)
                return error_set(error, EINVAL, "PgBouncer's console takes no parameters");
        return exchange(postgres, &simple, 1, deadline, ret, error);
}

int postgres_query_on(struct postgres *postgres, const struct postgres_terms *terms, const char *sql,
                      const char *const *parameters, int count, struct deadline deadline, PGresult **ret,
                      struct error *error)
{
        const struct statement statement = {.sql = sql,
                                            .parameters = parameters,
                                            .count = count,
                                            .rows_most = terms ? terms->rows_most : 0,
                                            .ret_cut = terms ? terms->ret_cut : NULL};
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_error_ struct error closing = {0};
        if (postgres->in_transaction)
                return exchange(postgres, &statement, 1, deadline, ret, error);
        int r = postgres_make_ready(postgres, deadline, error);
        if (r < 0)
                return r;
        if (postgres->is_console)
                return ask_console(postgres, &statement, deadline, ret, error);
        r = send_framed(postgres, terms ? terms : &postgres->options.terms, &statement, deadline, &result,
                        error);
        if (r < 0 && r != -EREMOTEIO)
                return r;
        int closed = end_transaction(postgres, r < 0, deadline, &closing);
        if (closed < 0) {
                postgres_disconnect(postgres);
                if (r >= 0) {
                        error_move(error, &closing);
                        r = closed;
                }
        }
        if (r >= 0 && ret)
                *ret = TAKE_PTR(result);
        return r;
}

int postgres_query(struct postgres *postgres, const char *sql, const char *const *parameters, int count,
                   struct deadline deadline, PGresult **ret, struct error *error)
{
        return postgres_query_on(postgres, NULL, sql, parameters, count, deadline, ret, error);
}

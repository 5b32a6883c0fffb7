/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions and their settings: each statement stands in one, and leaves nothing on the session.
 *
 * A frame costs two more round trips, before and after the statement. It is text of this file's own, so it
 * goes by the simple protocol, several statements at once; what others wrote goes by the extended one, which
 * takes no more than one statement.
 */
#include <errno.h>
#include <string.h>

#include "lib/postgres/internal.h"

/* What a read-only statement of an operator's sets is taken back by this, and still the transaction counts as
 * committed: rollbacks are what people are alerted of. */
#define SAVEPOINT "runbook"

static void put_setting(struct text *text, const char *name, nsec value)
{
        if (value > 0)
                text_printf(text, "; SET LOCAL %s = %lld", name,
                            (long long)(value > NSEC_PER_MSEC ? value / NSEC_PER_MSEC : 1));
}

/* Should this side stop in the middle, the server gives the transaction up after as long as one statement may
 * take. */
static int open_transaction(struct postgres *postgres, const struct postgres_terms *terms, bool saved,
                            struct deadline deadline, struct error *error)
{
        _cleanup_text_ struct text text = {0};
        /* First, because it is known only then whether the session has a name. */
        int r = postgres_make_ready(postgres, deadline, error);
        if (r < 0)
                return r;
        text_printf(&text, "BEGIN%s; SET LOCAL row_security = off", terms->read_only ? " READ ONLY" : "");
        put_setting(&text, "statement_timeout", terms->statement_timeout);
        put_setting(&text, "lock_timeout", terms->lock_timeout);
        put_setting(&text, "idle_in_transaction_session_timeout", terms->statement_timeout);
        if (!postgres->is_named)
                text_printf(&text, "; SET LOCAL application_name = %s", postgres->options.application_name);
        if (saved)
                text_puts(&text, "; SAVEPOINT " SAVEPOINT);
        if (text_error(&text) < 0)
                return error_oom(error);
        const struct statement frame = {.sql = text_string(&text), .several = true};
        return postgres_exchange(postgres, &frame, deadline, NULL, error);
}

/* END is COMMIT, and also ends a transaction that failed. By this word a frame's end is told apart, in the
 * server's log, from a COMMIT that a step asks for and depends on. */
static int close_transaction(struct postgres *postgres, bool saved, bool failed, struct deadline deadline,
                             struct error *error)
{
        const struct statement frame = {.sql = saved ? "ROLLBACK TO SAVEPOINT " SAVEPOINT "; END" : "END",
                                        .several = true};
        _cleanup_result_ PGresult *result = NULL;
        if (!postgres->in_transaction)
                return 0;
        int r = postgres_exchange(postgres, &frame, deadline, &result, error);
        if (r >= 0 && !failed && strcmp(PQcmdStatus(result), "COMMIT") != 0)
                r = error_set(error, EREMOTEIO, "the server rolled the transaction back");
        return r;
}

int postgres_begin(struct postgres *postgres, bool read_only, struct deadline deadline, struct error *error)
{
        struct postgres_terms terms = postgres->options.terms;
        terms.read_only |= read_only;
        return open_transaction(postgres, &terms, false, deadline, error);
}

int postgres_query_on(struct postgres *postgres, const struct postgres_terms *terms, const char *sql,
                      const char *const *parameters, int count, struct deadline deadline, PGresult **ret,
                      struct error *error)
{
        const struct statement statement = {.sql = sql, .parameters = parameters, .count = count};
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_error_ struct error closing = {0};
        if (postgres->in_transaction)
                return postgres_exchange(postgres, &statement, deadline, ret, error);
        if (!terms)
                terms = &postgres->options.terms;
        int r = open_transaction(postgres, terms, terms->read_only, deadline, error);
        if (r < 0) {
                /* The text is one message to the server: what of it came before the failure may stand. */
                if (postgres->in_transaction)
                        postgres_disconnect(postgres);
                return r;
        }
        r = postgres_exchange(postgres, &statement, deadline, &result, error);
        if (r < 0 && r != -EREMOTEIO)
                return r;
        int closed = close_transaction(postgres, terms->read_only, r < 0, deadline, &closing);
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL by libpq, asynchronous underneath: one deadline for connect, query and answer.
 *
 * One thread at a time. When a deadline passes the query is cancelled on the server and the connection is
 * closed, so that nothing is left behind there. The DSN must not hold a password; that is what `password` is
 * for.
 *
 * Nothing is set for a session: behind a pool that gives each transaction another one (PgBouncer's
 * transaction mode) it is somebody else's next. Every statement runs in a transaction, and all settings are
 * that one's. No statement has a name either.
 *
 * What a server says is data, for it quotes rows. Errors carry its SQLSTATE, that condition's name, and of
 * the primary message what holds no value: quoted words and numbers are shown only when they stand in the
 * statement. The message as it came is logged at `debug`, without the parameters and the password.
 *
 * lib/postgres is here so that a check and an action reach a server in the same way, by the same options. It
 * uses lib/base and lib/config.
 */
#ifndef RUNBOOK_POSTGRES_H
#define RUNBOOK_POSTGRES_H

#include <libpq-fe.h>

#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/error.h"
#include "runbook/secret.h"

/*
 * What holds for one transaction and for nothing after it. Beside these, always: row_security=off, so that a
 * policy that would hide rows is an error and never a smaller number.
 */
struct postgres_terms {
        bool read_only; /* and what the statement sets is taken back too: it is committed as nothing */
        bool own; /* the statement is the daemon's own: names mean those of pg_catalog, whatever the role's
                     search_path, and it sets nothing that would have to be taken back */
        nsec statement_timeout; /* a server-side safety net; 0: the server's own */
        nsec lock_timeout;
        /*
         * Of a statement's answer: with `ret_cut` the first `rows_most` rows are kept, as far as they fit
         * into POSTGRES_ANSWER_MAX, and for each row beyond them that came in it is raised by one; after some
         * MiB of those the statement is cancelled, and the connection closed. Without it an answer is whole
         * or -EMSGSIZE, so that what it changed is rolled back.
         */
        size_t rows_most;
        uint64_t *ret_cut;
};

/* Bytes that an answer may take in memory, and that may come in beside its rows: a row that is not whole yet,
 * notices, notifications, parameters. */
#define POSTGRES_ANSWER_MAX ((size_t)16 << 20)

struct postgres_options {
        char *dsn;      /* a keyword/value string or a postgresql:// URI */
        char *database; /* in the place of the one that the DSN names; NULL: that one */
        struct secret password;
        const char *application_name; /* "runbook_exporter", "runbook_responder": an SQL name; borrowed */
        struct postgres_terms terms;  /* of every transaction that is not given others */
};

#define POSTGRES_CONFIG_FIELDS(holder, member)                                                          \
        {.name = "dsn",                                                                                 \
         .type = CONFIG_STRING,                                                                         \
         .offset = offsetof(holder, member.dsn),                                                        \
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,                                                   \
         .help = "libpq connection string, without a password"},                                        \
        {                                                                                               \
                .name = "password", .type = CONFIG_SECRET, .offset = offsetof(holder, member.password), \
                .help = "read anew at each connect"                                                     \
        }

struct postgres;

/* -EINVAL when the DSN does not parse or holds a password. For validation, without connecting. */
int postgres_check_dsn(const char *dsn, struct error *error);

/* Connects on first use, and again after the connection was lost; so this never waits. */
int postgres_new(const struct postgres_options *options, struct postgres **ret, struct error *error);
struct postgres *postgres_free(struct postgres *postgres);
DEFINE_CLEANUP(struct postgres *, postgres_free);

/* Makes sure that there is a working connection. -ECONNREFUSED, -ETIMEDOUT, -EACCES (login), … */
int postgres_connect(struct postgres *postgres, struct deadline deadline, struct error *error);
void postgres_disconnect(struct postgres *postgres);
bool postgres_connected(const struct postgres *postgres);

/*
 * Runs one statement with bound text parameters (NULL: SQL NULL), connecting first when need be: in the
 * transaction that postgres_begin() opened, else in one of its own, on the terms of the options. `ret` may be
 * NULL; otherwise PQclear() it; how many rows it touched says postgres_touched(). A server error is
 * -EREMOTEIO (the session lives on). -ETIMEDOUT: was cancelled. -EMSGSIZE: answered too much, and was
 * cancelled. -ECONNRESET: the connection broke, and whether a statement took effect is unknown.
 */
int postgres_query(struct postgres *postgres, const char *sql, const char *const *parameters, int count,
                   struct deadline deadline, PGresult **ret, struct error *error);

/* The same in a transaction of its own on other terms. NULL: those of the options. */
int postgres_query_on(struct postgres *postgres, const struct postgres_terms *terms, const char *sql,
                      const char *const *parameters, int count, struct deadline deadline, PGresult **ret,
                      struct error *error);

/* The rows that a statement returned or, when it returned none, those it says that it touched: an answer with
 * rows is put together again and has no PQcmdTuples(). */
int64_t postgres_touched(const PGresult *result);

/* Opens a transaction, read-only or on the terms of the options as they are. It ends by a COMMIT or ROLLBACK
 * as a statement; errors as of postgres_query(). */
int postgres_begin(struct postgres *postgres, bool read_only, struct deadline deadline, struct error *error);

/*
 * Whether what was connected to is the console of a PgBouncer (its database `pgbouncer`). It takes SHOW and
 * its like as they are, without a transaction and without parameters.
 */
bool postgres_is_console(const struct postgres *postgres);

/* Which database the connection leads to, NULL when there is none; until it is lost or closed. */
const char *postgres_database(const struct postgres *postgres);

/* The five-character SQLSTATE of the last server error, "" when there was none. */
const char *postgres_sqlstate(const struct postgres *postgres);
int postgres_backend_pid(const struct postgres *postgres); /* 0 when not connected */

static inline void postgres_result_free_p(PGresult **result)
{
        PQclear(*result);
}
#define _cleanup_result_ _cleanup_(postgres_result_free_p)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL by libpq, asynchronous underneath: one deadline for connect, query and answer.
 *
 * One thread at a time. When a deadline passes the query is cancelled on the server and the connection is
 * closed, so that nothing is left behind there. Errors carry the server's primary message, never the
 * query's parameters or a password. The DSN must not hold a password; that is what `password` is for.
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

struct postgres_options {
        char *dsn; /* a keyword/value string or a postgresql:// URI */
        struct secret password;
        const char *application_name; /* "runbook_exporter", "runbook_responder"; borrowed */
        bool read_only;               /* default_transaction_read_only=on for the session */
        nsec statement_timeout;       /* of the session, as a server-side safety net; 0: none */
        nsec lock_timeout;
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
 * Runs one statement with bound text parameters (NULL: SQL NULL), connecting first when need be. `ret` may
 * be NULL; otherwise PQclear() it. A server error is -EREMOTEIO (the session lives on). -ETIMEDOUT: was
 * cancelled. -ECONNRESET: the connection broke, and whether a statement took effect is unknown.
 */
int postgres_query(struct postgres *postgres, const char *sql, const char *const *parameters, int count,
                   struct deadline deadline, PGresult **ret, struct error *error);

/* The five-character SQLSTATE of the last server error, "" when there was none. */
const char *postgres_sqlstate(const struct postgres *postgres);
int postgres_backend_pid(const struct postgres *postgres); /* 0 when not connected */

static inline void postgres_result_free_p(PGresult **result)
{
        PQclear(*result);
}
#define _cleanup_result_ _cleanup_(postgres_result_free_p)

#endif

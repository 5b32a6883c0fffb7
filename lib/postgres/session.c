/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL: libpq's asynchronous calls in one poll loop, so that a deadline holds for connect and query.
 *
 * What the deadline cannot interrupt: libpq looks host *names* up by getaddrinfo, inside of PQconnectStart
 * and PQconnectPoll. An IP address, `hostaddr=` or a unix socket never waits for it.
 */
#include "runbook/postgres.h"

#include <errno.h>
#include <string.h>

#include "lib/postgres/internal.h"
#include "runbook/socket.h"
#include "runbook/trace.h"

static int copy_string(const char *from, char **to, struct error *error)
{
        if (from && !(*to = strdup(from)))
                return error_oom(error);
        return 0;
}

int postgres_new(const struct postgres_options *options, struct postgres **ret, struct error *error)
{
        int r = postgres_check_dsn(options->dsn, error);
        if (r < 0)
                return r;

        _cleanup_(postgres_free_p) struct postgres *postgres = calloc(1, sizeof(*postgres));
        if (!postgres)
                return error_oom(error);
        postgres->options = (struct postgres_options){
                .application_name = options->application_name,
                .terms = options->terms,
        };
        if ((r = copy_string(options->dsn, &postgres->options.dsn, error)) < 0 ||
            (r = copy_string(options->password.file, &postgres->options.password.file, error)) < 0 ||
            (r = copy_string(options->password.variable, &postgres->options.password.variable, error)) < 0)
                return r;
        *ret = TAKE_PTR(postgres);
        return 0;
}

struct postgres *postgres_free(struct postgres *postgres)
{
        if (!postgres)
                return NULL;
        postgres_disconnect(postgres);
        free(postgres->options.dsn);
        secret_release(&postgres->options.password);
        free(postgres);
        return NULL;
}

void postgres_disconnect(struct postgres *postgres)
{
        PQfinish(postgres->connection);
        postgres->connection = NULL;
        postgres->in_transaction = false;
        postgres->ended = false;
}

bool postgres_connected(const struct postgres *postgres)
{
        return postgres->connection && PQstatus(postgres->connection) == CONNECTION_OK;
}

const char *postgres_sqlstate(const struct postgres *postgres)
{
        return postgres->sqlstate;
}

int postgres_backend_pid(const struct postgres *postgres)
{
        return postgres_connected(postgres) ? PQbackendPID(postgres->connection) : 0;
}

/* Waits for the socket; -ETIMEDOUT without a sentence, which is the caller's to say. */
static int wait_socket(PGconn *connection, short events, struct deadline deadline)
{
        int fd = PQsocket(connection);
        return fd < 0 ? -ECONNRESET : socket_wait(fd, events, deadline);
}

/* libpq would print notices on stderr. Between statements a FATAL, the server's last word, comes as one too.
 */
static void take_notice(void *context, const PGresult *result)
{
        struct postgres *postgres = context;
        if (string_equal(PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED), "FATAL"))
                postgres->ended = true;
}

/* What a server says before the session exists comes without a SQLSTATE, so its words have to do. */
static int connect_failure(PGconn *connection, struct error *error)
{
        static const char *const logins[] = {"authentication failed",          "no pg_hba.conf entry",
                                             "no password supplied",           "password authentication",
                                             "permission denied for database", "is not permitted to log in"};
        const char *text = PQerrorMessage(connection);
        int code = ECONNREFUSED;
        for (size_t i = 0; i < N_ELEMENTS(logins); i++)
                if (strstr(text, logins[i]))
                        code = EACCES;
        if (strstr(text, "role \"") && strstr(text, "does not exist"))
                code = EACCES;
        if (code == ECONNREFUSED && strstr(text, "could not translate host name"))
                code = EHOSTUNREACH;

        _cleanup_text_ struct text line = {0};
        postgres_one_line(text, &line);
        return error_set(error, code, "cannot connect to PostgreSQL: %s", text_string(&line));
}

static int start_connection(struct postgres *postgres, PGconn **ret, struct error *error)
{
        _cleanup_secret_ struct text password = {0};
        int r = secret_read(&postgres->options.password, &password, error);
        if (r < 0)
                return r;

        /* What stands before `dbname` is a default that the DSN may change, what follows it is not. A dead
         * peer is noticed within half a minute on a standing connection, and a cancel never waits longer for
         * one. Kerberos is asked for by the DSN alone: only to look for a ticket, its libraries would take 1
         * MB. */
        const char *const names[] = {"keepalives_idle",
                                     "keepalives_interval",
                                     "keepalives_count",
                                     "tcp_user_timeout",
                                     "gssencmode",
                                     "dbname",
                                     "client_encoding",
                                     password.length > 0 ? "password" : NULL,
                                     NULL};
        const char *const values[] = {"15",      "5",
                                      "3",       "10000",
                                      "disable", postgres->options.dsn,
                                      "UTF8",    password.length > 0 ? text_string(&password) : NULL,
                                      NULL};
        tables_agree(values, N_ELEMENTS(names));
        PGconn *connection = PQconnectStartParams(names, values, 1);
        if (!connection)
                return error_oom(error);
        PQsetNoticeReceiver(connection, take_notice, postgres);
        if (PQstatus(connection) == CONNECTION_BAD) {
                r = connect_failure(connection, error);
                PQfinish(connection);
                return r;
        }
        *ret = connection;
        return 0;
}

static void connection_finish(PGconn **connection)
{
        PQfinish(*connection);
}

/* A statement's first line; its parameters are never shown. */
static void trace_statement(struct deadline deadline, const char *sql)
{
        if (!deadline.trace)
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

/* A text of several statements is the daemon's own frame around one; only that one is worth a step. */
static bool send_statement(PGconn *connection, const struct statement *statement, struct deadline deadline)
{
        if (statement->several)
                return PQsendQuery(connection, statement->sql);
        trace_statement(deadline, statement->sql);
        return PQsendQueryParams(connection, statement->sql, statement->count, NULL, statement->parameters,
                                 NULL, NULL, 0);
}

/* Sends a statement and collects its answer; a broken connection is left for the caller to close. */
static int exchange_messages(PGconn *connection, const struct statement *statement, struct deadline deadline,
                             PGresult **ret)
{
        if (!send_statement(connection, statement, deadline))
                return -ECONNRESET;

        for (int pending = 1; pending > 0;) {
                pending = PQflush(connection);
                if (pending < 0)
                        return -ECONNRESET;
                if (pending == 0)
                        break;
                int r = wait_socket(connection, POLLIN | POLLOUT, deadline);
                if (r < 0)
                        return r;
                if ((r & POLLIN) && !PQconsumeInput(connection))
                        return -ECONNRESET;
        }

        _cleanup_result_ PGresult *last = NULL;
        for (;;) {
                while (PQisBusy(connection)) {
                        int r = wait_socket(connection, POLLIN, deadline);
                        if (r < 0)
                                return r;
                        if (!PQconsumeInput(connection))
                                return -ECONNRESET;
                }
                PGresult *next = PQgetResult(connection);
                if (!next)
                        break;
                PQclear(last);
                last = next;
                ExecStatusType status = PQresultStatus(last);
                /* COPY has no end that could be waited for here. */
                if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
                        return -ENOTSUP;
        }
        if (!last || PQstatus(connection) != CONNECTION_OK)
                return -ECONNRESET;
        if (!statement->several)
                trace_result(deadline, last);
        *ret = TAKE_PTR(last);
        return 0;
}

/*
 * A session of ours alone gets a name, for whoever looks at the server while it is idle. A pool, whose key
 * for cancels is not the backend's pid, would leave the name to a client that has none: there it is each
 * transaction's, see open_transaction().
 */
static int name_session(struct postgres *postgres, PGconn *connection, struct deadline deadline,
                        struct error *error)
{
        const char *given = PQparameterStatus(connection, "application_name");
        _cleanup_free_ char *pid = text_format("%d", PQbackendPID(connection));
        _cleanup_result_ PGresult *result = NULL;
        postgres->is_named = !postgres->options.application_name || (given && *given);
        if (postgres->is_named)
                return 0;
        if (!pid)
                return error_oom(error);
        const char *const parameters[] = {pid, postgres->options.application_name};
        const struct statement statement = {
                .sql = "SELECT set_config('application_name', $2, false) WHERE pg_backend_pid() = $1::int",
                .parameters = parameters,
                .count = N_ELEMENTS(parameters)};
        int r = exchange_messages(connection, &statement, deadline, &result);
        if (r == -ETIMEDOUT)
                return error_set(error, ETIMEDOUT, "PostgreSQL did not set the session up in time");
        if (r < 0)
                return connect_failure(connection, error);
        if (PQresultStatus(result) != PGRES_TUPLES_OK) {
                _cleanup_text_ struct text message = {0};
                postgres_put_message(result, &statement, NULL, &message);
                return error_set(error, EREMOTEIO, "cannot set the session up: %s", text_string(&message));
        }
        postgres->is_named = PQntuples(result) == 1;
        return 0;
}

int postgres_connect(struct postgres *postgres, struct deadline deadline, struct error *error)
{
        if (postgres_connected(postgres))
                return 0;
        postgres_disconnect(postgres);

        _cleanup_(connection_finish) PGconn *connection = NULL;
        int r = start_connection(postgres, &connection, error);
        if (r < 0)
                return r;
        trace_step(deadline, "connecting to PostgreSQL at %s, port %s, database %s, user %s",
                   PQhost(connection), PQport(connection), PQdb(connection), PQuser(connection));
        for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;) {
                r = wait_socket(connection, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
                if (r == -ETIMEDOUT)
                        return error_set(error, ETIMEDOUT, "PostgreSQL did not take the connection in time");
                if (r < 0)
                        return error_set_errno(error, -r, "cannot connect to PostgreSQL");
                next = PQconnectPoll(connection);
                if (next == PGRES_POLLING_FAILED)
                        return connect_failure(connection, error);
        }
        trace_step(deadline, "connected, server version %d", PQserverVersion(connection));
        /* libpq's own sentences repeat what the server said: no more than its SQLSTATE, for it may be data.
         */
        PQsetErrorVerbosity(connection, PQERRORS_SQLSTATE);
        if (PQsetnonblocking(connection, 1) != 0)
                return connect_failure(connection, error);
        r = name_session(postgres, connection, deadline, error);
        if (r < 0)
                return r;
        postgres->connection = TAKE_PTR(connection);
        return 0;
}

/* Whether a connection that has been idle is still there, without asking the server anything. */
static bool still_there(struct postgres *postgres)
{
        struct pollfd poll_fd = {.fd = PQsocket(postgres->connection), .events = POLLIN};
        /* First what the server said, then that it hung up; a server that says more than that is not idle. */
        for (int i = 0; i < 8 && poll_fd.fd >= 0 && poll(&poll_fd, 1, 0) > 0; i++) {
                if (!PQconsumeInput(postgres->connection))
                        return false;
                (void)PQisBusy(postgres->connection); /* which parses it */
        }
        return PQstatus(postgres->connection) == CONNECTION_OK && !postgres->ended;
}

int postgres_make_ready(struct postgres *postgres, struct deadline deadline, struct error *error)
{
        if (postgres->connection && !still_there(postgres)) {
                bool in_transaction = postgres->in_transaction;
                postgres_disconnect(postgres);
                if (in_transaction)
                        return error_set(error, ECONNRESET,
                                         "the connection broke in the middle of a transaction");
        }
        return postgres_connect(postgres, deadline, error);
}

int postgres_exchange(struct postgres *postgres, const struct statement *statement, struct deadline deadline,
                      PGresult **ret, struct error *error)
{
        int r = postgres_make_ready(postgres, deadline, error);
        if (r < 0)
                return r;

        _cleanup_result_ PGresult *result = NULL;
        r = exchange_messages(postgres->connection, statement, deadline, &result);
        if (r == -ETIMEDOUT || r == -ENOTSUP) {
                postgres_cancel(postgres->connection);
                postgres_disconnect(postgres);
                return r == -ENOTSUP
                               ? error_set(error, ENOTSUP, "COPY cannot be run here")
                               : error_set(error, ETIMEDOUT, "the query took too long and was cancelled");
        }
        if (r < 0) {
                _cleanup_text_ struct text line = {0};
                postgres_one_line(PQerrorMessage(postgres->connection), &line);
                postgres_disconnect(postgres);
                return error_set(error, ECONNRESET, "the connection to PostgreSQL broke: %s",
                                 text_string(&line));
        }

        postgres->in_transaction = PQtransactionStatus(postgres->connection) != PQTRANS_IDLE;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_EMPTY_QUERY) {
                const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
                strncpy(postgres->sqlstate, sqlstate ? sqlstate : "", SQLSTATE_LENGTH);
                _cleanup_text_ struct text message = {0};
                postgres_put_message(result, statement, PQuser(postgres->connection), &message);
                return error_set(error, EREMOTEIO, "%s", text_string(&message));
        }
        if (ret)
                *ret = TAKE_PTR(result);
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: libpq's asynchronous connecting in a poll loop, by the deadline. */
#include "runbook/postgres.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "lib/postgres/internal.h"
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
        postgres->line = POSTGRES_NO_LINE;
        postgres->options = (struct postgres_options){
                .application_name = options->application_name,
                .terms = options->terms,
        };
        if ((r = copy_string(options->dsn, &postgres->options.dsn, error)) < 0 ||
            (r = copy_string(options->database, &postgres->options.database, error)) < 0 ||
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
        free(postgres->options.database);
        secret_release(&postgres->options.password);
        free(postgres);
        return NULL;
}

void postgres_disconnect(struct postgres *postgres)
{
        postgres_line_close(&postgres->line);
        postgres->in_transaction = false;
        postgres->ended = false;
}

bool postgres_connected(const struct postgres *postgres)
{
        return postgres->line.connection && PQstatus(postgres->line.connection) == CONNECTION_OK;
}

const char *postgres_sqlstate(const struct postgres *postgres)
{
        return postgres->sqlstate;
}

bool postgres_is_console(const struct postgres *postgres)
{
        return postgres_connected(postgres) && postgres->is_console;
}

const char *postgres_database(const struct postgres *postgres)
{
        return postgres_connected(postgres) ? PQdb(postgres->line.connection) : NULL;
}

int postgres_backend_pid(const struct postgres *postgres)
{
        return postgres_connected(postgres) ? PQbackendPID(postgres->line.connection) : 0;
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
        int r = error_set(error, code, "cannot connect to PostgreSQL: %s", text_string(&line));
        return code == EACCES || strstr(text, "does not exist") || strstr(text, "SSL error")
                       ? r
                       : error_may_pass(error, r);
}

/* What says as much before there is a session, or in setting one up. */
static int refuse_talker(struct error *error)
{
        return error_set(error, EMSGSIZE, "what answers says more than %zu MiB where PostgreSQL says a word",
                         POSTGRES_ANSWER_MAX >> 20);
}

static int start_connection(struct postgres *postgres, struct deadline deadline, PGconn **ret,
                            struct error *error)
{
        _cleanup_secret_ struct text password = {0};
        _cleanup_(postgres_hosts_release) struct postgres_hosts hosts = {0};
        int r = secret_read(&postgres->options.password, &password, error);
        if (r >= 0)
                r = postgres_hosts_resolve(postgres->options.dsn, deadline, &hosts, error);
        if (r < 0)
                return r;

        /* What stands before the DSN is a default that it may change, what follows it is not; a NULL is
         * passed over. A dead peer is noticed within half a minute on a standing connection, and a cancel
         * never waits longer for one. Kerberos is asked for by the DSN alone: only to look for a ticket, its
         * libraries would take 1 MB. */
        const struct {
                const char *name, *value;
        } words[] = {
                {"keepalives_idle", "15"},
                {"keepalives_interval", "5"},
                {"keepalives_count", "3"},
                {"tcp_user_timeout", "10000"},
                {"gssencmode", "disable"},
                {"dbname", postgres->options.dsn},
                {"client_encoding", "UTF8"},
                {"host", hosts.count > 0 ? text_string(&hosts.names) : NULL},
                {"hostaddr", hosts.count > 0 ? text_string(&hosts.addresses) : NULL},
                {"port", hosts.count > 0 ? text_string(&hosts.ports) : NULL},
                {"dbname", postgres->options.database},
                {"password", password.length > 0 ? text_string(&password) : NULL},
        };
        const char *names[N_ELEMENTS(words) + 1] = {0}, *values[N_ELEMENTS(words) + 1] = {0};
        for (size_t i = 0; i < N_ELEMENTS(words); i++) {
                names[i] = words[i].name;
                values[i] = words[i].value;
        }
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

/*
 * A session of ours alone gets a name, for whoever looks at the server while it is idle. A pool, whose key
 * for cancels is not the backend's pid, would leave the name to a client that has none: there it is each
 * transaction's, see open_transaction().
 */
static int name_session(struct postgres *postgres, struct postgres_line *line, struct deadline deadline,
                        struct error *error)
{
        PGconn *connection = line->connection;
        const char *given = PQparameterStatus(connection, "application_name");
        _cleanup_free_ char *pid = text_format("%d", PQbackendPID(connection));
        _cleanup_result_ PGresult *result = NULL;
        postgres->is_named = !postgres->options.application_name || (given && *given) || postgres->is_console;
        if (postgres->is_named)
                return 0;
        if (!pid)
                return error_oom(error);
        const char *const parameters[] = {pid, postgres->options.application_name};
        const struct statement statement = {
                .sql = "SELECT set_config('application_name', $2, false) WHERE pg_backend_pid() = $1::int",
                .parameters = parameters,
                .count = N_ELEMENTS(parameters)};
        int r = postgres_converse(line, &statement, 1, deadline, &result, NULL);
        if (r == -ETIMEDOUT)
                return error_set(error, ETIMEDOUT, "PostgreSQL did not set the session up in time");
        if (r == -EMSGSIZE)
                return refuse_talker(error);
        if (r < 0)
                return connect_failure(connection, error);
        if (!postgres_is_refusal(result) && PQresultStatus(result) != PGRES_TUPLES_OK)
                return error_set(error, EPROTO, "cannot set the session up: the server gave no rows");
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

        _cleanup_(postgres_line_close) struct postgres_line line = POSTGRES_NO_LINE;
        int r = start_connection(postgres, deadline, &line.connection, error);
        if (r < 0)
                return r;
        PGconn *connection = line.connection;
        trace_step(deadline, "connecting to PostgreSQL at %s, port %s, database %s, user %s",
                   PQhost(connection), PQport(connection), PQdb(connection), PQuser(connection));
        for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;) {
                r = postgres_line_wait(&line, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
                if (r == -ETIMEDOUT)
                        return error_may_pass(
                                error, error_set(error, ETIMEDOUT,
                                                 "PostgreSQL at %s, port %s, did not take the connection "
                                                 "in time",
                                                 PQhost(connection), PQport(connection)));
                if (r < 0)
                        return error_may_pass(error,
                                              error_set_errno(error, -r, "cannot connect to PostgreSQL"));
                next = PQconnectPoll(connection);
                if (postgres_line_look(&line) < 0)
                        return refuse_talker(error);
                if (next == PGRES_POLLING_FAILED)
                        return connect_failure(connection, error);
                if ((r = postgres_line_follow(&line)) < 0)
                        return error_set_errno(error, -r, "cannot connect to PostgreSQL");
        }
        trace_step(deadline, "connected, server version %d", PQserverVersion(connection));
        /* libpq's own sentences repeat what the server said: no more than its SQLSTATE, for it may be data.
         */
        PQsetErrorVerbosity(connection, PQERRORS_SQLSTATE);
        if (PQsetnonblocking(connection, 1) != 0)
                return connect_failure(connection, error);
        const char *version = PQparameterStatus(connection, "server_version");
        postgres->is_console = version && strstr(version, "/bouncer");
        r = name_session(postgres, &line, deadline, error);
        if (r < 0)
                return r;
        postgres->line = line;
        line = POSTGRES_NO_LINE;
        return 0;
}

/* Whether a connection that has been idle is still there, without asking the server anything. */
static bool still_there(struct postgres *postgres)
{
        /* First what the server said, then that it hung up; a server that says more than that is not idle. */
        for (int i = 0; i < 8 && postgres_line_heard(&postgres->line); i++) {
                if (postgres_line_consume(&postgres->line) < 0)
                        return false;
                (void)PQisBusy(postgres->line.connection); /* which parses it */
        }
        return PQstatus(postgres->line.connection) == CONNECTION_OK && !postgres->ended;
}

int postgres_make_ready(struct postgres *postgres, struct deadline deadline, struct error *error)
{
        if (!postgres->in_transaction && postgres_line_is_worn(&postgres->line))
                postgres_disconnect(postgres);
        if (postgres->line.connection && !still_there(postgres)) {
                bool in_transaction = postgres->in_transaction;
                postgres_disconnect(postgres);
                if (in_transaction)
                        return error_set(error, ECONNRESET,
                                         "the connection broke in the middle of a transaction");
        }
        return postgres_connect(postgres, deadline, error);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The connections that checks share, and whose turn it is. */
#include "exporter/kinds/postgres/connection.h"

#include <errno.h>
#include <pthread.h>

#include "runbook/trace.h"
#include "runbook/wait.h"

/* A statement may stand in a lock's queue for this part of its time. */
#define LOCK_SHARE 5

#define APPLICATION "runbook_exporter"

struct postgres_connection {
        struct postgres_connection *next;
        char *dsn, *file, *variable; /* what tells it from others */
        unsigned references;         /* by the lock of all */

        pthread_mutex_t lock;
        pthread_cond_t free; /* CLOCK_MONOTONIC */
        bool taken;

        /* Below: by who has the turn. */
        struct postgres *postgres;
        struct postgres *elsewhere; /* in another database, while it is visited */
};

/* All there are. Checks know nothing of each other, and outlive the file that they were read from: so it is
 * here, and not with them, that two of one server meet. */
static struct {
        pthread_mutex_t lock;
        struct postgres_connection *first;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct postgres *in_use(const struct postgres_connection *connection)
{
        return connection->elsewhere ? connection->elsewhere : connection->postgres;
}

static void connection_free(struct postgres_connection *connection)
{
        postgres_free(connection->elsewhere);
        postgres_free(connection->postgres);
        free(connection->dsn);
        free(connection->file);
        free(connection->variable);
        pthread_mutex_destroy(&connection->lock);
        pthread_cond_destroy(&connection->free);
        free(connection);
}

static bool copy_string(const char *from, char **to)
{
        return !from || (*to = strdup(from));
}

static int connection_new(const struct postgres_options *options, struct postgres_connection **ret,
                          struct error *error)
{
        struct postgres_connection *connection = calloc(1, sizeof(*connection));
        struct postgres_options own = *options;
        int r;
        if (!connection)
                return error_oom(error);
        pthread_mutex_init(&connection->lock, NULL);
        condition_init(&connection->free);

        own.application_name = APPLICATION;
        connection->references = 1;
        r = postgres_new(&own, &connection->postgres, error);
        if (r >= 0 && (!copy_string(options->dsn, &connection->dsn) ||
                       !copy_string(options->password.file, &connection->file) ||
                       !copy_string(options->password.variable, &connection->variable)))
                r = error_oom(error);
        if (r < 0) {
                connection_free(connection);
                return r;
        }
        *ret = connection;
        return 0;
}

int postgres_connection_open(const struct postgres_options *options, struct postgres_connection **ret,
                             struct error *error)
{
        int r = 0;
        pthread_mutex_lock(&all.lock);
        struct postgres_connection *connection = all.first;
        while (connection && !(string_equal(connection->dsn, options->dsn) &&
                               string_equal(connection->file, options->password.file) &&
                               string_equal(connection->variable, options->password.variable)))
                connection = connection->next;
        if (connection) {
                connection->references++;
        } else {
                r = connection_new(options, &connection, error);
                if (connection) {
                        connection->next = all.first;
                        all.first = connection;
                }
        }
        pthread_mutex_unlock(&all.lock);
        if (connection)
                *ret = connection;
        return r;
}

struct postgres_connection *postgres_connection_close(struct postgres_connection *connection)
{
        if (!connection)
                return NULL;
        pthread_mutex_lock(&all.lock);
        bool last = --connection->references == 0;
        if (last) {
                struct postgres_connection **at = &all.first;
                while (*at != connection)
                        at = &(*at)->next;
                *at = connection->next;
        }
        pthread_mutex_unlock(&all.lock);
        if (last)
                connection_free(connection);
        return NULL;
}

static bool wait_for_turn(struct postgres_connection *connection, struct deadline deadline)
{
        bool mine;
        pthread_mutex_lock(&connection->lock);
        if (connection->taken)
                trace_step(deadline, "waiting for the connection, which another check of the server has");
        while (connection->taken && condition_wait_until(&connection->free, &connection->lock, deadline.at))
                ;
        mine = !connection->taken;
        if (mine)
                connection->taken = true;
        pthread_mutex_unlock(&connection->lock);
        return mine;
}

int postgres_connection_take(struct postgres_connection *connection, struct deadline deadline,
                             struct error *error)
{
        if (!wait_for_turn(connection, deadline))
                return error_not_looked(
                        error,
                        error_set(error, EBUSY,
                                  "another check of this server kept the connection busy for too long"));
        if (postgres_connected(connection->postgres))
                trace_step(deadline, "over the connection of before");
        int r = postgres_connect(connection->postgres, deadline, error);
        if (r < 0)
                postgres_connection_give(connection);
        return r;
}

void postgres_connection_give(struct postgres_connection *connection)
{
        pthread_mutex_lock(&connection->lock);
        connection->taken = false;
        pthread_cond_signal(&connection->free);
        pthread_mutex_unlock(&connection->lock);
}

int postgres_connection_ask(struct postgres_connection *connection, const struct postgres_question *question,
                            struct deadline deadline, PGresult **ret, struct error *error)
{
        const nsec most = question->most;
        const struct postgres_terms terms = {.read_only = true,
                                             .own = question->own,
                                             .statement_timeout = most > 0 ? most : 1,
                                             .lock_timeout = most > LOCK_SHARE ? most / LOCK_SHARE : 1,
                                             .rows_most = question->rows_most,
                                             .ret_cut = question->ret_cut};
        return postgres_query_on(in_use(connection), &terms, question->sql, question->parameters,
                                 question->count, deadline, ret, error);
}

int postgres_connection_visit(struct postgres_connection *connection, const char *database,
                              struct deadline deadline, struct error *error)
{
        struct postgres *elsewhere = NULL;
        connection->elsewhere = postgres_free(connection->elsewhere);
        if (!database)
                return 0;
        const struct postgres_options options = {
                .dsn = connection->dsn,
                .database = (char *)database,
                .password = {.file = connection->file, .variable = connection->variable},
                .application_name = APPLICATION};
        int r = postgres_new(&options, &elsewhere, error);
        if (r >= 0)
                r = postgres_connect(elsewhere, deadline, error);
        if (r < 0)
                postgres_free(elsewhere);
        else
                connection->elsewhere = elsewhere;
        return r;
}

bool postgres_connection_is_console(const struct postgres_connection *connection)
{
        return postgres_is_console(connection->postgres);
}

const char *postgres_connection_database(const struct postgres_connection *connection)
{
        return postgres_database(connection->postgres);
}

bool postgres_connection_error_is(const struct postgres_connection *connection, const char *sqlstate)
{
        return strcmp(postgres_sqlstate(in_use(connection)), sqlstate) == 0;
}

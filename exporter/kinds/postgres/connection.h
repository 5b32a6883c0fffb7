/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One PostgreSQL server as checks see it: the single connection to it, which all checks of the same DSN and
 * password share and take turns with, over reloads too. However many checks and scrapes there are, the server
 * sees one backend.
 *
 * What may not go on for ever ends on the server: each statement gets a statement_timeout, and a lock_timeout
 * of a fifth of it, so that it never stands in a lock's queue for long. Both are of its transaction alone.
 */
#ifndef EXPORTER_KINDS_POSTGRES_CONNECTION_H
#define EXPORTER_KINDS_POSTGRES_CONNECTION_H

#include "runbook/postgres.h"

struct postgres_connection;

/* The connection of the DSN and password in `options`, which is made when there is none. Does not connect;
 * -EINVAL when the DSN is wrong. */
int postgres_connection_open(const struct postgres_options *options, struct postgres_connection **ret,
                             struct error *error);
struct postgres_connection *postgres_connection_close(
        struct postgres_connection *connection); /* takes NULL, gives NULL */

/* Waits for the turn and for a connection. After 0 the turn must be given back; -EBUSY: it did not come by
 * the deadline. Any other failure is the connection's, and gives the turn back. */
int postgres_connection_take(struct postgres_connection *connection, struct deadline deadline,
                             struct error *error);
void postgres_connection_give(struct postgres_connection *connection);

/* A question to the server. */
struct postgres_question {
        const char *sql;
        const char *const *parameters; /* values of $1, $2, … */
        int count;
        bool own;         /* it is the exporter's: see struct postgres_terms */
        nsec most;        /* for how long the server may work on it */
        size_t rows_most; /* with `ret_cut`: see struct postgres_terms */
        uint64_t *ret_cut;
};

/* As postgres_query(), on whose errors it answers the same, in a read-only transaction; by who has the turn.
 */
int postgres_connection_ask(struct postgres_connection *connection, const struct postgres_question *question,
                            struct deadline deadline, PGresult **ret, struct error *error);

/*
 * Leads the questions that follow to another database of the server, by a second connection, of which there
 * is one at most; NULL: back to that of the DSN, and the second one is closed. Connects; by who has the turn.
 * On failure the way leads back.
 */
int postgres_connection_visit(struct postgres_connection *connection, const char *database,
                              struct deadline deadline, struct error *error);

/* Whether it leads to the console of a PgBouncer; by who has the turn. */
bool postgres_connection_is_console(const struct postgres_connection *connection);

/* Which database the DSN leads to; by who has the turn, while it is connected. */
const char *postgres_connection_database(const struct postgres_connection *connection);

/* The server's word for the last error: its SQLSTATE. By who has the turn. */
bool postgres_connection_error_is(const struct postgres_connection *connection, const char *sqlstate);

#endif

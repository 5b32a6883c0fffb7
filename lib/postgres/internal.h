/* SPDX-License-Identifier: Apache-2.0 */
/* What the PostgreSQL client is made of: its poll loop, transactions, words for errors, and cancelling. */
#ifndef LIB_POSTGRES_INTERNAL_H
#define LIB_POSTGRES_INTERNAL_H

#include "runbook/postgres.h"
#include "runbook/text.h"

#define SQLSTATE_LENGTH 5

struct postgres {
        struct postgres_options options; /* owned copies, but for application_name */
        PGconn *connection;
        bool in_transaction; /* was, after the last answer */
        bool ended;          /* the server has said that it ends the session */
        bool is_named;       /* the session has an application_name; else its transactions get one */
        char sqlstate[SQLSTATE_LENGTH + 1];
};

struct statement {
        const char *sql;
        const char *const *parameters; /* values of $1, $2, …; NULL: SQL NULL */
        int count;
        bool several; /* statements in one text, without parameters, which the answer of the last one is of */
};

/* A connection for the next statement; never a new one in the middle of a transaction. */
int postgres_make_ready(struct postgres *postgres, struct deadline deadline, struct error *error);

/* Sends a statement as it is and waits for the answer; connects first when need be, but never in the middle
 * of a transaction. Errors as of postgres_query(). */
int postgres_exchange(struct postgres *postgres, const struct statement *statement, struct deadline deadline,
                      PGresult **ret, struct error *error);

/* A message of libpq's, which may have several lines and ends with one break, on one line. */
void postgres_one_line(const char *message, struct text *text);

/*
 * Why a statement failed, of its primary message only what holds no value, and its SQLSTATE by number and
 * name. `user`: the role that was asked for, to say what it needs; may be NULL. The message as it came is
 * logged at debug, but for the parameters' values; the detail and the context, which hold rows, are nowhere.
 */
void postgres_put_message(const PGresult *result, const struct statement *statement, const char *user,
                          struct text *text);

/* The name of a SQLSTATE in PostgreSQL's manual (appendix A), or of its class; NULL when it knows neither. */
const char *postgres_condition(const char *sqlstate);

/*
 * Asks the server to give the running statement up, and waits at most half a second for the request to
 * arrive.
 *
 * libpq before 17 can only do it blocking (PQcancel connects anew, without a deadline). So a thread of its
 * own does; when that one hangs it is left behind and ends with the connection attempt, which
 * tcp_user_timeout bounds to 10 s.
 */
void postgres_cancel(PGconn *connection);

#endif

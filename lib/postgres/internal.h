/* SPDX-License-Identifier: Apache-2.0 */
/* What the PostgreSQL client is made of besides its poll loop: words for errors, and cancelling. */
#ifndef LIB_POSTGRES_INTERNAL_H
#define LIB_POSTGRES_INTERNAL_H

#include "runbook/postgres.h"
#include "runbook/text.h"

/* A message of libpq's, which may have several lines and ends with one break, on one line. */
void postgres_one_line(const char *message, struct text *text);

/*
 * The primary message and the SQLSTATE of a failed statement. Its detail and context are left out, because
 * they hold rows; and a parameter's value that the message quotes is replaced by "$n".
 */
void postgres_put_message(const PGresult *result, const char *const *parameters, int count,
                          struct text *text);

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

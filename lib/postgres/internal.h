/* SPDX-License-Identifier: Apache-2.0 */
/* What the PostgreSQL client is made of: its poll loop, transactions, words for errors, and cancelling. */
#ifndef LIB_POSTGRES_INTERNAL_H
#define LIB_POSTGRES_INTERNAL_H

#include <sys/types.h>

#include "runbook/postgres.h"
#include "runbook/text.h"

#define SQLSTATE_LENGTH 5

/*
 * A connection of libpq's, what comes in on which passes through our hands, see line.c. One thread at a time.
 */
struct postgres_line {
        PGconn *connection; /* NULL: none */
        int server, ours;   /* the socket to the server, and our end of the pair; -1: libpq has the former */
        ino_t theirs;       /* libpq's end, to be known by */
        bool ended;         /* nothing more comes from the server */
        uint64_t taken;     /* bytes that libpq got since the conversation began */
        uint64_t rows;      /* of these: rows that have been handed on */
        uint64_t beside;    /* what was no row, of the conversations before */
};
#define POSTGRES_NO_LINE ((struct postgres_line){.server = -1, .ours = -1})

struct postgres {
        struct postgres_options options; /* owned copies, but for application_name */
        struct postgres_line line;
        bool in_transaction; /* was, after the last answer */
        bool ended;          /* the server has said that it ends the session */
        bool is_console;     /* of PgBouncer: no transactions, and the simple protocol */
        bool is_named;       /* the session has an application_name; else its transactions get one */
        char sqlstate[SQLSTATE_LENGTH + 1];
};

struct statement {
        const char *sql;
        const char *const *parameters; /* values of $1, $2, …; NULL: SQL NULL */
        int count;
        bool simple;   /* goes by the simple protocol, alone */
        bool is_frame; /* the daemon's own, around the one that was asked for: its answer is of no interest */
        size_t rows_most;  /* see struct postgres_terms */
        uint64_t *ret_cut; /* NULL: an answer that is too long is an error */
};

/* To be called after each PQconnectPoll(): stands between from where the server is spoken to. -errno. */
int postgres_line_follow(struct postgres_line *line);

/* Waits until libpq can read or write; which, as poll() tells it. -ETIMEDOUT without a sentence, which is the
 * caller's to say, also when there is something but the time is up: who never stops talking is late, too. */
int postgres_line_wait(struct postgres_line *line, short events, struct deadline deadline);

/* Whether there is something to read, without waiting. */
bool postgres_line_heard(struct postgres_line *line);

/* From here on a new conversation is counted. */
void postgres_line_begin(struct postgres_line *line);

/* -EMSGSIZE when more than POSTGRES_ANSWER_MAX has come in that is no whole row. */
int postgres_line_look(const struct postgres_line *line);

/* PQconsumeInput(), of at most a portion, and a look: -ECONNRESET, -EMSGSIZE. */
int postgres_line_consume(struct postgres_line *line);

/* Whether so much has come beside rows that libpq may have kept POSTGRES_ANSWER_MAX of it: parameters and
 * notifications last as long as a session. */
bool postgres_line_is_worn(const struct postgres_line *line);

/* Ends the session, if there is one. Never waits. */
void postgres_line_close(struct postgres_line *line);

/* The rows of one statement, put together from results of one row each. */
struct postgres_rows {
        PGresult *result; /* NULL: there was none yet */
        uint64_t beyond;  /* bytes of those that were not kept */
};

/*
 * Puts one more row down, or counts it as cut. 1: enough has been thrown away, so that it is better to leave
 * off. -EMSGSIZE: one too many of an answer that must be whole. -ENOMEM.
 */
int postgres_rows_take(struct postgres_rows *rows, const struct statement *statement, const PGresult *row,
                       struct postgres_line *line);

/* Lists with commas, of the same length each, as libpq takes them. */
struct postgres_hosts {
        struct text names, addresses, ports; /* no ports: those of the DSN hold as they are */
        size_t count;                        /* 0: there is nothing to say */
};

/* Looks up what names of hosts a DSN has. -ETIMEDOUT, -EHOSTUNREACH: none of them has an address. */
int postgres_hosts_resolve(const char *dsn, struct deadline deadline, struct postgres_hosts *ret,
                           struct error *error);
void postgres_hosts_release(struct postgres_hosts *hosts);

/* A connection for the next statement; never a new one in the middle of a transaction. */
int postgres_make_ready(struct postgres *postgres, struct deadline deadline, struct error *error);

/*
 * Sends statements at once and collects their answers: of the first one that is refused, which those behind
 * it are skipped for; else of the one that is no frame; else of the last. `ret_of`, which it was, may be
 * NULL. A broken connection, or one whose answer was not waited for, is left for the caller to close;
 * of a broken one `ret` has the server's last word, when there was one. 1: `ret` is there, but the server is
 * still sending what is cut off, and the connection is to be closed as well. -EMSGSIZE: it says too much.
 */
int postgres_converse(struct postgres_line *line, const struct statement *statements, size_t count,
                      struct deadline deadline, PGresult **ret, const struct statement **ret_of);

/* Whether an answer says that the statement was refused. */
bool postgres_is_refusal(const PGresult *result);

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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The groups that a check of Redis is made of, and what their parts share.
 *
 * What measures a group returns 0; -EREMOTEIO when Redis refused something and -EBADMSG when an answer was
 * not understood, and then goes on to use the connection: the rest of the check is not its business. Any
 * other error means that the connection is gone. All replies that were asked for have been taken, unless it
 * is gone.
 */
#ifndef EXPORTER_KINDS_REDIS_GROUP_H
#define EXPORTER_KINDS_REDIS_GROUP_H

#include "exporter/kinds/redis/families.h"
#include "runbook/redis.h"

enum redis_group {
        REDIS_GROUP_SERVER,
        REDIS_GROUP_CLIENTS,
        REDIS_GROUP_MEMORY,
        REDIS_GROUP_STATS,
        REDIS_GROUP_PERSISTENCE,
        REDIS_GROUP_REPLICATION,
        REDIS_GROUP_KEYSPACE,
        REDIS_INFO_GROUPS, /* those before it are read from INFO */
        REDIS_GROUP_LATENCY = REDIS_INFO_GROUPS,
        REDIS_GROUP_SLOWLOG,
        REDIS_GROUP_SENTINEL,
        REDIS_GROUP_CLUSTER,
        REDIS_CHOSEN_GROUPS, /* those before it are chosen by their names; the others have options of their
                                own */
        REDIS_GROUP_KEYS = REDIS_CHOSEN_GROUPS,
        REDIS_GROUP_BIG_KEYS,
        REDIS_GROUPS,
};
extern const char *const redis_group_names[];

/* A connection, and the database that it was last told to select. */
struct redis_session {
        struct redis *redis;
        struct deadline deadline;
        int64_t database;
        struct sample_sink *sink;
        struct error refusal; /* of the reply that was taken last; empty when it was given */
};
void redis_session_release(struct redis_session *session); /* all but the connection */

#define REDIS_DATABASES_MAX 10000

/* Whether the error leaves the connection usable. */
bool redis_refused(int result);

/* Queues the words, closed by NULL; a key in them must not hold a NUL. */
int redis_ask(struct redis_session *session, struct error *error, ...) _sentinel_;

/*
 * Takes one reply. What Redis refused is no failure: *ret stays NULL, and the session's refusal says why. A
 * key that has gone or has changed its type meanwhile is nothing at all.
 */
int redis_take(struct redis_session *session, redisReply **ret, struct error *error);

/*
 * An item that was not measured because of the session's refusal, if there is one: it is skipped, counted and
 * told by these words and Redis' own for it, and `refused` gets the sentence, unless it has one.
 */
void redis_skip(struct redis_session *session, struct error *refused, const char *format, ...) _printf_(3, 4);

/* Redis' word for a failure: "NOPERM" of "Redis: NOPERM this user …". */
#define REDIS_WORD_MAX 24
const char *redis_word(const struct error *error, char word[static REDIS_WORD_MAX]);

/* Selects at once. As redis_take(): false in *ret_selected when it was refused. */
int redis_select(struct redis_session *session, int64_t database, bool *ret_selected, struct error *error);

/* What the group returns at its end: 0, or -EREMOTEIO with the sentence of `refused`. */
int redis_group_result(struct error *refused, struct error *error);

/* Which databases have had keys, so that they are told when they are empty: the first of them, by bits. */
#define REDIS_DATABASES_KNOWN 1024
struct redis_databases {
        uint64_t seen[REDIS_DATABASES_KNOWN / 64];
};

/* The samples of those `groups` (bits) that INFO tells, and of databases that were seen before. Answers of
 * which groups it says anything. */
unsigned redis_info_add(const char *info, unsigned groups, struct redis_databases *databases,
                        struct sample_sink *sink);

/* A line of INFO that holds parts: its number behind `prefix`, 3 of "db3:keys=1", and where its value begins.
 * -1 when it is another line. */
int64_t redis_info_numbered(const char *line, const char *prefix, const char **ret_value);
const char *redis_info_next_line(const char *line); /* NULL behind the last */

/* A value, or a part of one, as a string of its own; NULL when it is absent. */
char *redis_info_copy(const char *value);
bool redis_info_part_number(const char *value, const char *name, double *ret);

/* The smallest number of a database with keys that is greater than `after`; -1 when there is none. */
int64_t redis_info_next_database(const char *info, int64_t after);

#endif

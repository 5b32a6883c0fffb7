/* SPDX-License-Identifier: Apache-2.0 */
/* Of this folder alone: the writer thread's queue, prepared statements, the chain of hashes. */
#ifndef RESPONDER_JOURNAL_INTERNAL_H
#define RESPONDER_JOURNAL_INTERNAL_H

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "responder/journal/journal.h"
#include "responder/journal/transition.h"
#include "runbook/assert.h"
#include "runbook/digest.h"
#include "runbook/mac.h"

enum { HASH_LENGTH = 32 };

/* Statements that are prepared once: X(name, SQL) in statements.h, read and written by one thread. */
enum journal_statement {
#define X(name, sql) name,
#include "responder/journal/statements.h"
#undef X
        JOURNAL_STATEMENT_COUNT,
};

/* One connection with its prepared statements. */
struct journal_connection {
        sqlite3 *database;
        sqlite3_stmt *statements[JOURNAL_STATEMENT_COUNT];
        int failed;      /* the last failure of SQLite itself; whoever asks sets it back */
        bool torn;       /* a part of the transaction could not be taken back alone: none of it may be kept */
        struct mac *mac; /* makes seals; NULL without the key */
        unsigned char *sum; /* of all seals, as they change; NULL of a reader */
};

/* One thing to be written. run() and done() are called on the writer thread; done() after the commit. */
struct journal_job {
        int (*run)(struct journal *journal, void *context, struct error *error);
        void (*done)(void *context, int result, struct error *error);
        void *context;
        bool counts; /* for RUNBOOK_CRASH_AT */
        bool webhook;
        bool first;    /* before all that waits: the kill switch */
        size_t alerts; /* of a webhook: a commit takes as many as are soon written */
        int result;
        struct error error;
        struct journal_job *next;
};

/* The end of the timeline, and the sum of all seals. */
struct journal_chain {
        int64_t rows; /* also the id of the last one */
        unsigned char hash[HASH_LENGTH], sum[HASH_LENGTH];
};

struct journal_ids {
        int64_t *items;
        size_t count;
};

/* Incidents that were written to since journal_active() last asked. */
struct journal_changes {
        struct journal_ids noted; /* in the transaction that the writer is in */
        bool noted_all;           /* they were too many to note */
        pthread_mutex_t lock;     /* of the rest */
        struct journal_ids told;
        bool all;
        void (*listener)(void *context);
        void *context; /* of the listener */
};

/* The files that SQLite keeps it in. */
enum journal_file { FILE_DATABASE, FILE_LOG, FILE_INDEX, JOURNAL_FILE_COUNT };

/* Where it lies. `file` is -1 when it was opened for reading alone, or is no file: then nothing is checked.
 */
struct journal_place {
        int lock_file, file;
        struct stat opened[JOURNAL_FILE_COUNT]; /* which files these are; inode 0: there was none */
        struct stat noted[JOURNAL_FILE_COUNT];  /* of the writer thread: as its last commit left them */
};

/* An alert, by its key, and when its end was told (wall). */
struct recent_end {
        char key[DIGEST_TEXT_MAX];
        nsec at;
};
enum { RECENT_ENDS = 256 };

struct journal {
        char *path;
        const struct world *world; /* NULL when it was opened for reading alone */
        struct journal_key key;
        bool has_key;
        struct mac_memory *sums; /* of the rows that were sealed, or asked for their seal, lately */
        struct journal_place place;
        struct journal_connection writer, reader;
        pthread_mutex_t read_lock; /* of reader, and of `reading` */
        uint64_t reading;          /* how often the active incidents were read */
        struct journal_changes changes;

        pthread_t thread, checker;
        bool running, checks_beside;
        pthread_mutex_t lock; /* of everything below */
        pthread_cond_t work;
        struct journal_job *first, **end;
        size_t webhooks_waiting;
        bool stopping;
        uint64_t commits, entries;
        struct journal_heard heard;
        struct histogram commit_duration;
        int failing; /* of the last transaction: -errno with `why`; -EUCLEAN stays */
        struct error why;
        struct journal_head head; /* as it was last committed */
        bool full; /* the reserve is given up: room for entries, not for webhooks; written by the writer */

        /* Of the writer thread. */
        atomic_bool together; /* within journal_together(); others may only look */
        struct journal_chain chain;
        nsec steady_remembered;
        char *namesake; /* the fingerprint that was last logged as that of two alerts */
        struct recent_end recent_ends[RECENT_ENDS]; /* the writer's; of which firings the end was told last */
        size_t recent_end;                          /* which is written over next */
        int64_t pruned_incident, pruned_episode;    /* so far this pass has come; 0: it begins anew */

        nsec steady_offset; /* of steady time to the monotonic clock; never changes while it is open */
};

/* On the writer thread, within a transaction: where alone anything may be written. */
static inline bool is_writing(const struct journal *journal)
{
        return (!journal->running || pthread_equal(journal->thread, pthread_self())) &&
               !sqlite3_get_autocommit(journal->writer.database);
}

/* -errno with SQLite's sentence: -ENOSPC, -EROFS, -EUCLEAN, -EIO. */
int journal_failed(struct journal_connection *connection, struct error *error);

/* `vfs` NULL: files. */
int journal_connect(const char *path, const char *vfs, bool writes, struct journal_connection *ret,
                    struct error *error);
void journal_disconnect(struct journal_connection *connection);
/* The one number that a query gives. */
int journal_number(struct journal_connection *connection, const char *sql, int64_t *ret, struct error *error);
int journal_execute(struct journal_connection *connection, const char *sql, struct error *error);
/* Brings into the database what stands in the log alone, and gives the log's room back. What somebody reads
 * still, or what the database has no room for, stays. */
void journal_empty_log(struct journal_connection *connection);

/* Creates the tables, or brings those of an older version up to this one; -ENOTSUP for those of a newer one.
 */
int journal_prepare_schema(struct journal_connection *connection, struct error *error);

/* For reading alone: the tables must be there. Those of an older version are read as they are: the timeline
 * and its chain have been the same in every version. */
int journal_check_schema(struct journal_connection *connection, struct error *error);

/*
 * A statement ready to be bound, and the values: 'i' int64_t, 't' const char * (NULL: SQL NULL), 'b' blob of
 * HASH_LENGTH bytes. NULL after a failure, with `error` set. Reset it by journal_reset().
 */
sqlite3_stmt *journal_bind(struct journal_connection *connection, enum journal_statement which,
                           struct error *error, const char *types, ...);
static inline void journal_reset_p(sqlite3_stmt **statement)
{
        if (*statement) {
                sqlite3_reset(*statement);
                sqlite3_clear_bindings(*statement);
        }
}
#define _cleanup_statement_ _cleanup_(journal_reset_p)

/* 1: a row, 0: none (any more), negative: failed. */
int journal_step(struct journal_connection *connection, sqlite3_stmt *statement, struct error *error);
const char *journal_column(sqlite3_stmt *statement, int column); /* "" for NULL */

/* "" and NULL give none. */
static inline int journal_column_json(sqlite3_stmt *statement, int column, cJSON **ret, struct error *error)
{
        const char *text = journal_column(statement, column);
        return *text ? json_parse(text, strlen(text), ret, error) : 0;
}

/* Binds and runs a statement that gives no rows. */
#define journal_run(connection, which, error, ...)                                   \
        __extension__({                                                              \
                _cleanup_statement_ sqlite3_stmt *_statement =                       \
                        journal_bind((connection), (which), (error), __VA_ARGS__);   \
                _statement ? journal_step((connection), _statement, (error)) : -EIO; \
        })

/* All reading shares one connection: READING() holds it until the end of the scope. */
static inline struct journal *journal_begin_reading(struct journal *journal)
{
        assert_that(journal->reader.database, "what is read is open");
        pthread_mutex_lock(&journal->read_lock);
        return journal;
}
static inline void journal_end_reading_p(struct journal **journal)
{
        pthread_mutex_unlock(&(*journal)->read_lock);
}
#define READING(journal) \
        _cleanup_(journal_end_reading_p) struct journal *_reading _unused_ = journal_begin_reading(journal)

/* health.c. Whether the file is whole (-EUCLEAN): answered at once, or, of a large one, by journal_standing()
 * once a thread of its own has read it. */
int health_check(struct journal *journal, struct error *error);
int health_begin(struct journal *journal, struct error *error);
void health_end(struct journal *journal);

/*
 * place.c. Taken before SQLite opens it, left after SQLite has closed it. What was opened is remembered once;
 * what was written is noted after each commit. The check is for any thread, and asks whether the names still
 * lead to what was opened; the whole one is the writer's, and asks whether somebody else has written as well.
 */
int place_take(struct journal *journal, struct error *error);
void place_leave(struct journal_place *place);
void place_remember(struct journal *journal);
void place_note(struct journal *journal);
int place_check(struct journal *journal, struct error *error);
int place_check_whole(struct journal *journal, struct error *error);

/* Room that is kept for the last words. Taking it again is -ENOSPC while there is none. */
int reserve_take(struct journal *journal);
void reserve_give_up(struct journal *journal);

/* standing.c, on the writer thread: whether it may be written, what came of a transaction (`failed` is 0 when
 * nothing of the disk's was), and whether there is room. */
int standing_check(struct journal *journal, struct error *error);
void standing_note(struct journal *journal, bool committed, int failed, const struct error *error);
/* All the room there is for entries, once a write has failed for want of it; false: none can be made. */
bool standing_use_reserve(struct journal *journal);
bool standing_make_room(struct journal *journal);

/* Steady time goes on where the journal left it; and, on the writer thread, is remembered now and then. What
 * was `taken` as it is may hold any time. */
int journal_begin_steady(struct journal *journal, bool taken, struct error *error);
int journal_remember_steady(struct journal *journal, struct error *error);
int journal_record_steady(struct journal *journal, struct error *error); /* at once */

/* changes.c. Noting and telling are the writer's; taking leaves none, and is false when they are not known.
 */
void changes_init(struct journal_changes *changes);
void changes_free(struct journal_changes *changes);
void changes_note(struct journal_changes *changes, int64_t incident);
void changes_tell(struct journal_changes *changes);
void changes_announce(struct journal_changes *changes); /* to the listener, once they are to be seen */
bool changes_take(struct journal_changes *changes, int64_t **ret, size_t *ret_count); /* free() it */

/* Makes room for one more item of `size` in a list; the item is zeroed. NULL: no memory. */
void *list_grow(void **items, size_t count, size_t size);

/* read.c: the incident of a row of INCIDENT_COLUMNS (in brief: without alert and steps), or those of all its
 * rows. */
int read_brief(struct journal *journal, sqlite3_stmt *statement, struct incident *incident,
               struct error *error);
int read_incident(struct journal *journal, sqlite3_stmt *statement, struct incident *incident,
                  struct error *error);
int read_incidents(struct journal *journal, sqlite3_stmt *statement, struct incident_list *ret,
                   struct error *error);
int read_episodes(struct journal *journal, sqlite3_stmt *statement, struct episode_list *ret,
                  struct error *error);

/* read.c: actor and reason of the first row of (actor, detail), "" where there is none. */
int read_who_and_why(struct journal *journal, sqlite3_stmt *statement, char **ret_actor, char **ret_reason,
                     struct error *error);

/* What the writer thread does, for the journal that it is given, until that closes and nothing waits. */
void *journal_write_until_closed(void *context);

/* Queues a job; never blocks. -EAGAIN when too many webhooks wait or the journal closes. */
int journal_submit(struct journal *journal, struct journal_job *job);

/* Runs `run` on the writer thread, waits for the commit, and gives its result. Within what journal_together()
 * runs there is nothing to wait for: that commits. */
int journal_perform(struct journal *journal, int (*run)(struct journal *, void *, struct error *),
                    void *context, struct error *error);

/* The same, before all that waits. */
int journal_perform_first(struct journal *journal, int (*run)(struct journal *, void *, struct error *),
                          void *context, struct error *error);

/* Holds what a transition has left of its incident to its contract, before the commit. On the writer thread.
 */
int journal_check_left(struct journal *journal, int64_t incident, const struct transition *way,
                       bool ended_before, struct error *error);

/* A digest of what open episodes were matched with. */
#define MATCHED_WITH "matched with"

/* How many rows the timeline ever had, in a journal of before: now the head has that. */
#define TIMELINE_ROWS "rows of the timeline"

/* A row of the timeline. */
struct timeline_row {
        int64_t id, incident; /* 0: the daemon itself */
        nsec at;              /* wall */
        int64_t step;         /* from 1; 0: no step is concerned */
        const char *actor, *event, *state;
        const char *detail; /* JSON; NULL: none */
};

/* Adds a row, chained to the one before it: its id is given here, and its actor, when it names none. On the
 * writer thread. */
int journal_append(struct journal *journal, const struct timeline_row *row, struct error *error);

/* The end of the timeline as a connection finds it, and how many rows were written. */
int journal_read_end(struct journal_connection *connection, struct journal_chain *ret, int64_t *ret_written,
                     struct error *error);
struct journal_head journal_head_of(const struct journal_chain *chain);
void journal_log_head(const struct journal_chain *chain);

/* The event of the row that says which gaps pruning has left. */
#define PRUNED "pruned"

/*
 * gaps.c. A digest of all gaps, as the last row PRUNED has it. Stepping over: 1 when a gap begins at `row`,
 * which then is the one behind it, with the hash of the last that went. A journal of before has none (0).
 */
int gaps_digest(struct journal_connection *connection, char ret[static DIGEST_TEXT_MAX], struct error *error);
int gaps_step_over(struct journal_connection *connection, int64_t *row,
                   unsigned char hash[static HASH_LENGTH], struct error *error);
int gaps_there(struct journal_connection *connection, struct error *error);
int gaps_verify(struct journal_connection *connection, struct error *error);

/* The hash of a row, from the one before it and all that stands in it. */
int journal_hash(const unsigned char before[static HASH_LENGTH], const struct timeline_row *row,
                 unsigned char ret[static HASH_LENGTH]);

/* Closes an episode and tells the timelines of its incidents. On the writer thread; 0 when it was not open.
 */
int journal_end_episode(struct journal *journal, int64_t episode, nsec now, const char *actor,
                        struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's way with SQLite: connections, schema, statements, and its errors as ours. */
#include <errno.h>
#include <stdarg.h>

#include "responder/journal/crash.h"
#include "responder/journal/internal.h"
#include "runbook/text.h"

/* Each entry brings a database one version further; SQLite's user_version tells how far it is. */
static const char *const migrations[] = {
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"

        "CREATE TABLE episodes ("
        " id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, opened_at INTEGER NOT NULL,"
        " last_seen_at INTEGER NOT NULL, starts_at INTEGER NOT NULL, closed_at INTEGER, closed_by TEXT,"
        " matched INTEGER NOT NULL DEFAULT 0, alert TEXT NOT NULL);"
        "CREATE UNIQUE INDEX episodes_open ON episodes (fingerprint) WHERE closed_at IS NULL;"
        "CREATE INDEX episodes_unmatched ON episodes (id) WHERE matched = 0 AND closed_at IS NULL;"

        "CREATE TABLE incidents ("
        " id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, episode INTEGER NOT NULL REFERENCES episodes,"
        " remediation TEXT NOT NULL, lock TEXT NOT NULL DEFAULT '', state TEXT NOT NULL,"
        " guard TEXT NOT NULL DEFAULT '', guard_until INTEGER NOT NULL DEFAULT 0,"
        " approved INTEGER NOT NULL DEFAULT 0, cancel_requested INTEGER NOT NULL DEFAULT 0,"
        " undo_requested INTEGER NOT NULL DEFAULT 0, opened_at INTEGER NOT NULL,"
        " running_at INTEGER NOT NULL DEFAULT 0, ended_at INTEGER NOT NULL DEFAULT 0,"
        " updated_at INTEGER NOT NULL, active INTEGER NOT NULL DEFAULT 1, alert TEXT NOT NULL,"
        " UNIQUE (episode, remediation));"
        "CREATE INDEX incidents_active ON incidents (id) WHERE active = 1;"
        "CREATE INDEX incidents_state ON incidents (state, id);"
        "CREATE INDEX incidents_runs ON incidents (remediation, running_at) WHERE running_at > 0;"
        "CREATE INDEX incidents_ends ON incidents (remediation, lock, ended_at) WHERE running_at > 0;"

        "CREATE TABLE steps ("
        " incident INTEGER NOT NULL REFERENCES incidents, position INTEGER NOT NULL, action TEXT NOT NULL,"
        " status TEXT NOT NULL DEFAULT 'waiting', plan TEXT, progress TEXT, outcome TEXT,"
        " started_at INTEGER NOT NULL DEFAULT 0, finished_at INTEGER NOT NULL DEFAULT 0,"
        " settled INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (incident, position)) WITHOUT ROWID;"

        "CREATE TABLE timeline ("
        " id INTEGER PRIMARY KEY, incident INTEGER NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL,"
        " event TEXT NOT NULL, state TEXT NOT NULL, step INTEGER NOT NULL, detail TEXT, hash BLOB NOT NULL);"
        "CREATE INDEX timeline_incident ON timeline (incident, id);",

        /* Steady times beside the wall's: see steady.c. */
        "CREATE TABLE steady (id INTEGER PRIMARY KEY CHECK (id = 1), boot TEXT NOT NULL, steady INTEGER NOT "
        "NULL,"
        " monotonic INTEGER NOT NULL, wall INTEGER NOT NULL);"
        "ALTER TABLE incidents ADD COLUMN opened_steady INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE incidents ADD COLUMN entered_steady INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE incidents ADD COLUMN running_steady INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE incidents ADD COLUMN ended_steady INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE episodes ADD COLUMN seen_steady INTEGER NOT NULL DEFAULT 0;"
        "DROP INDEX incidents_runs; DROP INDEX incidents_ends;"
        "CREATE INDEX incidents_runs ON incidents (remediation, running_steady) WHERE running_at > 0;"
        "CREATE INDEX incidents_ends ON incidents (remediation, lock, ended_steady) WHERE running_at > 0;",

        /* What it runs; NULL: not known yet, or it had begun before there was this. */
        "ALTER TABLE incidents ADD COLUMN definition TEXT;",

        /* Runs are counted by their lock. */
        "DROP INDEX incidents_runs; DROP INDEX incidents_ends;"
        "CREATE INDEX incidents_runs ON incidents (lock, running_steady) WHERE running_at > 0;"
        "CREATE INDEX incidents_ends ON incidents (lock, ended_steady) WHERE running_at > 0;"
        /* Alerts of one cause are one incident: '' is of no other's. */
        "ALTER TABLE incidents ADD COLUMN cause TEXT NOT NULL DEFAULT '';"
        "CREATE INDEX incidents_cause ON incidents (cause, id) WHERE cause <> '';"
        "CREATE TABLE members ("
        " episode INTEGER NOT NULL REFERENCES episodes, incident INTEGER NOT NULL REFERENCES incidents,"
        " joined_at INTEGER NOT NULL, PRIMARY KEY (episode, incident)) WITHOUT ROWID;"
        "CREATE INDEX members_incident ON members (incident, joined_at, episode);"
        /* Whether it changes anything, or only reads and tells. */
        "ALTER TABLE incidents ADD COLUMN changes INTEGER NOT NULL DEFAULT 1;"
        "CREATE INDEX incidents_begun ON incidents (running_steady, lock) WHERE running_at > 0 AND changes = "
        "1;"
        /* Which rows of the timeline were pruned, and the hash of the last of them. */
        "CREATE TABLE gaps (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, hash BLOB NOT NULL);"
        "CREATE INDEX gaps_last ON gaps (last);"
        /* What a person is still to be told, and of which guards he was; of an episode that no remediation is
         * for, whether somebody was told (1: not yet, 2: yes; 0: it is none). */
        "ALTER TABLE incidents ADD COLUMN owes TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE incidents ADD COLUMN told TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE episodes ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;"
        "CREATE INDEX episodes_unanswered ON episodes (id) WHERE unanswered > 0 AND closed_at IS NULL;"
        /* Since when it waits without its alert being silenced. */
        "ALTER TABLE incidents ADD COLUMN waiting_steady INTEGER NOT NULL DEFAULT 0;"
        "UPDATE incidents SET waiting_steady = opened_steady;"
        /* Digest of what its alert was matched with; '': not known. */
        "ALTER TABLE incidents ADD COLUMN matched_with TEXT NOT NULL DEFAULT '';"
        /* What a person was asked about, and who has agreed to it. */
        "ALTER TABLE incidents ADD COLUMN asked TEXT NOT NULL DEFAULT '';"
        /* An episode is of the labels, not of what its sender calls it; NULL: one that closed before this. */
        "ALTER TABLE episodes ADD COLUMN key TEXT;"
        "DROP INDEX episodes_open;"
        "CREATE UNIQUE INDEX episodes_open ON episodes (key) WHERE closed_at IS NULL;"
        "CREATE INDEX episodes_namesakes ON episodes (fingerprint) WHERE closed_at IS NULL;"
        "UPDATE OR IGNORE episodes SET key = alert_key(alert) WHERE closed_at IS NULL;"
        /* Who has it in hand, since when, and whether until it is given back; and when a person last said
         * that it may go on. */
        "ALTER TABLE incidents ADD COLUMN hands TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE incidents ADD COLUMN hands_steady INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE incidents ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE incidents ADD COLUMN freed_steady INTEGER NOT NULL DEFAULT 0;"
        "CREATE INDEX incidents_hands ON incidents (lock, hands_steady) WHERE hands <> '';"
        /* Who is called after whom, and who was told when; and since when (steady) levels of it are left. */
        "ALTER TABLE incidents ADD COLUMN chain TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE incidents ADD COLUMN climbing_steady INTEGER NOT NULL DEFAULT 0;"
        /* A seal for each row of what decides, and one for all of them and the end of the timeline: seals.c.
         */
        "CREATE TABLE seals (of TEXT NOT NULL, id NOT NULL, part INTEGER NOT NULL, seal BLOB NOT NULL,"
        " PRIMARY KEY (of, id, part)) WITHOUT ROWID;"
        "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), rows INTEGER NOT NULL, sum BLOB NOT NULL,"
        " seal BLOB NOT NULL);"
        /* Messages that nobody has received: of a step (from 1), or (0) the call that is owed. */
        "CREATE TABLE letters (incident INTEGER NOT NULL REFERENCES incidents, part INTEGER NOT NULL,"
        " receiver TEXT NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL, refused INTEGER NOT NULL,"
        " since INTEGER NOT NULL, asked INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (incident, part)) WITHOUT "
        "ROWID;",
};

static const char *const statement_texts[] = {
#define X(name, sql) [name] = sql,
#include "responder/journal/statements.h"
#undef X
};

tables_agree(statement_texts, JOURNAL_STATEMENT_COUNT);

/* How long another process is waited for that holds the journal. */
enum { BUSY_MS = 5000 };

static const struct {
        int code, error;
        const char *sentence;
} failures[] = {
        {SQLITE_FULL, ENOSPC, "no space is left for the journal"},
        {SQLITE_READONLY, EROFS, "the journal cannot be written"},
        {SQLITE_CANTOPEN, EACCES, "the journal cannot be opened"},
        {SQLITE_PERM, EACCES, "the journal cannot be opened"},
        {SQLITE_NOTADB, EUCLEAN, "the journal is no SQLite database"},
        {SQLITE_CORRUPT, EUCLEAN, "the journal is damaged"},
        {SQLITE_NOMEM, ENOMEM, "out of memory"},
        {SQLITE_BUSY, EBUSY, "another process holds the journal"},
};

/* Not each way to write says it by a code of SQLite's own. */
static int code_of(sqlite3 *database)
{
        int code = sqlite3_errcode(database) & 0xff;
        if (code != SQLITE_IOERR)
                return code;
        switch (sqlite3_system_errno(database)) {
        case ENOSPC:
        case EDQUOT: return SQLITE_FULL;
        case EROFS: return SQLITE_READONLY;
        default: return code;
        }
}

int journal_failed(struct journal_connection *connection, struct error *error)
{
        int code = code_of(connection->database);
        connection->failed = -EIO;
        for (size_t i = 0; i < N_ELEMENTS(failures); i++)
                if (code == failures[i].code) {
                        connection->failed = -failures[i].error;
                        return error_set(error, failures[i].error, "%s", failures[i].sentence);
                }
        return error_set(error, EIO, "the journal: %s", sqlite3_errmsg(connection->database));
}

int journal_execute(struct journal_connection *connection, const char *sql, struct error *error)
{
        if (sqlite3_exec(connection->database, sql, NULL, NULL, NULL) != SQLITE_OK)
                return journal_failed(connection, error);
        return 0;
}

int journal_connect(const char *path, const char *vfs, bool writes, struct journal_connection *ret,
                    struct error *error)
{
        struct journal_connection connection = {0};
        int flags = SQLITE_OPEN_NOMUTEX |
                    (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
        int r = 0;
        if (sqlite3_open_v2(path, &connection.database, flags, vfs) != SQLITE_OK)
                r = journal_failed(&connection, error);
        if (r >= 0) {
                sqlite3_busy_timeout(connection.database, BUSY_MS);
                /* FULL: a commit is on the disk when it returns, also in WAL mode. 1 MiB of page cache is
                 * enough. The log begins anew after 200 pages of 4 KiB, so that not much of a disk's last
                 * room is spent on it. */
                r = journal_execute(&connection,
                                    writes ? "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
                                             "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 200;"
                                             "PRAGMA foreign_keys = ON; PRAGMA cache_size = -256;"
                                           : "PRAGMA query_only = ON; PRAGMA cache_size = -128;",
                                    error);
        }
        if (r < 0) {
                journal_disconnect(&connection);
                return r;
        }
        *ret = connection;
        return 0;
}

void journal_empty_log(struct journal_connection *connection)
{
        sqlite3_busy_timeout(connection->database, 0);
        (void)sqlite3_wal_checkpoint_v2(connection->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        sqlite3_busy_timeout(connection->database, BUSY_MS);
}

void journal_disconnect(struct journal_connection *connection)
{
        for (size_t i = 0; i < N_ELEMENTS(connection->statements); i++)
                sqlite3_finalize(connection->statements[i]);
        sqlite3_close(connection->database);
        mac_free(connection->mac);
        *connection = (struct journal_connection){0};
}

int journal_number(struct journal_connection *connection, const char *sql, int64_t *ret, struct error *error)
{
        sqlite3_stmt *statement = NULL;
        int r = 0;
        if (sqlite3_prepare_v2(connection->database, sql, -1, &statement, NULL) != SQLITE_OK ||
            sqlite3_step(statement) != SQLITE_ROW)
                r = journal_failed(connection, error);
        else
                *ret = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        return r;
}

static int read_version(struct journal_connection *connection, int64_t *ret, struct error *error)
{
        int64_t tables = 0;
        int r = journal_number(connection, "PRAGMA user_version", ret, error);
        if (r >= 0 && *ret > (int64_t)N_ELEMENTS(migrations))
                return error_set(error, ENOTSUP, "it was written by a newer version of runbook_responder");
        if (r >= 0 && *ret == 0)
                r = journal_number(connection, "SELECT count(*) FROM sqlite_schema", &tables, error);
        if (r >= 0 && tables > 0)
                return error_set(error, EUCLEAN, "it is the database of something else");
        return r;
}

int journal_check_schema(struct journal_connection *connection, struct error *error)
{
        int64_t version = 0;
        int r = read_version(connection, &version, error);
        if (r >= 0 && version == 0)
                return error_set(error, ENOTSUP, "it is empty");
        return r;
}

/* alert_key() in SQL, for the episodes of before: NULL of what cannot be read. */
static void key_of_alert(sqlite3_context *context, int count _unused_, sqlite3_value **values)
{
        const char *text = (const char *)sqlite3_value_text(values[0]);
        _cleanup_json_ cJSON *json = NULL;
        struct alert alert = {0};
        char key[DIGEST_TEXT_MAX];
        if (!text || json_parse(text, strlen(text), &json, NULL) < 0 ||
            alert_from_json(json, &alert, NULL) < 0)
                return;
        if (alert_key(&alert, key, NULL) >= 0)
                sqlite3_result_text(context, key, -1, SQLITE_TRANSIENT);
        else
                sqlite3_result_error_nomem(context);
        alert_release(&alert);
}

int journal_prepare_schema(struct journal_connection *connection, struct error *error)
{
        int64_t version = 0;
        int r = read_version(connection, &version, error);
        if (r < 0)
                return r;
        if (sqlite3_create_function(connection->database, "alert_key", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                    NULL, key_of_alert, NULL, NULL) != SQLITE_OK)
                return journal_failed(connection, error);
        for (size_t i = (size_t)version; i < N_ELEMENTS(migrations); i++) {
                _cleanup_free_ char *sql = text_format(
                        "BEGIN IMMEDIATE; %s PRAGMA user_version = %zu; COMMIT;", migrations[i], i + 1);
                if (!sql)
                        return error_oom(error);
                crash_point(CRASH_AT_OPENING, "before", 1);
                r = journal_execute(connection, sql, error);
                if (r < 0)
                        return r;
                crash_point(CRASH_AT_OPENING, "after", 1);
        }
        return 0;
}

sqlite3_stmt *journal_bind(struct journal_connection *connection, enum journal_statement which,
                           struct error *error, const char *types, ...)
{
        sqlite3_stmt **statement = &connection->statements[which];
        if (!*statement && sqlite3_prepare_v3(connection->database, statement_texts[which], -1,
                                              SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
                journal_failed(connection, error);
                return NULL;
        }

        assert_that(!sqlite3_stmt_busy(*statement), "a statement has one user at a time");
        assert_that(sqlite3_bind_parameter_count(*statement) == (int)strlen(types), "every value is bound");
        int result = SQLITE_OK;
        va_list args;
        va_start(args, types);
        for (int at = 0; types[at] && result == SQLITE_OK; at++) {
                switch (types[at]) {
                case 'i': result = sqlite3_bind_int64(*statement, at + 1, va_arg(args, int64_t)); break;
                case 't':
                        result = sqlite3_bind_text(*statement, at + 1, va_arg(args, const char *), -1,
                                                   SQLITE_TRANSIENT);
                        break;
                default:
                        result = sqlite3_bind_blob(*statement, at + 1, va_arg(args, const void *),
                                                   HASH_LENGTH, SQLITE_TRANSIENT);
                }
        }
        va_end(args);
        if (result != SQLITE_OK) {
                journal_failed(connection, error);
                journal_reset_p(statement);
                return NULL;
        }
        return *statement;
}

int journal_step(struct journal_connection *connection, sqlite3_stmt *statement, struct error *error)
{
        switch (sqlite3_step(statement)) {
        case SQLITE_ROW: return 1;
        case SQLITE_DONE: return 0;
        default: return journal_failed(connection, error);
        }
}

const char *journal_column(sqlite3_stmt *statement, int column)
{
        assert_that(column < sqlite3_column_count(statement), "there is such a column");
        const char *text = (const char *)sqlite3_column_text(statement, column);
        return text ? text : "";
}

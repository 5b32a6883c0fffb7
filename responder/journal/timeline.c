/* SPDX-License-Identifier: Apache-2.0 */
/* The timeline: rows chained by hashes, written, read, and held against each other. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>

#include "responder/journal/internal.h"
#include "responder/journal/seals.h"
#include "runbook/log.h"
#include "runbook/text.h"
#include "runbook/words.h"

const char *actor_person(const char *actor)
{
        static const char *const machines[] = {"", "engine", "alert", "alertmanager"};
        if (!actor || words_find(machines, N_ELEMENTS(machines), actor) >= 0)
                return NULL;
        /* As versions of before have it: "person:ada". */
        return actor + (string_starts(actor, "person:") ? strlen("person:") : 0);
}

char *actor_identity(const char *actor)
{
        static const char by_token[] = " (token ", nobody[] = " (not proved)", by_password[] = " (password)",
                          certificate[] = "certificate ", local[] = "uid ";
        size_t length = strlen(actor);
        const char *last = strrchr(actor, '('), *token = NULL;
        for (const char *at = actor; (at = strstr(at, by_token)); at++)
                token = at;
        if (string_ends(actor, nobody))
                return strdup("who has shown nothing");
        if (token && actor[length - 1] == ')')
                return strndup(token + 2, length - (size_t)(token + 2 - actor) - 1);
        if (string_ends(actor, by_password))
                return strndup(actor, length - strlen(by_password));
        if (string_starts(actor, certificate))
                return strdup(actor + strlen(certificate));
        if (string_starts(actor, local) && last && actor[length - 1] == ')')
                return strndup(last + 1, length - (size_t)(last + 1 - actor) - 1);
        const char *person = actor_person(actor);
        return strdup(person ? person : actor);
}

static void put_number(struct text *text, int64_t number)
{
        if (number < 0)
                text_putc(text, '-');
        text_put_u64(text, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

int journal_hash(const unsigned char before[static HASH_LENGTH], const struct timeline_row *row,
                 unsigned char ret[static HASH_LENGTH])
{
        /* Each string after its length: no two different rows have the same text. */
        _cleanup_text_ struct text text = {0};
        text_append(&text, before, HASH_LENGTH);
        const int64_t numbers[] = {row->id, row->incident, row->at, row->step};
        for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
                if (i > 0)
                        text_putc(&text, ' ');
                put_number(&text, numbers[i]);
        }
        const char *const strings[] = {row->actor, row->event, row->state, row->detail};
        for (size_t i = 0; i < N_ELEMENTS(strings); i++) {
                if (!strings[i]) {
                        text_puts(&text, " -");
                        continue;
                }
                text_putc(&text, ' ');
                text_put_u64(&text, strlen(strings[i]));
                text_putc(&text, ':');
                text_puts(&text, strings[i]);
        }
        if (text_error(&text) < 0)
                return -ENOMEM;
        return EVP_Digest(text.data, text.length, ret, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

int journal_append(struct journal *journal, const struct timeline_row *row, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        assert_that(row->event && row->state, "a row says what happened, and what became of it");
        struct timeline_row next = *row;
        next.id = journal->chain.rows + 1;
        if (!next.actor)
                next.actor = "engine";
        unsigned char hash[HASH_LENGTH];
        if (journal_hash(journal->chain.hash, &next, hash) < 0)
                return error_oom(error);
        int r = journal_run(&journal->writer, TIMELINE_APPEND, error, "iiitttitb", next.id, next.incident,
                            next.at, next.actor, next.event, next.state, next.step, next.detail, hash);
        if (r < 0)
                return r;
        journal->chain.rows = next.id;
        memcpy(journal->chain.hash, hash, HASH_LENGTH);
        changes_note(&journal->changes, next.incident);
        return 0;
}

static void put_hash(struct text *text, const unsigned char *hash, int length)
{
        for (int i = 0; i < length; i++)
                text_printf(text, "%02x", hash[i]);
}

static cJSON *read_event(sqlite3_stmt *statement)
{
        cJSON *event = cJSON_CreateObject();
        char at[TIME_TEXT_MAX];
        _cleanup_text_ struct text hash = {0};
        put_hash(&hash, sqlite3_column_blob(statement, 6), sqlite3_column_bytes(statement, 6));
        if (!event)
                return NULL;

        json_put(event, "at", cJSON_CreateString(time_format(sqlite3_column_int64(statement, 0), at)));
        json_put(event, "actor", cJSON_CreateString(journal_column(statement, 1)));
        json_put(event, "event", cJSON_CreateString(journal_column(statement, 2)));
        json_put(event, "state", cJSON_CreateString(journal_column(statement, 3)));
        if (sqlite3_column_int64(statement, 4) > 0)
                json_put(event, "step", cJSON_CreateNumber((double)sqlite3_column_int64(statement, 4)));
        cJSON *detail = NULL;
        if (journal_column_json(statement, 5, &detail, NULL) >= 0 && detail)
                json_put(event, "detail", detail);
        json_put(event, "hash", cJSON_CreateString(text_string(&hash)));
        return event;
}

/* Every row of a statement as `read` has it; NULL: out of memory. */
static int read_array(struct journal *journal, sqlite3_stmt *statement, cJSON *(*read)(sqlite3_stmt *),
                      cJSON **ret, struct error *error)
{
        assert_that(is_locked(&journal->read_lock), "one reader at a time");
        _cleanup_json_ cJSON *array = cJSON_CreateArray();
        int r;
        while ((r = journal_step(&journal->reader, statement, error)) > 0) {
                cJSON *item = read(statement);
                if (!item || !cJSON_AddItemToArray(array, item)) {
                        cJSON_Delete(item);
                        return error_oom(error);
                }
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(array);
        return 0;
}

int journal_timeline(struct journal *journal, int64_t incident, cJSON **ret, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, TIMELINE_OF, error, "i", incident);
        return statement ? read_array(journal, statement, read_event, ret, error) : -EIO;
}

static cJSON *read_member(sqlite3_stmt *statement)
{
        cJSON *member = cJSON_CreateObject(), *alert = NULL;
        char at[TIME_TEXT_MAX];
        if (!member)
                return NULL;
        if (journal_column_json(statement, 0, &alert, NULL) >= 0 && alert)
                json_put(member, "alert", alert);
        json_put(member, "firing", cJSON_CreateBool(sqlite3_column_int(statement, 1)));
        json_put(member, "joined_at",
                 cJSON_CreateString(time_format(sqlite3_column_int64(statement, 2), at)));
        return member;
}

int journal_members(struct journal *journal, int64_t incident, size_t limit, cJSON **ret, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, MEMBERS_OF, error, "ii", incident, (int64_t)limit);
        return statement ? read_array(journal, statement, read_member, ret, error) : -EIO;
}

int journal_last_detail(struct journal *journal, int64_t incident, const char *member, cJSON **ret,
                        struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, TIMELINE_DETAILS, error, "i", incident);
        if (!statement)
                return -EIO;
        cJSON *found = NULL;
        int r;
        while (!found && (r = journal_step(&journal->reader, statement, error)) != 0) {
                _cleanup_json_ cJSON *detail = NULL;
                if (r < 0)
                        return r;
                if (journal_column_json(statement, 0, &detail, NULL) < 0)
                        continue; /* it gives none that can be read */
                if (cJSON_GetObjectItemCaseSensitive(detail, member))
                        found = TAKE_PTR(detail);
        }
        *ret = found;
        return 0;
}

int journal_last_reason(struct journal *journal, int64_t incident, char **ret, struct error *error)
{
        _cleanup_json_ cJSON *detail = NULL;
        int r = journal_last_detail(journal, incident, "reason", &detail, error);
        if (r < 0)
                return r;
        const char *reason = json_string(detail, "reason");
        char *copy = strdup(reason ? reason : "");
        if (!copy)
                return error_oom(error);
        *ret = copy;
        return 0;
}

/* A text that ends where it seems to, or none; a number that is one. */
static bool is_text(sqlite3_stmt *statement, int column)
{
        const char *text = (const char *)sqlite3_column_text(statement, column);
        return text && strlen(text) == (size_t)sqlite3_column_bytes(statement, column);
}

static bool is_well_formed(sqlite3_stmt *row)
{
        static const int types[] = {SQLITE_INTEGER, SQLITE_INTEGER, SQLITE_INTEGER, SQLITE_TEXT, SQLITE_TEXT,
                                    SQLITE_TEXT,    SQLITE_INTEGER, SQLITE_TEXT,    SQLITE_BLOB};
        for (int i = 0; i < (int)N_ELEMENTS(types); i++) {
                int type = sqlite3_column_type(row, i);
                bool none = i == 7 && type == SQLITE_NULL;
                if ((type != types[i] && !none) || (type == SQLITE_TEXT && !is_text(row, i)))
                        return false;
        }
        return sqlite3_column_bytes(row, 8) == HASH_LENGTH;
}

static int verify_row(sqlite3_stmt *statement, int64_t next, unsigned char before[static HASH_LENGTH],
                      struct error *error)
{
        bool well_formed = is_well_formed(statement);
        unsigned char hash[HASH_LENGTH];
        char at[TIME_TEXT_MAX];
        const struct timeline_row row = {
                .id = sqlite3_column_int64(statement, 0),
                .incident = sqlite3_column_int64(statement, 1),
                .at = sqlite3_column_int64(statement, 2),
                .actor = journal_column(statement, 3),
                .event = journal_column(statement, 4),
                .state = journal_column(statement, 5),
                .step = sqlite3_column_int64(statement, 6),
                .detail = (const char *)sqlite3_column_text(statement, 7),
        };
        if (journal_hash(before, &row, hash) < 0)
                return error_oom(error);
        if (!well_formed || row.id != next ||
            memcmp(sqlite3_column_blob(statement, 8), hash, HASH_LENGTH) != 0)
                return error_set(error, EUCLEAN,
                                 "row %lld of the timeline (%s, '%s') does not follow from the row before it",
                                 (long long)row.id, time_format(row.at, at), row.event);
        memcpy(before, hash, HASH_LENGTH);
        return 0;
}

static int verify_rows(struct journal *journal, uint64_t *ret_rows, struct journal_chain *ret_end,
                       struct error *error)
{
        assert_that(!sqlite3_get_autocommit(journal->reader.database),
                    "the chain is walked in one transaction");
        _cleanup_statement_ sqlite3_stmt *statement = journal_bind(&journal->reader, TIMELINE_ALL, error, "");
        if (!statement)
                return -EIO;
        struct journal_chain end = {0};
        uint64_t rows = 0;
        int gaps = gaps_there(&journal->reader, error);
        int r = gaps;
        while (r >= 0 && (r = journal_step(&journal->reader, statement, error)) > 0) {
                int64_t next = end.rows + 1;
                if (sqlite3_column_int64(statement, 0) != next && gaps > 0)
                        r = gaps_step_over(&journal->reader, &next, end.hash, error);
                if (r >= 0)
                        r = verify_row(statement, next, end.hash, error);
                end.rows = next;
                rows++;
        }
        *ret_rows = rows;
        *ret_end = end;
        return r >= 0 && gaps > 0 ? gaps_verify(&journal->reader, error) : r;
}

int journal_read_end(struct journal_connection *connection, struct journal_chain *ret, int64_t *ret_written,
                     struct error *error)
{
        int sealed = seals_there(connection, error);
        if (sealed < 0)
                return sealed;
        _cleanup_statement_ sqlite3_stmt *last = journal_bind(connection, TIMELINE_LAST, error, "");
        _cleanup_statement_ sqlite3_stmt *head =
                sealed > 0 ? journal_bind(connection, HEAD_GET, error, "") : NULL;
        _cleanup_statement_ sqlite3_stmt *meta =
                journal_bind(connection, META_GET, error, "t", TIMELINE_ROWS);
        int r = last && meta && (head || sealed == 0) ? journal_step(connection, last, error) : -EIO;
        if (r < 0)
                return r;
        struct journal_chain end = {.rows = r > 0 ? sqlite3_column_int64(last, 0) : 0};
        if (r > 0 && sqlite3_column_bytes(last, 1) == HASH_LENGTH)
                memcpy(end.hash, sqlite3_column_blob(last, 1), HASH_LENGTH);
        sqlite3_stmt *written = head;
        r = head ? journal_step(connection, head, error) : 0;
        if (r == 0)
                r = journal_step(connection, written = meta, error);
        if (r < 0)
                return r;
        *ret_written = r > 0 ? sqlite3_column_int64(written, 0) : 0;
        *ret = end;
        return 0;
}

/* Nothing was cut off the end. */
static int verify_end(struct journal *journal, const struct journal_chain *end, struct error *error)
{
        struct journal_chain last;
        int64_t written = 0;
        int r = journal_read_end(&journal->reader, &last, &written, error);
        if (r >= 0 && written != end->rows)
                return error_set(error, EUCLEAN, "the timeline has %lld rows, but %lld were written",
                                 (long long)end->rows, (long long)written);
        return r;
}

/* So much of a hash as a number of a metric holds. */
static uint64_t digest_of_hash(const unsigned char hash[static HASH_LENGTH])
{
        uint64_t number = 0;
        for (size_t i = 0; i < 7; i++)
                number = number << 8 | hash[i];
        return number >> 4;
}

struct journal_head journal_head_of(const struct journal_chain *chain)
{
        return (struct journal_head){chain->rows, chain->rows > 0 ? digest_of_hash(chain->hash) : 0};
}

void journal_log_head(const struct journal_chain *chain)
{
        struct journal_head head = journal_head_of(chain);
        _cleanup_free_ char *text = text_format("%" PRId64 ":%" PRIu64, head.rows, head.digest);
        log_event(LOG_INFO, "The journal's head", "head", text, NULL);
}

int journal_head(struct journal *journal, struct journal_head *ret, struct error *error)
{
        if (journal->world) {
                pthread_mutex_lock(&journal->lock);
                *ret = journal->head;
                pthread_mutex_unlock(&journal->lock);
                return 0;
        }
        READING(journal);
        struct journal_chain end;
        int64_t written = 0;
        int r = journal_read_end(&journal->reader, &end, &written, error);
        if (r >= 0)
                *ret = journal_head_of(&end);
        return r;
}

int journal_check_head(struct journal *journal, const struct journal_head *head, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *row =
                journal_bind(&journal->reader, TIMELINE_HASH, error, "i", head->rows);
        int r = row ? journal_step(&journal->reader, row, error) : -EIO;
        if (r < 0 || head->rows == 0)
                return r < 0 ? r : 0;
        if (r > 0 && sqlite3_column_bytes(row, 0) == HASH_LENGTH &&
            digest_of_hash(sqlite3_column_blob(row, 0)) == head->digest)
                return 0;
        if (r > 0)
                return error_set(error, EUCLEAN, "row %lld is another than the witness has seen",
                                 (long long)head->rows);
        struct journal_chain end;
        int64_t written = 0;
        r = journal_read_end(&journal->reader, &end, &written, error);
        if (r < 0)
                return r;
        if (end.rows < head->rows)
                return error_set(error, EUCLEAN,
                                 "the timeline ends with row %lld, and the witness has seen row %lld",
                                 (long long)end.rows, (long long)head->rows);
        return error_set(error, ENODATA, "row %lld was pruned: take a younger head", (long long)head->rows);
}

int journal_is_sealed(struct journal *journal, struct error *error)
{
        READING(journal);
        return seals_there(&journal->reader, error);
}

/* What the incidents say of themselves is what the timeline says last. */
static int verify_states(struct journal *journal, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, TIMELINE_CONTRADICTED, error, "");
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r > 0)
                return error_set(error, EUCLEAN, "%s is '%s', which is not what the timeline says last",
                                 journal_column(statement, 0), journal_column(statement, 1));
        return r;
}

/* What an incident was begun with stands in its timeline: nobody has put anything else in its place. */
static int verify_definitions(struct journal *journal, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *has = journal_bind(&journal->reader, HAS_DEFINITIONS, error, "");
        int r = has ? journal_step(&journal->reader, has, error) : -EIO;
        if (r <= 0)
                return r;
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, DEFINITION_CONTRADICTED, error, "");
        r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r > 0)
                return error_set(error, EUCLEAN, "%s has a definition that its timeline does not have",
                                 journal_column(statement, 0));
        return r;
}

int journal_verify(struct journal *journal, uint64_t *ret_rows, struct error *error)
{
        READING(journal);
        uint64_t rows = 0;
        struct journal_chain end = {0};
        /* One transaction: whoever writes meanwhile is not seen. */
        int r = journal_execute(&journal->reader, "BEGIN", error);
        if (r < 0)
                return r;
        r = verify_rows(journal, &rows, &end, error);
        if (r >= 0)
                r = verify_end(journal, &end, error);
        if (r >= 0)
                r = verify_states(journal, error);
        if (r >= 0)
                r = verify_definitions(journal, error);
        if (r >= 0)
                r = seals_verify(&journal->reader, &end, error);
        journal_execute(&journal->reader, "ROLLBACK", NULL);
        if (r < 0)
                return r;
        *ret_rows = rows;
        return 0;
}

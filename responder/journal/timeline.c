/* SPDX-License-Identifier: Apache-2.0 */
/* The timeline: rows chained by hashes, written, read, and held against each other. */
#include <errno.h>
#include <openssl/evp.h>

#include "responder/journal/internal.h"
#include "runbook/text.h"

int journal_hash(const unsigned char before[static HASH_LENGTH], const struct timeline_row *row,
                 unsigned char ret[static HASH_LENGTH])
{
        /* Each string after its length: no two different rows have the same text. */
        _cleanup_text_ struct text text = {0};
        text_append(&text, before, HASH_LENGTH);
        text_printf(&text, "%lld %lld %lld %lld", (long long)row->id, (long long)row->incident,
                    (long long)row->at, (long long)row->step);
        const char *const strings[] = {row->actor, row->event, row->state, row->detail};
        for (size_t i = 0; i < N_ELEMENTS(strings); i++)
                if (strings[i])
                        text_printf(&text, " %zu:%s", strlen(strings[i]), strings[i]);
                else
                        text_puts(&text, " -");
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
        struct journal_chain chain = {.rows = next.id};
        if (journal_hash(journal->chain.hash, &next, chain.hash) < 0)
                return error_oom(error);
        int r = journal_run(&journal->writer, TIMELINE_APPEND, error, "iiitttitb", next.id, next.incident,
                            next.at, next.actor, next.event, next.state, next.step, next.detail, chain.hash);
        if (r < 0)
                return r;
        journal->chain = chain;
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

static int verify_rows(struct journal *journal, uint64_t *ret_rows, int64_t *ret_last, struct error *error)
{
        assert_that(!sqlite3_get_autocommit(journal->reader.database),
                    "the chain is walked in one transaction");
        _cleanup_statement_ sqlite3_stmt *statement = journal_bind(&journal->reader, TIMELINE_ALL, error, "");
        if (!statement)
                return -EIO;
        unsigned char before[HASH_LENGTH] = {0}, hash[HASH_LENGTH];
        uint64_t rows = 0;
        int64_t next = 1;
        int gaps = gaps_there(&journal->reader, error);
        int r = gaps;
        while (r >= 0 && (r = journal_step(&journal->reader, statement, error)) > 0) {
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
                if (row.id != next && gaps > 0 &&
                    (r = gaps_step_over(&journal->reader, &next, before, error)) < 0)
                        return r;
                if (journal_hash(before, &row, hash) < 0)
                        return error_oom(error);
                rows++;
                if (row.id != next++ || sqlite3_column_bytes(statement, 8) != HASH_LENGTH ||
                    memcmp(sqlite3_column_blob(statement, 8), hash, HASH_LENGTH) != 0) {
                        char at[TIME_TEXT_MAX];
                        return error_set(
                                error, EUCLEAN,
                                "row %lld of the timeline (%s, '%s') does not follow from the row before it",
                                (long long)row.id, time_format(row.at, at), row.event);
                }
                memcpy(before, hash, HASH_LENGTH);
        }
        *ret_rows = rows;
        *ret_last = next - 1;
        return r >= 0 && gaps > 0 ? gaps_verify(&journal->reader, error) : r;
}

/* Nothing was cut off the end. */
static int verify_end(struct journal *journal, int64_t last, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, META_GET, error, "t", TIMELINE_ROWS);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r < 0)
                return r;
        int64_t written = r > 0 ? sqlite3_column_int64(statement, 0) : 0;
        if (written != last)
                return error_set(error, EUCLEAN, "the timeline has %lld rows, but %lld were written",
                                 (long long)last, (long long)written);
        return 0;
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
        int64_t last = 0;
        /* One transaction: whoever writes meanwhile is not seen. */
        int r = journal_execute(&journal->reader, "BEGIN", error);
        if (r < 0)
                return r;
        r = verify_rows(journal, &rows, &last, error);
        if (r >= 0)
                r = verify_end(journal, last, error);
        if (r >= 0)
                r = verify_states(journal, error);
        if (r >= 0)
                r = verify_definitions(journal, error);
        journal_execute(&journal->reader, "ROLLBACK", NULL);
        if (r < 0)
                return r;
        *ret_rows = rows;
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What decides is sealed: each row of it by a MAC under the journal's key, and all seals together with the
 * end of the timeline by the head. A row that somebody else has written has no seal that fits, and is not
 * acted upon; one that was taken out, or put back as it was before, makes the head unfit.
 *
 * The sum that the head has of all seals goes along with each of their changes. What each adds to it only
 * who has the key can tell, and the sum itself is masked: seals of before can be put together to no other
 * sum.
 *
 * A row is read each time that it is asked about, and compared with the seal that is there; of what has the
 * same bytes as a while ago only the MAC is not computed anew (runbook/mac.h). So it need not be known who
 * could have written in between.
 */
#include "responder/journal/seals.h"

#include <errno.h>

#include "responder/journal/internal.h"

/* Each value with its type and its length: no two different rows have the same bytes. */
static void add_value(struct mac *mac, int type, const void *bytes, size_t length)
{
        unsigned char head[1 + sizeof(uint64_t)] = {(unsigned char)type};
        for (size_t i = 0; i < sizeof(uint64_t); i++)
                head[1 + i] = (unsigned char)((uint64_t)length >> 8 * i);
        mac_add(mac, head, sizeof(head));
        mac_add(mac, bytes, length);
}

static void add_number(struct mac *mac, int64_t number)
{
        unsigned char bytes[sizeof(uint64_t)];
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (unsigned char)((uint64_t)number >> 8 * i);
        add_value(mac, SQLITE_INTEGER, bytes, sizeof(bytes));
}

/* False: there was no memory for a value. That is no value, and a seal of what it leaves would be wrong. */
static bool add_values(struct mac *mac, int count, sqlite3_value **values)
{
        bool whole = true;
        for (int i = 0; i < count; i++) {
                int type = sqlite3_value_type(values[i]);
                /* The bytes are asked for before their length. */
                const void *bytes = NULL;
                if (type == SQLITE_INTEGER) {
                        add_number(mac, sqlite3_value_int64(values[i]));
                        continue;
                }
                if (type != SQLITE_NULL)
                        bytes = type == SQLITE_BLOB ? sqlite3_value_blob(values[i])
                                                    : (const void *)sqlite3_value_text(values[i]);
                const int length = type == SQLITE_NULL ? 0 : sqlite3_value_bytes(values[i]);
                whole &= bytes || type == SQLITE_NULL || (type == SQLITE_BLOB && length == 0);
                add_value(mac, type, bytes, bytes ? (size_t)length : 0);
        }
        return whole;
}

/* The sum of what was added, so that the next one begins anew, also where it is not to be had. */
static bool end_sum(sqlite3_context *context, struct mac *mac, bool whole,
                    unsigned char ret[static HASH_LENGTH])
{
        bool fine = mac_end(mac, ret) >= 0;
        if (!whole)
                sqlite3_result_error_nomem(context);
        else if (!fine)
                sqlite3_result_error(context, "a row cannot be sealed", -1);
        return whole && fine;
}

/* In SQL: the seal of a row, which is of a table and of its columns. */
static void seal_of(sqlite3_context *context, int count, sqlite3_value **values)
{
        const struct journal_connection *connection = sqlite3_user_data(context);
        unsigned char seal[HASH_LENGTH];
        bool whole = add_values(connection->mac, count, values);
        if (end_sum(context, connection->mac, whole, seal))
                sqlite3_result_blob(context, seal, HASH_LENGTH, SQLITE_TRANSIENT);
}

/* In SQL: puts a seal that was given into the sum, or takes it out of it. */
static void fold(sqlite3_context *context, int count, sqlite3_value **values)
{
        const struct journal_connection *connection = sqlite3_user_data(context);
        unsigned char element[HASH_LENGTH];
        static const char what[] = "an element of the sum";
        add_value(connection->mac, SQLITE_TEXT, what, sizeof(what));
        bool whole = add_values(connection->mac, count, values);
        if (!end_sum(context, connection->mac, whole, element))
                return;
        for (size_t i = 0; i < HASH_LENGTH; i++)
                connection->sum[i] ^= element[i];
        sqlite3_result_int(context, 1);
}

int seals_attach(struct journal_connection *connection, const struct journal_key *key,
                 struct mac_memory *memory, unsigned char *sum, struct error *error)
{
        int r = mac_new(key->bytes, sizeof(key->bytes), memory, &connection->mac);
        if (r < 0)
                return error_set(error, -r, "cannot seal: %s", strerror(-r));
        connection->sum = sum;
        /* For our own statements alone: what stands in the file, such as a view, would seal anything. */
        const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
        if (sqlite3_create_function(connection->database, "seal_of", -1, flags, connection, seal_of, NULL,
                                    NULL) != SQLITE_OK ||
            sqlite3_create_function(connection->database, "fold", 4, flags, connection, fold, NULL, NULL) !=
                    SQLITE_OK)
                return journal_failed(connection, error);
        return 0;
}

/* The head: of how many rows the timeline is, the hash of the last, and the sum. */
static int seal_head(struct journal_connection *connection, const struct journal_chain *chain,
                     unsigned char ret_seal[static HASH_LENGTH], unsigned char ret_mask[static HASH_LENGTH],
                     struct error *error)
{
        static const char of_head[] = "the head", of_mask[] = "the mask of the sum";
        struct mac *mac = connection->mac;
        add_value(mac, SQLITE_TEXT, of_head, sizeof(of_head));
        add_number(mac, chain->rows);
        add_value(mac, SQLITE_BLOB, chain->hash, HASH_LENGTH);
        add_value(mac, SQLITE_BLOB, chain->sum, HASH_LENGTH);
        int r = mac_end(mac, ret_seal);
        if (r >= 0) { /* what is added and not ended would be in the next seal */
                add_value(mac, SQLITE_TEXT, of_mask, sizeof(of_mask));
                add_value(mac, SQLITE_BLOB, ret_seal, HASH_LENGTH);
                r = mac_end(mac, ret_mask);
        }
        return r < 0 ? error_set(error, -r, "the head of the journal cannot be sealed") : 0;
}

static void mask_sum(unsigned char sum[static HASH_LENGTH], const unsigned char mask[static HASH_LENGTH])
{
        for (size_t i = 0; i < HASH_LENGTH; i++)
                sum[i] ^= mask[i];
}

int seals_write_head(struct journal *journal, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        unsigned char seal[HASH_LENGTH], sum[HASH_LENGTH];
        int r = seal_head(&journal->writer, &journal->chain, seal, sum, error);
        if (r < 0)
                return r;
        mask_sum(sum, journal->chain.sum);
        return journal_run(&journal->writer, HEAD_SET, error, "ibb", journal->chain.rows, sum, seal);
}

static bool is_hash(sqlite3_stmt *row, int column)
{
        return sqlite3_column_type(row, column) == SQLITE_BLOB &&
               sqlite3_column_bytes(row, column) == HASH_LENGTH;
}

/* 1: it fits to what the timeline ends with, whose sum is filled in; 0: there is none. */
static int read_head(struct journal_connection *connection, struct journal_chain *chain, struct error *error)
{
        unsigned char seal[HASH_LENGTH], mask[HASH_LENGTH], sum[HASH_LENGTH], kept[HASH_LENGTH];
        static const char of_mask[] = "the mask of the sum";
        {
                _cleanup_statement_ sqlite3_stmt *head = journal_bind(connection, HEAD_GET, error, "");
                int r = head ? journal_step(connection, head, error) : -EIO;
                if (r <= 0)
                        return r;
                if (sqlite3_column_type(head, 0) != SQLITE_INTEGER || !is_hash(head, 1) || !is_hash(head, 2))
                        return error_set(error, EUCLEAN, "the head of the journal is no seal");
                memcpy(sum, sqlite3_column_blob(head, 1), HASH_LENGTH);
                memcpy(kept, sqlite3_column_blob(head, 2), HASH_LENGTH);
        }
        add_value(connection->mac, SQLITE_TEXT, of_mask, sizeof(of_mask));
        add_value(connection->mac, SQLITE_BLOB, kept, HASH_LENGTH);
        if (mac_end(connection->mac, mask) < 0)
                return error_oom(error);
        mask_sum(sum, mask);
        memcpy(chain->sum, sum, HASH_LENGTH);
        int r = seal_head(connection, chain, seal, mask, error);
        if (r < 0)
                return r;
        if (memcmp(seal, kept, HASH_LENGTH) != 0)
                return error_set(error, EUCLEAN,
                                 "the head does not fit to the end of the timeline (row %lld): rows were cut "
                                 "off, or somebody else has written it",
                                 (long long)chain->rows);
        return 1;
}

/* Whether a query gives a row. */
static int there_is(struct journal_connection *connection, enum journal_statement which, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *row = journal_bind(connection, which, error, "");
        return row ? journal_step(connection, row, error) : -EIO;
}

/* What a query finds that is not to be there. */
static int find_one(struct journal_connection *connection, enum journal_statement which, const char *sentence,
                    struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *found = journal_bind(connection, which, error, "");
        int r = found ? journal_step(connection, found, error) : -EIO;
        return r > 0 ? error_set(error, EUCLEAN, "%s: %s", journal_column(found, 0), sentence) : r;
}

#define TABLE(NAME, table, id, part, seal, of, name) \
        {BROKEN_##NAME, UNSEALED_##NAME, GONE_##NAME, SEAL_TRIGGERS(NAME, table, id, part, seal, of, name)},
static const struct {
        enum journal_statement broken, unsealed, gone;
        const char *triggers;
} tables[] = {SEALED_TABLES(TABLE)};

/* That there is a seal for each row, and a row for each seal. */
static int check_rows(struct journal_connection *connection, struct error *error)
{
        int r = find_one(connection, SEALS_OF_OTHERS, "there are seals of what is not sealed", error);
        for (size_t i = 0; i < N_ELEMENTS(tables) && r >= 0; i++) {
                r = find_one(connection, tables[i].unsealed,
                             "it has no seal, so somebody else has put it there", error);
                if (r >= 0)
                        r = find_one(connection, tables[i].gone, "it is gone, and its seal is still there",
                                     error);
        }
        return r;
}

static int check_fits(struct journal_connection *connection, enum journal_statement which, bool *ret,
                      struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *fits = journal_bind(connection, which, error, "");
        int r = fits ? journal_step(connection, fits, error) : -EIO;
        *ret = r > 0 && sqlite3_column_int(fits, 0) != 0;
        return r < 0 ? r : 0;
}

int seals_check_sum(struct journal_connection *connection, const struct journal_chain *end,
                    struct error *error)
{
        struct journal_chain chain = *end;
        unsigned char sum[HASH_LENGTH] = {0}, *before = connection->sum;
        int r = check_rows(connection, error);
        if (r >= 0)
                r = read_head(connection, &chain, error);
        if (r <= 0)
                return r;
        connection->sum = sum;
        r = there_is(connection, SEALS_FOLD, error);
        connection->sum = before;
        if (r >= 0 && memcmp(sum, chain.sum, HASH_LENGTH) != 0)
                return error_set(error, EUCLEAN,
                                 "the seals are not those that the head has: rows were taken out, or put "
                                 "back as they were before");
        return r < 0 ? r : 0;
}

/* Whether it is this journal's key, and its schema, which might have triggers of somebody else. */
static int check_key(struct journal_connection *connection, struct error *error)
{
        bool fits = false;
        int r = check_fits(connection, KEY_FITS, &fits, error);
        if (r >= 0 && !fits)
                return error_set(error, EKEYREJECTED, "it is sealed by another key");
        if (r >= 0)
                r = check_fits(connection, SCHEMA_FITS, &fits, error);
        if (r >= 0 && !fits)
                return error_set(error, EUCLEAN, "its schema is not the one that was sealed");
        return r;
}

/* 1: sealed, as it should be; 0: it is new; -ENOKEY: nothing of it is sealed. */
static int check_opened(struct journal *journal, bool whole, struct error *error)
{
        struct journal_connection *writer = &journal->writer;
        struct journal_chain *chain = &journal->chain;
        int r = there_is(writer, HEAD_GET, error);
        if (r == 0) {
                r = there_is(writer, HAS_HISTORY, error);
                return r > 0 ? error_set(error, ENOKEY, "nothing of what it holds is sealed") : r;
        }
        if (r > 0)
                r = check_key(writer, error);
        if (r >= 0)
                r = whole ? seals_check_sum(writer, chain, error) : 0;
        return r < 0 ? r : read_head(writer, chain, error);
}

/* As it is. */
static int seal_anew(struct journal *journal, struct error *error)
{
        static const char sql[] =
                "DELETE FROM seals;"
                "INSERT INTO seals VALUES ('key', 0, 0, seal_of('key'));"
                "INSERT INTO seals VALUES ('schema', 0, 0, " SCHEMA_SEAL ");" SEALED_TABLES(SEAL_ANEW);
        struct journal_connection *writer = &journal->writer;
        memset(journal->chain.sum, 0, HASH_LENGTH);
        int r = journal_execute(writer, sql, error);
        if (r < 0)
                return r;
        r = there_is(writer, SEALS_FOLD, error);
        return r < 0 ? r : 0;
}

/* Each row by its own seal. */
static int check_broken(struct journal_connection *connection, struct error *error)
{
        int r = 0;
        for (size_t i = 0; i < N_ELEMENTS(tables) && r >= 0; i++)
                r = find_one(connection, tables[i].broken,
                             "it is not as it was journaled: somebody else has changed it", error);
        return r;
}

/* What was found is not what was left. Of a new key nothing is known yet. */
static bool takes_as_it_is(const struct journal_key *key, int found)
{
        if (found == -ENOKEY && key->made)
                return true;
        return key->as_it_is && (found == -ENOKEY || found == -EKEYREJECTED || found == -EUCLEAN);
}

int seals_begin(struct journal *journal, const struct journal_key *key, bool whole, char **ret_taken,
                struct error *error)
{
        _cleanup_error_ struct error why = {0};
        int r = seals_attach(&journal->writer, key, journal->sums, journal->chain.sum, error);
        if (r < 0)
                return r;
        int found = check_opened(journal, whole || key->as_it_is, &why);
        /* One that was changed keeps nobody from starting; whoever takes it as it is takes that, too. */
        if (found > 0 && key->as_it_is)
                found = check_broken(&journal->writer, &why) < 0 ? -EUCLEAN : found;
        bool takes = takes_as_it_is(key, found);
        if (found < 0 && !takes)
                return error_set(error, -found, "%s%s", error_text(&why),
                                 found == -ENOKEY || found == -EKEYREJECTED || found == -EUCLEAN
                                         ? "; bring back what it was, or say --journal.seal-as-it-is, once, "
                                           "when you know why"
                                         : "");
        if (takes && !(*ret_taken = strdup(error_text(&why))))
                return error_oom(error);
        r = found <= 0 ? seal_anew(journal, error) : 0;
        for (size_t i = 0; i < N_ELEMENTS(tables) && r >= 0; i++)
                r = journal_execute(&journal->writer, tables[i].triggers, error);
        return r < 0 ? r : journal_execute(&journal->writer, SUM_TRIGGERS, error);
}

/* Whether a query of one incident or episode finds anything; nothing is known of it without the key. */
static int check_one(struct journal_connection *connection, enum journal_statement which, int64_t id,
                     struct error *error)
{
        if (!connection->mac)
                return 0;
        _cleanup_statement_ sqlite3_stmt *broken = journal_bind(connection, which, error, "i", id);
        int r = broken ? journal_step(connection, broken, error) : -EIO;
        return r > 0 ? error_set(error, EUCLEAN,
                                 "it is not as it was journaled: somebody else has changed it")
                     : r;
}

int seals_check_incident(struct journal_connection *connection, int64_t incident, struct error *error)
{
        return check_one(connection, INCIDENT_BROKEN, incident, error);
}

int seals_check_episode(struct journal_connection *connection, int64_t episode, struct error *error)
{
        return check_one(connection, EPISODE_BROKEN, episode, error);
}

static int read_since(struct journal_connection *connection, enum journal_statement proven,
                      enum journal_statement unproven, nsec *ret_since, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *paused =
                journal_bind(connection, connection->mac ? proven : unproven, error, "");
        int r = paused ? journal_step(connection, paused, error) : -EIO;
        if (r < 0)
                return r;
        nsec since = r > 0 ? sqlite3_column_int64(paused, 0) : 0;
        bool broken = r > 0 && connection->mac && sqlite3_column_int(paused, 1) != 0;
        *ret_since = broken && since == 0 ? 1 : since;
        return 0;
}

int seals_read_pause(struct journal_connection *connection, nsec *ret_since, struct error *error)
{
        return read_since(connection, PAUSED_PROVEN, PAUSED_GET, ret_since, error);
}

int seals_read_maintenance(struct journal_connection *connection, nsec *ret_since, struct error *error)
{
        return read_since(connection, MAINTENANCE_PROVEN, MAINTENANCE_GET, ret_since, error);
}

int seals_there(struct journal_connection *connection, struct error *error)
{
        return there_is(connection, HAS_SEALS, error);
}

int seals_verify(struct journal_connection *connection, const struct journal_chain *end, struct error *error)
{
        int r = seals_there(connection, error);
        if (r <= 0)
                return r;
        if (!connection->mac)
                return check_rows(connection, error);
        r = check_key(connection, error);
        if (r >= 0)
                r = check_broken(connection, error);
        return r < 0 ? r : seals_check_sum(connection, end, error);
}

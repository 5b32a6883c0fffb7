/* SPDX-License-Identifier: Apache-2.0 */
/* The gaps that pruning has left in the timeline: what they are, all of them, and over which the chain goes
 * on. */
#include <errno.h>

#include "responder/journal/internal.h"
#include "runbook/digest.h"

int gaps_digest(struct journal_connection *connection, char ret[static DIGEST_TEXT_MAX], struct error *error)
{
        _cleanup_digest_ struct digest digest = {0};
        unsigned char sum[DIGEST_SIZE];
        _cleanup_statement_ sqlite3_stmt *gap = journal_bind(connection, GAPS_ALL, error, "");
        if (!gap)
                return -EIO;
        int r;
        while ((r = journal_step(connection, gap, error)) > 0) {
                const int64_t ends[] = {sqlite3_column_int64(gap, 0), sqlite3_column_int64(gap, 1),
                                        sqlite3_column_bytes(gap, 2)};
                digest_add(&digest, ends, sizeof(ends));
                digest_add(&digest, sqlite3_column_blob(gap, 2), (size_t)ends[2]);
        }
        if (r < 0)
                return r;
        if (digest_end(&digest, sum) < 0)
                return error_oom(error);
        digest_text(sum, ret);
        return 0;
}

int gaps_step_over(struct journal_connection *connection, int64_t *row,
                   unsigned char hash[static HASH_LENGTH], struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *gap = journal_bind(connection, GAP_AT, error, "i", *row);
        int r = gap ? journal_step(connection, gap, error) : -EIO;
        if (r <= 0 || sqlite3_column_bytes(gap, 1) != HASH_LENGTH || sqlite3_column_int64(gap, 0) < *row)
                return r < 0 ? r : 0;
        *row = sqlite3_column_int64(gap, 0) + 1;
        memcpy(hash, sqlite3_column_blob(gap, 1), HASH_LENGTH);
        return 1;
}

int gaps_there(struct journal_connection *connection, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *has = journal_bind(connection, HAS_GAPS, error, "");
        return has ? journal_step(connection, has, error) : -EIO;
}

int gaps_verify(struct journal_connection *connection, struct error *error)
{
        char is[DIGEST_TEXT_MAX], none[DIGEST_TEXT_MAX];
        unsigned char sum[DIGEST_SIZE];
        _cleanup_json_ cJSON *detail = NULL;
        int r = gaps_digest(connection, is, error);
        if (r < 0)
                return r;
        _cleanup_statement_ sqlite3_stmt *last = journal_bind(connection, PRUNED_LAST, error, "");
        r = last ? journal_step(connection, last, error) : -EIO;
        if (r > 0)
                r = journal_column_json(last, 0, &detail, error);
        if (r < 0)
                return r;
        if (digest_of("", 0, sum) < 0)
                return error_oom(error);
        const char *was = detail ? json_string(detail, "gaps") : digest_text(sum, none);
        if (!was || strcmp(was, is) != 0)
                return error_set(error, EUCLEAN,
                                 "rows are missing that the timeline does not say were pruned");
        return 0;
}

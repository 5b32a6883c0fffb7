/* SPDX-License-Identifier: Apache-2.0 */
/* An alert is its labels: what its sender calls it moves nothing. */
#include "tests/harness/journal.h"

#include <string.h>

#define REAL "\"alertname\":\"api_key_compromise\",\"key_name\":\"client-key\""

/* One alert: its labels, and its fingerprint with the comma before it. */
static void tell(struct journal_fixture *fixture, const char *status, const char *labels,
                 const char *fingerprint)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *body = text_format(
                "{\"version\":\"4\",\"alerts\":[{\"status\":\"%s\",\"labels\":{%s},"
                "\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":\"%s\"%s}]}",
                status, labels,
                strcmp(status, "firing") == 0 ? "0001-01-01T00:00:00Z" : "2026-01-01T01:00:00Z", fingerprint);
        struct webhook webhook = {0};
        if (webhook_parse(body, strlen(body), &webhook, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_int_equal(accept_webhook(fixture->journal, &webhook), 0);
}

static int64_t open_count(const struct journal_fixture *fixture)
{
        return query_number(fixture, "SELECT count(*) FROM episodes WHERE closed_at IS NULL");
}

static void test_who_takes_the_fingerprint_first_takes_no_place(void **state)
{
        struct journal_fixture *fixture = *state;
        tell(fixture, "firing", "\"alertname\":\"whatever\"", ",\"fingerprint\":\"5ac1e6f1b6a0c3d2\"");
        tell(fixture, "firing", REAL, ",\"fingerprint\":\"5ac1e6f1b6a0c3d2\"");
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 10, &list, NULL), 0);
        assert_int_equal(list.count, 2);
        assert_string_equal(alert_label(&list.items[1].alert, "key_name"), "client-key");
        episode_list_release(&list);

        /* And each is refreshed for itself. */
        tell(fixture, "firing", REAL, ",\"fingerprint\":\"another\"");
        tell(fixture, "firing", "\"key_name\":\"client-key\",\"alertname\":\"api_key_compromise\"", "");
        assert_int_equal(open_count(fixture), 2);
}

static void test_only_the_same_labels_resolve(void **state)
{
        static const char one_more[] = REAL ",\"more\":\"\"";
        static const char *const others[] = {
                "\"alertname\":\"whatever\"",
                "\"alertname\":\"api_key_compromise\"",
                one_more,
                "\"alertname\":\"client-key\",\"key_name\":\"api_key_compromise\"",
                /* The same characters, otherwise divided. */
                "\"alertname\":\"api_key_compromise 8:key_name\",\"k\":\"client-key\"",
        };
        struct journal_fixture *fixture = *state;
        tell(fixture, "firing", REAL, ",\"fingerprint\":\"f\"");
        for (size_t i = 0; i < N_ELEMENTS(others); i++) {
                tell(fixture, "resolved", others[i], ",\"fingerprint\":\"f\"");
                assert_int_equal(open_count(fixture), 1);
        }
        tell(fixture, "resolved", REAL, ",\"fingerprint\":\"g\"");
        assert_int_equal(open_count(fixture), 0);
}

static void test_without_a_fingerprint_it_is_an_alert_all_the_same(void **state)
{
        struct journal_fixture *fixture = *state;
        tell(fixture, "firing", REAL, "");
        tell(fixture, "firing", "\"alertname\":\"other\"", "");
        tell(fixture, "firing", REAL, "");
        assert_int_equal(open_count(fixture), 2);
        reopen_journal(fixture);
        assert_int_equal(unmatched_count(fixture), 2);
        tell(fixture, "resolved", REAL, "");
        assert_int_equal(open_count(fixture), 1);
}

/* As version 3 had it: of its open episodes the keys are made when it is opened. */
static void test_episodes_of_before_have_their_keys_made(void **state)
{
        struct journal_fixture *fixture = *state;
        tell(fixture, "firing", REAL, ",\"fingerprint\":\"f\"");
        tell(fixture, "firing", "\"alertname\":\"over\"", ",\"fingerprint\":\"over\"");
        tell(fixture, "resolved", "\"alertname\":\"over\"", ",\"fingerprint\":\"over\"");
        tell(fixture, "firing", "\"alertname\":\"spoiled\"", ",\"fingerprint\":\"s\"");
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture,
                "UPDATE episodes SET alert = '{' WHERE fingerprint = 's';"
                "DROP INDEX episodes_open; DROP INDEX episodes_namesakes; ALTER TABLE episodes DROP COLUMN "
                "key;"
                "CREATE UNIQUE INDEX episodes_open ON episodes (fingerprint) WHERE closed_at IS NULL;"
                "DROP INDEX incidents_cause; ALTER TABLE incidents DROP COLUMN cause; DROP TABLE members;"
                "ALTER TABLE incidents DROP COLUMN owes; ALTER TABLE incidents DROP COLUMN told;"
                "DROP INDEX episodes_unanswered; ALTER TABLE episodes DROP COLUMN unanswered;"
                "ALTER TABLE incidents DROP COLUMN waiting_steady; ALTER TABLE incidents DROP COLUMN "
                "matched_with; ALTER TABLE incidents DROP COLUMN asked;"
                "DROP INDEX incidents_hands; ALTER TABLE incidents DROP COLUMN hands; ALTER TABLE incidents "
                "DROP COLUMN hands_steady; ALTER TABLE incidents DROP COLUMN chain;"
                "ALTER TABLE incidents DROP COLUMN climbing_steady;"
                "ALTER TABLE incidents DROP COLUMN taken; ALTER TABLE incidents DROP COLUMN freed_steady;"
                "DROP INDEX incidents_begun; ALTER TABLE incidents DROP COLUMN changes; DROP TABLE gaps;"
                "DROP TABLE seals; DROP TABLE head; DROP TABLE letters; PRAGMA user_version = 3");
        open_journal_of_before(fixture);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE key IS NOT NULL"), 1);
        tell(fixture, "firing", REAL, ",\"fingerprint\":\"f\"");
        tell(fixture, "resolved", "\"alertname\":\"other\"", ",\"fingerprint\":\"f\"");
        assert_int_equal(open_count(fixture), 2);
        tell(fixture, "resolved", REAL, ",\"fingerprint\":\"f\"");
        assert_int_equal(open_count(fixture), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_who_takes_the_fingerprint_first_takes_no_place),
                ON_JOURNAL(test_only_the_same_labels_resolve),
                ON_JOURNAL(test_without_a_fingerprint_it_is_an_alert_all_the_same),
                ON_JOURNAL(test_episodes_of_before_have_their_keys_made),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

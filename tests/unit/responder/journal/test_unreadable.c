/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever has become of what one incident or episode holds, the others are read. */
#include "tests/harness/journal.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 150, INCIDENTS = 3 };

static void make_incidents(struct journal_fixture *fixture)
{
        _cleanup_json_ cJSON *detail = cJSON_Parse("{\"summary\": \"done\", \"list\": [1, \"two\", null]}");
        for (int64_t i = 1; i <= INCIDENTS; i++) {
                _cleanup_free_ char *words = text_format("f%lld", (long long)i);
                accept_alerts(fixture, words);
                open_incidents(fixture, 1);
                WRITE(fixture, .incident = i, .state = INCIDENT_RUNNING, .lock = "service/x");
                WRITE(fixture, .incident = i, .step = 1, .step_status = STEP_STARTED, .event = "step started",
                      .detail = detail);
                WRITE(fixture, .incident = i, .step = 1, .step_status = STEP_PROGRESS, .event = "progress",
                      .detail = detail);
                WRITE(fixture, .incident = i, .step = 1, .step_status = STEP_DONE, .event = "step done",
                      .detail = detail);
        }
        accept_alerts(fixture, "u1 u2");
}

static const struct {
        const char *table, *column, *where;
} places[] = {
        {"incidents", "alert", "id = 2"},
        {"incidents", "state", "id = 2"},
        {"incidents", "guard", "id = 2"},
        {"incidents", "lock", "id = 2"},
        {"incidents", "remediation", "id = 2"},
        {"incidents", "definition", "id = 2"},
        {"incidents", "running_at", "id = 2"},
        {"incidents", "ended_at", "id = 2"},
        {"steps", "action", "incident = 2 AND position = 1"},
        {"steps", "status", "incident = 2 AND position = 1"},
        {"steps", "plan", "incident = 2 AND position = 1"},
        {"steps", "progress", "incident = 2 AND position = 1"},
        {"steps", "outcome", "incident = 2 AND position = 1"},
        {"timeline", "detail", "incident = 2"},
        {"episodes", "alert", "fingerprint = 'u1'"},
};

/* One bit of it, some bytes of it, or all of it. */
static void spoil(unsigned char *value, int length, unsigned *seed)
{
        int changes = rand_r(seed) % 3 == 0 ? length : 1 + rand_r(seed) % 3;
        for (int i = 0; i < changes && length > 0; i++) {
                int at = changes == length ? i : rand_r(seed) % length;
                if (rand_r(seed) % 2)
                        value[at] ^= (unsigned char)(1 << rand_r(seed) % 8);
                else
                        value[at] = (unsigned char)rand_r(seed);
        }
}

static void spoil_place(const struct journal_fixture *fixture, size_t place, unsigned *seed)
{
        sqlite3 *database = NULL;
        sqlite3_stmt *read = NULL, *write = NULL;
        _cleanup_free_ char *query = text_format("SELECT %s FROM %s WHERE %s", places[place].column,
                                                 places[place].table, places[place].where);
        _cleanup_free_ char *update = text_format("UPDATE %s SET %s = ?1 WHERE %s", places[place].table,
                                                  places[place].column, places[place].where);
        assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(database, query, -1, &read, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(read), SQLITE_ROW);
        int length = sqlite3_column_bytes(read, 0);
        _cleanup_free_ unsigned char *value = calloc(1, (size_t)length + 1);
        assert_non_null(value);
        if (length > 0)
                memcpy(value, sqlite3_column_blob(read, 0), (size_t)length);
        spoil(value, length, seed);
        sqlite3_finalize(read);
        assert_int_equal(sqlite3_prepare_v2(database, update, -1, &write, NULL), SQLITE_OK);
        sqlite3_bind_text(write, 1, (const char *)value, length, SQLITE_TRANSIENT);
        assert_int_equal(sqlite3_step(write), SQLITE_DONE);
        sqlite3_finalize(write);
        sqlite3_close(database);
}

static void assert_two_are_whole(const struct incident_list *list)
{
        size_t whole = 0;
        for (size_t i = 0; i < list->count; i++)
                whole += list->items[i].id != 2 && !list->items[i].unreadable &&
                         list->items[i].step_count == 2 && list->items[i].alert.labels.count > 0;
        assert_int_equal(whole, INCIDENTS - 1);
}

/* True when some of it was set aside. */
static bool read_all(struct journal_fixture *fixture)
{
        struct incident_list active = {0}, listed = {0};
        struct episode_list episodes = {0};
        struct incident incident = {0};
        size_t counts[INCIDENT_STATE_COUNT];
        _cleanup_json_ cJSON *timeline = NULL;
        _cleanup_free_ char *reason = NULL;
        _cleanup_error_ struct error error = {0};
        int r = journal_active(fixture->journal, &active, &error);
        if (r >= 0)
                r = journal_list(fixture->journal, INCIDENT_UNCHANGED, 0, 10, &listed, &error);
        if (r >= 0)
                r = journal_find(fixture->journal, listed.items[1].number, &incident, &error);
        if (r >= 0)
                r = journal_unmatched(fixture->journal, 10, &episodes, &error);
        if (r >= 0)
                r = journal_count_open(fixture->journal, counts, &error);
        if (r >= 0)
                r = journal_timeline(fixture->journal, 2, &timeline, &error);
        if (r >= 0)
                r = journal_last_reason(fixture->journal, 2, &reason, &error);
        if (r < 0)
                fail_msg("%s", error_text(&error));
        assert_int_equal(listed.count, INCIDENTS);
        assert_two_are_whole(&active);
        assert_two_are_whole(&listed);
        assert_int_equal(episodes.count, 2);
        assert_null(episodes.items[1].unreadable);
        bool aside = incident.unreadable || episodes.items[0].unreadable;
        incident_release(&incident);
        incident_list_release(&active);
        incident_list_release(&listed);
        episode_list_release(&episodes);
        return aside;
}

static void test_one_spoilt_row_costs_itself(void **state)
{
        struct journal_fixture *fixture = *state;
        unsigned seed = (unsigned)time(NULL);
        size_t aside = 0;
        print_message("seed %u\n", seed);
        make_incidents(fixture);
        fixture->journal = journal_close(fixture->journal);
        _cleanup_free_ char *keep = text_format("cp %s %s.kept", fixture->path, fixture->path);
        _cleanup_free_ char *again = text_format("cp %s.kept %s", fixture->path, fixture->path);
        assert_int_equal(system(keep), 0);
        for (size_t i = 0; i < ROUNDS; i++) {
                assert_int_equal(system(again), 0);
                spoil_place(fixture, i % N_ELEMENTS(places), &seed);
                open_journal(fixture);
                aside += read_all(fixture);
                fixture->journal = journal_close(fixture->journal);
        }
        assert_true(aside > ROUNDS / 10);
}

/* By whatever it is asked for: with its number, as unreadable, and why. */
static void test_what_is_shown_of_it(void **state)
{
        struct journal_fixture *fixture = *state;
        struct incident incident = {0};
        size_t counts[INCIDENT_STATE_COUNT];
        make_incidents(fixture);
        run_sql(fixture, "UPDATE incidents SET state = 'runing' WHERE id = 2");
        _cleanup_free_ char *number = NULL;
        struct incident_list list = {0};
        assert_int_equal(journal_list(fixture->journal, INCIDENT_UNCHANGED, 0, 10, &list, NULL), 0);
        number = strdup(list.items[1].number);
        incident_list_release(&list);
        assert_int_equal(journal_find(fixture->journal, number, &incident, NULL), 0);
        assert_string_equal(incident_state_text(&incident), "unreadable");
        _cleanup_free_ char *why = text_format("the journal holds an unknown state of %s", number);
        assert_string_equal(incident.unreadable, why);
        assert_string_equal(incident.remediation, "restart");
        incident_release(&incident);
        assert_int_equal(journal_count_open(fixture->journal, counts, NULL), 0);
        assert_int_equal(counts[INCIDENT_UNCHANGED], 1);
        assert_int_equal(counts[INCIDENT_RUNNING], INCIDENTS - 1);
}

static unsigned allocations_left;

static void *allocate_few(size_t size)
{
        return allocations_left > 0 ? allocations_left--, malloc(size) : NULL;
}

/* What there is no memory for is read again later: set aside, nothing would be done about it for good. */
static void test_a_lack_of_memory_spoils_nothing(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1 f2");
        for (unsigned least = 0; least < 40; least++) {
                struct episode_list list = {0};
                _cleanup_error_ struct error error = {0};
                allocations_left = least;
                cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = allocate_few, .free_fn = free});
                int r = journal_unmatched(fixture->journal, 10, &list, &error);
                cJSON_InitHooks(NULL);
                assert_int_equal(r, r < 0 ? -ENOMEM : 0);
                for (size_t i = 0; i < list.count; i++)
                        assert_null(list.items[i].unreadable);
                episode_list_release(&list);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_one_spoilt_row_costs_itself),
                ON_JOURNAL(test_what_is_shown_of_it),
                ON_JOURNAL(test_a_lack_of_memory_spoils_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

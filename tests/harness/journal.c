/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/journal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "responder/journal/transition.h"
#include "tests/harness/files.h"
#include "tests/harness/world.h"

void open_journal(struct journal_fixture *fixture)
{
        _cleanup_error_ struct error error = {0};
        if (journal_open(fixture->path, &test_key, &clocks_only, &fixture->journal, &error) < 0)
                fail_msg("%s", error_text(&error));
}

void open_journal_of_before(struct journal_fixture *fixture)
{
        _cleanup_error_ struct error error = {0};
        struct journal_key made = test_key;
        made.made = true;
        if (journal_open(fixture->path, &made, &clocks_only, &fixture->journal, &error) < 0)
                fail_msg("%s", error_text(&error));
}

int journal_setup(void **state)
{
        struct journal_fixture *fixture = calloc(1, sizeof(*fixture));
        if (!fixture)
                return -1;
        snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/runbook-journal-XXXXXX");
        if (!mkdtemp(fixture->directory))
                return -1;
        snprintf(fixture->path, sizeof(fixture->path), "%s/journal.db", fixture->directory);
        open_journal(fixture);
        *state = fixture;
        return 0;
}

int journal_teardown(void **state)
{
        struct journal_fixture *fixture = *state;
        journal_close(fixture->journal);
        remove_directory(fixture->directory);
        free(fixture);
        return 0;
}

void reopen_journal(struct journal_fixture *fixture)
{
        fixture->journal = journal_close(fixture->journal);
        open_journal(fixture);
}

/* Somebody who waits for an acceptance. */
struct acceptance_wait {
        pthread_mutex_t lock;
        pthread_cond_t told;
        bool done;
        int result;
};

static void tell_acceptance(void *context, int result)
{
        struct acceptance_wait *wait = context;
        pthread_mutex_lock(&wait->lock);
        wait->result = result;
        wait->done = true;
        pthread_cond_signal(&wait->told);
        pthread_mutex_unlock(&wait->lock);
}

/* One word of webhook_of(). */
static void put_alert(struct text *body, const char *word)
{
        char at[TIME_TEXT_MAX];
        bool resolved = *word == '-';
        word += resolved;
        size_t length = strcspn(word, "@");
        nsec wall = word[length] ? strtoll(word + length + 1, NULL, 10) * NSEC_PER_SEC
                                 : 1767225600 * NSEC_PER_SEC; /* 2026-01-01 */
        text_printf(body,
                    "{\"status\":\"%s\",\"labels\":{\"alertname\":\"a\",\"of\":\"%.*s\"},\"annotations\":{},"
                    "\"startsAt\":\"%s\",\"endsAt\":\"%s\",\"fingerprint\":\"%.*s\"}",
                    resolved ? "resolved" : "firing", (int)length, word,
                    resolved ? "2026-01-01T00:00:00Z" : time_format(wall, at),
                    resolved ? time_format(wall, at) : "0001-01-01T00:00:00Z", (int)length, word);
}

struct webhook webhook_of(const char *words)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text body = {0};
        _cleanup_free_ char *copy = strdup(words);
        struct webhook webhook = {0};
        char *rest = copy;
        text_puts(&body, "{\"version\":\"4\",\"alerts\":[");
        for (char *word; (word = strsep(&rest, " "));) {
                if (word != copy)
                        text_putc(&body, ',');
                put_alert(&body, word);
        }
        text_puts(&body, "]}");
        if (webhook_parse(text_string(&body), body.length, &webhook, &error) < 0)
                fail_msg("%s", error_text(&error));
        return webhook;
}

int accept_webhook(struct journal *journal, struct webhook *webhook)
{
        struct acceptance_wait wait = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};
        int r = journal_accept(journal, webhook, tell_acceptance, &wait);
        if (r < 0)
                return r;
        pthread_mutex_lock(&wait.lock);
        while (!wait.done)
                pthread_cond_wait(&wait.told, &wait.lock);
        pthread_mutex_unlock(&wait.lock);
        return wait.result;
}

int try_accept(struct journal *journal, const char *words)
{
        struct webhook webhook = webhook_of(words);
        return accept_webhook(journal, &webhook);
}

int64_t open_incidents(struct journal_fixture *fixture, size_t count)
{
        static const char *const restart[] = {"docker.restart", "notify"}, *const notify[] = {"notify"};
        static const struct journal_opening openings[] = {{"restart", restart, 2, NULL, false, NULL},
                                                          {"notify", notify, 1, NULL, false, NULL}};
        _cleanup_error_ struct error error = {0};
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 1, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        int64_t episode = list.items[0].id;
        episode_list_release(&list);
        if (journal_open_incidents(fixture->journal, episode, openings, count, &error) < 0)
                fail_msg("%s", error_text(&error));
        return episode;
}

struct incident only_active(struct journal_fixture *fixture)
{
        struct incident_list list = {0};
        assert_int_equal(journal_active(fixture->journal, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        struct incident incident = list.items[0];
        free(list.items);
        return incident;
}

size_t active_count(struct journal_fixture *fixture)
{
        struct incident_list list = {0};
        assert_int_equal(journal_active(fixture->journal, &list, NULL), 0);
        size_t count = list.count;
        incident_list_release(&list);
        return count;
}

size_t unmatched_count(struct journal_fixture *fixture)
{
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 10000, &list, NULL), 0);
        size_t count = list.count;
        episode_list_release(&list);
        return count;
}

/* The first way from the state that the incident is in to that of the entry. */
static const char *event_of(const struct journal_fixture *fixture, const struct journal_entry *entry)
{
        for (const struct transition *one = transitions; one->event; one++) {
                _cleanup_free_ char *query =
                        text_format("SELECT count(*) FROM incidents WHERE id = %lld AND state = '%s'",
                                    (long long)entry->incident, incident_state_name(one->from));
                if (one->to == entry->state && query_number(fixture, query) == 1)
                        return one->event;
        }
        return "e";
}

int write_entry(struct journal_fixture *fixture, struct journal_entry entry, struct error *error)
{
        entry.incident = entry.incident ? entry.incident : 1;
        entry.actor = entry.actor ? entry.actor : "engine";
        entry.event = entry.event ? entry.event : event_of(fixture, &entry);
        return journal_write(fixture->journal, &entry, error);
}

void run_sql(const struct journal_fixture *fixture, const char *statements)
{
        sqlite3 *database = NULL;
        char *why = NULL;
        assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
        sqlite3_busy_timeout(database, 5000);
        if (sqlite3_exec(database, statements, NULL, NULL, &why) != SQLITE_OK)
                fail_msg("%s: %s", statements, why);
        sqlite3_close(database);
}

void forge_journal(struct journal_fixture *fixture, const char *statements)
{
        _cleanup_error_ struct error error = {0};
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, statements);
        if (journal_open(fixture->path, &taking_key, &clocks_only, &fixture->journal, &error) < 0)
                fail_msg("%s", error_text(&error));
}

int64_t query_number(const struct journal_fixture *fixture, const char *query)
{
        sqlite3 *database = NULL;
        sqlite3_stmt *statement = NULL;
        assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
        sqlite3_busy_timeout(database, 5000);
        assert_int_equal(sqlite3_prepare_v2(database, query, -1, &statement, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        int64_t number = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        sqlite3_close(database);
        return number;
}

uint64_t verified_rows(struct journal_fixture *fixture)
{
        _cleanup_error_ struct error error = {0};
        uint64_t rows = 0;
        if (journal_verify(fixture->journal, &rows, &error) < 0)
                fail_msg("%s", error_text(&error));
        return rows;
}

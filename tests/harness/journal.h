/* SPDX-License-Identifier: Apache-2.0 */
/* A room for tests of the journal: a directory of its own, webhooks in one line, SQL beside the journal. */
#ifndef TESTS_HARNESS_JOURNAL_H
#define TESTS_HARNESS_JOURNAL_H

#include "tests/harness/unit.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "responder/journal/journal.h"
#include "runbook/text.h"

struct room {
        char directory[64], path[80];
        struct journal *journal;
};

_unused_ static void room_open_journal(struct room *room)
{
        _cleanup_error_ struct error error = {0};
        if (journal_open(room->path, &room->journal, &error) < 0)
                fail_msg("%s", error_text(&error));
}

static int room_new(void **state)
{
        struct room *room = calloc(1, sizeof(*room));
        if (!room)
                return -1;
        snprintf(room->directory, sizeof(room->directory), "/tmp/runbook-journal-XXXXXX");
        if (!mkdtemp(room->directory))
                return -1;
        snprintf(room->path, sizeof(room->path), "%s/journal.db", room->directory);
        room_open_journal(room);
        *state = room;
        return 0;
}

static int room_free(void **state)
{
        struct room *room = *state;
        journal_close(room->journal);
        _cleanup_free_ char *command =
                text_format("chmod -R u+w %s; rm -rf %s", room->directory, room->directory);
        int status = system(command);
        free(room);
        return status;
}

_unused_ static void reopen(struct room *room)
{
        room->journal = journal_close(room->journal);
        room_open_journal(room);
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

/* The alerts of a webhook, one word each: "f1" fires, "-f1" is resolved, "f1@1767225600" with its startsAt,
 * for a resolved one its endsAt, in seconds. */
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

static struct webhook webhook_of(const char *words)
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

/* Gives what done() was told, or what journal_accept() said at once. */
_unused_ static int try_accept(struct journal *journal, const char *words)
{
        struct acceptance_wait wait = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};
        struct webhook webhook = webhook_of(words);
        int r = journal_accept(journal, &webhook, tell_acceptance, &wait);
        if (r < 0)
                return r;
        pthread_mutex_lock(&wait.lock);
        while (!wait.done)
                pthread_cond_wait(&wait.told, &wait.lock);
        pthread_mutex_unlock(&wait.lock);
        return wait.result;
}

#define accept_alerts(room, words) assert_int_equal(try_accept((room)->journal, (words)), 0)

/* Opens incidents of "restart" (two steps) and, when asked, "notify" (one) for the oldest unmatched episode.
 */
_unused_ static int64_t open_incidents(struct room *room, size_t count)
{
        static const char *const restart[] = {"docker.restart", "notify"}, *const notify[] = {"notify"};
        static const struct journal_opening openings[] = {{"restart", restart, 2}, {"notify", notify, 1}};
        _cleanup_error_ struct error error = {0};
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(room->journal, 1, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        int64_t episode = list.items[0].id;
        episode_list_release(&list);
        if (journal_open_incidents(room->journal, episode, openings, count, &error) < 0)
                fail_msg("%s", error_text(&error));
        return episode;
}

_unused_ static struct incident only_active(struct room *room)
{
        struct incident_list list = {0};
        assert_int_equal(journal_active(room->journal, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        struct incident incident = list.items[0];
        free(list.items);
        return incident;
}

_unused_ static size_t active_count(struct room *room)
{
        struct incident_list list = {0};
        assert_int_equal(journal_active(room->journal, &list, NULL), 0);
        size_t count = list.count;
        incident_list_release(&list);
        return count;
}

_unused_ static size_t unmatched_count(struct room *room)
{
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(room->journal, 10000, &list, NULL), 0);
        size_t count = list.count;
        episode_list_release(&list);
        return count;
}

/* One entry about incident 1, unless it says otherwise. */
_unused_ static int write_entry(struct room *room, struct journal_entry entry, struct error *error)
{
        entry.incident = entry.incident ? entry.incident : 1;
        entry.actor = entry.actor ? entry.actor : "engine";
        entry.event = entry.event ? entry.event : "e";
        return journal_write(room->journal, &entry, error);
}

#define WRITE(room, ...)                                                                   \
        do {                                                                               \
                _cleanup_error_ struct error _error = {0};                                 \
                if (write_entry((room), (struct journal_entry){__VA_ARGS__}, &_error) < 0) \
                        fail_msg("%s", error_text(&_error));                               \
        } while (0)

#define REFUSED(room, code, sentence, ...)                                                          \
        do {                                                                                        \
                _cleanup_error_ struct error _error = {0};                                          \
                assert_int_equal(write_entry((room), (struct journal_entry){__VA_ARGS__}, &_error), \
                                 -(code));                                                          \
                assert_string_equal(error_text(&_error), sentence);                                 \
        } while (0)

/* Behind the journal's back. */
_unused_ static void sql(const struct room *room, const char *statements)
{
        sqlite3 *database = NULL;
        char *why = NULL;
        assert_int_equal(sqlite3_open(room->path, &database), SQLITE_OK);
        sqlite3_busy_timeout(database, 5000);
        if (sqlite3_exec(database, statements, NULL, NULL, &why) != SQLITE_OK)
                fail_msg("%s: %s", statements, why);
        sqlite3_close(database);
}

_unused_ static int64_t sql_number(const struct room *room, const char *query)
{
        sqlite3 *database = NULL;
        sqlite3_stmt *statement = NULL;
        assert_int_equal(sqlite3_open(room->path, &database), SQLITE_OK);
        sqlite3_busy_timeout(database, 5000);
        assert_int_equal(sqlite3_prepare_v2(database, query, -1, &statement, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        int64_t number = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        sqlite3_close(database);
        return number;
}

/* The chain must hold; the number of its rows. */
_unused_ static uint64_t verified(struct room *room)
{
        _cleanup_error_ struct error error = {0};
        uint64_t rows = 0;
        if (journal_verify(room->journal, &rows, &error) < 0)
                fail_msg("%s", error_text(&error));
        return rows;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the journal: one in a directory of its own, webhooks in one line, and SQL beside it.
 *
 * What cannot be done fails the test, unless it gives a result.
 */
#ifndef TESTS_HARNESS_JOURNAL_H
#define TESTS_HARNESS_JOURNAL_H

#include "tests/harness/unit.h"

#include "responder/journal/journal.h"
#include "runbook/text.h"

struct journal_fixture {
        char directory[64], path[80];
        struct journal *journal; /* open when the test begins; it may be closed and opened anew */
};

/* setup and teardown of cmocka; ON_JOURNAL(test) is the row of a test that wants them. */
int journal_setup(void **state);
int journal_teardown(void **state);

#define ON_JOURNAL(test) cmocka_unit_test_setup_teardown(test, journal_setup, journal_teardown)

void open_journal(struct journal_fixture *fixture);
void open_journal_of_before(struct journal_fixture *fixture); /* with a key that was just made */
void reopen_journal(struct journal_fixture *fixture);

/* The alerts of a webhook, one word each: "f1" fires, "-f1" is resolved, "f1@1767225600" with its startsAt,
 * for a resolved one its endsAt, in seconds; 2026-01-01 unless given. For webhook_release(). */
struct webhook webhook_of(const char *words);

/* Writes it, which takes the webhook, and waits; what the callback was told, or what journal_accept() said at
 * once. Any thread. */
int accept_webhook(struct journal *journal, struct webhook *webhook);
int try_accept(struct journal *journal, const char *words);

#define accept_alerts(fixture, words) assert_int_equal(try_accept((fixture)->journal, (words)), 0)

/* Opens incidents of "restart" (two steps) and, for a count of 2, "notify" (one) for the oldest unmatched
 * episode, whose number it gives. */
int64_t open_incidents(struct journal_fixture *fixture, size_t count);

struct incident only_active(struct journal_fixture *fixture); /* for incident_release() */
size_t active_count(struct journal_fixture *fixture);
size_t unmatched_count(struct journal_fixture *fixture);

/* Writes one entry, about incident 1, by the engine, and by the first event that leads to its state, unless
 * it says otherwise. */
int write_entry(struct journal_fixture *fixture, struct journal_entry entry, struct error *error);

#define WRITE(fixture, ...)                                                                   \
        do {                                                                                  \
                _cleanup_error_ struct error _error = {0};                                    \
                if (write_entry((fixture), (struct journal_entry){__VA_ARGS__}, &_error) < 0) \
                        fail_msg("%s", error_text(&_error));                                  \
        } while (0)

#define REFUSED(fixture, code, sentence, ...)                                                          \
        do {                                                                                           \
                _cleanup_error_ struct error _error = {0};                                             \
                assert_int_equal(write_entry((fixture), (struct journal_entry){__VA_ARGS__}, &_error), \
                                 -(code));                                                             \
                assert_string_equal(error_text(&_error), sentence);                                    \
        } while (0)

/* Closes it, runs statements, and opens it with what they have made of it. */
void forge_journal(struct journal_fixture *fixture, const char *statements);

/* Behind the journal's back: statements; a query of one number. */
void run_sql(const struct journal_fixture *fixture, const char *statements);
int64_t query_number(const struct journal_fixture *fixture, const char *query);

/* The chain must hold; the number of its rows. */
uint64_t verified_rows(struct journal_fixture *fixture);

#endif

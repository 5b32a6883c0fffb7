/* SPDX-License-Identifier: Apache-2.0 */
/* What every transition leaves of its incident; a database that does otherwise stands for a mistake of ours.
 */
#include <unistd.h>

#include "responder/journal/internal.h"
#include "tests/harness/breaking.h"
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

/* A journal in a world without a second thread, so that a child of this process can write. */
static struct world alone;

/* What is written to a database that a trigger changes behind our back. */
struct sabotage {
        struct journal_fixture *fixture;
        struct journal_entry entry;
};

/* A child has no writer thread, and so writes by itself. */
static void open_alone(struct journal_fixture *fixture)
{
        if (journal_open(fixture->path, &taking_key, &alone, &fixture->journal, NULL) < 0)
                _exit(1);
}

static void write_sabotaged(void *argument)
{
        const struct sabotage *sabotage = argument;
        open_alone(sabotage->fixture);
        write_entry(sabotage->fixture, sabotage->entry, NULL);
}

static void breaks(struct journal_fixture *fixture, const char *sentence, const char *statement,
                   struct journal_entry entry)
{
        _cleanup_free_ char *trigger =
                text_format("CREATE TRIGGER sabotage AFTER UPDATE OF updated_at ON incidents"
                            " BEGIN UPDATE incidents SET %s WHERE id = new.id; END",
                            statement);
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, trigger);
        struct sabotage sabotage = {fixture, entry};
        must_break(sentence, write_sabotaged, &sabotage);
        forge_journal(fixture, "DROP TRIGGER sabotage");
}

static void test_every_transition_leaves_what_it_must(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_HELD, .guard = "limit");
        breaks(fixture, "since when it runs is known", "running_at = 0",
               (struct journal_entry){.state = INCIDENT_RUNNING});
        breaks(fixture, "only who is held has a guard", "guard = 'limit'",
               (struct journal_entry){.state = INCIDENT_RUNNING});
        breaks(fixture, "it is where the way leads", "state = 'held'",
               (struct journal_entry){.state = INCIDENT_RUNNING});
        breaks(fixture, "it has ended by a way that ends, and no other", "ended_at = 1",
               (struct journal_entry){.state = INCIDENT_RUNNING});
        WRITE(fixture, .state = INCIDENT_RUNNING);
        WRITE(fixture, .event = "cancelled", .request_cancel = true);
        breaks(fixture, "it has ended by a way that ends, and no other", "ended_at = 0",
               (struct journal_entry){.state = INCIDENT_CANCELLED});
        breaks(fixture, "no request outlives the end", "cancel_requested = 1",
               (struct journal_entry){.state = INCIDENT_CANCELLED});
        WRITE(fixture, .state = INCIDENT_CANCELLED);
        assert_true(query_number(fixture, "SELECT ended_at <> 0 AND NOT cancel_requested FROM incidents"));
}

static void append_outside(void *argument)
{
        struct journal_fixture *fixture = argument;
        open_alone(fixture);
        const struct timeline_row row = {.incident = 1, .event = "held", .state = "held"};
        journal_append(fixture->journal, &row, NULL);
}

static void test_nothing_is_written_outside_a_transaction(void **state)
{
        struct journal_fixture *fixture = *state;
        /* No other thread may have a lock while the child is made. */
        fixture->journal = journal_close(fixture->journal);
        must_break("what is written is the writer's, in a transaction", append_outside, fixture);
}

static void write_guard(void *argument)
{
        struct journal_fixture *fixture = argument;
        open_alone(fixture);
        write_entry(fixture, (struct journal_entry){.state = INCIDENT_RUNNING, .guard = "limit"}, NULL);
}

static void test_an_entry_keeps_its_contract(void **state)
{
        struct journal_fixture *fixture = *state;
        fixture->journal = journal_close(fixture->journal);
        must_break("only who is held has a guard", write_guard, fixture);
}

int main(void)
{
        alone = clocks_only;
        alone.alone = true;
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_every_transition_leaves_what_it_must),
                ON_JOURNAL(test_nothing_is_written_outside_a_transaction),
                ON_JOURNAL(test_an_entry_keeps_its_contract),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

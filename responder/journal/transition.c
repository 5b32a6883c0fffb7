/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up the ways from one state of an incident to another, and holds every one to what it must leave. */
#include "responder/journal/transition.h"

#include "responder/journal/internal.h"
#include "runbook/text.h"

const struct transition *transition_find(enum incident_state from, enum incident_state to, const char *event)
{
        assert_that(event, "every way has an event");
        for (const struct transition *one = transitions; one->event; one++)
                if (one->from == from && one->to == to && string_equal(one->event, event))
                        return one;
        return NULL;
}

/* The columns are those of INCIDENT_LEFT. */
static void check_left(sqlite3_stmt *row, const struct transition *way, bool ended_before)
{
        bool runs = sqlite3_column_int64(row, 2) != 0, ended = sqlite3_column_int64(row, 3) != 0;
        bool wanted = sqlite3_column_int(row, 4) != 0, active = sqlite3_column_int(row, 5) != 0;
        assert_that(string_equal(journal_column(row, 0), incident_state_name(way->to)),
                    "it is where the way leads");
        assert_that(ended == (ended_before || way->ends), "it has ended by a way that ends, and no other");
        assert_that(ended || active, "what has not ended is the engine's");
        assert_that(way->to == INCIDENT_HELD || !*journal_column(row, 1), "only who is held has a guard");
        assert_that(way->to != INCIDENT_RUNNING || runs, "since when it runs is known");
        assert_that(!way->ends || !wanted, "no request outlives the end");
}

int journal_check_left(struct journal *journal, int64_t incident, const struct transition *way,
                       bool ended_before, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->writer, INCIDENT_LEFT, error, "i", incident);
        int r = statement ? journal_step(&journal->writer, statement, error) : -EIO;
        if (r < 0)
                return r;
        assert_that(r > 0, "an entry is about an incident that there is");
        check_left(statement, way, ended_before);
        return 0;
}

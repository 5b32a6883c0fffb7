/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steady time: nanoseconds that only pass, whatever happens to the wall clock.
 *
 * Guards measure by it, so that neither a jump of the clock nor a restart lets anything run too early or
 * holds it longer than its own length. Within one boot of the machine it is the monotonic clock, set off by
 * what the journal remembers; over a boot nothing but the wall clock tells how long it took, and what that
 * tells is taken when it is not negative.
 */
#include "responder/journal/internal.h"

/* The last that was known of it is written down this often at most. */
#define REMEMBER_EVERY (60 * NSEC_PER_SEC)

struct steady_record {
        nsec steady, monotonic, wall;
};

static int read_record(struct journal *journal, struct steady_record *ret, bool *ret_same_boot,
                       struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement = journal_bind(&journal->writer, STEADY_GET, error, "");
        int r = statement ? journal_step(&journal->writer, statement, error) : -EIO;
        if (r <= 0)
                return r;
        *ret = (struct steady_record){sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 2),
                                      sqlite3_column_int64(statement, 3)};
        const char *boot = journal_column(statement, 0);
        *ret_same_boot = *boot && string_equal(boot, journal->world->boot) &&
                         world_monotonic(journal->world) >= ret->monotonic;
        return 1;
}

nsec journal_steady(const struct journal *journal)
{
        return world_monotonic(journal->world) + journal->steady_offset;
}

int journal_record_steady(struct journal *journal, struct error *error)
{
        const struct world *world = journal->world;
        journal->steady_remembered = journal_steady(journal);
        return journal_run(&journal->writer, STEADY_SET, error, "tiii", world->boot ? world->boot : "",
                           journal->steady_remembered, world_monotonic(world), world_wall(world));
}

int journal_remember_steady(struct journal *journal, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        if (journal_steady(journal) - journal->steady_remembered < REMEMBER_EVERY)
                return 0;
        return journal_record_steady(journal, error);
}

/* A journal that never knew it: what happened, happened when the wall clock said so, but not later than now.
 */
static int begin_anew(struct journal *journal, struct error *error)
{
        nsec now = world_wall(journal->world);
        journal->steady_offset = now - world_monotonic(journal->world);
        int r = journal_run(&journal->writer, STEADY_INCIDENTS, error, "i", now);
        return r < 0 ? r : journal_run(&journal->writer, STEADY_EPISODES, error, "i", now);
}

/* Another boot: how long it took only the wall clock tells. */
static nsec steady_after_boot(const struct journal *journal, const struct steady_record *record)
{
        nsec away = world_wall(journal->world) - record->wall;
        return record->steady + (away > 0 ? away : 0);
}

/*
 * What the journal holds has happened already, though what was remembered of steady time may be older:
 * nothing that guards measure by lies in the time to come. This goes over all that ever ran.
 */
static int reach_last(struct journal *journal, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *last = journal_bind(&journal->writer, STEADY_LAST, error, "");
        int r = last ? journal_step(&journal->writer, last, error) : -EIO;
        if (r < 0)
                return r;
        if (r > 0 && sqlite3_column_int64(last, 0) > journal_steady(journal))
                journal->steady_offset = sqlite3_column_int64(last, 0) - world_monotonic(journal->world);
        return 0;
}

int journal_begin_steady(struct journal *journal, bool taken, struct error *error)
{
        assert_that(!journal->running, "steady time begins before anybody writes");
        struct steady_record record = {0};
        bool same_boot = false;
        int r = read_record(journal, &record, &same_boot, error);
        if (r < 0)
                return r;
        if (r == 0) {
                r = begin_anew(journal, error);
        } else if (same_boot) {
                journal->steady_offset = record.steady - record.monotonic;
        } else {
                journal->steady_offset =
                        steady_after_boot(journal, &record) - world_monotonic(journal->world);
        }
        /* What was written within a boot is behind its clock; and nothing is further from what is remembered
         * than that is remembered often, unless somebody else has put it there. */
        bool behind = same_boot || journal_steady(journal) - record.steady >= REMEMBER_EVERY;
        if (r >= 0 && (taken || !behind))
                r = reach_last(journal, error);
        return r < 0 ? r : journal_record_steady(journal, error);
}

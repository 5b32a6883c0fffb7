/* SPDX-License-Identifier: Apache-2.0 */
/* Entries: an event, what changes with it, and its row of the timeline. */
#include <errno.h>

#include "responder/journal/internal.h"
#include "responder/journal/seals.h"
#include "runbook/text.h"

struct writing {
        const struct journal_entry *entry;
        char *detail, *definition, *asked, *chain; /* printed; NULL: none */
        char *told_of;                             /* with its blank; NULL: none */
};

static int write_step(struct journal *journal, const struct journal_entry *entry, const char *detail,
                      nsec now, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        assert_that(entry->step > 0, "steps are counted from 1");
        struct journal_connection *writer = &journal->writer;
        int64_t incident = entry->incident, position = (int64_t)entry->step;
        const char *status = step_status_name(entry->step_status);
        bool writes = entry->settled || entry->step_status != STEP_WAITING;
        int r = 0;

        switch (entry->step_status) {
        case STEP_WAITING: break; /* the status stays */
        case STEP_STARTED:
                r = journal_run(writer, STEP_BEGIN, error, "iitti", incident, position, status, detail, now);
                break;
        case STEP_PROGRESS:
                r = journal_run(writer, STEP_SET_PROGRESS, error, "iit", incident, position, detail);
                break;
        case STEP_DONE:
        case STEP_FAILED:
        case STEP_INTERRUPTED:
        case STEP_SKIPPED:
                r = journal_run(writer, STEP_FINISH, error, "iitti", incident, position, status, detail, now);
                break;
        default:
                /* The outcome stays what it was, for an undo that is tried again. */
                r = journal_run(writer, STEP_SET_STATUS, error, "iit", incident, position, status);
        }
        if (r >= 0 && entry->settled)
                r = journal_run(writer, STEP_SETTLE, error, "ii", incident, position);
        if (r >= 0 && writes && sqlite3_changes(writer->database) == 0)
                return error_set(error, ENOENT, "the incident has no step %zu", entry->step);
        return r;
}

/* What was owed before a change of state is heard by then, or moot. */
static int write_letter(struct journal *journal, const struct journal_entry *entry,
                        const struct transition *way, nsec now, struct error *error)
{
        struct journal_connection *writer = &journal->writer;
        const struct journal_letter *letter = entry->letter;
        int r = 0;
        if (way || entry->told)
                r = journal_run(writer, LETTER_HEARD, error, "ii", entry->incident, (int64_t)0);
        if (r >= 0 && (entry->settled || entry->step_status == STEP_UNDONE))
                r = journal_run(writer, LETTER_SETTLED, error, "i", entry->incident);
        if (r >= 0 && entry->delivered)
                r = journal_run(writer, LETTER_HEARD, error, "ii", entry->incident, (int64_t)entry->step);
        if (r >= 0 && letter)
                r = journal_run(writer, LETTER_KEEP, error, "iitttii", entry->incident, (int64_t)entry->step,
                                letter->receiver, letter->what, letter->reason, (int64_t)letter->refused,
                                now);
        if (r >= 0 && entry->request_resend)
                r = journal_run(writer, LETTERS_ASK, error, "i", entry->incident);
        return r;
}

/* `way` is the change of state; NULL: it stays. */
static int write_incident(struct journal *journal, const struct writing *writing, nsec now,
                          const struct transition *way, bool ended, struct error *error)
{
        struct journal_connection *writer = &journal->writer;
        const struct journal_entry *entry = writing->entry;
        int64_t ends = way && way->ends, clears = entry->clear_requests || ends;
        int r;
        if (!way)
                r = journal_run(writer, INCIDENT_TOUCH, error, "iiiiiittttt", entry->incident,
                                (int64_t)entry->approve, (int64_t)entry->request_cancel,
                                (int64_t)entry->request_undo, clears, now, writing->definition,
                                entry->told ? entry->told : "nothing",
                                writing->told_of ? writing->told_of : "", entry->owes ? entry->owes : "",
                                writing->asked);
        else
                r = journal_run(writer, INCIDENT_UPDATE, error, "ittitiiiiiiittt", entry->incident,
                                incident_state_name(way->to), entry->guard ? entry->guard : "",
                                (int64_t)entry->guard_until, entry->lock, (int64_t)entry->approve,
                                (int64_t)entry->request_cancel, (int64_t)entry->request_undo, clears, now,
                                ends, journal_steady(journal), writing->definition,
                                entry->owes ? entry->owes : "", writing->asked);
        if (r >= 0 && entry->hands != HANDS_UNCHANGED)
                r = journal_run(writer, INCIDENT_HANDS, error, "iiti", entry->incident, (int64_t)entry->hands,
                                entry->actor, journal_steady(journal));
        if (r >= 0 && entry->climb != CLIMB_UNCHANGED)
                r = journal_run(writer, INCIDENT_CHAIN, error, "itii", entry->incident, writing->chain,
                                (int64_t)entry->climb, journal_steady(journal));
        if (r >= 0 && !way && entry->lock)
                r = journal_run(writer, INCIDENT_SET_LOCK, error, "it", entry->incident, entry->lock);
        if (r >= 0 && entry->step > 0)
                r = write_step(journal, entry, writing->detail, now, error);
        if (r >= 0)
                r = write_letter(journal, entry, way, now, error);
        /* What has not ended is active. */
        if (r >= 0 && (ended || ends))
                r = journal_run(writer, INCIDENT_ACTIVE, error, "i", entry->incident);
        if (r >= 0 && (ended || ends))
                r = journal_run(writer, LETTERS_MOOT, error, "i", entry->incident);
        return r;
}

/* The state an incident is in, and whether it has ended; -ESTALE when that is not what the entry expects. */
static int current_state(struct journal *journal, const struct journal_entry *entry, enum incident_state *ret,
                         bool *ret_ended, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->writer, INCIDENT_STATE, error, "i", entry->incident);
        int r = statement ? journal_step(&journal->writer, statement, error) : -EIO;
        if (r < 0)
                return r;
        if (r == 0)
                return error_set(error, ENOENT, "there is no such incident");
        const char *name = journal_column(statement, 0);
        if (incident_state_parse(name, ret) < 0)
                return error_set(error, EUCLEAN, "the journal holds the unknown state '%s'", name);
        if (entry->expect != INCIDENT_UNCHANGED && entry->expect != *ret)
                return error_set(error, ESTALE, "%s is %s, not %s", journal_column(statement, 1), name,
                                 incident_state_name(entry->expect));
        if (entry->expect_asked && !string_equal(entry->expect_asked, journal_column(statement, 3)))
                return error_set(error, ESTALE, "%s was asked about anew, or somebody has answered meanwhile",
                                 journal_column(statement, 1));
        *ret_ended = sqlite3_column_int64(statement, 2) != 0;
        return 0;
}

/* The way that the entry wants to go; NULL when the state stays. */
static int find_way(const struct journal_entry *entry, enum incident_state from,
                    const struct transition **ret, struct error *error)
{
        *ret = NULL;
        if (entry->state == INCIDENT_UNCHANGED)
                return 0;
        *ret = transition_find(from, entry->state, entry->event);
        if (*ret)
                return 0;
        return error_set(error, EPROTO, "an incident that is %s cannot become %s by \"%s\"",
                         incident_state_name(from), incident_state_name(entry->state), entry->event);
}

/* In the same commit as what it is to keep from happening: a pause that was acknowledged has nothing begin
 * after it. */
static int check_pause(struct journal *journal, const struct journal_entry *entry, struct error *error)
{
        if (!entry->unless_paused)
                return 0;
        nsec since = 0;
        int r = seals_read_pause(&journal->writer, &since, error);
        if (r >= 0 && since != 0)
                return error_set(error, ECANCELED, "the responder is paused");
        if (r >= 0)
                r = seals_read_maintenance(&journal->writer, &since, error);
        if (r >= 0 && since != 0)
                return error_set(error, ECANCELED, "it is in maintenance");
        return r;
}

/* Likewise what a person is at. */
static int check_hands(struct journal *journal, const struct journal_entry *entry, struct error *error)
{
        if (!entry->unless_hands)
                return 0;
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->writer, HANDS_KEEP, error, "ii", entry->incident, entry->hands_after);
        int r = statement ? journal_step(&journal->writer, statement, error) : -EIO;
        return r > 0 ? error_set(error, ECANCELED, "a person is at it") : r;
}

/* Likewise how old the decision is: a full disk may have kept it from being written down for an hour. */
static int check_age(const struct journal *journal, const struct journal_entry *entry, struct error *error)
{
        return entry->valid_until != 0 && world_monotonic(journal->world) > entry->valid_until
                       ? error_set(error, ECANCELED, "what was decided is too old to be begun")
                       : 0;
}

static int read_held_with(struct journal *journal, const struct journal_entry *entry, int64_t **ret,
                          size_t *ret_count, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->writer, HELD_WITH_OF, error, "ii", entry->incident, entry->told_until);
        int r = statement ? 1 : -EIO;
        while (r > 0 && (r = journal_step(&journal->writer, statement, error)) > 0) {
                int64_t *item = list_grow((void **)ret, *ret_count, sizeof(**ret));
                if (!item)
                        return error_oom(error);
                *item = sqlite3_column_int64(statement, 0);
                ++*ret_count;
        }
        return r;
}

/* Those that were told of in the same message; each timeline says so. */
static int write_told_with(struct journal *journal, const struct writing *writing, nsec now,
                           struct error *error)
{
        const struct journal_entry *entry = writing->entry;
        if (!entry->told || !writing->told_of || entry->told_until == 0)
                return 0;
        int64_t *others = NULL;
        size_t count = 0;
        int r = read_held_with(journal, entry, &others, &count, error);
        for (size_t i = 0; i < count && r >= 0; i++) {
                const struct timeline_row row = {
                        .incident = others[i],
                        .at = now,
                        .actor = entry->actor,
                        .event = "told with another",
                        .state = incident_state_name(INCIDENT_HELD),
                        .detail = writing->detail,
                };
                r = journal_run(&journal->writer, HELD_WITH_TOLD, error, "iti", others[i], writing->told_of,
                                now);
                if (r >= 0)
                        r = journal_append(journal, &row, error);
        }
        free(others);
        return r;
}

static int write_entry(struct journal *journal, void *context, struct error *error)
{
        const struct writing *writing = context;
        const struct journal_entry *entry = writing->entry;
        const struct transition *way = NULL;
        enum incident_state state = INCIDENT_UNCHANGED;
        nsec now = world_wall(journal->world);
        bool ended = false;
        int r = 0;
        if (entry->incident != 0) {
                r = current_state(journal, entry, &state, &ended, error);
                if (r >= 0)
                        r = check_pause(journal, entry, error);
                if (r >= 0)
                        r = check_hands(journal, entry, error);
                if (r >= 0)
                        r = check_age(journal, entry, error);
                if (r >= 0 && entry->ask_only)
                        return 0;
                if (r >= 0)
                        r = find_way(entry, state, &way, error);
                if (r >= 0)
                        r = write_incident(journal, writing, now, way, ended, error);
                if (r >= 0)
                        r = write_told_with(journal, writing, now, error);
                if (r >= 0 && way)
                        r = journal_check_left(journal, entry->incident, way, ended, error);
        }
        if (r < 0)
                return r;
        const struct timeline_row row = {
                .incident = entry->incident,
                .at = now,
                .step = (int64_t)entry->step,
                .actor = entry->actor,
                .event = entry->event,
                .state = entry->incident == 0 ? "" : incident_state_name(way ? way->to : state),
                .detail = writing->detail,
        };
        return journal_append(journal, &row, error);
}

int journal_write(struct journal *journal, const struct journal_entry *entry, struct error *error)
{
        assert_that(entry->event, "an entry says what happened");
        assert_that(!entry->guard || entry->state == INCIDENT_HELD, "only who is held has a guard");
        assert_that(entry->hands == HANDS_UNCHANGED ||
                            (entry->state == INCIDENT_UNCHANGED && entry->actor && entry->incident != 0),
                    "hands are somebody's, on an incident, and change no state");
        assert_that(entry->incident != 0 || entry->state == INCIDENT_UNCHANGED,
                    "the daemon itself has no state");
        assert_that(entry->step > 0 || (entry->step_status == STEP_WAITING && !entry->settled),
                    "a status is of a step");
        assert_that(!entry->definition || json_get(entry->detail, "definition", NULL),
                    "what an incident runs stands in the chain, too");
        struct writing writing = {.entry = entry};
        int r = 0;
        if ((entry->detail && !(writing.detail = json_print(entry->detail))) ||
            (entry->definition && !(writing.definition = json_print(entry->definition))) ||
            (entry->asked && !(writing.asked = json_print(entry->asked))) ||
            (entry->chain && !(writing.chain = json_print(entry->chain))) ||
            (entry->told && entry->told_of && *entry->told_of &&
             !(writing.told_of = text_format("%s ", entry->told_of))))
                r = error_oom(error);
        if (r >= 0)
                r = journal_perform(journal, write_entry, &writing, error);
        free(writing.detail);
        free(writing.definition);
        free(writing.asked);
        free(writing.chain);
        free(writing.told_of);
        return r;
}

static int write_nothing(struct journal *journal, void *context _unused_, struct error *error)
{
        return journal_record_steady(journal, error);
}

int journal_try(struct journal *journal, struct error *error)
{
        return journal_perform(journal, write_nothing, NULL, error);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is read: episodes for the engine, incidents for everybody, figures for the guards. */
#include <errno.h>

#include "responder/journal/internal.h"
#include "responder/journal/seals.h"

static int read_alert(const char *text, struct alert *ret, struct error *error)
{
        _cleanup_json_ cJSON *json = NULL;
        int r = json_parse(text, strlen(text), &json, error);
        if (r >= 0)
                r = alert_from_json(json, ret, error);
        if (r == -ENOMEM)
                return r;
        return r < 0 ? error_prefix(error, -EUCLEAN, "the journal holds an alert that cannot be read") : 0;
}

/* What a row holds is its own matter; that the disk or the memory fails is not. `why` is taken. */
static int set_aside(struct journal *journal, int result, struct error *why, char **ret_why,
                     struct error *error)
{
        if (result >= 0)
                return 0;
        const int failed = journal->reader.failed;
        /* SQLite gives a column that it has no memory for as one that is empty. */
        if (sqlite3_errcode(journal->reader.database) == SQLITE_NOMEM)
                return error_oom(error);
        if (result == -ENOMEM || (failed < 0 && failed != -EUCLEAN)) {
                error_move(error, why);
                return result;
        }
        *ret_why = strdup(error_text(why));
        return *ret_why ? 0 : error_oom(error);
}

void *list_grow(void **items, size_t count, size_t size)
{
        if ((count & (count - 1)) == 0) {
                void *grown = reallocarray(*items, count ? count * 2 : 1, size);
                if (!grown)
                        return NULL;
                *items = grown;
        }
        return memset((char *)*items + count * size, 0, size);
}

void episode_list_release(struct episode_list *list)
{
        for (size_t i = 0; i < list->count; i++) {
                alert_release(&list->items[i].alert);
                free(list->items[i].unreadable);
        }
        free(list->items);
        *list = (struct episode_list){0};
}

int read_episodes(struct journal *journal, sqlite3_stmt *statement, struct episode_list *ret,
                  struct error *error)
{
        assert_that(is_locked(&journal->read_lock), "one reader at a time");
        assert_that(sqlite3_column_count(statement) == 7, "the columns are those of an episode");
        struct episode_list list = {0};
        int r;
        while ((r = journal_step(&journal->reader, statement, error)) > 0) {
                struct episode *episode = list_grow((void **)&list.items, list.count, sizeof(*episode));
                if (!episode) {
                        r = error_oom(error);
                        break;
                }
                episode->id = sqlite3_column_int64(statement, 0);
                episode->opened_at = sqlite3_column_int64(statement, 1);
                episode->last_seen_at = sqlite3_column_int64(statement, 2);
                episode->seen_steady = sqlite3_column_int64(statement, 5);
                episode->open = sqlite3_column_int(statement, 6) != 0;
                list.count++;
                _cleanup_error_ struct error why = {0};
                journal->reader.failed = 0;
                r = read_alert(journal_column(statement, 4), &episode->alert, &why);
                if (r >= 0)
                        r = seals_check_episode(&journal->reader, episode->id, &why);
                r = set_aside(journal, r, &why, &episode->unreadable, error);
                if (r < 0)
                        break;
                episode->alert.starts_at = sqlite3_column_int64(statement, 3);
        }
        if (r < 0) {
                episode_list_release(&list);
                return r;
        }
        *ret = list;
        return 0;
}

int journal_unmatched(struct journal *journal, size_t limit, struct episode_list *ret, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *any = journal_bind(&journal->reader, EPISODE_UNMATCHED, error, "");
        int r = any ? journal_step(&journal->reader, any, error) : -EIO;
        if (r == 0)
                *ret = (struct episode_list){0};
        if (r <= 0)
                return r;
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, EPISODES_UNMATCHED, error, "i", (int64_t)limit);
        return statement ? read_episodes(journal, statement, ret, error) : -EIO;
}

int journal_unanswered(struct journal *journal, size_t limit, struct episode_list *ret, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, EPISODES_UNANSWERED, error, "i", (int64_t)limit);
        return statement ? read_episodes(journal, statement, ret, error) : -EIO;
}

int journal_silent(struct journal *journal, nsec before_steady, size_t limit, struct episode_list *ret,
                   struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, EPISODES_SILENT, error, "ii", before_steady, (int64_t)limit);
        return statement ? read_episodes(journal, statement, ret, error) : -EIO;
}

int journal_episodes_of(struct journal *journal, int64_t incident, struct episode_list *ret,
                        struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, EPISODES_OF, error, "i", incident);
        return statement ? read_episodes(journal, statement, ret, error) : -EIO;
}

int journal_episode_paged(struct journal *journal, int64_t episode, nsec *ret_opened, bool *ret_paged,
                          struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, EPISODE_PAGED, error, "i", episode);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r < 0)
                return r;
        assert_that(r > 0, "what counts has a row");
        *ret_opened = sqlite3_column_int64(statement, 0);
        *ret_paged = sqlite3_column_int(statement, 1) != 0;
        return 0;
}

static int read_step(sqlite3_stmt *statement, struct step_record *step, struct error *error)
{
        assert_that(sqlite3_column_count(statement) == 9, "the columns are those of a step");
        step->position = (size_t)sqlite3_column_int64(statement, 0);
        step->action = strdup(journal_column(statement, 1));
        step->started_at = sqlite3_column_int64(statement, 6);
        step->finished_at = sqlite3_column_int64(statement, 7);
        step->settled = sqlite3_column_int(statement, 8) != 0;
        if (!step->action)
                return error_oom(error);
        int r = step_status_parse(journal_column(statement, 2), &step->status);
        if (r < 0)
                return error_set(error, EUCLEAN, "the journal holds an unknown status of a step");
        r = journal_column_json(statement, 3, &step->plan, error);
        if (r >= 0)
                r = journal_column_json(statement, 4, &step->progress, error);
        if (r >= 0)
                r = journal_column_json(statement, 5, &step->outcome, error);
        return r;
}

static int read_steps(struct journal *journal, struct incident *incident, struct error *error)
{
        assert_that(is_locked(&journal->read_lock), "one reader at a time");
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, STEPS_OF, error, "i", incident->id);
        if (!statement)
                return -EIO;
        int r;
        while ((r = journal_step(&journal->reader, statement, error)) > 0) {
                struct step_record *step =
                        list_grow((void **)&incident->steps, incident->step_count, sizeof(*step));
                if (!step)
                        return error_oom(error);
                incident->step_count++;
                r = read_step(statement, step, error);
                if (r < 0)
                        return r;
        }
        return r;
}

/* What an incident says of itself belongs together; the journal may have been written by anybody. */
static bool is_consistent(const struct incident *incident)
{
        enum incident_state state = incident->state;
        bool acts = state == INCIDENT_RUNNING || state == INCIDENT_VERIFYING, ended = incident->ended_at != 0;
        return (ended || state < INCIDENT_HEALED) && !(ended && state <= INCIDENT_VERIFYING) &&
               (!acts || incident->running_at != 0);
}

static int read_columns(sqlite3_stmt *statement, struct incident *incident, struct error *error)
{
        assert_that(sqlite3_column_count(statement) == 33, "the columns are INCIDENT_COLUMNS");
        incident->id = sqlite3_column_int64(statement, 0);
        incident->number = strdup(journal_column(statement, 1));
        incident->episode = sqlite3_column_int64(statement, 2);
        incident->episode_open = sqlite3_column_int(statement, 3) != 0;
        incident->remediation = strdup(journal_column(statement, 4));
        incident->lock = strdup(journal_column(statement, 5));
        incident->guard = strdup(journal_column(statement, 7));
        incident->guard_until = sqlite3_column_int64(statement, 8);
        incident->approved = sqlite3_column_int(statement, 9) != 0;
        incident->cancel_requested = sqlite3_column_int(statement, 10) != 0;
        incident->undo_requested = sqlite3_column_int(statement, 11) != 0;
        incident->undelivered = sqlite3_column_type(statement, 30) != SQLITE_NULL;
        incident->resend_requested = sqlite3_column_int(statement, 30) != 0;
        incident->opened_at = sqlite3_column_int64(statement, 12);
        incident->running_at = sqlite3_column_int64(statement, 13);
        incident->ended_at = sqlite3_column_int64(statement, 14);
        incident->updated_at = sqlite3_column_int64(statement, 15);
        incident->owes = strdup(journal_column(statement, 21));
        incident->told = strdup(journal_column(statement, 22));
        incident->asked = strdup(journal_column(statement, 25));
        incident->hands = strdup(journal_column(statement, 26));
        incident->chain = strdup(journal_column(statement, 31));
        incident->climbing_steady = sqlite3_column_int64(statement, 32);
        if (!incident->number || !incident->remediation || !incident->lock || !incident->guard ||
            !incident->owes || !incident->told || !incident->asked || !incident->hands || !incident->chain)
                return error_oom(error);
        if (incident_state_parse(journal_column(statement, 6), &incident->state) < 0)
                return error_set(error, EUCLEAN, "the journal holds an unknown state of %s",
                                 incident->number);
        if (!is_consistent(incident))
                return error_set(error, EUCLEAN, "the journal holds %s as %s, which its times contradict",
                                 incident->number, incident_state_name(incident->state));
        incident->opened_steady = sqlite3_column_int64(statement, 18);
        incident->entered_steady = sqlite3_column_int64(statement, 19);
        incident->waiting_steady = sqlite3_column_int64(statement, 23);
        incident->heard_steady = sqlite3_column_int64(statement, 24);
        incident->hands_steady = sqlite3_column_int64(statement, 27);
        incident->taken = sqlite3_column_int(statement, 28) != 0;
        incident->freed_steady = sqlite3_column_int64(statement, 29);
        if (sqlite3_column_type(statement, 20) == SQLITE_NULL)
                return 0;
        incident->definition = strdup(journal_column(statement, 20));
        return incident->definition ? 0 : error_oom(error);
}

static int read_rest(struct journal *journal, sqlite3_stmt *statement, struct incident *incident,
                     struct error *error)
{
        int r = read_alert(journal_column(statement, 16), &incident->alert, error);
        if (r < 0)
                return r;
        incident->alert.starts_at = sqlite3_column_int64(statement, 17);
        return read_steps(journal, incident, error);
}

/* Of what cannot be read nothing else is believed: it waits for nobody, and keeps nobody waiting. */
static int keep_name_alone(struct journal *journal, int result, struct error *why, struct incident *incident,
                           struct error *error)
{
        if (result >= 0)
                return 0;
        struct incident aside = {.id = incident->id, .brief = incident->brief};
        int r = set_aside(journal, result, why, &aside.unreadable, error);
        if (r < 0)
                return r;
        aside.number = TAKE_PTR(incident->number);
        aside.remediation = TAKE_PTR(incident->remediation);
        aside.opened_at = incident->opened_at;
        aside.updated_at = incident->updated_at;
        aside.ended_at = incident->ended_at;
        incident_release(incident);
        *incident = aside;
        incident->lock = strdup("");
        incident->guard = strdup("");
        incident->owes = strdup("");
        incident->told = strdup("");
        incident->hands = strdup("");
        incident->chain = strdup("");
        bool whole = incident->lock && incident->guard && incident->owes && incident->told &&
                     incident->hands && incident->chain;
        return whole ? 0 : error_oom(error);
}

int read_brief(struct journal *journal, sqlite3_stmt *statement, struct incident *incident,
               struct error *error)
{
        _cleanup_error_ struct error why = {0};
        journal->reader.failed = 0;
        int r = read_columns(statement, incident, &why);
        if (r >= 0)
                r = seals_check_incident(&journal->reader, incident->id, &why);
        return keep_name_alone(journal, r, &why, incident, error);
}

int read_incident(struct journal *journal, sqlite3_stmt *statement, struct incident *incident,
                  struct error *error)
{
        _cleanup_error_ struct error why = {0};
        journal->reader.failed = 0;
        int r = read_columns(statement, incident, &why);
        if (r >= 0)
                r = read_rest(journal, statement, incident, &why);
        if (r >= 0)
                r = seals_check_incident(&journal->reader, incident->id, &why);
        return keep_name_alone(journal, r, &why, incident, error);
}

int read_incidents(struct journal *journal, sqlite3_stmt *statement, struct incident_list *ret,
                   struct error *error)
{
        assert_that(is_locked(&journal->read_lock), "one reader at a time");
        struct incident_list list = {0};
        int r;
        while ((r = journal_step(&journal->reader, statement, error)) > 0) {
                struct incident *incident = list_grow((void **)&list.items, list.count, sizeof(*incident));
                if (!incident) {
                        r = error_oom(error);
                        break;
                }
                list.count++;
                r = read_incident(journal, statement, incident, error);
                if (r < 0)
                        break;
        }
        if (r < 0) {
                incident_list_release(&list);
                return r;
        }
        *ret = list;
        return 0;
}

int journal_list(struct journal *journal, enum incident_state state, int64_t before_id, size_t limit,
                 struct incident_list *ret, struct error *error)
{
        READING(journal);
        int64_t before = before_id > 0 ? before_id : INT64_MAX;
        _cleanup_statement_ sqlite3_stmt *statement =
                state == INCIDENT_UNCHANGED
                        ? journal_bind(&journal->reader, INCIDENTS_NEWEST, error, "ii", before,
                                       (int64_t)limit)
                        : journal_bind(&journal->reader, INCIDENTS_BY_STATE, error, "iit", before,
                                       (int64_t)limit, incident_state_name(state));
        return statement ? read_incidents(journal, statement, ret, error) : -EIO;
}

int journal_list_open(struct journal *journal, int64_t before_id, size_t limit, struct incident_list *ret,
                      struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, INCIDENTS_OPEN, error, "ii",
                             before_id > 0 ? before_id : INT64_MAX, (int64_t)limit);
        return statement ? read_incidents(journal, statement, ret, error) : -EIO;
}

int journal_count_open(struct journal *journal, size_t ret[INCIDENT_STATE_COUNT], struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, INCIDENTS_BY_STATE_OPEN, error, "");
        size_t counts[INCIDENT_STATE_COUNT] = {0};
        int r = statement ? 1 : -EIO;
        while (r > 0 && (r = journal_step(&journal->reader, statement, error)) > 0) {
                enum incident_state state;
                if (incident_state_parse(journal_column(statement, 0), &state) < 0)
                        state = INCIDENT_UNCHANGED;
                counts[state] += (size_t)sqlite3_column_int64(statement, 1);
        }
        if (r >= 0)
                memcpy(ret, counts, sizeof(counts));
        return r;
}

int journal_count_held(struct journal *journal, struct held_count *ret, size_t count, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, INCIDENTS_HELD, error, "");
        int r = statement ? 1 : -EIO;
        while (r > 0 && (r = journal_step(&journal->reader, statement, error)) > 0)
                for (size_t i = 0; i < count; i++)
                        if (string_equal(ret[i].guard, journal_column(statement, 0))) {
                                ret[i].incidents = (size_t)sqlite3_column_int64(statement, 1);
                                ret[i].until = sqlite3_column_int64(statement, 2);
                        }
        return r;
}

int journal_held_with(struct journal *journal, const struct incident *incident, int64_t *ret_count,
                      int64_t *ret_youngest, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, HELD_WITH, error, "tti", incident->remediation,
                             incident->guard, incident->id);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r < 0)
                return r;
        *ret_count = sqlite3_column_int64(statement, 0);
        *ret_youngest = sqlite3_column_int64(statement, 1);
        return 0;
}

int journal_count_people(struct journal *journal, struct journal_people *ret, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement = journal_bind(&journal->reader, COUNT_PEOPLE, error, "");
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r < 0)
                return r;
        ret->unmatched = (size_t)sqlite3_column_int64(statement, 0);
        ret->owed = (size_t)sqlite3_column_int64(statement, 1);
        return 0;
}

int journal_find(struct journal *journal, const char *number, struct incident *ret, struct error *error)
{
        assert_that(number, "an incident is found by its number");
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, INCIDENT_BY_NUMBER, error, "t", number);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r == 0)
                return error_set(error, ENOENT, "there is no incident %s", number);
        if (r < 0)
                return r;
        struct incident incident = {0};
        r = read_incident(journal, statement, &incident, error);
        if (r < 0) {
                incident_release(&incident);
                return r;
        }
        *ret = incident;
        return 0;
}

int read_who_and_why(struct journal *journal, sqlite3_stmt *statement, char **ret_actor, char **ret_reason,
                     struct error *error)
{
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        _cleanup_json_ cJSON *detail = NULL;
        if (r > 0)
                r = journal_column_json(statement, 1, &detail, error) < 0 ? -EIO : 1;
        if (r < 0)
                return r;
        const char *told = json_string(detail, "reason");
        _cleanup_free_ char *actor = strdup(r > 0 ? journal_column(statement, 0) : "");
        _cleanup_free_ char *reason = strdup(told ? told : "");
        if (!actor || !reason)
                return error_oom(error);
        *ret_actor = TAKE_PTR(actor);
        *ret_reason = TAKE_PTR(reason);
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages show of it. */
#include "responder/journal/internal.h"

static int list_by(struct journal *journal, enum journal_statement which, size_t limit,
                   struct incident_list *ret, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, which, error, "i", (int64_t)limit);
        return statement ? read_incidents(journal, statement, ret, error) : -EIO;
}

int journal_list_ended(struct journal *journal, size_t limit, struct incident_list *ret, struct error *error)
{
        return list_by(journal, INCIDENTS_ENDED, limit, ret, error);
}

int journal_list_left(struct journal *journal, size_t limit, struct incident_list *ret, struct error *error)
{
        return list_by(journal, INCIDENTS_LEFT_TO_PEOPLE, limit, ret, error);
}

int journal_search(struct journal *journal, const struct journal_search *search, struct incident_list *ret,
                   struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, INCIDENTS_FOUND, error, "iitttii",
                             search->before_id > 0 ? search->before_id : INT64_MAX, (int64_t)search->limit,
                             search->state == INCIDENT_UNCHANGED ? "" : incident_state_name(search->state),
                             search->remediation ? search->remediation : "", search->text ? search->text : "",
                             search->since, search->until > 0 ? search->until : INT64_MAX);
        return statement ? read_incidents(journal, statement, ret, error) : -EIO;
}

int journal_next_opened(struct journal *journal, int64_t id, nsec since, nsec until, int64_t *ret_id,
                        char **ret_number, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, INCIDENT_OPENED_NEXT, error, "iii", id, since,
                             until > 0 ? until : INT64_MAX);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r <= 0)
                return r;
        char *number = strdup(journal_column(statement, 1));
        if (!number)
                return error_oom(error);
        *ret_id = sqlite3_column_int64(statement, 0);
        *ret_number = number;
        return 1;
}

int journal_entered_by(struct journal *journal, const struct incident *incident, char **ret_actor,
                       char **ret_reason, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, TIMELINE_ENTERED, error, "it", incident->id,
                             incident_state_name(incident->state));
        return statement ? read_who_and_why(journal, statement, ret_actor, ret_reason, error) : -EIO;
}

int journal_passed_over(struct journal *journal, nsec since, size_t limit, struct episode_list *ret,
                        struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, EPISODES_PASSED_OVER, error, "ii", since, (int64_t)limit);
        return statement ? read_episodes(journal, statement, ret, error) : -EIO;
}

int journal_runs(struct journal *journal, size_t count,
                 void (*each)(void *context, const struct journal_run *run), void *context,
                 struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, RUNS_NEWEST, error, "i", (int64_t)count);
        int r = statement ? 1 : -EIO;
        while (r > 0 && (r = journal_step(&journal->reader, statement, error)) > 0) {
                struct journal_run run = {
                        .remediation = journal_column(statement, 0),
                        .opened_at = sqlite3_column_int64(statement, 2),
                        .running_at = sqlite3_column_int64(statement, 3),
                        .ended_at = sqlite3_column_int64(statement, 4),
                        .number = journal_column(statement, 5),
                };
                if (incident_state_parse(journal_column(statement, 1), &run.state) >= 0)
                        each(context, &run);
        }
        return r < 0 ? r : 0;
}

int journal_episodes(struct journal *journal, nsec since,
                     int (*each)(void *context, const struct alert *alert, nsec opened_at, nsec closed_at,
                                 struct error *error),
                     void *context, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, EPISODES_HEARD, error, "i", (int64_t)since);
        int r = statement ? 1 : -EIO;
        while (r > 0 && (r = journal_step(&journal->reader, statement, error)) > 0) {
                _cleanup_json_ cJSON *json = NULL;
                struct alert alert = {0};
                if (journal_column_json(statement, 2, &json, NULL) < 0 || !json ||
                    alert_from_json(json, &alert, NULL) < 0)
                        continue;
                int result = each(context, &alert, sqlite3_column_int64(statement, 0),
                                  sqlite3_column_int64(statement, 1), error);
                alert_release(&alert);
                r = result < 0 ? result : r;
        }
        return r < 0 ? r : 0;
}

int journal_alert_ended(struct journal *journal, int64_t episode, nsec *ret, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, EPISODE_ENDED, error, "i", episode);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r >= 0)
                *ret = r > 0 ? sqlite3_column_int64(statement, 0) : 0;
        return r < 0 ? r : 0;
}

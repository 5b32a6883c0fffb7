/* SPDX-License-Identifier: Apache-2.0 */
/* Episodes were matched: incidents are opened for them, or nothing is. */
#include <errno.h>
#include <time.h>

#include "responder/journal/internal.h"
#include "runbook/text.h"

struct opening {
        int64_t episode;
        const struct journal_opening *items;
        size_t count;
};

/* "INC-2026-0001": counted from 1 in each year. */
static int next_number(struct journal *journal, nsec now, char **ret, struct error *error)
{
        time_t seconds = (time_t)(now / NSEC_PER_SEC);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        _cleanup_free_ char *key = text_format("incidents of %d", tm.tm_year + 1900);
        if (!key)
                return error_oom(error);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->writer, INCIDENT_NUMBER, error, "t", key);
        int r = statement ? journal_step(&journal->writer, statement, error) : -EIO;
        if (r < 0)
                return r;
        *ret = text_format("INC-%04d-%04lld", tm.tm_year + 1900,
                           (long long)sqlite3_column_int64(statement, 0));
        /* An INSERT with RETURNING has its effect when it is stepped to its end. */
        r = journal_step(&journal->writer, statement, error);
        return r < 0 ? r : *ret ? 0 : error_oom(error);
}

/* An incident that stands in nobody's way any more; 0: there is none. */
struct giving_way {
        int64_t incident;
        enum incident_state state;
        bool joined; /* the alert is not its first */
};

/* The incident of an episode and a remediation: 1: it is, 0: there is none, or it gives way. */
static int incident_exists(struct journal *journal, int64_t episode, const struct journal_opening *opening,
                           struct giving_way *ret_old, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->writer, INCIDENT_EXISTS, error, "itt", episode, opening->remediation,
                             opening->with ? opening->with : "");
        int r = statement ? journal_step(&journal->writer, statement, error) : -EIO;
        if (r <= 0 || sqlite3_column_int(statement, 2) == 0)
                return r;
        struct giving_way old = {.incident = sqlite3_column_int64(statement, 0),
                                 .joined = sqlite3_column_int(statement, 3) != 0};
        if (incident_state_parse(journal_column(statement, 1), &old.state) < 0)
                return error_set(error, EUCLEAN, "the journal holds an unknown state");
        *ret_old = old;
        return 0;
}

/* Then a person has been called, or it was healed: what is new in the file waits for the next firing. */
static int has_run(struct journal *journal, int64_t episode, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->writer, EPISODE_HAS_RUN, error, "i", episode);
        return statement ? journal_step(&journal->writer, statement, error) : -EIO;
}

/* The alert is one more of an incident that there is. */
static int join(struct journal *journal, int64_t episode, int64_t incident, const char *state, nsec now,
                struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        int r = journal_run(&journal->writer, MEMBER_ADD, error, "iii", incident, episode, now);
        if (r < 0)
                return r;
        _cleanup_free_ char *detail = NULL;
        {
                _cleanup_statement_ sqlite3_stmt *alert =
                        journal_bind(&journal->writer, EPISODE_ALERT, error, "i", episode);
                r = alert ? journal_step(&journal->writer, alert, error) : -EIO;
                if (r < 0)
                        return r;
                detail = text_format("{\"alert\":%s}", r > 0 ? journal_column(alert, 0) : "null");
        }
        if (!detail)
                return error_oom(error);
        const struct timeline_row row = {
                .incident = incident,
                .at = now,
                .actor = "alert",
                .event = "alert joined",
                .state = state,
                .detail = detail,
        };
        return journal_append(journal, &row, error);
}

/* 1: it has joined an incident of the same cause; 0: there is none. */
static int join_cause(struct journal *journal, int64_t episode, const char *cause, nsec now,
                      struct error *error)
{
        if (!cause || !*cause)
                return 0;
        int64_t incident = 0;
        enum incident_state state = INCIDENT_UNCHANGED;
        {
                _cleanup_statement_ sqlite3_stmt *found =
                        journal_bind(&journal->writer, INCIDENT_OF_CAUSE, error, "t", cause);
                int r = found ? journal_step(&journal->writer, found, error) : -EIO;
                if (r <= 0)
                        return r;
                incident = sqlite3_column_int64(found, 0);
                if (incident_state_parse(journal_column(found, 1), &state) < 0)
                        return error_set(error, EUCLEAN, "the journal holds an unknown state");
        }
        int r = join(journal, episode, incident, incident_state_name(state), now, error);
        return r < 0 ? r : 1;
}

/* It keeps what it says of itself, in an episode of its own, which is over. */
static int set_aside(struct journal *journal, int64_t episode, const struct giving_way *old, nsec now,
                     struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        int r;
        if (old->joined) {
                r = journal_run(&journal->writer, MEMBER_REMOVE, error, "ii", episode, old->incident);
                return r < 0 ? r : journal_run(&journal->writer, INCIDENT_ACTIVE, error, "i", old->incident);
        }
        r = journal_run(&journal->writer, EPISODE_SET_ASIDE, error, "ii", episode, now);
        if (r < 0)
                return r;
        r = journal_run(&journal->writer, INCIDENT_SET_ASIDE, error, "ii", old->incident,
                        (int64_t)sqlite3_last_insert_rowid(journal->writer.database));
        /* Nobody else is called about it. */
        if (r >= 0)
                r = journal_run(&journal->writer, INCIDENT_ACTIVE, error, "i", old->incident);
        const struct timeline_row row = {
                .incident = old->incident,
                .at = now,
                .event = "its alert is matched again: the file has changed, or the dry run is over",
                .state = incident_state_name(old->state)};
        return r < 0 ? r : journal_append(journal, &row, error);
}

/* `over`: something has run for this firing already. */
static int open_incident(struct journal *journal, int64_t episode, const struct journal_opening *opening,
                         bool over, nsec now, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        assert_that(opening->remediation, "an incident is of a remediation");
        struct giving_way old = {0};
        _cleanup_free_ char *number = NULL;
        int r = incident_exists(journal, episode, opening, &old, error);
        if (r != 0 || (over && old.incident == 0))
                return r;
        if (old.incident != 0)
                r = set_aside(journal, episode, &old, now, error);
        if (r >= 0)
                r = join_cause(journal, episode, opening->cause, now, error);
        if (r != 0)
                return r;
        r = next_number(journal, now, &number, error);
        if (r >= 0)
                r = journal_run(&journal->writer, INCIDENT_OPEN, error, "tittiit", number, episode,
                                opening->remediation, incident_state_name(INCIDENT_RECEIVED), now,
                                journal_steady(journal), opening->with ? opening->with : "");
        int64_t incident = sqlite3_last_insert_rowid(journal->writer.database);
        if (r >= 0)
                r = journal_run(&journal->writer, INCIDENT_SET_CAUSE, error, "iti", incident, opening->cause,
                                (int64_t)!opening->reads_only);
        for (size_t i = 0; r >= 0 && i < opening->action_count; i++)
                r = journal_run(&journal->writer, STEP_OPEN, error, "iit", incident, (int64_t)(i + 1),
                                opening->actions[i]);
        if (r < 0)
                return r;
        const struct timeline_row row = {
                .incident = incident,
                .at = now,
                .actor = "alert",
                .event = "received",
                .state = incident_state_name(INCIDENT_RECEIVED),
        };
        return journal_append(journal, &row, error);
}

static int mark_episode(struct journal *journal, enum journal_statement as, int64_t episode,
                        struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        int r = journal_run(&journal->writer, as, error, "i", episode);
        if (r >= 0 && sqlite3_changes(journal->writer.database) == 0)
                return error_set(error, ENOENT, "there is no such episode");
        return r;
}

static int open_incidents(struct journal *journal, void *context, struct error *error)
{
        const struct opening *opening = context;
        nsec now = world_wall(journal->world);
        int over = has_run(journal, opening->episode, error);
        int r = over < 0 ? over : mark_episode(journal, EPISODE_MATCHED, opening->episode, error);
        for (size_t i = 0; r >= 0 && i < opening->count; i++)
                r = open_incident(journal, opening->episode, &opening->items[i], over, now, error);
        return r;
}

int journal_open_incidents(struct journal *journal, int64_t episode, const struct journal_opening *openings,
                           size_t count, struct error *error)
{
        struct opening opening = {episode, openings, count};
        return journal_perform(journal, open_incidents, &opening, error);
}

struct passing_over {
        const int64_t *episodes;
        size_t count;
};

static int pass_over(struct journal *journal, void *context, struct error *error)
{
        const struct passing_over *passing = context;
        int r = 0;
        for (size_t i = 0; i < passing->count && r >= 0; i++)
                r = mark_episode(journal, EPISODE_PASS_OVER, passing->episodes[i], error);
        return r;
}

int journal_pass_over(struct journal *journal, const int64_t *episodes, size_t count, struct error *error)
{
        struct passing_over passing = {episodes, count};
        return count > 0 ? journal_perform(journal, pass_over, &passing, error) : 0;
}

struct answering {
        const struct episode_list *told;
        char *detail;
};

/* One row of the daemon's own timeline: no incident is concerned. */
static int answer(struct journal *journal, void *context, struct error *error)
{
        const struct answering *answering = context;
        int r = 0;
        for (size_t i = 0; i < answering->told->count && r >= 0; i++)
                r = mark_episode(journal, EPISODE_ANSWER, answering->told->items[i].id, error);
        const struct timeline_row row = {
                .at = world_wall(journal->world),
                .actor = "engine",
                .event = "told of alerts without a remediation",
                .state = "",
                .detail = answering->detail,
        };
        return r < 0 ? r : journal_append(journal, &row, error);
}

int journal_answer(struct journal *journal, const struct episode_list *told, const char *receiver,
                   struct error *error)
{
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        struct answering answering = {.told = told};
        if (told->count == 0)
                return 0;
        if (json_put(detail, "to", json_text(receiver)) < 0 ||
            json_put(detail, "alerts", cJSON_CreateNumber((double)told->count)) < 0 ||
            !(answering.detail = json_print(detail)))
                return error_oom(error);
        int r = journal_perform(journal, answer, &answering, error);
        free(answering.detail);
        return r;
}

static int match_anew(struct journal *journal, void *context, struct error *error)
{
        const char *with = context;
        {
                _cleanup_statement_ sqlite3_stmt *last =
                        journal_bind(&journal->writer, META_GET, error, "t", MATCHED_WITH);
                int r = last ? journal_step(&journal->writer, last, error) : -EIO;
                if (r < 0 || (r > 0 && string_equal(journal_column(last, 0), with)))
                        return r < 0 ? r : 0;
        }
        int r = journal_run(&journal->writer, EPISODES_MATCH_ANEW, error, "");
        return r < 0 ? r : journal_run(&journal->writer, META_SET, error, "tt", MATCHED_WITH, with);
}

int journal_match_anew(struct journal *journal, const char *with, struct error *error)
{
        assert_that(with, "what is matched with has a digest");
        return journal_perform(journal, match_anew, (void *)with, error);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is written: webhooks, incidents, entries of the timeline. */
#include <errno.h>
#include <openssl/evp.h>
#include <time.h>

#include "responder/journal/internal.h"
#include "responder/journal/transition.h"
#include "runbook/text.h"

/* --- The timeline and its chain. --- */

int journal_hash(const unsigned char before[static HASH_LENGTH], const struct timeline_row *row,
                 unsigned char ret[static HASH_LENGTH])
{
        /* Each string after its length: no two different rows have the same text. */
        _cleanup_text_ struct text text = {0};
        text_append(&text, before, HASH_LENGTH);
        text_printf(&text, "%lld %lld %lld %lld", (long long)row->id, (long long)row->incident,
                    (long long)row->at, (long long)row->step);
        const char *const strings[] = {row->actor, row->event, row->state, row->detail};
        for (size_t i = 0; i < N_ELEMENTS(strings); i++)
                if (strings[i])
                        text_printf(&text, " %zu:%s", strlen(strings[i]), strings[i]);
                else
                        text_puts(&text, " -");
        if (text_error(&text) < 0)
                return -ENOMEM;
        return EVP_Digest(text.data, text.length, ret, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

int journal_append(struct journal *journal, int64_t incident, nsec at, const char *actor, const char *event,
                   const char *state, int64_t step, const char *detail, struct error *error)
{
        struct timeline_row row = {.id = journal->chain.rows + 1,
                                   .incident = incident,
                                   .at = at,
                                   .actor = actor ? actor : "engine",
                                   .event = event,
                                   .state = state,
                                   .step = step,
                                   .detail = detail};
        struct journal_chain chain = {.rows = row.id};
        if (journal_hash(journal->chain.hash, &row, chain.hash) < 0)
                return error_oom(error);
        int r = journal_run(&journal->writer, TIMELINE_APPEND, error, "iiitttitb", row.id, row.incident,
                            row.at, row.actor, row.event, row.state, row.step, row.detail, chain.hash);
        if (r >= 0)
                journal->chain = chain;
        return r;
}

/* --- Webhooks. --- */

struct acceptance {
        struct journal_job job;
        struct webhook webhook;
        void (*done)(void *context, int result);
        void *context;
};

static char *alert_text(const struct alert *alert)
{
        _cleanup_json_ cJSON *json = alert_to_json(alert);
        return json ? json_print(json) : NULL;
}

static int accept_firing(struct journal *journal, const struct alert *alert, nsec now, struct error *error)
{
        nsec starts_at = alert->starts_at > 0 ? alert->starts_at : now;
        int r = journal_run(&journal->writer, EPISODE_REFRESH, error, "iiti", now, starts_at,
                            alert->fingerprint, journal_steady(journal));
        if (r < 0 || sqlite3_changes(journal->writer.database) > 0)
                return r;
        _cleanup_free_ char *text = alert_text(alert);
        if (!text)
                return error_oom(error);
        return journal_run(&journal->writer, EPISODE_OPEN, error, "tiiti", alert->fingerprint, now, starts_at,
                           text, journal_steady(journal));
}

static int append_to_incidents(struct journal *journal, int64_t episode, nsec now, const char *actor,
                               const char *event, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *incidents =
                journal_bind(&journal->writer, EPISODE_INCIDENTS, error, "i", episode);
        if (!incidents)
                return -EIO;
        for (int r; (r = journal_step(&journal->writer, incidents, error)) != 0;) {
                if (r > 0)
                        r = journal_append(journal, sqlite3_column_int64(incidents, 0), now, actor, event,
                                           journal_column(incidents, 1), 0, NULL, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int journal_end_episode(struct journal *journal, int64_t episode, nsec now, const char *actor,
                        struct error *error)
{
        int r = journal_run(&journal->writer, EPISODE_CLOSE, error, "iti", now, actor, episode);
        if (r < 0 || sqlite3_changes(journal->writer.database) == 0)
                return r;
        return append_to_incidents(journal, episode, now, actor, "alert resolved", error);
}

static int accept_resolved(struct journal *journal, const struct alert *alert, nsec now, struct error *error)
{
        int64_t episode = 0;
        {
                _cleanup_statement_ sqlite3_stmt *open =
                        journal_bind(&journal->writer, EPISODE_FIND_OPEN, error, "t", alert->fingerprint);
                int r = open ? journal_step(&journal->writer, open, error) : -EIO;
                if (r <= 0)
                        return r;
                /* News of an older episode, come late: from another Alertmanager, or sent again. */
                if (alert->ends_at != 0 && alert->ends_at < sqlite3_column_int64(open, 1))
                        return 0;
                episode = sqlite3_column_int64(open, 0);
        }
        return journal_end_episode(journal, episode, now, "alert", error);
}

static int accept_webhook(struct journal *journal, void *context, struct error *error)
{
        const struct acceptance *acceptance = context;
        nsec now = world_wall(journal->world);
        for (size_t i = 0; i < acceptance->webhook.count; i++) {
                const struct alert *alert = &acceptance->webhook.alerts[i];
                int r = alert->firing ? accept_firing(journal, alert, now, error)
                                      : accept_resolved(journal, alert, now, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void webhook_accepted(void *context, int result, struct error *error)
{
        struct acceptance *acceptance = context;
        acceptance->done(acceptance->context, result);
        error_clear(error);
        webhook_release(&acceptance->webhook);
        free(acceptance);
}

int journal_accept(struct journal *journal, struct webhook *take, void (*done)(void *context, int result),
                   void *context)
{
        /* `take` may be part of what `context` is, and so of somebody else's once it was queued. */
        struct acceptance *acceptance = calloc(1, sizeof(*acceptance));
        struct webhook webhook = *take;
        *take = (struct webhook){0};
        int r = -ENOMEM;
        if (acceptance) {
                acceptance->job = (struct journal_job){.run = accept_webhook,
                                                       .done = webhook_accepted,
                                                       .context = acceptance,
                                                       .webhook = true};
                acceptance->webhook = webhook;
                acceptance->done = done;
                acceptance->context = context;
                r = journal_submit(journal, &acceptance->job);
        }
        if (r < 0) {
                webhook_release(&webhook);
                free(acceptance);
        }
        return r;
}

/* --- Incidents. --- */

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

static int incident_exists(struct journal *journal, int64_t episode, const char *remediation,
                           struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->writer, INCIDENT_EXISTS, error, "it", episode, remediation);
        return statement ? journal_step(&journal->writer, statement, error) : -EIO;
}

static int open_incident(struct journal *journal, int64_t episode, const struct journal_opening *opening,
                         nsec now, struct error *error)
{
        int r = incident_exists(journal, episode, opening->remediation, error);
        if (r != 0)
                return r;
        _cleanup_free_ char *number = NULL;
        r = next_number(journal, now, &number, error);
        if (r >= 0)
                r = journal_run(&journal->writer, INCIDENT_OPEN, error, "tittii", number, episode,
                                opening->remediation, incident_state_name(INCIDENT_RECEIVED), now,
                                journal_steady(journal));
        int64_t incident = sqlite3_last_insert_rowid(journal->writer.database);
        for (size_t i = 0; r >= 0 && i < opening->action_count; i++)
                r = journal_run(&journal->writer, STEP_OPEN, error, "iit", incident, (int64_t)(i + 1),
                                opening->actions[i]);
        if (r < 0)
                return r;
        return journal_append(journal, incident, now, "alert", "received",
                              incident_state_name(INCIDENT_RECEIVED), 0, NULL, error);
}

static int mark_matched(struct journal *journal, int64_t episode, struct error *error)
{
        int r = journal_run(&journal->writer, EPISODE_MATCHED, error, "i", episode);
        if (r >= 0 && sqlite3_changes(journal->writer.database) == 0)
                return error_set(error, ENOENT, "there is no such episode");
        return r;
}

static int open_incidents(struct journal *journal, void *context, struct error *error)
{
        const struct opening *opening = context;
        nsec now = world_wall(journal->world);
        int r = mark_matched(journal, opening->episode, error);
        for (size_t i = 0; r >= 0 && i < opening->count; i++)
                r = open_incident(journal, opening->episode, &opening->items[i], now, error);
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
                r = mark_matched(journal, passing->episodes[i], error);
        return r;
}

int journal_pass_over(struct journal *journal, const int64_t *episodes, size_t count, struct error *error)
{
        struct passing_over passing = {episodes, count};
        return count > 0 ? journal_perform(journal, pass_over, &passing, error) : 0;
}

struct closing {
        int64_t episode;
        const char *actor;
};

static int close_episode(struct journal *journal, void *context, struct error *error)
{
        const struct closing *closing = context;
        return journal_end_episode(journal, closing->episode, world_wall(journal->world), closing->actor,
                                   error);
}

int journal_close_episode(struct journal *journal, int64_t episode, const char *actor, struct error *error)
{
        struct closing closing = {episode, actor};
        return journal_perform(journal, close_episode, &closing, error);
}

/* --- Entries. --- */

struct writing {
        const struct journal_entry *entry;
        char *detail;
};

static int write_step(struct journal *journal, const struct journal_entry *entry, const char *detail,
                      nsec now, struct error *error)
{
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

/* `way` is the change of state; NULL: it stays. */
static int write_incident(struct journal *journal, const struct journal_entry *entry, const char *detail,
                          nsec now, const struct transition *way, struct error *error)
{
        struct journal_connection *writer = &journal->writer;
        int64_t ends = way && way->ends, clears = entry->clear_requests || ends;
        int r;
        if (!way)
                r = journal_run(writer, INCIDENT_TOUCH, error, "itiiiii", entry->incident, entry->lock,
                                (int64_t)entry->approve, (int64_t)entry->request_cancel,
                                (int64_t)entry->request_undo, clears, now);
        else
                r = journal_run(writer, INCIDENT_UPDATE, error, "ittitiiiiiii", entry->incident,
                                incident_state_name(way->to), entry->guard ? entry->guard : "",
                                (int64_t)entry->guard_until, entry->lock, (int64_t)entry->approve,
                                (int64_t)entry->request_cancel, (int64_t)entry->request_undo, clears, now,
                                ends, journal_steady(journal));
        if (r >= 0 && entry->step > 0)
                r = write_step(journal, entry, detail, now, error);
        if (r >= 0)
                r = journal_run(writer, INCIDENT_ACTIVE, error, "i", entry->incident);
        return r;
}

/* The state an incident is in; -ESTALE when that is not what the entry expects. */
static int current_state(struct journal *journal, const struct journal_entry *entry, enum incident_state *ret,
                         struct error *error)
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
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->writer, META_GET, error, "t", PAUSED_SINCE);
        int r = statement ? journal_step(&journal->writer, statement, error) : -EIO;
        if (r > 0 && sqlite3_column_int64(statement, 0) != 0)
                return error_set(error, ECANCELED, "the responder is paused");
        return r < 0 ? r : 0;
}

static int write_entry(struct journal *journal, void *context, struct error *error)
{
        const struct writing *writing = context;
        const struct journal_entry *entry = writing->entry;
        const struct transition *way = NULL;
        enum incident_state state = INCIDENT_UNCHANGED;
        nsec now = world_wall(journal->world);
        int r = 0;

        if (entry->incident != 0) {
                r = current_state(journal, entry, &state, error);
                if (r >= 0)
                        r = check_pause(journal, entry, error);
                if (r >= 0)
                        r = find_way(entry, state, &way, error);
                if (r >= 0)
                        r = write_incident(journal, entry, writing->detail, now, way, error);
        }
        if (r < 0)
                return r;
        const char *name = entry->incident == 0 ? "" : incident_state_name(way ? way->to : state);
        return journal_append(journal, entry->incident, now, entry->actor, entry->event, name,
                              (int64_t)entry->step, writing->detail, error);
}

int journal_write(struct journal *journal, const struct journal_entry *entry, struct error *error)
{
        struct writing writing = {.entry = entry};
        if (entry->detail && !(writing.detail = json_print(entry->detail)))
                return error_oom(error);
        int r = journal_perform(journal, write_entry, &writing, error);
        free(writing.detail);
        return r;
}

/* --- The kill switch. --- */

struct pausing {
        bool paused;
        const char *actor;
        char *detail;
};

static int write_pause(struct journal *journal, void *context, struct error *error)
{
        const struct pausing *pausing = context;
        nsec now = world_wall(journal->world);
        int r = journal_run(&journal->writer, PAUSED_SET, error, "i", (int64_t)(pausing->paused ? now : 0));
        if (r < 0)
                return r;
        return journal_append(journal, 0, now, pausing->actor, pausing->paused ? "paused" : "resumed", "", 0,
                              pausing->detail, error);
}

int journal_set_paused(struct journal *journal, bool paused, const char *actor, const char *reason,
                       struct error *error)
{
        struct pausing pausing = {.paused = paused, .actor = actor};
        if (reason && *reason) {
                _cleanup_text_ struct text text = {0};
                text_puts(&text, "{\"reason\":");
                text_put_json(&text, reason);
                text_putc(&text, '}');
                if (!(pausing.detail = text_take(&text)))
                        return error_oom(error);
        }
        int r = journal_perform(journal, write_pause, &pausing, error);
        free(pausing.detail);
        return r;
}

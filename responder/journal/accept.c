/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: episodes are opened, refreshed and closed by what Alertmanager says. */
#include <errno.h>
#include <stdio.h>

#include "responder/journal/internal.h"
#include "runbook/log.h"

struct acceptance {
        struct journal *journal;
        struct journal_job job;
        struct webhook webhook;
        void (*done)(void *context, int result);
        void *context;
        char *namesake; /* the fingerprint of one that is another's by its labels; NULL: there is none */
        struct journal_heard heard;
};

static char *alert_text(const struct alert *alert)
{
        _cleanup_json_ cJSON *json = alert_to_json(alert);
        return json ? json_print(json) : NULL;
}

static int append_to_incidents(struct journal *journal, int64_t episode, nsec now, const char *actor,
                               const char *event, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *incidents =
                journal_bind(&journal->writer, EPISODE_INCIDENTS, error, "i", episode);
        if (!incidents)
                return -EIO;
        int r;
        while ((r = journal_step(&journal->writer, incidents, error)) > 0) {
                const struct timeline_row row = {
                        .incident = sqlite3_column_int64(incidents, 0),
                        .at = now,
                        .actor = actor,
                        .event = sqlite3_column_int(incidents, 2) ? "one of its alerts is over" : event,
                        .state = journal_column(incidents, 1),
                };
                r = journal_append(journal, &row, error);
                if (r < 0)
                        return r;
        }
        return r;
}

/* `event` is what the timelines of its incidents are told; 0 also when it was not open. */
static int end_episode(struct journal *journal, int64_t episode, nsec now, const char *actor,
                       const char *event, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        int r = journal_run(&journal->writer, EPISODE_CLOSE, error, "iti", now, actor, episode);
        if (r < 0 || sqlite3_changes(journal->writer.database) == 0)
                return r;
        r = journal_run(&journal->writer, EPISODE_LEAVES, error, "i", episode);
        if (r >= 0)
                r = journal_run(&journal->writer, LETTERS_LEFT, error, "i", episode);
        return r < 0 ? r : append_to_incidents(journal, episode, now, actor, event, error);
}

int journal_end_episode(struct journal *journal, int64_t episode, nsec now, const char *actor,
                        struct error *error)
{
        return end_episode(journal, episode, now, actor, "alert resolved", error);
}

/*
 * Alertmanager only ever moves the begin of a firing earlier: what began after all that the open episode set
 * off had ended is another one. Its predecessor's end was not told, for it was silenced then, or lost.
 */
static int close_predecessor(struct journal *journal, const struct alert *alert, const char *key, nsec now,
                             struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        if (alert->starts_at <= 0)
                return 0;
        int64_t episode;
        {
                _cleanup_statement_ sqlite3_stmt *over =
                        journal_bind(&journal->writer, EPISODE_OVER, error, "ti", key, alert->starts_at);
                int r = over ? journal_step(&journal->writer, over, error) : -EIO;
                if (r <= 0)
                        return r;
                episode = sqlite3_column_int64(over, 0);
        }
        return end_episode(journal, episode, now, "alert", "alert fires anew", error);
}

/* An open episode has the same fingerprint and other labels: one of them is not what its sender says. */
static int note_namesake(struct journal *journal, const struct alert *alert, const char *key,
                         char **ret_namesake, struct error *error)
{
        if (*ret_namesake || !*alert->fingerprint)
                return 0;
        _cleanup_statement_ sqlite3_stmt *other =
                journal_bind(&journal->writer, EPISODE_NAMESAKE, error, "tt", alert->fingerprint, key);
        int r = other ? journal_step(&journal->writer, other, error) : -EIO;
        if (r <= 0)
                return r;
        *ret_namesake = strdup(alert->fingerprint);
        return *ret_namesake ? 0 : error_oom(error);
}

static void note_end(struct journal *journal, const char *key, nsec now)
{
        struct recent_end *end = &journal->recent_ends[journal->recent_end++ % RECENT_ENDS];
        snprintf(end->key, sizeof(end->key), "%s", key);
        end->at = now;
}

/* Whether this may be old news of a firing of which the end was told since: sent again, or from another
 * Alertmanager. Its sender knows, and is asked. */
static bool may_be_late(const struct journal *journal, const char *key, nsec starts_at)
{
        for (size_t i = 0; i < RECENT_ENDS; i++)
                if (starts_at <= journal->recent_ends[i].at && string_equal(journal->recent_ends[i].key, key))
                        return true;
        return false;
}

static int accept_firing(struct journal *journal, const struct alert *alert, const char *key, nsec now,
                         struct acceptance *acceptance, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        nsec starts_at = alert->starts_at > 0 ? alert->starts_at : now;
        int r = close_predecessor(journal, alert, key, now, error);
        if (r < 0)
                return r;
        r = journal_run(&journal->writer, EPISODE_REFRESH, error, "iiti", now, starts_at, key,
                        journal_steady(journal));
        if (r < 0)
                return r;
        if (sqlite3_changes(journal->writer.database) > 0) {
                acceptance->heard.repeated++;
                return 0;
        }
        _cleanup_free_ char *text = alert_text(alert);
        if (!text)
                return error_oom(error);
        r = note_namesake(journal, alert, key, &acceptance->namesake, error);
        if (r < 0)
                return r;
        nsec age = may_be_late(journal, key, starts_at) ? JOURNAL_OLD_NEWS : 0;
        return journal_run(&journal->writer, EPISODE_OPEN, error, "tiitit", alert->fingerprint, now,
                           starts_at, text, journal_steady(journal) - age, key);
}

static int accept_resolved(struct journal *journal, const struct alert *alert, const char *key, nsec now,
                           struct acceptance *acceptance, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        int64_t episode = 0;
        {
                _cleanup_statement_ sqlite3_stmt *open =
                        journal_bind(&journal->writer, EPISODE_FIND_OPEN, error, "t", key);
                int r = open ? journal_step(&journal->writer, open, error) : -EIO;
                if (r == 0) {
                        acceptance->heard.late++;
                        return note_namesake(journal, alert, key, &acceptance->namesake, error);
                }
                if (r < 0)
                        return r;
                /* News of an older episode, come late: from another Alertmanager, or sent again. */
                if (alert->ends_at != 0 && alert->ends_at < sqlite3_column_int64(open, 1)) {
                        acceptance->heard.late++;
                        return 0;
                }
                episode = sqlite3_column_int64(open, 0);
        }
        acceptance->heard.resolved++;
        note_end(journal, key, now);
        return journal_end_episode(journal, episode, now, "alert", error);
}

static int accept_webhook(struct journal *journal, void *context, struct error *error)
{
        struct acceptance *acceptance = context;
        nsec now = world_wall(journal->world);
        acceptance->heard = (struct journal_heard){0};
        for (size_t i = 0; i < acceptance->webhook.count; i++) {
                const struct alert *alert = &acceptance->webhook.alerts[i];
                char key[DIGEST_TEXT_MAX];
                int r = alert_key(alert, key, error);
                if (r >= 0)
                        r = (alert->firing ? accept_firing : accept_resolved)(journal, alert, key, now,
                                                                              acceptance, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Of the same fingerprint once. */
static void tell_of_namesake(struct journal *journal, char **take)
{
        if (!*take || string_equal(journal->namesake, *take))
                return;
        log_event(LOG_WARN, "Alerts of different labels have the same fingerprint: each is taken for itself",
                  "fingerprint", *take, NULL);
        free(journal->namesake);
        journal->namesake = TAKE_PTR(*take);
}

static void note_heard(struct journal *journal, const struct journal_heard *heard)
{
        pthread_mutex_lock(&journal->lock);
        journal->heard.repeated += heard->repeated;
        journal->heard.resolved += heard->resolved;
        journal->heard.late += heard->late;
        pthread_mutex_unlock(&journal->lock);
}

void journal_heard(struct journal *journal, struct journal_heard *ret)
{
        pthread_mutex_lock(&journal->lock);
        *ret = journal->heard;
        pthread_mutex_unlock(&journal->lock);
}

static void webhook_accepted(void *context, int result, struct error *error)
{
        struct acceptance *acceptance = context;
        if (result >= 0) {
                tell_of_namesake(acceptance->journal, &acceptance->namesake);
                note_heard(acceptance->journal, &acceptance->heard);
        }
        acceptance->done(acceptance->context, result);
        error_clear(error);
        free(acceptance->namesake);
        webhook_release(&acceptance->webhook);
        free(acceptance);
}

int journal_accept(struct journal *journal, struct webhook *take, void (*done)(void *context, int result),
                   void *context)
{
        assert_that(done, "who sent a webhook is told");
        /* `take` may be part of what `context` is, and so of somebody else's once it was queued. */
        struct acceptance *acceptance = calloc(1, sizeof(*acceptance));
        struct webhook webhook = *take;
        *take = (struct webhook){0};
        int r = -ENOMEM;
        if (acceptance) {
                acceptance->job = (struct journal_job){.run = accept_webhook,
                                                       .done = webhook_accepted,
                                                       .context = acceptance,
                                                       .webhook = true,
                                                       .alerts = webhook.count};
                acceptance->journal = journal;
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

/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's work that may wait for something outside, given to its workers. */
#include <errno.h>

#include "responder/engine/internal.h"
#include "runbook/log.h"

/* Alertmanager is asked about at most so many silent episodes at once, and this often at least and at most.
 */
#define SILENT_MOST 1000
#define RECONCILE_LEAST NSEC_PER_SEC
#define RECONCILE_MOST (10 * 60 * NSEC_PER_SEC)
#define ASK_TIMEOUT (10 * NSEC_PER_SEC)
#define CARRY_AGAIN (5 * NSEC_PER_SEC)

/* On a worker. */
static void job_run(void *context)
{
        struct job *job = context;
        struct engine *engine = job->engine;
        struct carry *carry = &job->carry;
        _cleanup_error_ struct error error = {0};

        int r = job->function(carry, &error);
        if (r == -ESTALE)
                carry->again = clock_monotonic();
        else if (r < 0) {
                log_event(LOG_WARN, "Incident waits", "incident", carry->walk.incident.number, "error",
                          error_text(&error), NULL);
                if (carry->again == 0)
                        carry->again = clock_monotonic() + CARRY_AGAIN;
        }

        pthread_mutex_lock(&engine->mutex);
        job->track->job = NULL;
        job->track->busy = false;
        job->track->again = carry->again;
        pthread_mutex_unlock(&engine->mutex);
        engine_job_free(job);
        engine_wake(engine);
}

int engine_dispatch(struct pass *pass, struct incident *incident, const struct remediation *remediation,
                    enum pool pool, carry_function *function, const char *lock, struct error *error)
{
        struct engine *engine = pass->engine;
        struct track *track = engine_track(engine, incident->id);
        if (!track)
                track = engine_track_new(engine, incident->id);
        _cleanup_free_ char *lock_copy = strdup(lock ? lock : "");
        struct job *job = calloc(1, sizeof(*job));
        if (!track || !job || !lock_copy) {
                free(job);
                return error_oom(error);
        }

        free(track->lock);
        track->lock = TAKE_PTR(lock_copy);
        *job = (struct job){
                .engine = engine,
                .track = track,
                .function = function,
                .carry = {.walk = {.options = &engine->options,
                                   .stopping = &engine->stopping,
                                   .remediation = remediation},
                          .memory = &track->memory,
                          .lock = track->lock},
        };
        int64_t id = incident->id;
        job->carry.walk.incident = *incident;

        /* What stays in the list: enough to keep the lock from others in this pass. */
        const struct incident *taken = &job->carry.walk.incident;
        *incident = (struct incident){
                .id = id,
                .state = INCIDENT_RUNNING,
                .lock = strdup(track->lock),
                .number = strdup(taken->number),
                .remediation = strdup(taken->remediation),
                .running_at = taken->running_at,
        };

        pthread_mutex_lock(&engine->mutex);
        track->job = job;
        track->busy = true;
        track->busy_then = true;
        pthread_mutex_unlock(&engine->mutex);
        int r = workers_run(pool == POOL_RUNS ? engine->runs : engine->looks, job_run, job);
        if (r < 0) {
                pthread_mutex_lock(&engine->mutex);
                track->job = NULL;
                track->busy = false;
                pthread_mutex_unlock(&engine->mutex);
                engine_job_free(job);
                return error_set(error, -r, "no worker takes it: %s", strerror(-r));
        }
        return 0;
}

/* On a worker: episodes of which nothing was heard for too long are closed when Alertmanager has them no
 * more. */
static void reconcile(void *context)
{
        struct engine *engine = context;
        const struct engine_options *options = &engine->options;
        nsec repeat = targets_set(options->targets)->repeat_interval;
        nsec slack = repeat / 4 < RECONCILE_MOST ? repeat / 4 : RECONCILE_MOST;
        _cleanup_error_ struct error error = {0};
        struct episode_list silent = {0};

        int r = journal_silent(options->journal, clock_wall() - repeat - slack, SILENT_MOST, &silent, &error);
        for (size_t i = 0; r >= 0 && i < silent.count && !atomic_load(&engine->stopping); i++) {
                const struct episode *episode = &silent.items[i];
                bool active = true;
                r = targets_alert_active(options->targets, episode->alert.fingerprint,
                                         deadline_in(ASK_TIMEOUT), &active, &error);
                if (r >= 0 && !active)
                        r = journal_close_episode(options->journal, episode->id, "alertmanager", &error);
        }
        if (r < 0)
                log_event(LOG_WARN, "Cannot ask Alertmanager for alerts that fell silent", "error",
                          error_text(&error), NULL);
        episode_list_release(&silent);
        atomic_store(&engine->reconciling, false);
        engine_wake(engine);
}

void engine_reconcile(struct pass *pass)
{
        struct engine *engine = pass->engine;
        const struct target_set *set = targets_set(engine->options.targets);
        if (!set->alertmanager_url || !*set->alertmanager_url || set->repeat_interval <= 0)
                return;
        if (pass->now >= engine->reconcile_at && !atomic_exchange(&engine->reconciling, true)) {
                nsec every = set->repeat_interval / 4;
                every = every < RECONCILE_LEAST  ? RECONCILE_LEAST
                        : every > RECONCILE_MOST ? RECONCILE_MOST
                                                 : every;
                engine->reconcile_at = pass->now + every;
                if (workers_run(engine->looks, reconcile, engine) < 0)
                        atomic_store(&engine->reconciling, false);
        }
        pass_look_at(pass, engine->reconcile_at);
}

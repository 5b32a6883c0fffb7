/* SPDX-License-Identifier: Apache-2.0 */
/* The live connections: a standing one to each database, kept by a thread of their own, and leases of them.
 */
#include "responder/targets/targets.h"

#include <errno.h>
#include <pthread.h>

#include "responder/targets/internal.h"
#include "runbook/log.h"

#define LOOK_EVERY (15 * NSEC_PER_SEC)
#define LOOK_TIMEOUT (5 * NSEC_PER_SEC)

/* Safety nets of the server's own, should we be gone or stuck while a statement runs: far beyond any step. */
#define STATEMENT_TIMEOUT (600 * NSEC_PER_SEC)
/* A step that waits for somebody else's lock fails early, before others queue up behind it. */
#define LOCK_TIMEOUT (10 * NSEC_PER_SEC)

struct slot {
        const struct database *database;
        struct postgres *postgres;
        bool leased;
        bool lost; /* the keeper could not connect the last time: said once, not every 15 s */
};

struct targets {
        const struct target_set *set;
        pthread_mutex_t lock; /* guards leased, stop */
        pthread_cond_t changed;
        struct slot *slots;
        size_t slot_count;
        pthread_t keeper;
        bool keeps, stop;
};

static struct timespec timespec_of(nsec at)
{
        return (struct timespec){.tv_sec = (time_t)(at / NSEC_PER_SEC), .tv_nsec = (long)(at % NSEC_PER_SEC)};
}

/* With the lock held. False when the deadline passed. */
static bool wait_until(struct targets *targets, struct deadline deadline)
{
        if (deadline.at == INT64_MAX)
                return pthread_cond_wait(&targets->changed, &targets->lock) == 0;
        struct timespec at = timespec_of(deadline.at);
        return pthread_cond_timedwait(&targets->changed, &targets->lock, &at) == 0;
}

/* One look at a leased slot: it answers, or it is connected anew. */
static void slot_look(struct slot *slot)
{
        _cleanup_error_ struct error error = {0};
        struct deadline deadline = deadline_in(LOOK_TIMEOUT);
        bool was_connected = postgres_connected(slot->postgres);
        int r = 0;
        if (was_connected && postgres_query(slot->postgres, "SELECT 1", NULL, 0, deadline, NULL, &error) < 0)
                postgres_disconnect(slot->postgres);
        if (!postgres_connected(slot->postgres))
                r = postgres_connect(slot->postgres, deadline, &error);

        if (r < 0 && !slot->lost)
                log_event(LOG_WARN, "Standing connection lost", "database", slot->database->name, "error",
                          error_text(&error), NULL);
        else if (r >= 0 && (slot->lost || !was_connected))
                log_event(LOG_INFO, "Standing connection open", "database", slot->database->name, NULL);
        slot->lost = r < 0;
}

static void slot_return(struct targets *targets, struct slot *slot)
{
        pthread_mutex_lock(&targets->lock);
        slot->leased = false;
        pthread_cond_broadcast(&targets->changed);
        pthread_mutex_unlock(&targets->lock);
}

static void *keep_connections(void *context)
{
        struct targets *targets = context;
        pthread_mutex_lock(&targets->lock);
        while (!targets->stop) {
                for (size_t i = 0; i < targets->slot_count && !targets->stop; i++) {
                        struct slot *slot = &targets->slots[i];
                        if (slot->leased)
                                continue;
                        slot->leased = true;
                        pthread_mutex_unlock(&targets->lock);
                        slot_look(slot);
                        slot_return(targets, slot);
                        pthread_mutex_lock(&targets->lock);
                }
                struct deadline next = deadline_in(LOOK_EVERY);
                while (!targets->stop && wait_until(targets, next))
                        ;
        }
        pthread_mutex_unlock(&targets->lock);
        return NULL;
}

int targets_new(const struct target_set *set, struct targets **ret, struct error *error)
{
        struct targets *targets = calloc(1, sizeof(*targets));
        if (!targets)
                return error_oom(error);
        targets->set = set;
        pthread_mutex_init(&targets->lock, NULL);
        pthread_condattr_t attributes;
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&targets->changed, &attributes);
        pthread_condattr_destroy(&attributes);

        const struct database *databases = set->databases.items;
        int r = 0;
        targets->slots = calloc(set->databases.count + 1, sizeof(*targets->slots));
        if (!targets->slots)
                r = error_oom(error);
        for (size_t i = 0; targets->slots && r >= 0 && i < set->databases.count; i++) {
                struct postgres_options options = databases[i].postgres;
                options.application_name = TARGETS_APPLICATION;
                options.terms = (struct postgres_terms){.statement_timeout = STATEMENT_TIMEOUT,
                                                        .lock_timeout = LOCK_TIMEOUT};
                targets->slots[i].database = &databases[i];
                r = postgres_new(&options, &targets->slots[i].postgres, error);
                if (r >= 0)
                        targets->slot_count++;
        }
        if (r >= 0 && targets->slot_count > 0) {
                int failed = pthread_create(&targets->keeper, NULL, keep_connections, targets);
                if (failed)
                        r = error_set(error, failed, "the thread of the standing connections: %s",
                                      strerror(failed));
                targets->keeps = !failed;
        }
        if (r < 0) {
                targets_free(targets);
                return r;
        }
        *ret = targets;
        return 0;
}

struct targets *targets_free(struct targets *targets)
{
        if (!targets)
                return NULL;
        if (targets->keeps) {
                pthread_mutex_lock(&targets->lock);
                targets->stop = true;
                pthread_cond_broadcast(&targets->changed);
                pthread_mutex_unlock(&targets->lock);
                pthread_join(targets->keeper, NULL);
        }
        for (size_t i = 0; targets->slots && i < targets->slot_count; i++)
                postgres_free(targets->slots[i].postgres);
        free(targets->slots);
        pthread_cond_destroy(&targets->changed);
        pthread_mutex_destroy(&targets->lock);
        free(targets);
        return NULL;
}

const struct target_set *targets_set(const struct targets *targets)
{
        return targets->set;
}

int targets_database(struct targets *targets, const char *name, struct deadline deadline,
                     struct postgres **ret, struct error *error)
{
        const struct database *database = target_set_database(targets->set, name);
        if (!database)
                return error_set(error, ENOENT, "there is no database \"%s\" in the configuration",
                                 name ? name : "");
        const struct database *databases = targets->set->databases.items;
        struct slot *slot = &targets->slots[database - databases]; /* one each, in the same order */

        pthread_mutex_lock(&targets->lock);
        bool in_time = true;
        while (slot->leased && in_time)
                in_time = wait_until(targets, deadline);
        bool got = !slot->leased;
        slot->leased = true;
        pthread_mutex_unlock(&targets->lock);
        if (!got)
                return error_set(error, ETIMEDOUT, "the connection to database \"%s\" was busy all the time",
                                 database->name);

        /* A connection that broke unseen is told by the first statement, so it gets one that we can repeat.
         */
        int r = 0;
        if (postgres_connected(slot->postgres) &&
            postgres_query(slot->postgres, "SELECT 1", NULL, 0, deadline, NULL, NULL) < 0)
                postgres_disconnect(slot->postgres);
        if (!postgres_connected(slot->postgres))
                r = postgres_connect(slot->postgres, deadline, error);
        if (r < 0) {
                slot_return(targets, slot);
                return error_prefix(error, r, "database \"%s\"", database->name);
        }
        *ret = slot->postgres;
        return 0;
}

void targets_database_release(struct targets *targets, struct postgres *postgres)
{
        for (size_t i = 0; i < targets->slot_count; i++)
                if (targets->slots[i].postgres == postgres)
                        slot_return(targets, &targets->slots[i]);
}

int targets_docker(struct targets *targets, struct docker **ret, struct error *error)
{
        const char *host = targets->set->docker.host;
        if (!host || !*host)
                return error_set(error, ENOTSUP, "there is no `docker:` section in the configuration");
        return docker_new(&targets->set->docker, ret, error);
}

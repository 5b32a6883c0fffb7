/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of containers and services: what happened to them, and since when a health check fails.
 */
#include "exporter/kinds/docker/watch.h"

#include <errno.h>
#include <string.h>

#include "runbook/docker_container.h"

#define PART_OF_TIME 4 /* of what is left: nobody waits longer for the events, which are answered at once */
#define ROUNDING ((nsec)1000) /* what a time of this century in a double may be off by, and more */
#define STREAK_MAX 1000000    /* nothing is reckoned back further */

DOCKER_WATCH_FAMILIES(DEFINE_SHARED_FAMILY)

/* How the Engine calls them, and how the label does. */
static const char *const actions[DOCKER_EVENTS] = {
        [DOCKER_EVENT_START] = "start",
        [DOCKER_EVENT_DIE] = "die",
        [DOCKER_EVENT_OOM] = "oom",
        [DOCKER_EVENT_RESTART] = "restart",
        [DOCKER_EVENT_HEALTHY] = "health_status: healthy",
        [DOCKER_EVENT_UNHEALTHY] = "health_status: unhealthy",
};
static const char *const names[DOCKER_EVENTS] = {
        [DOCKER_EVENT_START] = "start",     [DOCKER_EVENT_DIE] = "die",
        [DOCKER_EVENT_OOM] = "oom",         [DOCKER_EVENT_RESTART] = "restart",
        [DOCKER_EVENT_HEALTHY] = "healthy", [DOCKER_EVENT_UNHEALTHY] = "unhealthy",
};

/* Room for one more. */
static bool reserve(void **items, size_t size, size_t count, size_t *capacity)
{
        if (count < *capacity)
                return true;
        size_t larger = *capacity ? 2 * *capacity : 8;
        void *moved = reallocarray(*items, larger, size);
        if (!moved)
                return false;
        *items = moved;
        *capacity = larger;
        return true;
}

struct docker_watched *docker_watch_of(struct docker_watch *watch, const char *id)
{
        for (size_t i = 0; i < watch->count; i++)
                if (strcmp(watch->containers[i].id, id) == 0) {
                        watch->containers[i].seen = true;
                        return &watch->containers[i];
                }
        void *items = watch->containers;
        if (!reserve(&items, sizeof(*watch->containers), watch->count, &watch->capacity))
                return NULL;
        watch->containers = items;
        char *copy = strdup(id);
        if (!copy)
                return NULL;
        watch->containers[watch->count] = (struct docker_watched){.id = copy, .seen = true};
        return &watch->containers[watch->count++];
}

struct docker_watched_service *docker_watch_of_service(struct docker_watch *watch, const char *project,
                                                       const char *service)
{
        for (size_t i = 0; i < watch->service_count; i++)
                if (strcmp(watch->services[i].service, service) == 0 &&
                    strcmp(watch->services[i].project, project ? project : "") == 0) {
                        watch->services[i].seen = true;
                        return &watch->services[i];
                }
        void *items = watch->services;
        if (!reserve(&items, sizeof(*watch->services), watch->service_count, &watch->service_capacity))
                return NULL;
        watch->services = items;
        struct docker_watched_service new = {
                .project = strdup(project ? project : ""), .service = strdup(service), .seen = true};
        if (!new.project || !new.service) {
                free(new.project);
                free(new.service);
                return NULL;
        }
        watch->services[watch->service_count] = new;
        return &watch->services[watch->service_count++];
}

/* Counts one event; what is of no container that the check is about is passed over. */
static int count_event(struct docker_watch *watch, const cJSON *event, const char *project,
                       struct error *error)
{
        const char *id = docker_event_container(event), *of = docker_compose_project(event);
        int what = words_find(actions, N_ELEMENTS(actions), docker_event_action(event));
        if (what < 0 || !*id || (project && strcmp(of, project) != 0))
                return 0;
        struct docker_watched *watched = docker_watch_of(watch, id);
        if (!watched)
                return error_oom(error);
        watched->happened[what]++;
        if (!*docker_service(event) || docker_is_one_off(event) || docker_is_kept(event))
                return 0;
        struct docker_watched_service *service =
                docker_watch_of_service(watch, project ? NULL : of, docker_service(event));
        if (!service)
                return error_oom(error);
        service->happened[what]++;
        return 0;
}

int docker_watch_take(struct docker_watch *watch, const cJSON *events, nsec now, const char *project,
                      struct error *error)
{
        bool begins = watch->until == 0, known = watch->last == 0;
        double last = watch->last;
        const cJSON *event;
        cJSON_ArrayForEach(event, events)
        {
                double time = json_number(event, "timeNano", 0);
                known |= time == watch->last;
                /* By what is to come none that comes after it would be new. */
                if (time <= watch->last || time > (double)now)
                        continue;
                last = time > last ? time : last;
                int r = begins ? 0 : count_event(watch, event, project, error);
                if (r < 0)
                        return r;
        }
        watch->gaps += !known;
        watch->last = last;
        watch->counting = true;
        watch->until = now;
        return 0;
}

int docker_watch_count(struct docker_watch *watch, struct docker *docker, const char *project,
                       struct deadline deadline, struct error *error)
{
        nsec now = docker_time(docker);
        _cleanup_json_ cJSON *events = NULL;
        _cleanup_error_ struct error refused = {0};
        if (now == 0)
                return 0; /* the Engine does not tell the time */
        if (watch->until > now + NSEC_PER_SEC) {
                watch->until = 0; /* its clock was set back: what it tells now is of before, or of later */
                watch->last = 0;
        }
        if (watch->until >= now)
                return 0; /* not a second later */
        nsec since = watch->last > 0 ? (nsec)watch->last - ROUNDING : watch->until + 1;
        const struct deadline soon =
                deadline_earlier(deadline, deadline_in(deadline_left(deadline) / PART_OF_TIME));
        int r = docker_events(docker, since, now, soon, &events, &refused);
        /* A proxy before the Engine may let us see the containers only, or tell a time that the Engine then
         * waits for. */
        if (r == -EREMOTEIO || r == -ENOENT || r == -ETIMEDOUT || r == -ENOTSUP) {
                watch->counting = false;
                return 0;
        }
        if (r < 0) {
                error_move(error, &refused);
                return r;
        }
        return docker_watch_take(watch, events, now, project, error);
}

int docker_watch_tell(struct docker_watch *watch, const char *project, const char *service,
                      const struct docker_series *series, struct error *error)
{
        const struct docker_watched_service *watched = docker_watch_of_service(watch, project, service);
        if (!watched)
                return error_oom(error);
        for (size_t i = 0; i < DOCKER_EVENTS && watch->counting; i++)
                docker_series_add_labelled(series, &docker_service_events, (double)watched->happened[i],
                                           &(const struct label){"event", names[i]}, 1);
        return 0;
}

static nsec time_of(const cJSON *result, const char *key)
{
        const char *string = json_string(result, key);
        nsec wall = 0;
        return string && time_parse(string, &wall, NULL) >= 0 ? wall : 0;
}

nsec docker_watch_failing(struct docker_watched *watched, const cJSON *inspected)
{
        const cJSON *health = json_get(inspected, "State", "Health", NULL),
                    *log = json_get(health, "Log", NULL);
        double told = json_number(health, "FailingStreak", 0);
        int streak = told < STREAK_MAX ? (int)told : STREAK_MAX, results = cJSON_GetArraySize(log);
        /* Older results may be there from before the container was started anew. */
        int count = streak < results ? streak : results;
        if (count <= 0) {
                watched->failing_streak = 0;
                watched->failing_since = 0;
                return 0;
        }
        nsec since = time_of(cJSON_GetArrayItem(log, results - count), "Start");
        nsec probed = time_of(cJSON_GetArrayItem(log, results - 1), "Start");
        if (streak > count && count > 1) {
                nsec pace = (probed - since) / (count - 1);
                if (pace > 0 && streak - count < since / pace)
                        since -= pace * (streak - count);
                /* The streak is the one that was seen before, unless it began after that look. */
                if (watched->failing_since > 0 && streak >= watched->failing_streak &&
                    since <= watched->probed)
                        since = watched->failing_since;
        }
        watched->failing_streak = streak;
        watched->failing_since = since;
        watched->probed = probed;
        return since;
}

static void sweep_services(struct docker_watch *watch)
{
        size_t kept = 0;
        for (size_t i = 0; i < watch->service_count; i++) {
                struct docker_watched_service *service = &watch->services[i];
                if (!service->seen) {
                        free(service->project);
                        free(service->service);
                        continue;
                }
                service->seen = false;
                watch->services[kept++] = *service;
        }
        watch->service_count = kept;
}

void docker_watch_sweep(struct docker_watch *watch)
{
        size_t kept = 0;
        for (size_t i = 0; i < watch->count; i++) {
                struct docker_watched *watched = &watch->containers[i];
                if (!watched->seen) {
                        free(watched->id);
                        continue;
                }
                watched->seen = false;
                watch->containers[kept++] = *watched;
        }
        watch->count = kept;
        sweep_services(watch);
}

void docker_watch_release(struct docker_watch *watch)
{
        for (size_t i = 0; i < watch->count; i++)
                free(watch->containers[i].id);
        for (size_t i = 0; i < watch->service_count; i++) {
                free(watch->services[i].project);
                free(watch->services[i].service);
        }
        free(watch->containers);
        free(watch->services);
        *watch = (struct docker_watch){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of containers: kills for want of memory, and since when a health check fails. */
#include "exporter/kinds/docker/watch.h"

#include <errno.h>
#include <string.h>

#define PART_OF_TIME 4 /* of what is left: nobody waits longer for the events, which are answered at once */
#define STREAK_MAX 1000000 /* nothing is reckoned back further */

struct docker_watched *docker_watch_of(struct docker_watch *watch, const char *id)
{
        for (size_t i = 0; i < watch->count; i++)
                if (strcmp(watch->containers[i].id, id) == 0) {
                        watch->containers[i].seen = true;
                        return &watch->containers[i];
                }
        if (watch->count == watch->capacity) {
                size_t capacity = watch->capacity ? 2 * watch->capacity : 8;
                struct docker_watched *larger = reallocarray(watch->containers, capacity, sizeof(*larger));
                if (!larger)
                        return NULL;
                watch->containers = larger;
                watch->capacity = capacity;
        }
        char *copy = strdup(id);
        if (!copy)
                return NULL;
        watch->containers[watch->count] = (struct docker_watched){.id = copy, .seen = true};
        return &watch->containers[watch->count++];
}

int docker_watch_count(struct docker_watch *watch, struct docker *docker, const char *project,
                       struct deadline deadline, struct error *error)
{
        nsec now = docker_time(docker);
        _cleanup_json_ cJSON *events = NULL;
        _cleanup_error_ struct error refused = {0};
        const cJSON *event;
        if (now == 0)
                return 0; /* the Engine does not tell the time */
        nsec since = watch->until > 0 ? watch->until + 1 : now;
        if (watch->until > now + NSEC_PER_SEC)
                watch->until = now; /* its clock was set back */
        if (since > now)
                return 0; /* not a second later */
        const struct deadline soon =
                deadline_earlier(deadline, deadline_in(deadline_left(deadline) / PART_OF_TIME));
        int r = docker_events(docker, project, "oom", since, now, soon, &events, &refused);
        /* A proxy before the Engine may let us see the containers only, or tell a time that the Engine then
         * waits for. */
        if (r == -EREMOTEIO || r == -ENOENT || r == -ETIMEDOUT) {
                watch->counting = false;
                return 0;
        }
        if (r < 0) {
                error_move(error, &refused);
                return r;
        }
        cJSON_ArrayForEach(event, events)
        {
                const char *id = json_string(json_get(event, "Actor", NULL), "ID");
                struct docker_watched *watched = id ? docker_watch_of(watch, id) : NULL;
                if (id && !watched)
                        return error_oom(error);
                if (watched)
                        watched->oom_kills++;
        }
        watch->counting = true;
        watch->until = now;
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
}

void docker_watch_release(struct docker_watch *watch)
{
        for (size_t i = 0; i < watch->count; i++)
                free(watch->containers[i].id);
        free(watch->containers);
        *watch = (struct docker_watch){0};
}

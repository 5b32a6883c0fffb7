/* SPDX-License-Identifier: Apache-2.0 */
/* The samples of a container's description: state, health, restarts, how it ended, what it was made from. */
#include "exporter/kinds/docker/container.h"

#include <string.h>

#define IMAGE_ID_LENGTH 12 /* as docker itself shows them */

DOCKER_CONTAINER_FAMILIES(DEFINE_SHARED_FAMILY)

bool docker_container_unhealthy(const cJSON *inspected)
{
        return docker_runs(inspected) && string_equal(docker_health(inspected), "unhealthy");
}

void docker_container_tell(const cJSON *inspected, struct text *text)
{
        const char *status = docker_status(inspected);
        text_puts(text, *status ? status : "in an unknown state");
        if (docker_has_ended(inspected))
                text_printf(text, "%s with status %d%s", strcmp(status, "exited") == 0 ? "" : ", it ended",
                            docker_exit_status(inspected),
                            docker_ended_for_memory(inspected) ? " (out of memory)" : "");
}

static void add_time(nsec wall, const struct metric_family *family, const struct docker_series *series)
{
        if (wall > 0)
                docker_series_add(series, family, nsec_to_seconds(wall));
}

static void add_health(const cJSON *inspected, struct docker_watched *watched,
                       const struct docker_series *series)
{
        const cJSON *streak = json_get(inspected, "State", "Health", "FailingStreak", NULL);
        const char *health = docker_health(inspected);
        if (string_equal(health, "none") || !docker_runs(inspected))
                return;
        if (!string_equal(health, "starting"))
                docker_series_add(series, &docker_healthy, string_equal(health, "healthy"));
        if (cJSON_IsNumber(streak))
                docker_series_add(series, &docker_failing_streak, streak->valuedouble);
        nsec since = docker_watch_failing(watched, inspected);
        if (since > 0)
                docker_series_add(series, &docker_failing_since, nsec_to_seconds(since));
}

static void add_events(const cJSON *inspected, const struct docker_watched *watched,
                       const struct docker_series *series)
{
        static const struct {
                const char *to;
                enum docker_event event;
        } turns[] = {{"healthy", DOCKER_EVENT_HEALTHY}, {"unhealthy", DOCKER_EVENT_UNHEALTHY}};
        docker_series_add(series, &docker_oom_kills, (double)watched->happened[DOCKER_EVENT_OOM]);
        for (size_t i = 0; i < N_ELEMENTS(turns) && !string_equal(docker_health(inspected), "none"); i++)
                docker_series_add_labelled(series, &docker_health_transitions,
                                           (double)watched->happened[turns[i].event],
                                           &(const struct label){"to", turns[i].to}, 1);
}

static void add_info(const cJSON *inspected, const struct docker_series *series)
{
        const char *id = docker_image_id(inspected);
        _cleanup_free_ char *image_id = NULL;
        if (id) {
                const char *digits = strchr(id, ':');
                image_id = strndup(digits ? digits + 1 : id, IMAGE_ID_LENGTH);
        }
        const struct label labels[] = {{"image", docker_image(inspected)},
                                       {"image_id", image_id},
                                       {"version", docker_version(inspected)},
                                       {"state", docker_status(inspected)}};
        docker_series_add_labelled(series, &docker_info, 1, labels, N_ELEMENTS(labels));
}

void docker_container_add(const cJSON *inspected, struct docker_watched *watched, bool counting,
                          const struct docker_series *series)
{
        const cJSON *state = json_get(inspected, "State", NULL);
        docker_series_add(series, &docker_running, docker_runs(inspected));
        add_health(inspected, watched, series);
        if (counting)
                add_events(inspected, watched, series);
        if (docker_restart_count(inspected) >= 0)
                docker_series_add(series, &docker_restarts, docker_restart_count(inspected));
        docker_series_add(series, &docker_oom_killed, json_bool(state, "OOMKilled", false));
        add_time(docker_created(inspected), &docker_created_time, series);
        add_time(docker_started(inspected), &docker_start_time, series);
        if (docker_has_ended(inspected)) {
                if (docker_exit_status(inspected) >= 0)
                        docker_series_add(series, &docker_exit_code, docker_exit_status(inspected));
                add_time(docker_finished(inspected), &docker_finish_time, series);
        }
        add_info(inspected, series);
}

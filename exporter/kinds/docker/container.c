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

static void add_time(nsec wall, const struct metric_family *family, const struct label *service,
                     const struct label *name, struct sample_sink *sink)
{
        if (wall > 0)
                SAMPLE(sink, family, nsec_to_seconds(wall), *service, *name);
}

static void add_health(const cJSON *inspected, struct docker_watched *watched, const struct label *service,
                       const struct label *name, struct sample_sink *sink)
{
        const cJSON *streak = json_get(inspected, "State", "Health", "FailingStreak", NULL);
        const char *health = docker_health(inspected);
        if (string_equal(health, "none") || !docker_runs(inspected))
                return;
        if (!string_equal(health, "starting"))
                SAMPLE(sink, &docker_healthy, string_equal(health, "healthy"), *service, *name);
        if (cJSON_IsNumber(streak))
                SAMPLE(sink, &docker_failing_streak, streak->valuedouble, *service, *name);
        nsec since = docker_watch_failing(watched, inspected);
        if (since > 0)
                SAMPLE(sink, &docker_failing_since, nsec_to_seconds(since), *service, *name);
}

static void add_info(const cJSON *inspected, const struct label *service, const struct label *name,
                     struct sample_sink *sink)
{
        const char *id = docker_image_id(inspected);
        _cleanup_free_ char *image_id = NULL;
        if (id) {
                const char *digits = strchr(id, ':');
                image_id = strndup(digits ? digits + 1 : id, IMAGE_ID_LENGTH);
        }
        SAMPLE(sink, &docker_info, 1, *service, *name, {"image", docker_image(inspected)},
               {"image_id", image_id}, {"version", docker_version(inspected)},
               {"state", docker_status(inspected)});
}

void docker_container_add(const cJSON *inspected, struct docker_watched *watched, bool counting,
                          const struct label *service, const struct label *name, struct sample_sink *sink)
{
        const cJSON *state = json_get(inspected, "State", NULL);
        SAMPLE(sink, &docker_running, docker_runs(inspected), *service, *name);
        add_health(inspected, watched, service, name, sink);
        if (docker_restart_count(inspected) >= 0)
                SAMPLE(sink, &docker_restarts, docker_restart_count(inspected), *service, *name);
        SAMPLE(sink, &docker_oom_killed, json_bool(state, "OOMKilled", false), *service, *name);
        if (counting)
                SAMPLE(sink, &docker_oom_kills, (double)watched->oom_kills, *service, *name);
        add_time(docker_created(inspected), &docker_created_time, service, name, sink);
        add_time(docker_started(inspected), &docker_start_time, service, name, sink);
        if (docker_has_ended(inspected)) {
                if (docker_exit_status(inspected) >= 0)
                        SAMPLE(sink, &docker_exit_code, docker_exit_status(inspected), *service, *name);
                add_time(docker_finished(inspected), &docker_finish_time, service, name, sink);
        }
        add_info(inspected, service, name, sink);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Kind docker: the services of a Compose project and their containers. Only ever asks, by GET. */
#include "runbook/docker.h"

#include <errno.h>

#include "exporter/check.h"

#define VERSION_LABEL "org.opencontainers.image.version"
#define IMAGE_ID_LENGTH 12 /* as docker itself shows them */

struct docker_config {
        struct docker_options docker;
        struct config_strings services;
};

static const struct config_field fields[] = {
        DOCKER_CONFIG_FIELDS(struct docker_config, docker),
        {.name = "services",
         .type = CONFIG_STRINGS,
         .offset = offsetof(struct docker_config, services),
         .help = "Services that must be there: the check fails while one of them does not run or is "
                 "unhealthy"},
        {0},
};

static const struct metric_family service_containers = {
        "runbook_docker_service_containers", METRIC_GAUGE, NULL,
        "Running containers of the service; 0 for an expected service that has none."};
static const struct metric_family running = {"runbook_docker_container_running", METRIC_GAUGE, NULL,
                                             "Whether the container runs."};
static const struct metric_family healthy = {
        "runbook_docker_container_healthy", METRIC_GAUGE, NULL,
        "Whether the container's own health check succeeds; only for those that have one."};
static const struct metric_family restarts = {"runbook_docker_container_restarts_total", METRIC_COUNTER, NULL,
                                              "How often the Engine restarted the container by its policy."};
static const struct metric_family start_time = {"runbook_docker_container_start_timestamp_seconds",
                                                METRIC_GAUGE, "seconds",
                                                "When the container was started last."};
static const struct metric_family info = {"runbook_docker_container_info", METRIC_INFO, NULL,
                                          "The container's image, the version in its labels, and its state."};

static const struct metric_family *const families[] = {&service_containers, &running, &healthy, &restarts,
                                                       &start_time,         &info,    NULL};

struct docker_state {
        const struct docker_config *config;
        struct docker *docker;
};

static void *docker_close(void *state)
{
        struct docker_state *docker = state;

        if (docker)
                docker_free(docker->docker);
        free(docker);
        return NULL;
}
DEFINE_CLEANUP(void *, docker_close);

static int docker_open(const struct check *check, struct config_node *node, void **ret_state,
                       struct error *error)
{
        const struct docker_config *config = check->config;
        struct docker_state *docker = calloc(1, sizeof(*docker));
        _cleanup_(docker_close_p) void *owned = docker;
        int r;

        if (!docker)
                return error_oom(error);
        docker->config = config;
        r = docker_new(&config->docker, &docker->docker, error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                config_complain(node, "host", "%s", error_text(error));
                error_clear(error);
                return r;
        }
        *ret_state = TAKE_PTR(owned);
        return 0;
}

static void add_info(const cJSON *container, const struct label *service, const struct label *name,
                     struct sample_sink *sink)
{
        const char *id = json_string(container, "Image");
        _cleanup_free_ char *image_id = NULL;

        if (id) {
                const char *digits = strchr(id, ':');

                image_id = strndup(digits ? digits + 1 : id, IMAGE_ID_LENGTH);
        }
        SAMPLE(sink, &info, 1, *service, *name,
               {"image", json_string(json_get(container, "Config", NULL), "Image")}, {"image_id", image_id},
               {"version", json_string(json_get(container, "Config", "Labels", NULL), VERSION_LABEL)},
               {"state", json_string(json_get(container, "State", NULL), "Status")});
}

/* What one service was found to be. */
struct finding {
        const char *service;
        unsigned running;
        const char *unhealthy; /* the name of a container, or NULL */
};

static void add_container(const cJSON *container, const struct label *service, struct finding *finding,
                          struct sample_sink *sink)
{
        const struct label name = {"container", docker_name(container)};
        const cJSON *state = json_get(container, "State", NULL);
        const char *health = docker_health(container), *started = json_string(state, "StartedAt");
        bool runs = json_bool(state, "Running", false);
        nsec wall;

        finding->running += runs;
        SAMPLE(sink, &running, runs, *service, name);
        if (!string_equal(health, "none"))
                SAMPLE(sink, &healthy, string_equal(health, "healthy"), *service, name);
        SAMPLE(sink, &restarts, json_number(container, "RestartCount", 0), *service, name);
        if (started && time_parse(started, &wall, NULL) >= 0 && wall > 0)
                SAMPLE(sink, &start_time, nsec_to_seconds(wall), *service, name);
        add_info(container, service, &name, sink);
}

static struct finding *find_service(struct finding *findings, size_t count, const char *service)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(findings[i].service, service) == 0)
                        return &findings[i];
        return NULL;
}

/* Why the check fails, from the services that the operator expects. */
static int judge(const struct docker_config *config, struct finding *findings, size_t count,
                 struct error *error)
{
        _cleanup_text_ struct text reasons = {0};

        for (size_t i = 0; i < config->services.count; i++) {
                const struct finding *finding = find_service(findings, count, config->services.items[i]);
                const char *between = reasons.length ? "; " : "";

                if (finding->running == 0)
                        text_printf(&reasons, "%sservice %s has no running container", between,
                                    finding->service);
                else if (finding->unhealthy)
                        text_printf(&reasons, "%scontainer %s is unhealthy", between, finding->unhealthy);
        }
        if (reasons.length == 0)
                return 0;
        return error_set(error, ECHILD, "%s", text_string(&reasons));
}

static int docker_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct docker_state *docker = state;
        const struct docker_config *config = docker->config;
        _cleanup_json_ cJSON *list = NULL;
        const cJSON *item;
        size_t count = 0;
        int r;

        r = docker_list(docker->docker, config->docker.project, NULL, deadline, &list, error);
        if (r < 0)
                return r;
        size_t most = config->services.count + (size_t)cJSON_GetArraySize(list);
        _cleanup_free_ struct finding *findings = calloc(most + 1, sizeof(*findings));
        if (!findings)
                return error_oom(error);
        for (size_t i = 0; i < config->services.count; i++)
                if (!find_service(findings, count, config->services.items[i]))
                        findings[count++].service = config->services.items[i];

        cJSON_ArrayForEach(item, list)
        {
                const char *service = docker_service(item), *id = json_string(item, "Id");
                struct finding *finding = find_service(findings, count, service);
                _cleanup_json_ cJSON *container = NULL;

                if (!finding) {
                        finding = &findings[count++];
                        finding->service = service;
                }
                r = id ? docker_inspect(docker->docker, id, deadline, &container, error) : -ENOENT;
                if (r == -ENOENT)
                        continue; /* gone since it was listed */
                if (r < 0)
                        return r;
                add_container(container, &(struct label){"service", service}, finding, sink);
                if (string_equal(docker_health(container), "unhealthy"))
                        finding->unhealthy = docker_name(item);
        }
        error_clear(error);
        for (size_t i = 0; i < count; i++)
                SAMPLE(sink, &service_containers, findings[i].running, {"service", findings[i].service});
        return judge(config, findings, count, error);
}

const struct check_kind check_kind_docker = {
        .name = "docker",
        .help = "The services of a Compose project, from the Docker Engine's API.",
        .fields = fields,
        .config_size = sizeof(struct docker_config),
        .target = "host",
        .families = families,
        .open = docker_open,
        .run = docker_run,
        .close = docker_close,
};

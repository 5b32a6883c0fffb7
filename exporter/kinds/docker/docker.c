/* SPDX-License-Identifier: Apache-2.0 */
/* Kind docker: the services of a Compose project and their containers. Only ever asks, by GET. */
#include "runbook/docker.h"

#include <errno.h>

#include "exporter/check/check.h"
#include "exporter/kinds/docker/container.h"
#include "exporter/kinds/docker/stats.h"
#include "exporter/kinds/docker/survey.h"
#include "exporter/kinds/shared/group_names.h"

struct docker_config {
        struct docker_options docker;
        struct config_strings services, groups;
};

static const struct config_field fields[] = {
        DOCKER_CONFIG_FIELDS(struct docker_config, docker),
        {"services", CONFIG_STRINGS, offsetof(struct docker_config, services),
         .help = "Services that must be there: the check fails while one of them does not run or is "
                 "unhealthy"},
        {"groups", CONFIG_STRINGS, offsetof(struct docker_config, groups),
         .help = "What to measure: `state`, `resources`; both when not given. Older Engines take a second "
                 "for "
                 "the resources of all containers together"},
        {0},
};

#define FAMILIES(X)                                                             \
        X(service_containers, GAUGE, "runbook_docker_service_containers", NULL, \
          "Running containers of the service; 0 for an expected service that has none.")

FAMILIES(DEFINE_FAMILY)
#define ALL_FAMILIES(X) FAMILIES(X) DOCKER_CONTAINER_FAMILIES(X) DOCKER_STATS_FAMILIES(X)
static const struct metric_family *const families[] = {ALL_FAMILIES(FAMILY_ADDRESS) NULL};

/* Bits, by the order of their names. */
enum { GROUP_STATE = 1 << 0, GROUP_RESOURCES = 1 << 1, GROUP_ALL = GROUP_STATE | GROUP_RESOURCES };
static const char *const group_names[] = {"state", "resources"};
_Static_assert(GROUP_ALL == (1 << N_ELEMENTS(group_names)) - 1, "a bit for each name");

struct docker_state {
        const struct docker_config *config;
        struct docker *docker;
        struct docker_watch watch;
        unsigned groups;
};

static void *docker_close(void *state)
{
        struct docker_state *docker = state;
        if (!docker)
                return NULL;
        docker_free(docker->docker);
        docker_watch_release(&docker->watch);
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
        if (!docker)
                return error_oom(error);
        docker->config = config;
        bool fine = group_names_read(&config->groups, node, group_names, N_ELEMENTS(group_names),
                                     &docker->groups);
        if (config->groups.count == 0)
                docker->groups = GROUP_ALL;
        if (!docker_check_options(&config->docker, node) || !fine)
                return -EINVAL;
        int r = docker_new(&config->docker, &docker->docker, error);
        if (r < 0)
                return r;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

/* What one service was found to be. */
struct finding {
        const char *service;
        unsigned running;
        bool unknown;          /* the Engine did not tell of one of its containers */
        char *down;            /* why a container does not run, or NULL */
        const char *unhealthy; /* the name of a container, or NULL */
};

struct findings {
        struct finding *items;
        size_t count;
};

static void findings_release(struct findings *findings)
{
        for (size_t i = 0; i < findings->count; i++)
                free(findings->items[i].down);
        free(findings->items);
}

/* The finding of a service, a new one when there is none yet: there is room for all. */
static struct finding *find_service(struct findings *findings, const char *service)
{
        for (size_t i = 0; i < findings->count; i++)
                if (strcmp(findings->items[i].service, service) == 0)
                        return &findings->items[i];
        findings->items[findings->count].service = service;
        return &findings->items[findings->count++];
}

/* Why the check fails, from the services that the operator expects. What is unknown is not judged: it is a
 * failure by itself. */
static int judge_services(const struct docker_config *config, struct findings *findings, struct error *error)
{
        _cleanup_text_ struct text reasons = {0};
        for (size_t i = 0; i < config->services.count; i++) {
                const struct finding *finding = find_service(findings, config->services.items[i]);
                const char *between = reasons.length ? "; " : "";
                if (finding->running == 0 && !finding->unknown)
                        text_printf(&reasons, "%sservice %s has no running container%s%s", between,
                                    finding->service, finding->down ? ": " : "",
                                    finding->down ? finding->down : "");
                else if (finding->unhealthy)
                        text_printf(&reasons, "%scontainer %s is unhealthy", between, finding->unhealthy);
        }
        if (reasons.length == 0)
                return 0;
        return error_set(error, ECHILD, "%s", text_string(&reasons));
}

static int add_to_finding(const cJSON *inspected, const struct label *name, struct finding *finding,
                          struct error *error)
{
        if (docker_runs(inspected)) {
                finding->running++;
                if (docker_container_unhealthy(inspected))
                        finding->unhealthy = name->value;
                return 0;
        }
        struct text why = {0};

        text_printf(&why, "%s ", name->value);
        docker_container_tell(inspected, &why);
        free(finding->down);
        finding->down = text_take(&why);
        return finding->down ? 0 : error_oom(error);
}

/* The first question that failed by itself: all else is told all the same. */
struct failure {
        int result;
        struct error error;
};

static void failure_release(struct failure *failure)
{
        error_clear(&failure->error);
}

static void take_failure(struct failure *failure, struct docker_get *get, const char *name)
{
        if (failure->result < 0)
                return;
        failure->result = error_prefix(&get->error, get->result, "container %s", name);
        error_move(&failure->error, &get->error);
}

/* All that is told of one container. */
static int add_container(struct docker_state *docker, const struct docker_surveyed *surveyed,
                         struct finding *finding, struct sample_sink *sink, struct failure *failure,
                         struct error *error)
{
        const struct label service = {"service", finding->service};
        const struct label name = {"container", docker_name(surveyed->listed)};
        struct docker_get *inspect = surveyed->inspect, *stats = surveyed->stats;
        if (inspect->result == -ENOENT)
                return 0; /* gone since it was listed */
        struct docker_watched *watched = docker_watch_of(&docker->watch, json_string(surveyed->listed, "Id"));
        if (!watched)
                return error_oom(error);
        if (inspect->result < 0) {
                finding->unknown = true;
                take_failure(failure, inspect, name.value);
                return 0;
        }
        if (docker->groups & GROUP_STATE)
                docker_container_add(inspect->answer, watched, docker->watch.counting, &service, &name, sink);
        if (stats && stats->result >= 0)
                docker_stats_add(stats->answer, inspect->answer, &service, &name, sink);
        else if (stats && stats->result != -ENOENT)
                take_failure(failure, stats, name.value);
        return add_to_finding(inspect->answer, &name, finding, error);
}

static void add_services(const struct findings *findings, struct sample_sink *sink)
{
        for (size_t i = 0; i < findings->count; i++)
                if (!findings->items[i].unknown)
                        SAMPLE(sink, &service_containers, findings->items[i].running,
                               {"service", findings->items[i].service});
}

static int docker_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct docker_state *docker = state;
        const struct docker_config *config = docker->config;
        _cleanup_(docker_survey_release) struct docker_survey survey = {0};
        _cleanup_(findings_release) struct findings findings = {0};
        _cleanup_(failure_release) struct failure failure = {0};
        bool tells_state = docker->groups & GROUP_STATE;
        int r = docker_survey(docker->docker, config->docker.project, docker->groups & GROUP_RESOURCES,
                              tells_state ? &docker->watch : NULL, deadline, &survey, error);
        if (r < 0)
                return r;
        findings.items = calloc(config->services.count + survey.count + 1, sizeof(*findings.items));
        if (!findings.items)
                return error_oom(error);
        for (size_t i = 0; i < config->services.count; i++)
                find_service(&findings, config->services.items[i]);
        for (size_t i = 0; i < survey.count; i++) {
                const struct docker_surveyed *surveyed = &survey.items[i];
                r = add_container(docker, surveyed, find_service(&findings, docker_service(surveyed->listed)),
                                  sink, &failure, error);
                if (r < 0)
                        return r;
        }
        docker_watch_sweep(&docker->watch);
        if (tells_state)
                add_services(&findings, sink);
        r = judge_services(config, &findings, error);
        if (r < 0 || failure.result == 0)
                return r;
        error_move(error, &failure.error);
        return failure.result;
}

/* The labels of its families. */
static const char *const labels[] = {"service", "container", "image", "image_id", "version", "state", NULL};

const struct check_kind check_kind_docker = {
        .name = "docker",
        .help = "The services of a Compose project, from the Docker Engine's API.",
        .fields = fields,
        .config_size = sizeof(struct docker_config),
        .target_key = "host",
        .families = families,
        .labels = labels,
        .open = docker_open,
        .run = docker_run,
        .close = docker_close,
};

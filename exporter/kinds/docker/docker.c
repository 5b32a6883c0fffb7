/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind docker: the services of a Compose project and their containers, or all containers of the Engine. Only
 * ever asks, by GET.
 */
#include "runbook/docker.h"

#include <errno.h>

#include "exporter/check/check.h"
#include "exporter/check/skipped.h"
#include "exporter/kinds/docker/config.h"
#include "exporter/kinds/docker/container.h"
#include "exporter/kinds/docker/labels.h"
#include "exporter/kinds/docker/services.h"
#include "exporter/kinds/docker/stats.h"
#include "exporter/kinds/docker/survey.h"
#include "exporter/kinds/shared/group_names.h"
#include "runbook/docker_access.h"

static const struct config_field fields[] = {
        DOCKER_ENGINE_FIELDS(struct docker_config, docker),
        {"project", CONFIG_STRING, offsetof(struct docker_config, docker.project), .flags = CONFIG_NOT_EMPTY,
         .help = "The Compose project; when not given, all containers of the Engine, also those that are not "
                 "Compose's, with their project as a label"},
        {"services", CONFIG_STRINGS, offsetof(struct docker_config, services),
         .help = "Services that must be there: the check fails while one of them does not run or is "
                 "unhealthy"},
        {"replicas", CONFIG_MAP, offsetof(struct docker_config, replicas),
         .help = "Services that must be there, and how many containers of each should run, as {web: 3}; of "
                 "others those that exist should"},
        {"include", CONFIG_STRINGS, offsetof(struct docker_config, include),
         .help = "Names of containers, with *, ? and [abc], that the check is about; all when not given"},
        {"exclude", CONFIG_STRINGS, offsetof(struct docker_config, exclude),
         .help = "Names of containers, with *, ? and [abc], that it is not about"},
        {"labels", CONFIG_STRINGS, offsetof(struct docker_config, labels),
         .help = "Labels of the containers to put on their samples, as [team, com.example.tier]; the latter "
                 "as "
                 "com_example_tier"},
        {"groups", CONFIG_STRINGS, offsetof(struct docker_config, groups),
         .help = "What to measure: `state`, `resources`; both when not given. Older Engines take a second "
                 "for "
                 "the resources of all containers together"},
        {0},
};

#define ALL_FAMILIES(X)            \
        DOCKER_SERVICE_FAMILIES(X) \
        DOCKER_WATCH_FAMILIES(X) DOCKER_CONTAINER_FAMILIES(X) DOCKER_STATS_FAMILIES(X)
static const struct metric_family *const families[] = {ALL_FAMILIES(FAMILY_ADDRESS) NULL};

/* Bits, by the order of their names. */
enum { GROUP_STATE = 1 << 0, GROUP_RESOURCES = 1 << 1, GROUP_ALL = GROUP_STATE | GROUP_RESOURCES };
static const char *const group_names[] = {"state", "resources"};
_Static_assert(GROUP_ALL == (1 << N_ELEMENTS(group_names)) - 1, "a bit for each name");

struct docker_state {
        const struct docker_config *config;
        struct docker *docker;
        struct docker_watch watch;
        struct docker_label_names labels;
        unsigned groups;
};

static void *docker_close(void *state)
{
        struct docker_state *docker = state;
        if (!docker)
                return NULL;
        docker_free(docker->docker);
        docker_watch_release(&docker->watch);
        docker_label_names_release(&docker->labels);
        free(docker);
        return NULL;
}
DEFINE_CLEANUP(void *, docker_close);

/* Services of one name in two projects are not one. */
static bool check_project(const struct docker_config *config, struct config_node *node)
{
        if (config->docker.project || config->services.count + config->replicas.count == 0)
                return true;
        config_complain(node, config->services.count ? "services" : "replicas",
                        "services are those of a project, which is missing");
        return false;
}

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
        fine &= docker_replicas_check(config, node);
        fine &= check_project(config, node);
        int r = docker_label_names_read(&docker->labels, &config->labels, node, error);
        if (r < 0 && r != -EINVAL)
                return r;
        for (size_t i = 0; r >= 0 && i < config->labels.count; i++)
                if (check_has_label(check, docker->labels.names[i])) {
                        config_complain(node, "labels", "the check has a label \"%s\" of its own",
                                        docker->labels.names[i]);
                        fine = false;
                }
        if (!docker_check_options(&config->docker, node) || !fine || r < 0)
                return -EINVAL;
        r = docker_new(&config->docker, &docker->docker, error);
        if (r < 0)
                return r;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

/* What could not be asked of single containers; all else is told all the same. */
struct misses {
        struct sample_sink *sink;
        int result; /* of the first one, with its reason */
        struct error error;
        bool described, measured; /* whether anything was, of any container */
        bool not_described, not_measured;
};

static void misses_release(struct misses *misses)
{
        error_clear(&misses->error);
}

static void miss(struct misses *misses, struct docker_get *get, const char *name)
{
        error_prefix(&get->error, get->result, "container %s", name);
        check_skip(misses->sink, SKIP_UNREADABLE, "%s", error_text(&get->error));
        if (misses->result < 0)
                return;
        misses->result = get->result;
        error_move(&misses->error, &get->error);
}

/* The finding of the container's service; NULL when it is of none. */
static struct docker_finding *find_finding(const struct docker_state *docker,
                                           struct docker_findings *findings, const cJSON *listed)
{
        const char *service = docker_service(listed);
        if (!*service || docker_is_one_off(listed))
                return NULL;
        return docker_findings_of(
                findings, docker->config->docker.project ? NULL : docker_compose_project(listed), service);
}

static struct docker_series make_series(const struct docker_state *docker, const cJSON *listed,
                                        struct sample_sink *sink)
{
        struct docker_series series = {.sink = sink};
        if (!docker->config->docker.project)
                docker_series_label(&series, "project", docker_compose_project(listed));
        docker_series_label(&series, "service", docker_service(listed));
        docker_series_label(&series, "container", docker_name(listed));
        docker_label_names_put(&docker->labels, listed, &series);
        return series;
}

/* All that is told of one container. */
static int add_container(struct docker_state *docker, const struct docker_surveyed *surveyed,
                         struct docker_findings *findings, struct misses *misses, struct error *error)
{
        const char *name = docker_name(surveyed->listed);
        struct docker_finding *finding = find_finding(docker, findings, surveyed->listed);
        struct docker_get *inspect = surveyed->inspect, *stats = surveyed->stats;
        if (inspect->result == -ENOENT)
                return 0; /* gone since it was listed */
        struct docker_watched *watched = docker_watch_of(&docker->watch, json_string(surveyed->listed, "Id"));
        if (!watched)
                return error_oom(error);
        if (inspect->result < 0) {
                if (finding)
                        docker_finding_miss(finding);
                misses->not_described = true;
                miss(misses, inspect, name);
                return 0;
        }
        misses->described = true;
        const struct docker_series series = make_series(docker, surveyed->listed, misses->sink);
        if (docker->groups & GROUP_STATE)
                docker_container_add(inspect->answer, watched, docker->watch.counting, &series);
        if (stats && stats->result >= 0) {
                misses->measured = true;
                docker_stats_add(stats->answer, inspect->answer, &series);
        } else if (stats && stats->result != -ENOENT) {
                misses->not_measured = true;
                miss(misses, stats, name);
        }
        return finding ? docker_finding_add(finding, inspect->answer, name, error) : 0;
}

/* Nothing was there to be measured. */
static int refuse_nothing(struct docker_state *docker, const struct docker_survey *survey,
                          struct deadline deadline, struct error *error)
{
        const char *project = docker->config->docker.project;
        if (cJSON_GetArraySize(survey->list) > 0)
                return error_set(error, ESRCH,
                                 "no container has a name that is in include and not in exclude");
        if (project)
                return docker_project_unknown(docker->docker, project, deadline, error);
        return error_set(error, ESRCH, "the Engine has no container");
}

/* Whether the check did its work, now that all is told that could be. */
static int judge(struct docker_state *docker, const struct docker_survey *survey,
                 const struct docker_findings *findings, struct misses *misses, struct deadline deadline,
                 struct error *error)
{
        bool unknown;
        if (survey->count == 0)
                return refuse_nothing(docker, survey, deadline, error);
        int r = docker_findings_judge(findings, &unknown, error);
        if (r < 0)
                return r;
        if (!unknown && (misses->described || !misses->not_described) &&
            (misses->measured || !misses->not_measured))
                return 0;
        error_move(error, &misses->error);
        return misses->result;
}

static int docker_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct docker_state *docker = state;
        const struct docker_config *config = docker->config;
        _cleanup_(docker_survey_release) struct docker_survey survey = {0};
        _cleanup_(docker_findings_release) struct docker_findings findings = {0};
        _cleanup_(misses_release) struct misses misses = {.sink = sink};
        bool tells_state = docker->groups & GROUP_STATE;
        int r = docker_survey(docker->docker, config, docker->groups & GROUP_RESOURCES,
                              tells_state ? &docker->watch : NULL, deadline, &survey, error);
        if (r >= 0)
                r = docker_findings_init(&findings, config, survey.count, error);
        for (size_t i = 0; i < survey.count && r >= 0; i++)
                r = add_container(docker, &survey.items[i], &findings, &misses, error);
        if (r >= 0 && tells_state)
                r = docker_findings_tell(&findings, &docker->watch, sink, error);
        if (r < 0)
                return r;
        docker_watch_sweep(&docker->watch);
        return judge(docker, &survey, &findings, &misses, deadline, error);
}

static unsigned docker_access(const void *config _unused_)
{
        return DOCKER_ACCESS_LOOK | DOCKER_ACCESS_MEASURE;
}

/* The labels of its families. */
static const char *const labels[] = {"project", "service", "container", "image", "image_id",
                                     "version", "state",   "to",        "event", NULL};

const struct check_kind check_kind_docker = {
        .name = "docker",
        .help = "The services of a Compose project, or all containers, from the Docker Engine's API.",
        .fields = fields,
        .config_size = sizeof(struct docker_config),
        .target_key = "host",
        .families = families,
        .labels = labels,
        .open = docker_open,
        .run = docker_run,
        .close = docker_close,
        .docker_access = docker_access,
};

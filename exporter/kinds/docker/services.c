/* SPDX-License-Identifier: Apache-2.0 */
/* What was found of services, and whether that is what the operator expects. */
#include "exporter/kinds/docker/services.h"

#include <errno.h>
#include <string.h>

#include "exporter/kinds/docker/container.h"

#define REPLICAS_MAX 10000

DOCKER_SERVICE_FAMILIES(DEFINE_SHARED_FAMILY)

bool docker_replicas_check(const struct docker_config *config, struct config_node *node)
{
        struct config_node *place = config_member(node, "replicas");
        bool fine = true;
        for (size_t i = 0; i < config->replicas.count; i++) {
                int64_t number = 0;
                if (config_parse_word(CONFIG_INT, config->replicas.values[i], &number, NULL) >= 0 &&
                    number >= 1 && number <= REPLICAS_MAX)
                        continue;
                config_complain(place, config->replicas.keys[i], "\"%s\" is no number from 1 to %d",
                                config->replicas.values[i], REPLICAS_MAX);
                fine = false;
        }
        return fine;
}

unsigned docker_replicas_of(const struct docker_config *config, const char *service)
{
        const char *value = config_map_get(&config->replicas, service);
        return value ? (unsigned)strtoul(value, NULL, 10) : 0;
}

int docker_findings_init(struct docker_findings *findings, const struct docker_config *config,
                         size_t containers, struct error *error)
{
        size_t most = config->services.count + config->replicas.count + containers;
        *findings = (struct docker_findings){.config = config};
        findings->items = calloc(most + 1, sizeof(*findings->items));
        if (!findings->items)
                return error_oom(error);
        for (size_t i = 0; i < config->services.count; i++)
                docker_findings_of(findings, NULL, config->services.items[i])->expected = true;
        for (size_t i = 0; i < config->replicas.count; i++)
                docker_findings_of(findings, NULL, config->replicas.keys[i])->expected = true;
        return 0;
}

void docker_findings_release(struct docker_findings *findings)
{
        for (size_t i = 0; i < findings->count; i++)
                free(findings->items[i].down);
        free(findings->items);
        *findings = (struct docker_findings){0};
}

struct docker_finding *docker_findings_of(struct docker_findings *findings, const char *project,
                                          const char *service)
{
        for (size_t i = 0; i < findings->count; i++)
                if (string_equal(findings->items[i].service, service) &&
                    string_equal(findings->items[i].project, project))
                        return &findings->items[i];
        findings->items[findings->count].project = project;
        findings->items[findings->count].service = service;
        return &findings->items[findings->count++];
}

static bool is_done(const cJSON *inspected)
{
        return strcmp(docker_status(inspected), "exited") == 0 && docker_exit_status(inspected) == 0 &&
               !docker_is_restarted(inspected);
}

static void count_wanted(struct docker_finding *finding, const cJSON *inspected)
{
        int number = docker_number(inspected);
        if (number == 0 || number != finding->number)
                finding->counted = false;
        finding->number = number;
        if (finding->counted || (!finding->expected && is_done(inspected)))
                return;
        finding->counted = true;
        finding->wanted++;
}

int docker_finding_add(struct docker_finding *finding, const cJSON *inspected, const char *name,
                       struct error *error)
{
        count_wanted(finding, inspected);
        finding->inspected = inspected;
        if (docker_runs(inspected)) {
                finding->running++;
                if (docker_container_unhealthy(inspected))
                        finding->unhealthy = name;
                return 0;
        }
        struct text why = {0};
        text_printf(&why, "%s ", name);
        docker_container_tell(inspected, &why);
        free(finding->down);
        finding->down = text_take(&why);
        return finding->down ? 0 : error_oom(error);
}

void docker_finding_miss(struct docker_finding *finding)
{
        finding->unknown = true;
}

static unsigned wanted_of(const struct docker_findings *findings, const struct docker_finding *finding)
{
        unsigned said = docker_replicas_of(findings->config, finding->service);
        if (said > 0)
                return said;
        return finding->wanted == 0 && finding->expected ? 1 : finding->wanted;
}

static void tell_replicas(const struct docker_findings *findings, const struct docker_finding *finding,
                          const struct docker_series *series)
{
        unsigned wanted = wanted_of(findings, finding);
        if (finding->unknown)
                return;
        docker_series_add(series, &docker_service_containers, finding->running);
        if (wanted == 0)
                return;
        docker_series_add(series, &docker_replicas_running, finding->running);
        docker_series_add(series, &docker_replicas_wanted, wanted);
}

int docker_findings_tell(const struct docker_findings *findings, struct docker_watch *watch,
                         struct sample_sink *sink, struct error *error)
{
        for (size_t i = 0; i < findings->count; i++) {
                const struct docker_finding *finding = &findings->items[i];
                struct docker_series series = {.sink = sink};
                if (finding->project)
                        docker_series_label(&series, "project", finding->project);
                docker_series_label(&series, "service", finding->service);
                tell_replicas(findings, finding, &series);
                int r = docker_watch_tell(watch, finding->project, finding->service, &series, error);
                if (r < 0)
                        return r;
        }
        if (watch->counting)
                SAMPLE_BARE(sink, &docker_event_gaps, (double)watch->gaps);
        return 0;
}

/* The service that was probably meant by the name of one that has no container, or NULL. */
static const char *find_meant(const struct docker_findings *findings, const char *service)
{
        _cleanup_free_ const char **names = calloc(findings->count + 1, sizeof(*names));
        size_t count = 0;
        for (size_t i = 0; names && i < findings->count; i++)
                if (!findings->items[i].expected)
                        names[count++] = findings->items[i].service;
        return names ? words_nearest(names, count, service) : NULL;
}

static void put_down(struct text *reasons, const struct docker_findings *findings,
                     const struct docker_finding *finding)
{
        text_printf(reasons, "service %s has no running container", finding->service);
        if (finding->down) {
                text_printf(reasons, ": %s", finding->down);
                return;
        }
        const char *meant = find_meant(findings, finding->service);
        if (meant)
                text_printf(reasons, ", nor any other (did you mean %s?)", meant);
}

/* A job that is done is not missed by who waited for its end. */
static bool fails(const struct docker_findings *findings, const struct docker_finding *finding)
{
        if (finding->running > 0)
                return finding->unhealthy;
        return !finding->unknown && wanted_of(findings, finding) > 0;
}

/* A service that fails as well and that this one cannot work without, or NULL. */
static const struct docker_finding *find_root(const struct docker_findings *findings,
                                              const struct docker_finding *finding)
{
        const char *at = NULL, *name;
        size_t length;
        while (finding->inspected && (length = docker_next_needed(finding->inspected, &at, &name)) > 0)
                for (size_t i = 0; i < findings->count; i++) {
                        const struct docker_finding *needed = &findings->items[i];
                        if (needed != finding && string_equal(needed->project, finding->project) &&
                            strlen(needed->service) == length &&
                            strncmp(needed->service, name, length) == 0 && fails(findings, needed))
                                return needed;
                }
        return NULL;
}

static void put_reason(struct text *reasons, const struct docker_findings *findings,
                       const struct docker_finding *finding, const struct docker_finding *root)
{
        if (reasons->length > 0)
                text_puts(reasons, "; ");
        if (finding->running > 0)
                text_printf(reasons, "container %s is unhealthy", finding->unhealthy);
        else
                put_down(reasons, findings, finding);
        if (root)
                text_printf(reasons, " (it needs %s, which %s)", root->service,
                            root->running > 0 ? "is unhealthy" : "does not run");
}

int docker_findings_judge(const struct docker_findings *findings, bool *ret_unknown, struct error *error)
{
        _cleanup_text_ struct text reasons = {0}, effects = {0};
        bool unknown = false;
        for (size_t i = 0; i < findings->count && findings->items[i].expected; i++) {
                const struct docker_finding *finding = &findings->items[i];
                unknown |= finding->running == 0 && finding->unknown;
                if (!fails(findings, finding))
                        continue;
                const struct docker_finding *root = find_root(findings, finding);
                put_reason(root ? &effects : &reasons, findings, finding, root);
        }
        *ret_unknown = unknown;
        if (reasons.length == 0 && effects.length == 0)
                return 0;
        return error_set(error, ECHILD, "%s%s%s", text_string(&reasons),
                         reasons.length > 0 && effects.length > 0 ? "; " : "", text_string(&effects));
}

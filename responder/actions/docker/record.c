/* SPDX-License-Identifier: Apache-2.0 */
/* docker.record: what runs now, for whoever has to go back to it. */
#include "responder/actions/docker/containers.h"
#include "responder/actions/shared/plan.h"
#include "runbook/docker_access.h"

struct record_config {
        char *service;
};

static const struct config_field record_fields[] = {
        {"service", CONFIG_STRING, offsetof(struct record_config, service),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY | CONFIG_BIND,
         .help = "the Compose service whose image, version and start are recorded"},
        {0},
};

static int record_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct record_config *config = run->config;
        return docker_plan_service(run, "record what runs as", config->service, NULL, ret_plan, error);
}

/* Of several, one that runs speaks for the service. */
static const cJSON *choose(const cJSON *containers)
{
        const cJSON *container = NULL;
        cJSON_ArrayForEach(container, containers)
        {
                if (string_equal(json_string(container, "state"), "running"))
                        return container;
        }
        return cJSON_GetArrayItem(containers, 0);
}

/* Looks again: what is recorded is what runs when the step's turn has come. */
static int record_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct record_config *config = run->config;
        _cleanup_json_ cJSON *containers = cJSON_CreateArray(), *outcome = NULL;
        _cleanup_text_ struct text names = {0};
        int r = docker_describe_service(run, config->service, containers, &names, error);
        if (r < 0)
                return r;

        const cJSON *chosen = choose(containers);
        const char *version = json_string(chosen, "version"), *image = json_string(chosen, "image");
        const char *state = json_string(chosen, "state");
        bool runs = string_equal(state, "running");
        r = outcome_new(&outcome, error, "%s %s version %s of %s%s%s", config->service,
                        runs ? "runs" : "does not run; it last had", version ? version : "unknown",
                        image ? image : "an unnamed image", runs ? "" : ", and is ", runs ? "" : state);
        if (r < 0)
                return r;
        if (json_put(outcome, "containers", TAKE_PTR(containers)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

const struct action action_docker_record = {
        .name = "docker.record",
        .help = "Records image, image id, version label and start of a service's containers, to find the way "
                "back.",
        .fields = record_fields,
        .config_size = sizeof(struct record_config),
        .effect = EFFECT_READ_ONLY,
        .repeatable = true,
        .timeout = 30 * NSEC_PER_SEC,
        .target = TARGET_DOCKER,
        .docker_access = DOCKER_ACCESS_LOOK,
        .check = docker_section_check,
        .plan = record_plan,
        .run = record_run,
};

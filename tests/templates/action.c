/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.flag: an empty file that other programs look for, such as the switch of a maintenance page.
 *
 * An action to start from. It becomes one when this file is responder/actions/host/flag.c and `X(host_flag)`
 * stands in the list of responder/actions/actions.c: the Makefile, validation, --help and the reference need
 * no more. responder/remediation/action.h is the contract; what an action may use beside it says
 * tests/rooms.txt.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "responder/actions/shared/plan.h"

/* What `host.flag: {…}` in remediations.yml is read into, with the labels of the alert bound. */
struct flag_config {
        char *path;
};

/* CONFIG_BIND lets ${labels.x} stand in it. Such a value is never code: it is one path here, whatever it
 * holds. */
static const struct config_field flag_fields[] = {
        {"path", CONFIG_STRING, offsetof(struct flag_config, path),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY | CONFIG_BIND,
         .help = "the file; its directory must be there"},
        {0},
};

/* At load, so that the mistake is told with its line before there is an alert. `path` may still hold
 * ${labels.x}. */
static void flag_check(const void *configured, const struct target_set *targets _unused_,
                       struct config_node *node)
{
        const struct flag_config *config = configured;
        if (config->path[0] != '/')
                config_complain(node, "path", "\"%s\" is not an absolute path", config->path);
}

/*
 * Reads only. What run() will do is decided here and written down: a person may be asked to approve this
 * sentence, and undo() has to know how it was before. A failure to look is an error, never "it is not there".
 */
static int flag_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct flag_config *config = run->config;
        bool there = access(config->path, F_OK) == 0;
        if (!there && errno != ENOENT)
                return error_set_errno(error, errno, "cannot look for %s", config->path);

        _cleanup_json_ cJSON *plan = NULL;
        int r = plan_new(&plan, 1, error, there ? "leave %s, which is there" : "create %s", config->path);
        if (r < 0)
                return r;
        if (json_put(plan, "path", cJSON_CreateString(config->path)) < 0 ||
            json_put(plan, "was_there", cJSON_CreateBool(there)) < 0)
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

/* Acts on the plan, not on the configuration: what runs is what was written down. Where the sandbox lets it
 * write is said in responder/enclosure.c. */
static int flag_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const char *path = json_string(run->plan, "path");
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return error_set_errno(error, errno, "cannot create %s", path);
        close(fd);
        return outcome_new(ret_outcome, error, "%s is there", path);
}

/* Only what run() has done is undone; and a second time is as good as the first. */
static int flag_undo(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const char *path = json_string(run->plan, "path");
        if (json_bool(run->plan, "was_there", false))
                return outcome_new(ret_outcome, error, "%s was there before, and stays", path);
        if (unlink(path) < 0 && errno != ENOENT)
                return error_set_errno(error, errno, "cannot remove %s", path);
        return outcome_new(ret_outcome, error, "%s is gone", path);
}

/* Repeatable: to create what is there changes nothing, so that a crash midway needs neither resume() nor a
 * person. */
const struct action action_host_flag = {
        .name = "host.flag",
        .help = "Creates an empty file that other programs look for.",
        .fields = flag_fields,
        .config_size = sizeof(struct flag_config),
        .effect = EFFECT_REVERSIBLE,
        .repeatable = true,
        .timeout = 10 * NSEC_PER_SEC,
        .check = flag_check,
        .plan = flag_plan,
        .run = flag_run,
        .undo = flag_undo,
};

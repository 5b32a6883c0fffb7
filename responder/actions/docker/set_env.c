/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker.set_env: containers recreated with another environment, each as a transaction (docker_recreate.h).
 *
 * progress: {"run": [entry …], "undo": [entry …]}, entry: {"id", "name", "done", "state"}, where `state` is
 * what docker_recreate() last wrote down. A run or an undo that begins again first rolls back what is not
 * `done`. What was kept for that goes when all replicas are changed: from then on an undo changes the values
 * back in what runs by then. They are compared first: what somebody else has set since stays.
 */
#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/shared/plan.h"
#include "runbook/docker_recreate.h"

#define SETTLE (2 * NSEC_PER_SEC)
#define STOP_GRACE (10 * NSEC_PER_SEC)
/* What the Engine may take for creating, renaming and starting. */
#define ENGINE_SLACK (20 * NSEC_PER_SEC)
/* To put things back there is time even when the step's own is up. */
#define ROLL_BACK_TIME (60 * NSEC_PER_SEC)
#define VARIABLES_MAX 100
#define RESTORE_TRIES 3

struct set_env_config {
        char *service;
        struct config_map env;
        nsec wait_healthy, stop_grace;
};

static const struct config_field set_env_fields[] = {
        {"service", CONFIG_STRING, offsetof(struct set_env_config, service),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY | CONFIG_BIND,
         .help = "the Compose service whose containers are recreated, one after the other"},
        {"env", CONFIG_MAP, offsetof(struct set_env_config, env),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY | CONFIG_BIND,
         .help = "the variables to set; old and new values are written into the journal, so not for secrets"},
        {"wait_healthy", CONFIG_DURATION, offsetof(struct set_env_config, wait_healthy), .fallback = "60s",
         .flags = CONFIG_POSITIVE | CONFIG_SPENT,
         .help = "how long each new container may take to be healthy before all is put back as it was"},
        {"stop_grace", CONFIG_DURATION, offsetof(struct set_env_config, stop_grace), .fallback = "0",
         .flags = CONFIG_SPENT,
         .help = "how long a container may take to stop before it is killed; 0: its own setting, or 10s"},
        {0},
};

static void set_env_check(const void *configured, const struct target_set *targets, struct config_node *node)
{
        const struct set_env_config *config = configured;
        docker_section_check(configured, targets, node);
        if (config->env.count > VARIABLES_MAX)
                config_complain(node, "env", "'env' has more than %d variables", VARIABLES_MAX);
        for (size_t i = 0; i < config->env.count; i++)
                if (!*config->env.keys[i] || strchr(config->env.keys[i], '='))
                        config_complain(node, "env", "\"%s\" is no name of a variable", config->env.keys[i]);
}

/* The value of a variable of an inspected container, NULL when it is not set. The last of a name counts. */
static const char *find_variable(const cJSON *inspected, const char *name)
{
        const cJSON *pair = NULL;
        const char *found = NULL;
        size_t length = strlen(name);
        cJSON_ArrayForEach(pair, json_get(inspected, "Config", "Env", NULL))
        {
                const char *text = cJSON_GetStringValue(pair);
                if (text && strncmp(text, name, length) == 0 && text[length] == '=')
                        found = text + length + 1;
        }
        return found;
}

/* {"id", "name", "change", "previous": {…}} of one container. */
static cJSON *plan_container(const struct config_map *env, const cJSON *inspected, bool *ret_change)
{
        _cleanup_json_ cJSON *item = cJSON_CreateObject();
        cJSON *previous = cJSON_CreateObject();
        if (json_put(item, "previous", previous) < 0)
                return NULL;
        bool change = false;
        for (size_t i = 0; i < env->count; i++) {
                const char *value = find_variable(inspected, env->keys[i]);
                change = change || !string_equal(value, env->values[i]);
                if (json_put(previous, env->keys[i], json_text(value)) < 0)
                        return NULL;
        }
        if (json_put(item, "id", json_text(json_string(inspected, "Id"))) < 0 ||
            json_put(item, "name", json_text(docker_name(inspected))) < 0 ||
            json_put(item, "change", cJSON_CreateBool(change)) < 0)
                return NULL;
        *ret_change = change;
        return TAKE_PTR(item);
}

static cJSON *env_object(const struct config_map *env)
{
        _cleanup_json_ cJSON *object = cJSON_CreateObject();
        for (size_t i = 0; i < env->count; i++)
                if (json_put(object, env->keys[i], cJSON_CreateString(env->values[i])) < 0)
                        return NULL;
        return TAKE_PTR(object);
}

/* What comes of looking at the service's containers. */
struct prospect {
        struct step_run *run;
        cJSON *containers;
        struct text names; /* of those that are to be changed */
        int changes;
};

/* What could not be put back is refused here, before anything is changed. */
static int plan_one(void *context, struct docker *docker, const cJSON *inspected, struct error *error)
{
        struct prospect *prospect = context;
        const struct set_env_config *config = prospect->run->config;
        bool change = false;
        int r = docker_recreate_check(docker, inspected, prospect->run->deadline, error);
        if (r < 0)
                return r;
        if (json_append(prospect->containers, plan_container(&config->env, inspected, &change)) < 0)
                return error_oom(error);
        if (change) {
                docker_put_container(&prospect->names, inspected);
                prospect->changes++;
        }
        return 0;
}

static int set_env_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct set_env_config *config = run->config;
        _cleanup_json_ cJSON *containers = cJSON_CreateArray(), *plan = NULL;
        struct prospect prospect = {.run = run, .containers = containers};
        int r = docker_inspect_each(run, config->service, true, plan_one, &prospect, error);
        _cleanup_text_ struct text names = prospect.names, variables = {0};
        if (r < 0)
                return r;
        if (text_error(&names) < 0)
                return error_oom(error);
        words_put(&variables, (const char *const *)config->env.keys, config->env.count, ", ");
        if (prospect.changes > 0)
                r = plan_new(&plan, prospect.changes, error, "recreate with another %s: %s",
                             text_string(&variables), text_string(&names));
        else
                r = plan_new(&plan, 0, error, "nothing to do: %s has %s as wanted already", config->service,
                             text_string(&variables));
        if (r < 0)
                return r;
        if (json_put(plan, "env", env_object(&config->env)) < 0 ||
            json_put(plan, "containers", TAKE_PTR(containers)) < 0)
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

/* One pass over containers, forth or back. */
struct pass {
        struct step_run *run;
        struct docker *docker;
        cJSON *progress; /* all of it */
        cJSON *list;     /* this pass' entries in it */
        cJSON *entry;    /* the one at work */
        char *tag;
};

static void pass_release(struct pass *pass)
{
        docker_free(pass->docker);
        cJSON_Delete(pass->progress);
        free(pass->tag);
}
#define _cleanup_pass_ _cleanup_(pass_release)

static int pass_begin(struct pass *pass, struct step_run *run, const char *which, struct error *error)
{
        pass->run = run;
        pass->progress = cJSON_IsObject(run->progress) ? json_copy(run->progress) : cJSON_CreateObject();
        pass->list = cJSON_GetObjectItemCaseSensitive(pass->progress, which);
        if (!pass->list) {
                pass->list = cJSON_CreateArray();
                if (json_put(pass->progress, which, pass->list) < 0)
                        return error_oom(error);
        }
        pass->tag = text_format("%s-%zu%s", run->incident, run->position, which[0] == 'u' ? "u" : "");
        if (!pass->tag)
                return error_oom(error);
        return targets_docker(run->targets, &pass->docker, error);
}

static int note_change(void *context, const cJSON *state, struct error *error)
{
        struct pass *pass = context;
        if (json_put(pass->entry, "state", json_copy(state)) < 0)
                return error_oom(error);
        return pass->run->write_progress(pass->run, pass->progress, error);
}

static cJSON *find_entry(const cJSON *list, const char *id)
{
        cJSON *entry = NULL;
        cJSON_ArrayForEach(entry, list)
        {
                if (string_equal(json_string(entry, "id"), id))
                        return entry;
        }
        return NULL;
}

static cJSON *entry_of(struct pass *pass, const char *id, const char *name)
{
        cJSON *entry = find_entry(pass->list, id);
        if (entry)
                return entry;
        entry = cJSON_CreateObject();
        if (json_put(entry, "id", json_text(id)) < 0 || json_put(entry, "name", json_text(name)) < 0 ||
            json_put(entry, "done", cJSON_CreateFalse()) < 0) {
                cJSON_Delete(entry);
                return NULL;
        }
        return json_append(pass->list, entry) < 0 ? NULL : entry;
}

static int roll_back(struct pass *pass, cJSON *entry, struct error *error)
{
        const cJSON *state = json_get(entry, "state", NULL);
        if (!cJSON_IsObject(state))
                return 0;
        if (json_put(entry, "done", cJSON_CreateFalse()) < 0)
                return error_oom(error);
        struct deadline deadline = deadline_later(pass->run->deadline, deadline_in(ROLL_BACK_TIME));
        pass->entry = entry;
        int r = docker_recreate_roll_back(pass->docker, state, deadline, note_change, pass, error);
        return r < 0 ? error_prefix(error, r, "container %s was not put back", json_string(entry, "name"))
                     : 0;
}

/* Rolls back, the last first, every entry of the pass, or those that are not done. Goes on after a failure.
 */
static int roll_back_all(struct pass *pass, bool done_too, struct error *error)
{
        int result = 0;
        for (int i = cJSON_GetArraySize(pass->list) - 1; i >= 0; i--) {
                cJSON *entry = cJSON_GetArrayItem(pass->list, i);
                if (!done_too && json_bool(entry, "done", false))
                        continue;
                _cleanup_error_ struct error why = {0};
                int r = roll_back(pass, entry, &why);
                if (r < 0 && result >= 0) {
                        result = r;
                        error_move(error, &why);
                }
        }
        return result;
}

/* Recreates one container, planned as `id`, with `count` variables; NULL values are removed. */
static int recreate_container(struct pass *pass, const char *id, const cJSON *inspected,
                              const char *const *names, const char *const *values, size_t count,
                              struct error *error)
{
        const struct set_env_config *config = pass->run->config;
        nsec grace = config->stop_grace > 0 ? config->stop_grace : STOP_GRACE;
        struct docker_change change = {
                .variables = names,
                .values = values,
                .count = count,
                .tag = pass->tag,
                .stop_grace = config->stop_grace,
                .healthy_settle = SETTLE,
                .wait_healthy = config->wait_healthy,
        };
        pass->entry = entry_of(pass, id, docker_name(inspected));
        if (!pass->entry)
                return error_oom(error);
        struct deadline deadline = deadline_earlier(pass->run->deadline,
                                                    deadline_in(grace + config->wait_healthy + ENGINE_SLACK));
        _cleanup_json_ cJSON *state = NULL;
        int r = docker_recreate(pass->docker, inspected, &change, deadline, note_change, pass, &state, error);
        if (r < 0)
                return error_prefix(error, r, "container %s", docker_name(inspected));
        if (json_put(pass->entry, "done", cJSON_CreateTrue()) < 0)
                return error_oom(error);
        return note_change(pass, state, error);
}

static int change_one(struct pass *pass, const cJSON *planned, struct error *error)
{
        const struct config_map *env = &((const struct set_env_config *)pass->run->config)->env;
        const char *id = json_string(planned, "id"), *name = json_string(planned, "name");
        const cJSON *entry = find_entry(pass->list, id);
        if (json_bool(entry, "done", false))
                return 0;

        /* Where a try before has put it back, that is it. */
        const char *returned = json_string(json_get(entry, "state", NULL), "returned");
        _cleanup_json_ cJSON *inspected = NULL;
        int r = docker_inspect(pass->docker, returned ? returned : id, pass->run->deadline, &inspected,
                               error);
        if (r == -ENOENT || (r >= 0 && !string_equal(docker_name(inspected), name)))
                return error_set(error, ESTALE, "container %s was replaced since the plan was made", name);
        if (r >= 0)
                r = docker_refuse_protected(pass->run, inspected, error);
        if (r >= 0)
                r = docker_recreate_check(pass->docker, inspected, pass->run->deadline, error);
        if (r < 0)
                return r;
        return recreate_container(pass, id, inspected, (const char *const *)env->keys,
                                  (const char *const *)env->values, env->count, error);
}

/* Lets go of what was kept of the containers of a list of entries. */
static int settle_list(struct docker *docker, const cJSON *list, struct deadline deadline,
                       struct error *error)
{
        const cJSON *entry = NULL;
        cJSON_ArrayForEach(entry, list)
        {
                const cJSON *state = json_get(entry, "state", NULL);
                int r = 0;
                /* Of what was rolled back nothing is kept any more. */
                if (json_bool(entry, "done", false) && cJSON_IsObject(state))
                        r = docker_recreate_settle(docker, state, deadline, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int set_env_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct set_env_config *config = run->config;
        _cleanup_pass_ struct pass pass = {0};
        _cleanup_json_ cJSON *outcome = NULL;
        int r = pass_begin(&pass, run, "run", error);
        if (r >= 0)
                r = roll_back_all(&pass, false, error);
        if (r < 0)
                return r;

        const cJSON *planned = NULL;
        cJSON_ArrayForEach(planned, json_get(run->plan, "containers", NULL))
        {
                if (json_bool(planned, "change", false))
                        r = change_one(&pass, planned, error);
                if (r < 0)
                        break;
        }
        if (r < 0) {
                /* All or nothing: the replicas that were changed before go back too. */
                _cleanup_error_ struct error why = {0};
                int back = roll_back_all(&pass, true, &why);
                return back < 0 ? error_prefix(error, r, "%s; and before that", error_text(&why)) : r;
        }

        /* What cannot be let go of now is let go of, or told, when the incident has ended. */
        (void)settle_list(pass.docker, pass.list, run->deadline, NULL);
        const char *drift = json_string(json_get(cJSON_GetArrayItem(pass.list, 0), "state", NULL), "drift");
        r = outcome_new(&outcome, error, "%d container(s) of %s recreated with the new environment%s%s",
                        cJSON_GetArraySize(pass.list), config->service, drift ? "; " : "",
                        drift ? drift : "");
        if (r < 0)
                return r;
        if (json_put(outcome, "containers", json_copy(pass.list)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

/* Sets back those of the variables that still have the value we gave them. True when one is restored. -ESTALE
 * when somebody else was at the container meanwhile. */
static int try_restore(struct pass *pass, const cJSON *planned, bool *ret_restored, struct error *error)
{
        const char *name = json_string(planned, "name");
        _cleanup_json_ cJSON *inspected = NULL;
        int r = docker_inspect(pass->docker, name, pass->run->deadline, &inspected, error);
        if (r == -ENOENT)
                return 0; /* what is not there any more has nothing to be undone */
        if (r >= 0)
                r = docker_refuse_protected(pass->run, inspected, error);
        if (r < 0)
                return r;

        const char *names[VARIABLES_MAX], *values[VARIABLES_MAX];
        size_t count = 0;
        const cJSON *previous = NULL;
        cJSON_ArrayForEach(previous, json_get(planned, "previous", NULL))
        {
                const char *ours = json_string(json_get(pass->run->plan, "env", NULL), previous->string);
                const char *now = find_variable(inspected, previous->string);
                const char *then = cJSON_GetStringValue(previous);
                if (count < VARIABLES_MAX && string_equal(now, ours) && !string_equal(now, then)) {
                        names[count] = previous->string;
                        values[count++] = then;
                }
        }
        if (count == 0)
                return 0;
        r = docker_recreate_check(pass->docker, inspected, pass->run->deadline, error);
        if (r >= 0)
                r = recreate_container(pass, json_string(inspected, "Id"), inspected, names, values, count,
                                       error);
        *ret_restored = r >= 0;
        return r;
}

/* Whoever recreates a container while we are at it has decided what it is: that is looked at anew. */
static int restore_one(struct pass *pass, const cJSON *planned, bool *ret_restored, struct error *error)
{
        int r = -ESTALE;
        for (int tries = 0; r == -ESTALE && tries < RESTORE_TRIES; tries++)
                r = try_restore(pass, planned, ret_restored, error);
        return r;
}

/* The step failed or was interrupted midway: whatever it had changed is put back as it was. */
static int undo_midway(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        _cleanup_pass_ struct pass pass = {0};
        int r = pass_begin(&pass, run, "run", error);
        if (r >= 0)
                r = roll_back_all(&pass, true, error);
        return r < 0 ? r : outcome_new(ret_outcome, error, "the old containers are in their places");
}

/*
 * True when every planned container was changed. The progress tells it and not the outcome, which an undo
 * that failed has replaced.
 */
static bool was_completed(const struct step_run *run)
{
        const cJSON *planned = NULL, *entries = json_get(run->progress, "run", NULL);
        cJSON_ArrayForEach(planned, json_get(run->plan, "containers", NULL))
        {
                if (json_bool(planned, "change", false) &&
                    !json_bool(find_entry(entries, json_string(planned, "id")), "done", false))
                        return false;
        }
        return true;
}

static int set_env_undo(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        if (!was_completed(run))
                return undo_midway(run, ret_outcome, error);
        const cJSON *planned = NULL;

        _cleanup_pass_ struct pass pass = {0};
        int restored = 0;
        int r = pass_begin(&pass, run, "undo", error);
        if (r >= 0)
                r = roll_back_all(&pass, false, error);
        cJSON_ArrayForEach(planned, json_get(run->plan, "containers", NULL))
        {
                bool did = false;
                if (r >= 0 && json_bool(planned, "change", false))
                        r = restore_one(&pass, planned, &did, error);
                restored += did;
        }
        if (r >= 0)
                r = settle_list(pass.docker, pass.list, run->deadline, error);
        if (r >= 0)
                r = settle_list(pass.docker, json_get(pass.progress, "run", NULL), run->deadline, error);
        if (r < 0)
                return r;
        return outcome_new(ret_outcome, error,
                           restored > 0 ? "%d container(s) recreated with the values of before"
                                        : "nothing to undo: %d container(s) still had our values",
                           restored);
}

static int set_env_settle(struct step_run *run, struct error *error)
{
        const cJSON *changed = json_get(run->outcome, "containers", NULL);
        if (cJSON_GetArraySize(changed) == 0)
                return 0;
        _cleanup_docker_ struct docker *docker = NULL;
        int r = targets_docker(run->targets, &docker, error);
        return r < 0 ? r : settle_list(docker, changed, run->deadline, error);
}

/* Repeatable, because run() first puts back what its progress says a crash left half-done. */
const struct action action_docker_set_env = {
        .name = "docker.set_env",
        .help = "Recreates the containers of a Compose service with changed environment variables; each is "
                "put back "
                "as it was when the new one does not become healthy. What Compose makes of it stands in "
                "[responder.md](responder.md#beside-compose).",
        .fields = set_env_fields,
        .config_size = sizeof(struct set_env_config),
        .effect = EFFECT_REVERSIBLE,
        .repeatable = true,
        .timeout = 300 * NSEC_PER_SEC,
        .target = TARGET_DOCKER,
        .check = set_env_check,
        .plan = set_env_plan,
        .run = set_env_run,
        .undo = set_env_undo,
        .settle = set_env_settle,
};

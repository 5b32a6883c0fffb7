/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a container as a transaction: create, swap, start, wait; see the header for the order and the
 * state. */
#include "runbook/docker_recreate.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/docker/changes.h"
#include "lib/docker/internal.h"
#include "runbook/words.h"

#define GRACE_DEFAULT (10 * NSEC_PER_SEC)
#define ROLL_BACK_TIME (45 * NSEC_PER_SEC) /* beside the time for stopping */
#define STOP_SLACK (5 * NSEC_PER_SEC)      /* what killing takes, after the grace */

/* One run of docker_recreate(). */
struct transaction {
        struct docker *docker;
        const struct docker_change *change;
        struct deadline deadline;
        docker_progress progress;
        void *context;
        cJSON *state; /* what was written down last */
};

static const char *state_string(const struct transaction *t, const char *key)
{
        return json_string(t->state, key);
}

/* Writes down which change comes next; the state in memory stays as it was when that fails. */
static int enter(struct transaction *t, const char *phase, struct error *error)
{
        _cleanup_json_ cJSON *next = cJSON_Duplicate(t->state, true);
        if (!next || json_put(next, "phase", cJSON_CreateString(phase)) < 0)
                return error_oom(error);
        int r = t->progress ? t->progress(t->context, next, error) : 0;
        if (r < 0)
                return error_prefix(error, r, "before %s", phase);
        cJSON_Delete(t->state);
        t->state = TAKE_PTR(next);
        return 0;
}

static nsec grace_of(const cJSON *inspected, const struct docker_change *change)
{
        if (change->stop_grace > 0)
                return change->stop_grace;
        double own = json_number(json_get(inspected, "Config", NULL), "StopTimeout", -1);
        return own >= 0 && own < 86400 ? seconds_to_nsec(own) : GRACE_DEFAULT;
}

static int check_change(const struct docker_change *change, struct error *error)
{
        if (!change->tag || !*change->tag)
                return error_set(error, EINVAL, "a change of a container needs a tag");
        for (const char *c = change->tag; *c; c++)
                if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
                        return error_set(error, EINVAL, "\"%s\" cannot be a part of a container's name",
                                         change->tag);
        if (change->count == 0)
                return error_set(error, EINVAL, "no variable is to be changed");
        for (size_t i = 0; i < change->count; i++)
                if (!*change->variables[i] || strchr(change->variables[i], '='))
                        return error_set(error, EINVAL, "\"%s\" is not the name of a variable",
                                         change->variables[i]);
        return 0;
}

static char *drift_sentence(const char *service, const struct docker_change *change)
{
        struct text text = {0};
        text_printf(&text, "Compose does not know that %s was changed in %s: ",
                    change->count == 1 ? "a variable" : "variables", *service ? service : "this container");
        words_put(&text, change->variables, change->count, ", ");
        text_puts(&text, "; it stays until the service's configuration changes or --force-recreate");
        return text_take(&text);
}

static cJSON *state_new(const cJSON *inspected, const struct docker_change *change)
{
        const char *name = docker_name(inspected);
        _cleanup_free_ char *backup =
                text_format("%s" DOCKER_KEPT_MARK "%s" DOCKER_KEPT_OLD, name, change->tag);
        _cleanup_free_ char *temporary =
                text_format("%s" DOCKER_KEPT_MARK "%s" DOCKER_KEPT_NEW, name, change->tag);
        _cleanup_free_ char *drift = drift_sentence(docker_service(inspected), change);
        _cleanup_json_ cJSON *state = cJSON_CreateObject();
        if (!backup || !temporary || !drift)
                return NULL;

        cJSON *policy = cJSON_Duplicate(json_get(inspected, "HostConfig", "RestartPolicy", NULL), true);
        bool fine = json_put(state, "old", cJSON_CreateString(json_string(inspected, "Id"))) == 0;
        fine &= json_put(state, "new", cJSON_CreateNull()) == 0;
        fine &= json_put(state, "name", cJSON_CreateString(name)) == 0;
        fine &= json_put(state, "backup", cJSON_CreateString(backup)) == 0;
        fine &= json_put(state, "temporary", cJSON_CreateString(temporary)) == 0;
        fine &= json_put(state, "restart_policy", policy ? policy : cJSON_CreateObject()) == 0;
        fine &= json_put(state, "running", cJSON_CreateBool(docker_marked_running(inspected))) == 0;
        fine &= json_put(state, "started_at", cJSON_CreateString(docker_started_at(inspected))) == 0;
        fine &= json_put(state, "phase", cJSON_CreateString("planned")) == 0;
        fine &= json_put(state, "drift", cJSON_CreateString(drift)) == 0;
        return fine ? TAKE_PTR(state) : NULL;
}

/* The image by its tag while that still means the same one, else by its id; it has to be there either way. */
static int choose_image(struct transaction *t, const cJSON *inspected, char **ret, struct error *error)
{
        const char *id = docker_image_id(inspected), *tag = docker_image(inspected);
        _cleanup_text_ struct text path = {0};
        _cleanup_json_ cJSON *image = NULL;
        if (!id || !tag)
                return error_set(error, EBADMSG, "Docker did not say what image %s has",
                                 docker_name(inspected));

        text_printf(&path, "/images/%s/json", id);
        if (text_error(&path) < 0)
                return error_oom(error);
        int r = docker_call(t->docker, "GET", text_string(&path), NULL, t->deadline, &image, error);
        if (r < 0)
                return error_prefix(error, r, "the image of %s", docker_name(inspected));

        /* By digest, by id, or by name: what stands in the path is looked up as a reference, slashes
         * included. */
        text_clear(&path);
        text_printf(&path, "/images/%s/json", tag);
        _cleanup_json_ cJSON *named = NULL;
        r = docker_call(t->docker, "GET", text_string(&path), NULL, t->deadline, &named, NULL);
        const char *chosen = r >= 0 && string_equal(json_string(named, "Id"), id) ? tag : id;
        if (!(*ret = strdup(chosen)))
                return error_oom(error);
        return 0;
}

static int create(struct transaction *t, const cJSON *body, const cJSON *connect, const cJSON *paths,
                  struct error *error)
{
        _cleanup_text_ struct text path = {0};
        text_puts(&path, "/containers/create?name=");
        http_put_escaped(&path, state_string(t, "temporary"));
        if (text_error(&path) < 0)
                return error_oom(error);
        _cleanup_json_ cJSON *answer = NULL;
        int r = docker_call(t->docker, "POST", text_string(&path), body, t->deadline, &answer, error);
        if (r < 0)
                return error_prefix(error, r, "cannot create the new container");
        const char *id = json_string(answer, "Id");
        if (!id)
                return error_set(error, EBADMSG, "Docker created a container without an id");
        if (json_put(t->state, "new", cJSON_CreateString(id)) < 0)
                return error_oom(error);

        const cJSON *item;
        cJSON_ArrayForEach(item, connect)
        {
                _cleanup_json_ cJSON *request = cJSON_CreateObject();
                _cleanup_free_ char *target =
                        text_format("/networks/%s/connect", json_string(item, "network"));
                if (!target || json_put(request, "Container", cJSON_CreateString(id)) < 0 ||
                    json_put(request, "EndpointConfig",
                             cJSON_Duplicate(json_get(item, "endpoint", NULL), true)) < 0)
                        return error_oom(error);
                r = docker_call(t->docker, "POST", target, request, t->deadline, NULL, error);
                if (r < 0)
                        return error_prefix(error, r, "cannot connect the new container to its networks");
        }
        return docker_layer_carry(t->docker, state_string(t, "old"), id, paths, t->deadline, error);
}

static int hold_policy(struct transaction *t, struct error *error)
{
        _cleanup_json_ cJSON *policy = cJSON_CreateObject();
        if (json_put(policy, "Name", cJSON_CreateString("no")) < 0)
                return error_oom(error);
        int r = docker_put_restart_policy(t->docker, state_string(t, "old"), policy, t->deadline, error);
        return r < 0 ? error_prefix(error, r, "cannot take the restart policy of %s", state_string(t, "name"))
                     : 0;
}

/* A stop goes on in the Engine when we have left, so it must end before the deadline: the grace gives way. */
static int stop_old(struct transaction *t, nsec grace, struct error *error)
{
        nsec left = deadline_left(t->deadline) - STOP_SLACK;
        if (left < 0)
                return error_set(error, ETIMEDOUT, "there is no time left to stop %s",
                                 state_string(t, "name"));
        _cleanup_free_ char *what =
                text_format("/stop?t=%lld", (long long)((grace < left ? grace : left) / NSEC_PER_SEC));
        if (!what)
                return error_oom(error);
        int r = docker_container_call(t->docker, "POST", state_string(t, "old"), what, NULL, t->deadline,
                                      error);
        return r < 0 && r != -EALREADY ? error_prefix(error, r, "cannot stop %s", state_string(t, "name"))
                                       : 0;
}

static int transact(struct transaction *t, const cJSON *inspected, struct error *error)
{
        _cleanup_json_ cJSON *body = NULL, *connect = NULL, *paths = NULL;
        _cleanup_free_ char *image = NULL;
        int minor = 0;
        int r = docker_api_minor(t->docker, t->deadline, &minor, error);
        if (r >= 0)
                r = choose_image(t, inspected, &image, error);
        if (r >= 0)
                r = docker_copy(inspected, image, t->change, minor, &body, &connect, error);
        if (r >= 0)
                r = docker_layer_find(t->docker, inspected, t->deadline, &paths, error);

        if (r >= 0)
                r = enter(t, "creating", error);
        if (r >= 0)
                r = create(t, body, connect, paths, error);
        if (r >= 0)
                r = enter(t, "holding", error);
        if (r >= 0)
                r = hold_policy(t, error);
        if (r >= 0)
                r = enter(t, "stopping", error);
        if (r >= 0)
                r = stop_old(t, grace_of(inspected, t->change), error);
        if (r >= 0)
                r = enter(t, "parking", error);
        if (r >= 0)
                r = docker_rename(t->docker, state_string(t, "old"), state_string(t, "backup"), t->deadline,
                                  error);
        if (r >= 0)
                r = enter(t, "naming", error);
        if (r >= 0)
                r = docker_rename(t->docker, state_string(t, "new"), state_string(t, "name"), t->deadline,
                                  error);
        if (r >= 0)
                r = enter(t, "starting", error);
        if (r >= 0)
                r = docker_container_call(t->docker, "POST", state_string(t, "new"), "/start", NULL,
                                          t->deadline, error);
        if (r >= 0) {
                struct deadline patience = t->deadline;
                if (t->change->wait_healthy > 0)
                        patience = deadline_earlier(patience, deadline_in(t->change->wait_healthy));
                r = docker_wait_healthy(t->docker, state_string(t, "new"), t->change->healthy_settle,
                                        patience, error);
        }
        if (r >= 0 && json_put(t->state, "phase", cJSON_CreateString("running")) < 0)
                r = error_oom(error);
        return r;
}

int docker_recreate(struct docker *docker, const cJSON *inspected, const struct docker_change *change,
                    struct deadline deadline, docker_progress progress, void *context, cJSON **ret_state,
                    struct error *error)
{
        int r = check_change(change, error);
        if (r < 0)
                return r;

        /* What was planned may be old by now. */
        const char *id = json_string(inspected, "Id");
        _cleanup_json_ cJSON *current = NULL;
        if (!id)
                return error_set(error, EINVAL, "the container to change has no id");
        r = docker_inspect(docker, id, deadline, &current, error);
        if (r < 0)
                return r;
        r = docker_recreate_check(docker, current, deadline, error);
        if (r < 0)
                return r;

        struct transaction t = {.docker = docker,
                                .change = change,
                                .deadline = deadline,
                                .progress = progress,
                                .context = context,
                                .state = state_new(current, change)};
        if (!t.state)
                return error_oom(error);
        _cleanup_json_ cJSON *kept = NULL;
        static const char *const names[] = {"backup", "temporary"};
        for (size_t i = 0; i < N_ELEMENTS(names) && !kept; i++)
                if (docker_inspect(docker, state_string(&t, names[i]), deadline, &kept, NULL) >= 0)
                        r = error_set(error, EEXIST, "%s is there already: an earlier change was not ended",
                                      state_string(&t, names[i]));
        if (r < 0) {
                cJSON_Delete(t.state);
                return r;
        }

        r = transact(&t, current, error);
        if (r >= 0) {
                *ret_state = t.state;
                return 0;
        }
        _cleanup_error_ struct error failure = {0};
        nsec time = grace_of(current, change) + ROLL_BACK_TIME;
        int undone = docker_recreate_roll_back(docker, t.state, deadline_in(time), &failure);
        if (undone < 0)
                r = error_set(error, ENOTRECOVERABLE, "%s; and %s could not be put back: %s",
                              error ? error_text(error) : "failed", state_string(&t, "name"),
                              error_text(&failure));
        cJSON_Delete(t.state);
        return r;
}

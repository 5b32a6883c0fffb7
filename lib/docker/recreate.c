/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a container as a transaction: keep, stop, remove, create, start, wait; see the header for the
 * order and the state. */
#include "runbook/docker_recreate.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/docker/changes.h"
#include "lib/docker/transaction.h"
#include "runbook/words.h"

#define GRACE_DEFAULT (10 * NSEC_PER_SEC)
#define ROLL_BACK_TIME (45 * NSEC_PER_SEC) /* beside the time for stopping */
#define REMOVE_TRIES 3
#define STOP_SLACK (5 * NSEC_PER_SEC) /* what killing takes, after the grace */

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
        text_puts(&text, "docker-compose up -d does not see that ");
        words_put(&text, change->variables, change->count, ", ");
        text_printf(&text, " changed, and keeps it until the configuration of %s changes or --force-recreate",
                    *service ? service : "the service");
        return text_take(&text);
}

static cJSON *state_new(const cJSON *inspected, const struct docker_change *change)
{
        const char *name = docker_name(inspected);
        _cleanup_free_ char *kept =
                text_format("%s" DOCKER_KEPT_MARK "%s" DOCKER_KEPT_OLD, name, change->tag);
        _cleanup_free_ char *drift = drift_sentence(docker_service(inspected), change);
        _cleanup_json_ cJSON *state = cJSON_CreateObject();
        if (!kept || !drift)
                return NULL;

        cJSON *policy = cJSON_Duplicate(json_get(inspected, "HostConfig", "RestartPolicy", NULL), true);
        bool fine = json_put(state, "old", cJSON_CreateString(json_string(inspected, "Id"))) == 0;
        fine &= json_put(state, "new", cJSON_CreateNull()) == 0;
        fine &= json_put(state, "name", cJSON_CreateString(name)) == 0;
        fine &= json_put(state, "kept", cJSON_CreateString(kept)) == 0;
        fine &= json_put(state, "tag", cJSON_CreateString(change->tag)) == 0;
        fine &= json_put(state, "restart_policy", policy ? policy : cJSON_CreateObject()) == 0;
        fine &= json_put(state, "running", cJSON_CreateBool(docker_marked_running(inspected))) == 0;
        fine &= json_put(state, "started_at", cJSON_CreateString(docker_started_at(inspected))) == 0;
        fine &= json_put(state, "phase", cJSON_CreateString("planned")) == 0;
        fine &= json_put(state, "drift", cJSON_CreateString(drift)) == 0;
        return fine ? TAKE_PTR(state) : NULL;
}

/* A stop goes on in the Engine when we have left, so it must end before the deadline: the grace gives way. */
static int stop_old(struct transaction *t, nsec grace, struct error *error)
{
        nsec left = deadline_left(t->deadline) - STOP_SLACK;
        if (left < 0)
                return error_set(error, ETIMEDOUT, "there is no time left to stop %s",
                                 transaction_string(t, "name"));
        _cleanup_free_ char *what =
                text_format("/stop?t=%lld", (long long)((grace < left ? grace : left) / NSEC_PER_SEC));
        if (!what)
                return error_oom(error);
        int r = docker_container_call(t->docker, "POST", transaction_string(t, "old"), what, NULL,
                                      t->deadline, error);
        return r < 0 && r != -EALREADY
                       ? error_prefix(error, r, "cannot stop %s", transaction_string(t, "name"))
                       : 0;
}

/* Never with v=1: its volumes go on with the new one. Not by force: it may have been started anew. */
static int remove_old(struct transaction *t, struct error *error)
{
        int r = docker_container_call(t->docker, "DELETE", transaction_string(t, "old"), "", NULL,
                                      t->deadline, error);
        /* It was not us: then it is not put back. */
        if (r == -ENOENT && json_put(t->state, "phase", cJSON_CreateString("stopping")) < 0)
                return error_oom(error);
        return r < 0 ? error_prefix(error, r, "cannot remove the old %s", transaction_string(t, "name")) : 0;
}

/* Compose, or a person, may start it anew just when it has stopped: then it is stopped once more, as what is
 * to serve is the new one. */
static int take_away_old(struct transaction *t, nsec grace, struct error *error)
{
        int r = -EEXIST;
        for (int tries = 0; r == -EEXIST && tries < REMOVE_TRIES; tries++) {
                _cleanup_json_ cJSON *old = NULL;
                r = docker_inspect(t->docker, transaction_string(t, "old"), t->deadline, &old, error);
                if (r >= 0 && json_put(t->state, "started_at", json_text(docker_started_at(old))) < 0)
                        r = error_oom(error);
                if (r >= 0)
                        r = transaction_enter(t, "stopping", error);
                if (r >= 0)
                        r = stop_old(t, grace, error);
                if (r >= 0)
                        r = transaction_enter(t, "removing", error);
                if (r >= 0)
                        r = remove_old(t, error);
        }
        return r;
}

static int make_new(struct transaction *t, const struct docker_recipe *recipe, struct error *error)
{
        _cleanup_free_ char *id = NULL;
        int r = transaction_make(t, transaction_string(t, "name"), recipe, transaction_string(t, "kept"), &id,
                                 error);
        if (id && json_put(t->state, "new", cJSON_CreateString(id)) < 0)
                return error_oom(error);
        return r;
}

static int start_new(struct transaction *t, const struct docker_change *change, struct error *error)
{
        const char *id = transaction_string(t, "new");
        int r = docker_container_call(t->docker, "POST", id, "/start", NULL, t->deadline, error);
        if (r < 0 && r != -EALREADY)
                return r;
        struct deadline patience = t->deadline;
        if (change->wait_healthy > 0)
                patience = deadline_earlier(patience, deadline_in(change->wait_healthy));
        return docker_wait_healthy(t->docker, id, change->healthy_settle, patience, error);
}

/* What is needed for both containers, by reading only. */
static int prepare(struct transaction *t, const cJSON *inspected, const struct docker_change *change,
                   char **ret_image, int *ret_minor, struct docker_recipe *recipe, struct error *error)
{
        int r = docker_api_minor(t->docker, t->deadline, ret_minor, error);
        if (r >= 0)
                r = docker_choose_image(t->docker, inspected, t->deadline, ret_image, error);
        if (r >= 0)
                r = docker_copy(inspected, *ret_image, change, *ret_minor, &recipe->body, &recipe->connect,
                                error);
        if (r >= 0)
                r = docker_mark_changed(recipe->body, change->tag, error);
        if (r >= 0)
                r = docker_layer_find(t->docker, inspected, t->deadline, &recipe->paths, error);
        return r;
}

static int transact(struct transaction *t, const cJSON *inspected, const struct docker_change *change,
                    struct error *error)
{
        _cleanup_recipe_ struct docker_recipe recipe = {0};
        _cleanup_free_ char *image = NULL;
        int minor = 0;
        int r = prepare(t, inspected, change, &image, &minor, &recipe, error);
        if (r >= 0)
                r = transaction_enter(t, "keeping", error);
        if (r >= 0)
                r = kept_make(t, inspected, image, minor, recipe.paths, error);
        if (r >= 0)
                r = take_away_old(t, grace_of(inspected, change), error);
        if (r >= 0)
                r = transaction_enter(t, "creating", error);
        if (r >= 0)
                r = make_new(t, &recipe, error);
        if (r >= 0)
                r = transaction_enter(t, "starting", error);
        if (r >= 0)
                r = start_new(t, change, error);
        if (r >= 0 && json_put(t->state, "phase", cJSON_CreateString("running")) < 0)
                r = error_oom(error);
        return r;
}

/* What `result` comes to once all was put back, or could not be. */
static int give_up(struct transaction *t, int result, struct error *error)
{
        _cleanup_error_ struct error failure = {0};
        const char *name = transaction_string(t, "name");
        if (transaction_roll_back(t, &failure) < 0)
                return error_set(error, ENOTRECOVERABLE,
                                 "%s could not be put back: %s; the change had failed: %s", name,
                                 error_text(&failure), error ? error_text(error) : "?");
        if (transaction_is_in(t, "left"))
                return error_prefix(
                        error, -ESTALE,
                        "somebody else has replaced or removed %s meanwhile, and what they made of it "
                        "is left",
                        name);
        return result;
}

static int check_free(struct transaction *t, struct error *error)
{
        _cleanup_json_ cJSON *kept = NULL;
        const char *name = transaction_string(t, "kept");
        int r = docker_inspect(t->docker, name, t->deadline, &kept, error);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r
                     : error_set(error, EEXIST, "%s is there already: an earlier change was not ended", name);
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
        r = docker_recreate_check_all(docker, current, deadline, error);
        if (r < 0)
                return r;

        struct transaction t = {.docker = docker,
                                .deadline = deadline,
                                .progress = progress,
                                .context = context,
                                .state = state_new(current, change)};
        if (!t.state)
                return error_oom(error);
        r = check_free(&t, error);
        if (r >= 0) {
                r = transact(&t, current, change, error);
                if (r >= 0) {
                        *ret_state = t.state;
                        return 0;
                }
                t.deadline = deadline_in(grace_of(current, change) + ROLL_BACK_TIME);
                r = give_up(&t, r, error);
        }
        cJSON_Delete(t.state);
        return r;
}

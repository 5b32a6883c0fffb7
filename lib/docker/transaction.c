/* SPDX-License-Identifier: Apache-2.0 */
/* What going forward, going back and keeping share: the state, and making a container. */
#include "lib/docker/transaction.h"

#include <errno.h>
#include <string.h>

#include "lib/docker/changes.h"

const char *transaction_string(const struct transaction *t, const char *key)
{
        return json_string(t->state, key);
}

bool transaction_is_in(const struct transaction *t, const char *phase)
{
        return string_equal(transaction_string(t, "phase"), phase);
}

int transaction_enter(struct transaction *t, const char *phase, struct error *error)
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

void docker_recipe_release(struct docker_recipe *recipe)
{
        cJSON_Delete(recipe->body);
        cJSON_Delete(recipe->connect);
        cJSON_Delete(recipe->paths);
        *recipe = (struct docker_recipe){0};
}

const char *docker_changed_by(const cJSON *container)
{
        return docker_label(container, DOCKER_LABEL_CHANGE);
}

int docker_mark_changed(cJSON *body, const char *tag, struct error *error)
{
        if (!cJSON_IsObject(json_get(body, "Labels", NULL)) &&
            json_put(body, "Labels", cJSON_CreateObject()) < 0)
                return error_oom(error);
        cJSON *labels = cJSON_GetObjectItemCaseSensitive(body, "Labels");
        return json_put(labels, DOCKER_LABEL_CHANGE, cJSON_CreateString(tag)) < 0 ? error_oom(error) : 0;
}

static int connect(struct transaction *t, const char *id, const cJSON *connections, struct error *error)
{
        const cJSON *item;
        cJSON_ArrayForEach(item, connections)
        {
                _cleanup_json_ cJSON *request = cJSON_CreateObject();
                _cleanup_free_ char *target =
                        text_format("/networks/%s/connect", json_string(item, "network"));
                if (!target || json_put(request, "Container", cJSON_CreateString(id)) < 0 ||
                    json_put(request, "EndpointConfig",
                             cJSON_Duplicate(json_get(item, "endpoint", NULL), true)) < 0)
                        return error_oom(error);
                int r = docker_call(t->docker, "POST", target, request, t->deadline, NULL, error);
                if (r < 0)
                        return error_prefix(error, r, "cannot connect it to its networks");
        }
        return 0;
}

int transaction_make(struct transaction *t, const char *name, const struct docker_recipe *recipe,
                     const char *from, char **ret_id, struct error *error)
{
        _cleanup_text_ struct text path = {0};
        text_puts(&path, "/containers/create?name=");
        text_put_escaped(&path, name);
        if (text_error(&path) < 0)
                return error_oom(error);
        _cleanup_json_ cJSON *answer = NULL;
        int r = docker_call(t->docker, "POST", text_string(&path), recipe->body, t->deadline, &answer, error);
        if (r < 0)
                return error_prefix(error, r, "cannot create %s", name);
        const char *id = json_string(answer, "Id");
        if (!id)
                return error_set(error, EBADMSG, "Docker created a container without an id");
        if (!(*ret_id = strdup(id)))
                return error_oom(error);
        r = connect(t, id, recipe->connect, error);
        if (r >= 0)
                r = docker_layer_carry(t->docker, from, id, recipe->paths, t->deadline, error);
        return r < 0 ? error_prefix(error, r, "cannot make %s", name) : 0;
}

int docker_inspect_image(struct docker *docker, const char *image, struct deadline deadline, cJSON **ret,
                         struct error *error)
{
        /* By digest, by id, or by name: what stands in the path is looked up as a reference, slashes
         * included. */
        _cleanup_free_ char *path = text_format("/images/%s/json", image);
        return path ? docker_call(docker, "GET", path, NULL, deadline, ret, error) : error_oom(error);
}

int docker_choose_image(struct docker *docker, const cJSON *inspected, struct deadline deadline, char **ret,
                        struct error *error)
{
        const char *id = docker_image_id(inspected), *tag = docker_image(inspected);
        _cleanup_json_ cJSON *image = NULL, *named = NULL;
        if (!id || !tag)
                return error_set(error, EBADMSG, "Docker did not say what image %s has",
                                 docker_name(inspected));
        int r = docker_inspect_image(docker, id, deadline, &image, error);
        if (r < 0)
                return error_prefix(error, r, "the image of %s", docker_name(inspected));
        r = docker_inspect_image(docker, tag, deadline, &named, NULL);
        const char *chosen = r >= 0 && string_equal(json_string(named, "Id"), id) ? tag : id;
        *ret = strdup(chosen);
        return *ret ? 0 : error_oom(error);
}

int docker_end_stop(struct docker *docker, const cJSON *state, const cJSON *old, struct deadline deadline,
                    struct error *error)
{
        if (!string_equal(json_string(state, "phase"), "stopping") || !docker_marked_running(old) ||
            !string_equal(docker_started_at(old), json_string(state, "started_at")))
                return 0;
        int r = docker_container_call(docker, "POST", json_string(state, "old"), "/stop", NULL, deadline,
                                      error);
        return r == -EALREADY ? 0 : r;
}

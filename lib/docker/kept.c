/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of a container for the way back: a second one, made from its description and never started.
 *
 * It holds what would be lost with the old one: the description (with its secrets, which have no business in
 * a journal), the image and the volumes, which cannot be pruned while it names them, and the files that were
 * put into the layer. Labels are how Compose and others find what is theirs, and they cannot be changed
 * afterwards; so it is made with all of them put aside. Its restart policy is "no": the Engine would start
 * even one that was never started.
 */
#include <errno.h>
#include <string.h>

#include "lib/docker/changes.h"
#include "lib/docker/transaction.h"

/* The labels under names of our own, and those that the image would give it (Compose labels images, too)
 * without a value. */
static int put_labels_aside(cJSON *body, const cJSON *image, struct error *error)
{
        _cleanup_json_ cJSON *turned = cJSON_CreateObject();
        const cJSON *label;
        if (!turned)
                return error_oom(error);
        cJSON_ArrayForEach(label, json_get(body, "Labels", NULL))
        {
                _cleanup_free_ char *name = text_format(DOCKER_LABEL_ASIDE "%s", label->string);
                if (!name || json_put(turned, name, cJSON_Duplicate(label, true)) < 0)
                        return error_oom(error);
        }
        cJSON_ArrayForEach(label, json_get(image, "Config", "Labels", NULL))
        {
                if (json_put(turned, label->string, cJSON_CreateString("")) < 0)
                        return error_oom(error);
        }
        return json_put(body, "Labels", TAKE_PTR(turned)) < 0 ? error_oom(error) : 0;
}

static int put_labels_back(cJSON *body, struct error *error)
{
        static const char prefix[] = DOCKER_LABEL_ASIDE;
        _cleanup_json_ cJSON *turned = cJSON_CreateObject();
        const cJSON *label;
        if (!turned)
                return error_oom(error);
        cJSON_ArrayForEach(label, json_get(body, "Labels", NULL))
        {
                if (string_starts(label->string, prefix) &&
                    json_put(turned, label->string + strlen(prefix), cJSON_Duplicate(label, true)) < 0)
                        return error_oom(error);
        }
        return json_put(body, "Labels", TAKE_PTR(turned)) < 0 ? error_oom(error) : 0;
}

static int put_policy(cJSON *body, cJSON *policy, struct error *error)
{
        cJSON *host_config = cJSON_GetObjectItemCaseSensitive(body, "HostConfig");
        return json_put(host_config, "RestartPolicy", policy) < 0 ? error_oom(error) : 0;
}

static int never_restart(cJSON *body, struct error *error)
{
        cJSON *policy = cJSON_CreateObject();
        if (json_put(policy, "Name", cJSON_CreateString("no")) < 0) {
                cJSON_Delete(policy);
                return error_oom(error);
        }
        return put_policy(body, policy, error);
}

int kept_make(struct transaction *t, const cJSON *old, const char *image, int api_minor, const cJSON *paths,
              struct error *error)
{
        static const struct docker_change nothing = {0};
        _cleanup_recipe_ struct docker_recipe recipe = {.paths = cJSON_Duplicate(paths, true)};
        _cleanup_json_ cJSON *found = NULL;
        _cleanup_free_ char *id = NULL;
        if (!recipe.paths)
                return error_oom(error);
        int r = docker_copy(old, image, &nothing, api_minor, &recipe.body, &recipe.connect, error);
        if (r >= 0)
                r = docker_inspect_image(t->docker, image, t->deadline, &found, error);
        if (r >= 0)
                r = put_labels_aside(recipe.body, found, error);
        if (r >= 0)
                r = never_restart(recipe.body, error);
        if (r >= 0)
                r = transaction_make(t, transaction_string(t, "kept"), &recipe, transaction_string(t, "old"),
                                     &id, error);
        return r;
}

int kept_recipe(struct transaction *t, const cJSON *kept, struct docker_recipe *ret, struct error *error)
{
        static const struct docker_change nothing = {0};
        _cleanup_recipe_ struct docker_recipe recipe = {0};
        _cleanup_free_ char *image = NULL;
        int minor = 0;
        int r = docker_api_minor(t->docker, t->deadline, &minor, error);
        if (r >= 0)
                r = docker_choose_image(t->docker, kept, t->deadline, &image, error);
        if (r >= 0)
                r = docker_copy(kept, image, &nothing, minor, &recipe.body, &recipe.connect, error);
        if (r >= 0)
                r = put_policy(recipe.body, json_copy(json_get(t->state, "restart_policy", NULL)), error);
        if (r >= 0)
                r = put_labels_back(recipe.body, error);
        if (r >= 0)
                r = docker_layer_find(t->docker, kept, t->deadline, &recipe.paths, error);
        if (r < 0)
                return r;
        ret->body = TAKE_PTR(recipe.body);
        ret->connect = TAKE_PTR(recipe.connect);
        ret->paths = TAKE_PTR(recipe.paths);
        return 0;
}

int kept_remove(struct transaction *t, struct error *error)
{
        const char *name = transaction_string(t, "kept");
        _cleanup_json_ cJSON *kept = NULL;
        int r = docker_inspect(t->docker, name, t->deadline, &kept, error);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (docker_marked_running(kept))
                return error_set(error, EBUSY,
                                 "%s runs, so it is not removed: somebody has started what was only "
                                 "kept for the way back; to end it: docker rm -f %s",
                                 name, name);
        /* Never with v=1: the volumes are not its own. */
        r = docker_container_call(t->docker, "DELETE", json_string(kept, "Id"), "", NULL, t->deadline, error);
        return r < 0 && r != -ENOENT ? error_prefix(error, r, "cannot remove %s", name) : 0;
}

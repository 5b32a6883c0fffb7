/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker Engine's list of containers, in order. */
#include <errno.h>
#include <string.h>

#include "lib/docker/internal.h"

static int compare_containers(const void *a, const void *b)
{
        const cJSON *left = *(const cJSON *const *)a, *right = *(const cJSON *const *)b;
        int order = strcmp(docker_compose_project(left), docker_compose_project(right));
        if (order == 0)
                order = strcmp(docker_service(left), docker_service(right));
        if (order == 0) {
                int l = docker_number(left), r = docker_number(right);
                order = (l > r) - (l < r);
        }
        return order ? order : strcmp(docker_name(left), docker_name(right));
}

/* A new array of what is Compose's own in `list`, in order; takes the items out of it. */
static int sort_containers(cJSON *list, cJSON **ret, struct error *error)
{
        size_t count = 0;
        _cleanup_free_ cJSON **items = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*items));
        _cleanup_json_ cJSON *sorted = cJSON_CreateArray();
        if (!items || !sorted)
                return error_oom(error);

        for (cJSON *item = list->child, *next; item; item = next) {
                next = item->next;
                /* What is kept and runs all the same serves: Compose has started it, as a version before let
                 * it. */
                if (!docker_is_kept(item) || docker_runs(item))
                        items[count++] = cJSON_DetachItemViaPointer(list, item);
        }
        qsort(items, count, sizeof(*items), compare_containers);
        for (size_t i = 0; i < count; i++)
                cJSON_AddItemToArray(sorted, items[i]);
        *ret = TAKE_PTR(sorted);
        return 0;
}

/* Asks for the containers that the filters (JSON) leave, and sorts them. */
static int list(struct docker *docker, const char *filters, struct deadline deadline, cJSON **ret,
                struct error *error)
{
        _cleanup_text_ struct text path = {0};
        _cleanup_json_ cJSON *found = NULL;
        text_puts(&path, "/containers/json?all=1&filters=");
        text_put_escaped(&path, filters);
        if (text_error(&path) < 0)
                return error_oom(error);
        int r = docker_call(docker, "GET", text_string(&path), NULL, deadline, &found, error);
        if (r < 0)
                return r;
        if (!cJSON_IsArray(found))
                return error_set(error, EBADMSG, "Docker's list of containers is not a list");
        return sort_containers(found, ret, error);
}

int docker_list(struct docker *docker, const char *project, const char *service, struct deadline deadline,
                cJSON **ret, struct error *error)
{
        /* An empty name would match containers of every project. */
        if (!project || !*project || (service && !*service))
                return error_set(error, EINVAL, "which containers: the %s is empty",
                                 service ? "service" : "project");

        _cleanup_text_ struct text label_text = {0}, filters = {0};
        text_puts(&filters, "{\"label\":[\"" DOCKER_LABEL_ONE_OFF "=False\",");
        text_printf(&label_text, DOCKER_LABEL_PROJECT "=%s", project);
        text_put_json(&filters, text_string(&label_text));
        if (service) {
                text_clear(&label_text);
                text_printf(&label_text, DOCKER_LABEL_SERVICE "=%s", service);
                text_putc(&filters, ',');
                text_put_json(&filters, text_string(&label_text));
        }
        text_puts(&filters, "]}");
        if (text_error(&label_text) < 0 || text_error(&filters) < 0)
                return error_oom(error);
        return list(docker, text_string(&filters), deadline, ret, error);
}

int docker_list_everything(struct docker *docker, struct deadline deadline, cJSON **ret, struct error *error)
{
        return list(docker, "{}", deadline, ret, error);
}

int docker_project_unknown(struct docker *docker, const char *project, struct deadline deadline,
                           struct error *error)
{
        _cleanup_json_ cJSON *everything = NULL;
        _cleanup_free_ const char **projects = NULL;
        size_t count = 0;
        const cJSON *container;
        docker_list_everything(docker, deadline, &everything, NULL);
        projects = calloc((size_t)cJSON_GetArraySize(everything) + 1, sizeof(*projects));
        if (!projects)
                return error_oom(error);
        cJSON_ArrayForEach(container, everything)
        {
                const char *other = docker_compose_project(container);
                if (*other && strcmp(other, project) != 0 && words_find(projects, count, other) < 0)
                        projects[count++] = other;
        }
        words_unknown(projects, count, project, "there is no container of project", error);
        return -ESRCH;
}

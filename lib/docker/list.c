/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker Engine's list of containers, in order. */
#include <errno.h>
#include <string.h>

#include "lib/docker/internal.h"

static int compare_containers(const void *a, const void *b)
{
        const cJSON *left = *(const cJSON *const *)a, *right = *(const cJSON *const *)b;
        int order = strcmp(docker_service(left), docker_service(right));
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
                if (!docker_is_kept(item))
                        items[count++] = cJSON_DetachItemViaPointer(list, item);
        }
        qsort(items, count, sizeof(*items), compare_containers);
        for (size_t i = 0; i < count; i++)
                cJSON_AddItemToArray(sorted, items[i]);
        *ret = TAKE_PTR(sorted);
        return 0;
}

int docker_list(struct docker *docker, const char *project, const char *service, struct deadline deadline,
                cJSON **ret, struct error *error)
{
        /* An empty name would match containers of every project. */
        if (!project || !*project || (service && !*service))
                return error_set(error, EINVAL, "which containers: the %s is empty",
                                 service ? "service" : "project");

        _cleanup_text_ struct text label_text = {0}, filters = {0}, path = {0};
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
        text_puts(&path, "/containers/json?all=1&filters=");
        http_put_escaped(&path, text_string(&filters));
        if (text_error(&label_text) < 0 || text_error(&filters) < 0 || text_error(&path) < 0)
                return error_oom(error);

        _cleanup_json_ cJSON *list = NULL;
        int r = docker_call(docker, "GET", text_string(&path), NULL, deadline, &list, error);
        if (r < 0)
                return r;
        if (!cJSON_IsArray(list))
                return error_set(error, EBADMSG, "Docker's list of containers is not a list");
        return sort_containers(list, ret, error);
}

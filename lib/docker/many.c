/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker Engine API, asked for much at once: many GETs, and what happened meanwhile. */
#include <errno.h>
#include <string.h>

#include "lib/docker/internal.h"

/* Of the events of one time, 64 bytes of memory each. */
#define EVENT_VALUES_MAX ((size_t)1 << 20)

static int take_answer(struct docker *docker, struct docker_get *get, const struct http_response *response)
{
        if (response->status < 200 || response->status > 299)
                return docker_refused(docker, response, &get->error);
        const char *body = text_string(&response->body);
        const size_t length = response->body.length;
        int r = get->members
                        ? json_parse_members(body, length, &json_answer_limits, get->members, &get->answer,
                                             &get->error)
                        : json_parse_strict(body, length, &json_answer_limits, &get->answer, &get->error);
        return r < 0 ? error_prefix(&get->error, r, "Docker's answer to GET %s", get->path) : 0;
}

static void take_result(struct docker *docker, struct docker_get *get, struct http_call *call)
{
        get->result = call->result;
        if (get->result >= 0) {
                docker_take_time(docker, &call->response);
                get->result = take_answer(docker, get, &call->response);
        } else {
                error_move(&get->error, &call->error);
                docker_failed(docker, get->result, &get->error);
        }
}

int docker_get_all(struct docker *docker, struct docker_get *gets, size_t count, struct deadline deadline,
                   struct error *error)
{
        int minor = 0;
        int r = docker_api_minor(docker, deadline, &minor, error);
        if (r < 0)
                return r;

        _cleanup_free_ struct http_call *calls = calloc(count + 1, sizeof(*calls));
        _cleanup_free_ char **urls = calloc(count + 1, sizeof(*urls));
        if (!calls || !urls)
                return error_oom(error);
        for (size_t i = 0; i < count && r >= 0; i++) {
                urls[i] = text_format("%s/v1.%d%s", docker->base, minor, gets[i].path);
                calls[i].request = docker_describe(docker, "GET", urls[i], deadline);
                if (!urls[i])
                        r = error_oom(error);
        }
        if (r >= 0)
                r = http_fetch_all(docker->client, calls, count, error);
        for (size_t i = 0; i < count; i++) {
                if (r >= 0) {
                        take_result(docker, &gets[i], &calls[i]);
                        http_call_release(&calls[i]);
                }
                free(urls[i]);
        }
        return r;
}

void docker_get_release(struct docker_get *get)
{
        free(get->path);
        cJSON_Delete(get->answer);
        error_clear(&get->error);
        *get = (struct docker_get){0};
}

/* As many values as documents one a line can have together. */
static size_t most_values(const struct text *body)
{
        size_t count = 0;
        for (const char *at = text_string(body); *at; at++)
                count += *at == ',' || *at == '[' || *at == '{' || *at == '\n';
        return count;
}

int docker_read_events(const struct text *body, cJSON *array, struct error *error)
{
        const char *line = text_string(body);
        if (most_values(body) > EVENT_VALUES_MAX)
                return error_set(error, EMSGSIZE, "Docker told of more events than can be read");
        for (size_t length; *line; line += length + (line[length] != '\0')) {
                length = strcspn(line, "\n");
                if (strspn(line, " \r\n") >= length)
                        continue;
                cJSON *event = NULL;
                int r = json_parse_strict(line, length, &json_answer_limits, &event, error);
                if (r < 0)
                        return error_prefix(error, r, "an event of Docker's");
                if (json_append(array, event) < 0)
                        return error_oom(error);
        }
        return 0;
}

int docker_events(struct docker *docker, nsec since, nsec until, struct deadline deadline, cJSON **ret,
                  struct error *error)
{
        _cleanup_free_ char *path =
                text_format("/events?since=%lld.%09lld&until=%lld.%09lld", (long long)(since / NSEC_PER_SEC),
                            (long long)(since % NSEC_PER_SEC), (long long)(until / NSEC_PER_SEC),
                            (long long)(until % NSEC_PER_SEC));
        int minor;
        if (!path)
                return error_oom(error);
        int r = docker_api_minor(docker, deadline, &minor, error);
        if (r < 0)
                return r;
        if (docker->podman)
                return error_set(error, ENOTSUP, "Podman does not tell all events of a time");
        _cleanup_http_response_ struct http_response response = {0};
        r = docker_request(docker, "GET", path, NULL, deadline, &response, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *array = cJSON_CreateArray();
        if (!array)
                return error_oom(error);
        r = docker_read_events(&response.body, array, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(array);
        return 0;
}

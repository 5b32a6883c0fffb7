/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/containers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int engine_at(const char *host, struct docker **ret, struct error *error)
{
        return docker_new(&(struct docker_options){.host = (char *)(uintptr_t)host}, ret, error);
}

struct docker *given_engine(void)
{
        _cleanup_error_ struct error error = {0};
        struct docker *docker = NULL;
        if (engine_at(given("RUNBOOK_TEST_DOCKER"), &docker, &error) < 0)
                fail_msg("%s", error_text(&error));
        return docker;
}

cJSON *json_of(const char *text)
{
        cJSON *json = NULL;
        assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
        return json;
}

cJSON *engine_ask(struct docker *docker, const char *method, const char *path, const char *body)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_json_ cJSON *json = body ? json_of(body) : NULL;
        cJSON *answer = NULL;
        int r = docker_call(docker, method, path, json, SOON, &answer, &error);
        if (r < 0 && r != -EALREADY)
                fail_msg("%s %s: %s", method, path, error_text(&error));
        return answer;
}

void engine_do(struct docker *docker, const char *method, const char *path, const char *body)
{
        cJSON_Delete(engine_ask(docker, method, path, body));
}

char *create_container(struct docker *docker, const char *name, const char *service, int number,
                       const char *more)
{
        _cleanup_free_ char *path = text_format("/containers/create?name=%s", name);
        _cleanup_free_ char *body = text_format(
                "{\"Image\":\"%s\",%s%s\"Labels\":{\"com.docker.compose.project\":\"" PROJECT "\","
                "\"com.docker.compose.service\":\"%s\",\"com.docker.compose.oneoff\":\"False\","
                "\"com.docker.compose.container-number\":\"%d\",\"runbook.lab\":\"1\","
                "\"com.docker.compose.config-hash\":\"cafe\"}}",
                given("RUNBOOK_TEST_IMAGE"), more, *more ? "," : "", service, number);
        _cleanup_json_ cJSON *answer = engine_ask(docker, "POST", path, body);
        return strdup(json_string(answer, "Id"));
}

char *on_host_network(void)
{
        return text_format("\"Env\":[\"PORT=%d\",\"DB_PORT=%s\",\"REDIS_PORT=%s\"],"
                           "\"HostConfig\":{\"NetworkMode\":\"host\"}",
                           closed_port(), given("RUNBOOK_TEST_DB_PORT"), given("RUNBOOK_TEST_REDIS_PORT"));
}

void container_do(struct docker *docker, const char *method, const char *id, const char *what)
{
        _cleanup_free_ char *path = text_format("/containers/%s%s", id, what);
        engine_do(docker, method, path, NULL);
}

cJSON *container_inspect(struct docker *docker, const char *id)
{
        _cleanup_error_ struct error error = {0};
        cJSON *inspected = NULL;
        if (docker_inspect(docker, id, SOON, &inspected, &error) < 0)
                fail_msg("%s", error_text(&error));
        return inspected;
}

cJSON *list_containers(struct docker *docker)
{
        return engine_ask(
                docker, "GET",
                "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.docker.compose.project%3D" PROJECT
                "%22%5D%7D",
                NULL);
}

/* A volume that was carried over by its name is not anonymous for the Engine any more. */
void remove_containers(struct docker *docker)
{
        _cleanup_json_ cJSON *list = list_containers(docker);
        const cJSON *item, *mount;
        cJSON_ArrayForEach(item, list)
        {
                _cleanup_free_ char *path = text_format("/containers/%s?force=1", json_string(item, "Id"));
                (void)docker_call(docker, "DELETE", path, NULL, SOON, NULL, NULL);
        }
        cJSON_ArrayForEach(item, list)
        {
                cJSON_ArrayForEach(mount, json_get(item, "Mounts", NULL))
                {
                        const char *name = json_string(mount, "Name");
                        _cleanup_free_ char *path = text_format("/volumes/%s", name ? name : "");
                        if (name)
                                (void)docker_call(docker, "DELETE", path, NULL, SOON, NULL, NULL);
                }
        }
}

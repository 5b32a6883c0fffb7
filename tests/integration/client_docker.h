/* SPDX-License-Identifier: Apache-2.0 */
/* Containers for the Docker drivers: made and removed through the Engine's own API. */
#ifndef TESTS_INTEGRATION_CLIENT_DOCKER_H
#define TESTS_INTEGRATION_CLIENT_DOCKER_H

#include "tests/integration/client.h"

#include <errno.h>
#include <time.h>

#include "runbook/docker.h"

#define PROJECT "runbook-client-test"

static inline int new_engine(const char *host, struct docker **ret, struct error *error)
{
        return docker_new(&(struct docker_options){.host = (char *)(uintptr_t)host}, ret, error);
}

static inline struct docker *engine(void)
{
        _cleanup_error_ struct error error = {0};
        struct docker *docker = NULL;
        if (new_engine(given("RUNBOOK_TEST_DOCKER"), &docker, &error) < 0)
                fail_msg("%s", error_text(&error));
        return docker;
}

static inline cJSON *parse(const char *text)
{
        cJSON *json = NULL;
        assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
        return json;
}

/* A call that has to succeed; what it answered, if anything. */
static inline cJSON *call(struct docker *docker, const char *method, const char *path, const char *body)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_json_ cJSON *json = body ? parse(body) : NULL;
        cJSON *answer = NULL;
        int r = docker_call(docker, method, path, json, SOON, &answer, &error);
        if (r < 0 && r != -EALREADY)
                fail_msg("%s %s: %s", method, path, error_text(&error));
        return answer;
}

static inline void call_only(struct docker *docker, const char *method, const char *path, const char *body)
{
        cJSON_Delete(call(docker, method, path, body));
}

/* Creates a container of the test image; `more` is inserted into the body. Its id, to be freed. */
static inline char *create(struct docker *docker, const char *name, const char *service, int number,
                           const char *more)
{
        _cleanup_free_ char *path = text_format("/containers/create?name=%s", name);
        _cleanup_free_ char *body = text_format(
                "{\"Image\":\"%s\",%s%s\"Labels\":{\"com.docker.compose.project\":\"" PROJECT "\","
                "\"com.docker.compose.service\":\"%s\",\"com.docker.compose.oneoff\":\"False\","
                "\"com.docker.compose.container-number\":\"%d\",\"runbook.lab\":\"1\","
                "\"com.docker.compose.config-hash\":\"cafe\"}}",
                given("RUNBOOK_TEST_IMAGE"), more, *more ? "," : "", service, number);
        _cleanup_json_ cJSON *answer = call(docker, "POST", path, body);
        return strdup(json_string(answer, "Id"));
}

/* The stand-in on the host's network, where its database and Redis are, so that it can be healthy; free() it.
 */
static inline char *on_host(void)
{
        return text_format("\"Env\":[\"PORT=%d\",\"DB_PORT=%s\",\"REDIS_PORT=%s\"],"
                           "\"HostConfig\":{\"NetworkMode\":\"host\"}",
                           closed_port(), given("RUNBOOK_TEST_DB_PORT"), given("RUNBOOK_TEST_REDIS_PORT"));
}

static inline void act(struct docker *docker, const char *method, const char *id, const char *what)
{
        _cleanup_free_ char *path = text_format("/containers/%s%s", id, what);
        call_only(docker, method, path, NULL);
}

static inline cJSON *inspect(struct docker *docker, const char *id)
{
        _cleanup_error_ struct error error = {0};
        cJSON *inspected = NULL;
        if (docker_inspect(docker, id, SOON, &inspected, &error) < 0)
                fail_msg("%s", error_text(&error));
        return inspected;
}

/* Every container of the project, whatever its name. */
static inline cJSON *everything(struct docker *docker)
{
        return call(
                docker, "GET",
                "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.docker.compose.project%3D" PROJECT
                "%22%5D%7D",
                NULL);
}

/* And their volumes: one that was carried over by its name is not anonymous for the Engine any more. */
static inline void remove_everything(struct docker *docker)
{
        _cleanup_json_ cJSON *list = everything(docker);
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

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the Engine's events are a person's. */
#include "tests/harness/unit.h"

#include <stdio.h>
#include <string.h>

#include "responder/actions/docker/people.h"

#define SECOND NSEC_PER_SEC
#define NOW (10000 * SECOND)

static cJSON *parse(const char *text)
{
        cJSON *json = NULL;
        assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
        return json;
}

/* What it is called that happened so many seconds before now; "" when no person has caused it. */
static const char *of_person(const char *action, const char *service, nsec ago,
                             const struct people_asked *asked, nsec booted)
{
        _cleanup_free_ char *text = text_format(
                "{\"Type\":\"container\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"c1\",\"Attributes\":{"
                "\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"%s\",\"name\":"
                "\"shop-web-1\"}},\"time\":%lld}",
                action, service, (long long)((NOW - ago) / SECOND));
        _cleanup_json_ cJSON *event = parse(text);
        const char *command = NULL;
        const char *means = docker_event_of_person(event, "shop", "web", asked, booted, &command);
        return means ? means : "";
}

static void test_events(void **state _unused_)
{
        static const struct own_time own[] = {{NOW - 100 * SECOND, NOW - 80 * SECOND}};
        const struct people_asked asked = {
                .now = NOW, .after = NOW - 900 * SECOND, .own = own, .own_count = N_ELEMENTS(own)};
        static const struct {
                const char *action, *service;
                nsec ago;
                const char *means;
        } cases[] = {
                {"exec_start: /bin/sh -c ls", "web", 10 * SECOND, "docker exec"},
                {"exec_create: /bin/sh -c ls", "web", 10 * SECOND, ""},
                {"attach", "web", 10 * SECOND, "docker attach"},
                {"restart", "web", 10 * SECOND, "docker restart"},
                {"stop", "web", 10 * SECOND, "docker stop"},
                {"kill", "web", 10 * SECOND, "docker kill"},
                {"rename", "web", 10 * SECOND, "docker rename"},
                {"update", "web", 10 * SECOND, "docker update"},
                {"create", "web", 10 * SECOND, "docker compose"},
                /* by a restart policy, a health check, or nobody */
                {"die", "web", 10 * SECOND, ""},
                {"start", "web", 10 * SECOND, ""},
                {"health_status: unhealthy", "web", 10 * SECOND, ""},
                {"oom", "web", 10 * SECOND, ""},
                {"exec_die", "web", 10 * SECOND, ""},
                {"destroy", "web", 10 * SECOND, ""},
                {"stopped", "web", 10 * SECOND, ""},
                /* of another service; long ago; while this responder was at it, which executes nothing */
                {"stop", "db", 10 * SECOND, ""},
                {"stop", "web", 901 * SECOND, ""},
                {"stop", "web", 90 * SECOND, ""},
                {"create", "web", 102 * SECOND, ""},
                {"create", "web", 110 * SECOND, "docker compose"},
                {"exec_start: top", "web", 90 * SECOND, "docker exec"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const char *means = of_person(cases[i].action, cases[i].service, cases[i].ago, &asked, 0);
                if (strcmp(means, cases[i].means) != 0)
                        fail_msg("case %zu: \"%s\", not \"%s\"", i, means, cases[i].means);
        }
        /* As a machine starts, its units do what Compose has described; who executes something is there. */
        assert_string_equal(of_person("create", "web", 10 * SECOND, &asked, NOW - 200 * SECOND), "");
        assert_string_equal(of_person("attach", "web", 10 * SECOND, &asked, NOW - 200 * SECOND),
                            "docker attach");
        assert_string_equal(of_person("create", "web", 10 * SECOND, &asked, NOW - 400 * SECOND),
                            "docker compose");
}

/* The Engine's figures are a peer's: what is to come was seen now, what was before all times long ago. */
static void test_times_beyond_all(void **state _unused_)
{
        const struct people_asked asked = {.now = NOW, .after = NOW - 900 * SECOND};
        static const struct {
                const char *time;
                bool seen;
        } cases[] = {{"1e300", true}, {"-1e300", false}, {"9.3e18", true}, {"0", false}, {"null", false}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *text = text_format(
                        "{\"Type\":\"container\",\"Action\":\"stop\",\"Actor\":{\"ID\":\"c1\",\"Attributes\":"
                        "{"
                        "\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\"}},"
                        "\"timeNano\":%s}",
                        cases[i].time);
                _cleanup_json_ cJSON *event = parse(text);
                const char *command = NULL;
                if (!docker_event_of_person(event, "shop", "web", &asked, 0, &command) == cases[i].seen)
                        fail_msg("case %zu", i);
        }
}

static void test_health_checks(void **state _unused_)
{
        static const struct {
                const char *config, *command;
                bool is;
        } cases[] = {
                {"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl -f http://localhost/\"]}",
                 "/bin/sh -c curl -f http://localhost/", true},
                {"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"]},\"Shell\":[\"/bin/bash\",\"-ec\"]",
                 "/bin/bash -ec true", true},
                {"\"Healthcheck\":{\"Test\":[\"CMD\",\"/service\",\"health\"]}", "/service health", true},
                {"\"Healthcheck\":{\"Test\":[\"CMD\",\"/service\",\"health\"]}", "/service", false},
                {"\"Healthcheck\":{\"Test\":[\"NONE\"]}", "", false},
                {"\"Image\":\"x\"", "/bin/sh", false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *text = text_format("{\"Config\":{%s}}", cases[i].config);
                _cleanup_json_ cJSON *inspected = parse(text);
                if (docker_is_health_check(inspected, cases[i].command) != cases[i].is)
                        fail_msg("case %zu", i);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_events),
                cmocka_unit_test(test_times_beyond_all),
                cmocka_unit_test(test_health_checks),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How many containers of a service are wanted, by what the Engine tells of those there are. */
#include <errno.h>
#include <string.h>

#include "exporter/kinds/docker/services.h"
#include "tests/harness/unit.h"

#define MADE(number, policy, status, code)                                                                  \
        "{\"Config\":{\"Labels\":{\"com.docker.compose.container-number\":\"" number                        \
        "\"}},\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"" policy "\"}},\"State\":{\"Status\":\"" status \
        "\",\"ExitCode\":" code "}}"

static void add(struct docker_finding *finding, const char *text)
{
        cJSON *inspected = cJSON_Parse(text);
        assert_non_null(inspected);
        assert_int_equal(docker_finding_add(finding, inspected, "c", NULL), 0);
        cJSON_Delete(inspected);
}

static void wanted_are_those_that_exist_unless_they_are_done_a6(void **state _unused_)
{
        static const struct {
                const char *containers[3];
                unsigned running, wanted;
        } cases[] = {
                {{MADE("1", "no", "running", "0"), MADE("2", "no", "exited", "137")}, 1, 2},
                {{MADE("1", "no", "exited", "0")}, 0, 0},         /* a job */
                {{MADE("1", "on-failure", "exited", "0")}, 0, 0}, /* a job, too */
                {{MADE("1", "no", "exited", "1")}, 0, 1},         /* one that failed */
                {{MADE("1", "always", "exited", "0")}, 0, 1},     /* was stopped */
                {{MADE("1", "unless-stopped", "exited", "0")}, 0, 1},
                {{MADE("1", "no", "created", "0"), MADE("2", "no", "paused", "0")}, 0, 2},
                {{MADE("1", "no", "exited", "0"), MADE("1", "no", "running", "0")}, 1, 1}, /* replaced */
                {{MADE("1", "no", "exited", "137"), MADE("1", "no", "running", "0")}, 1, 1},
                {{MADE("", "no", "exited", "137"), MADE("", "no", "running", "0")}, 1, 2}, /* unnumbered */
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct docker_finding finding = {.service = "s"};
                for (size_t k = 0; k < N_ELEMENTS(cases[i].containers) && cases[i].containers[k]; k++)
                        add(&finding, cases[i].containers[k]);
                if (finding.running != cases[i].running || finding.wanted != cases[i].wanted)
                        fail_msg("case %zu: %u of %u", i, finding.running, finding.wanted);
                free(finding.down);
        }
        /* Of a service that the operator expects, one that ended well should run all the same. */
        struct docker_finding expected = {.service = "s", .expected = true};
        add(&expected, MADE("1", "no", "exited", "0"));
        assert_int_equal(expected.wanted, 1);
        free(expected.down);
}

/* A container of a service that needs others by Compose's label; the caller frees it. */
static cJSON *made(const char *depends_on, const char *status)
{
        _cleanup_text_ struct text text = {0};
        text_printf(&text,
                    "{\"Config\":{\"Labels\":{\"com.docker.compose.container-number\":\"1\","
                    "\"com.docker.compose.depends_on\":\"%s\"}},\"HostConfig\":{},"
                    "\"State\":{\"Status\":\"%s\",\"ExitCode\":0}}",
                    depends_on, status);
        cJSON *json = cJSON_Parse(text_string(&text));
        assert_non_null(json);
        return json;
}

/* Root first: what fails behind something that fails is told behind it, whatever the order in the file. */
static void effects_stand_behind_their_root(void **state _unused_)
{
        static const struct {
                const char *api, *api_needs, *db, *job, *reason;
        } cases[] = {
                {"exited", "db:service_healthy:false,job:service_completed_successfully:false", "exited",
                 "exited",
                 "service db has no running container: c exited with status 0; service api has no running "
                 "container: c exited with status 0 (it needs db, which does not run)"},
                {"exited", "db:service_healthy", "running", "exited",
                 "service api has no running container: c exited with status 0"},
                {"running", "db", "exited", "exited",
                 "service db has no running container: c exited with status 0"},
                {"exited", "dbx:service_healthy,d,job:service_completed_successfully", "exited", "exited",
                 "service api has no running container: c exited with status 0; service db has no running "
                 "container: c exited with status 0"},
                {"exited", "job:service_started:true", "running", "dead",
                 "service api has no running container: c exited with status 0 (it needs job, which does not "
                 "run)"},
                {"exited", "api", "running", "exited",
                 "service api has no running container: c exited with status 0"},
        };
        static char api[] = "api", db[] = "db", *expected[] = {api, db};
        const struct docker_config config = {.services = {expected, N_ELEMENTS(expected)}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct docker_findings findings;
                _cleanup_error_ struct error error = {0};
                bool unknown;
                cJSON *containers[] = {made(cases[i].api_needs, cases[i].api), made("", cases[i].db),
                                       made("", cases[i].job)};
                static const char *const services[] = {"api", "db", "job"};
                assert_int_equal(docker_findings_init(&findings, &config, N_ELEMENTS(containers), NULL), 0);
                for (size_t k = 0; k < N_ELEMENTS(containers); k++)
                        assert_int_equal(docker_finding_add(docker_findings_of(&findings, NULL, services[k]),
                                                            containers[k], "c", NULL),
                                         0);
                assert_int_equal(docker_findings_judge(&findings, &unknown, &error), -ECHILD);
                assert_string_equal(error_text(&error), cases[i].reason);
                docker_findings_release(&findings);
                for (size_t k = 0; k < N_ELEMENTS(containers); k++)
                        cJSON_Delete(containers[k]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(wanted_are_those_that_exist_unless_they_are_done_a6),
                cmocka_unit_test(effects_stand_behind_their_root),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

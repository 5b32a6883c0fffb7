/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a container may be touched, and whether it was meant to be down: by what Engines say of it. */
#include "tests/harness/unit.h"

#include <errno.h>

#include "runbook/docker_conditions.h"
#include "runbook/text.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static cJSON *parse(const char *text)
{
        cJSON *json = NULL;
        assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
        return json;
}

static cJSON *container(const char *state, const char *policy, int most, int restarts)
{
        _cleanup_free_ char *text = text_format(
                "{\"Id\":\"" ID "\",\"Name\":\"/web_1\",\"RestartCount\":%d,\"State\":{%s},\"HostConfig\":{"
                "\"RestartPolicy\":{\"Name\":\"%s\",\"MaximumRetryCount\":%d}}}",
                restarts, state, policy, most);
        return parse(text);
}

#define ENDED(code) "\"Status\":\"exited\",\"Running\":false,\"Error\":\"\",\"ExitCode\":" #code
#define EVENT(action, more)                                                         \
        "{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" ID \
        "\",\"Attributes\":{" more "}}}"
#define OF_ANOTHER "{\"Type\":\"container\",\"Action\":\"stop\",\"Actor\":{\"ID\":\"" OTHER "\"}}"
#define KILLED(signal) EVENT("kill", "\"signal\":\"" signal "\"")

static void what_somebody_has_stopped_is_told_from_what_has_crashed(void **state _unused_)
{
        static const struct {
                const char *state, *policy;
                int most, restarts;
                const char *events; /* NULL: the Engine remembers none */
                bool on_purpose;
        } cases[] = {
                /* The policy would have started it again. */
                {ENDED(0), "unless-stopped", 0, 0, NULL, true},
                {ENDED(143), "always", 0, 0, NULL, true},
                {ENDED(1), "always", 0, 0, NULL, true},
                {ENDED(137), "on-failure", 0, 0, NULL, true},
                {ENDED(3), "on-failure", 2, 1, NULL, true},
                {ENDED(3), "on-failure", 2, 2, NULL, false},
                {ENDED(0), "on-failure", 2, 2, NULL, true},
                /* None would. */
                {ENDED(0), "no", 0, 0, NULL, true},
                {ENDED(130), "", 0, 0, NULL, true},
                {ENDED(137), "no", 0, 0, NULL, true},
                {ENDED(143), "no", 0, 0, NULL, true},
                {ENDED(1), "no", 0, 0, NULL, false},
                {ENDED(139), "no", 0, 0, NULL, false},
                /* What the Engine remembers is certain. */
                {ENDED(1), "no", 0, 0,
                 EVENT("start", "") "," KILLED("15") "," EVENT("die", "") "," EVENT("stop", ""), true},
                {ENDED(137), "no", 0, 0, EVENT("start", "") "," KILLED("9") "," EVENT("die", ""), true},
                {ENDED(137), "no", 0, 0, EVENT("start", "") "," EVENT("die", ""), false},
                {ENDED(143), "no", 0, 0, EVENT("die", "") "," OF_ANOTHER, false},
                {ENDED(1), "no", 0, 0, KILLED("1") "," EVENT("die", ""), false}, /* a reload, by SIGHUP */
                {ENDED(1), "no", 0, 0, EVENT("stop", "") "," EVENT("start", "") "," EVENT("die", ""), false},
                {ENDED(137), "no", 0, 0, OF_ANOTHER, true},
                /* Not down, or not by anybody's wish. */
                {"\"Status\":\"running\",\"Running\":true,\"ExitCode\":0", "no", 0, 0, NULL, false},
                {"\"Status\":\"paused\",\"Running\":true,\"ExitCode\":0", "no", 0, 0, NULL, false},
                {"\"Status\":\"restarting\",\"Running\":true,\"ExitCode\":0", "always", 0, 9, NULL, false},
                {"\"Status\":\"exited\",\"OOMKilled\":true,\"ExitCode\":137", "no", 0, 0, NULL, false},
                {"\"Status\":\"exited\",\"Error\":\"port is taken\",\"ExitCode\":128", "always", 0, 0, NULL,
                 false},
                {"\"Status\":\"created\",\"Error\":\"no such file\",\"ExitCode\":127", "always", 0, 0, NULL,
                 false},
                {"\"Status\":\"created\",\"Error\":\"\",\"ExitCode\":0", "always", 0, 0, NULL, true},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ cJSON *inspected =
                        container(cases[i].state, cases[i].policy, cases[i].most, cases[i].restarts);
                _cleanup_free_ char *list = cases[i].events ? text_format("[%s]", cases[i].events) : NULL;
                _cleanup_json_ cJSON *events = list ? parse(list) : NULL;
                if ((docker_stopped_on_purpose(inspected, events) != NULL) != cases[i].on_purpose)
                        fail_msg("case %zu: %s", i, cases[i].state);
        }
        assert_null(docker_stopped_on_purpose(NULL, NULL));
}

#define RESTART DOCKER_RESTART
#define RECREATE DOCKER_RECREATE
#define REMOVE DOCKER_REMOVE

static void each_state_stands_in_the_way_of_what_it_says(void **state _unused_)
{
        static const struct {
                const char *more; /* of {"Id", "Name"} */
                unsigned forbids;
                const char *word;
        } cases[] = {
                {"\"State\":{\"Status\":\"running\",\"Running\":true}", 0, ""},
                {"\"State\":{\"Status\":\"restarting\",\"Running\":true,\"Restarting\":true}", 0, ""},
                {"\"State\":{\"Status\":\"exited\"}", 0, ""},
                {"\"State\":{\"Status\":\"paused\",\"Running\":true,\"Paused\":true}",
                 RESTART | RECREATE | REMOVE, "docker unpause web_1"},
                {"\"State\":{\"Status\":\"removing\"}", RESTART | RECREATE | REMOVE, "being removed"},
                {"\"State\":{\"Status\":\"dead\",\"Dead\":true}", RESTART | RECREATE, "docker rm -f web_1"},
                {"\"HostConfig\":{\"AutoRemove\":true}", RECREATE, "removes itself"},
                {"\"Config\":{\"Labels\":{\"com.docker.swarm.task.id\":\"x\"}}", RESTART | RECREATE | REMOVE,
                 "Swarm"},
        };
        static const enum docker_purpose purposes[] = {RESTART, RECREATE, REMOVE};
        _cleanup_json_ cJSON *alone = cJSON_CreateArray();
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *text =
                        text_format("{\"Id\":\"" ID "\",\"Name\":\"/web_1\",%s}", cases[i].more);
                _cleanup_json_ cJSON *inspected = parse(text);
                for (size_t p = 0; p < N_ELEMENTS(purposes); p++) {
                        _cleanup_error_ struct error error = {0};
                        int wanted = cases[i].forbids & purposes[p] ? -ENOTSUP : 0;
                        if (docker_may(alone, inspected, purposes[p], &error) != wanted)
                                fail_msg("case %zu, purpose %u: %s", i, purposes[p], error_text(&error));
                        if (wanted < 0) {
                                assert_non_null(strstr(error_text(&error), cases[i].word));
                                assert_non_null(strstr(error_text(&error), "what would be right"));
                        }
                }
        }
        _cleanup_json_ cJSON *nameless = parse("{\"Id\":\"" ID "\"}");
        assert_int_equal(docker_may(alone, nameless, RESTART, NULL), -EBADMSG);
}

static void who_depends_on_it_is_named(void **state _unused_)
{
        static const struct {
                const char *host_config;
                bool runs;
                unsigned forbids;
        } cases[] = {
                {"\"NetworkMode\":\"container:" ID "\"", true, RESTART | RECREATE | REMOVE},
                {"\"NetworkMode\":\"container:web_1\"", true, RESTART | RECREATE | REMOVE},
                {"\"NetworkMode\":\"container:0123456789ab\"", false, RECREATE | REMOVE},
                {"\"PidMode\":\"container:" ID "\"", true, RESTART | RECREATE | REMOVE},
                {"\"IpcMode\":\"container:/web_1\"", false, RECREATE | REMOVE},
                {"\"Links\":[\"/web_1:/uses/web\"]", true, RECREATE | REMOVE},
                {"\"NetworkMode\":\"container:web_11\"", true, 0},
                {"\"Links\":[\"/web_11:/uses/web\"],\"NetworkMode\":\"host\"", true, 0},
        };
        static const enum docker_purpose purposes[] = {RESTART, RECREATE, REMOVE};
        _cleanup_json_ cJSON *lender = parse("{\"Id\":\"" ID "\",\"Name\":\"/web_1\"}");
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *text =
                        text_format("[{\"Id\":\"" ID "\",\"Name\":\"/web_1\"},{\"Id\":\"" OTHER
                                    "\",\"Name\":\"/uses\",\"State\":{\"Running\":%s},\"HostConfig\":{%s}}]",
                                    cases[i].runs ? "true" : "false", cases[i].host_config);
                _cleanup_json_ cJSON *everything = parse(text);
                for (size_t p = 0; p < N_ELEMENTS(purposes); p++) {
                        _cleanup_error_ struct error error = {0};
                        int wanted = cases[i].forbids & purposes[p] ? -ENOTSUP : 0;
                        if (docker_may(everything, lender, purposes[p], &error) != wanted)
                                fail_msg("case %zu, purpose %u: %s", i, purposes[p], error_text(&error));
                        if (wanted < 0)
                                assert_non_null(strstr(error_text(&error), "uses ("));
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_somebody_has_stopped_is_told_from_what_has_crashed),
                cmocka_unit_test(each_state_stands_in_the_way_of_what_it_says),
                cmocka_unit_test(who_depends_on_it_is_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

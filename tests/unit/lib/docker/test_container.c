/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from descriptions of containers: as Engines write them, and where they leave things out. */
#include "tests/harness/unit.h"

#include "runbook/docker_container.h"
#include "runbook/text.h"

static cJSON *parse(const char *text)
{
        cJSON *json = NULL;
        assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
        return json;
}

/* The very labels of an image that was made from ubuntu:22.04. */
static void the_version_is_the_images_own(void **state _unused_)
{
        static const struct {
                const char *labels, *version;
        } cases[] = {
                {"{\"org.opencontainers.image.version\":\"22.04\",\"version\":\"1.2.3\"}", "1.2.3"},
                {"{\"org.opencontainers.image.version\":\"22.04\"}", "22.04"},
                {"{\"org.opencontainers.image.version\":\"22.04\",\"version\":\"\"}", "22.04"},
                {"{\"version\":\"\"}", NULL},
                {"{\"Version\":\"1\"}", NULL},
                {"null", NULL},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *text = text_format("{\"Config\":{\"Labels\":%s}}", cases[i].labels);
                _cleanup_json_ cJSON *json = parse(text);
                assert_true(string_equal(docker_version(json), cases[i].version));
        }
}

static void a_list_and_a_description_tell_the_same(void **state _unused_)
{
        static const char *const documents[] = {
                "{\"Id\":\"1\",\"Names\":[\"/other/alias\",\"/web-1\"],\"State\":\"paused\",\"Labels\":{"
                "\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\"}}",
                "{\"Id\":\"1\",\"Name\":\"/web-1\",\"State\":{\"Status\":\"paused\",\"Running\":true},"
                "\"Config\":{\"Labels\":{\"com.docker.compose.project\":\"shop\","
                "\"com.docker.compose.service\":\"web\"}}}",
        };
        for (size_t i = 0; i < N_ELEMENTS(documents); i++) {
                _cleanup_json_ cJSON *json = parse(documents[i]);
                assert_string_equal(docker_name(json), "web-1");
                assert_string_equal(docker_compose_project(json), "shop");
                assert_string_equal(docker_service(json), "web");
                assert_string_equal(docker_status(json), "paused");
                assert_false(docker_runs(json) || docker_has_ended(json) || docker_is_kept(json));
        }
        _cleanup_json_ cJSON *inspected = parse(documents[1]);
        assert_true(docker_marked_running(inspected));
}

static void what_is_kept_is_known_by_its_name(void **state _unused_)
{
        static const struct {
                const char *name;
                bool kept;
        } cases[] = {
                {"/web.runbook-INC-2026-0001-1.old", true},
                {"/web.runbook-INC-2026-0001-1.new", true},
                {"/web.runbook-x", false},
                {"/web.old", false},
                {"/web.runbook.old", false},
                {"/", false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *text = text_format("{\"Name\":\"%s\"}", cases[i].name);
                _cleanup_json_ cJSON *json = parse(text);
                assert_int_equal(docker_is_kept(json), cases[i].kept);
        }
}

static void how_it_ended_is_told_once_it_has(void **state _unused_)
{
        static const struct {
                const char *state;
                bool ended, for_memory;
                int status;
        } cases[] = {
                {"{\"Status\":\"exited\",\"ExitCode\":137,\"OOMKilled\":true}", true, true, 137},
                {"{\"Status\":\"exited\",\"ExitCode\":137,\"OOMKilled\":false}", true, false, 137},
                /* Another process of the container was killed, and the main one ended by itself. */
                {"{\"Status\":\"exited\",\"ExitCode\":0,\"OOMKilled\":true}", true, false, 0},
                {"{\"Status\":\"restarting\",\"ExitCode\":1}", true, false, 1},
                {"{\"Status\":\"dead\"}", true, false, -1},
                {"{\"Status\":\"running\",\"ExitCode\":0}", false, false, 0},
                {"{\"Status\":\"exited\",\"ExitCode\":1e300}", true, false, -1},
                {"{\"Status\":7}", false, false, -1},
                {"7", false, false, -1},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *text = text_format("{\"State\":%s}", cases[i].state);
                _cleanup_json_ cJSON *json = parse(text);
                assert_int_equal(docker_has_ended(json), cases[i].ended);
                assert_int_equal(docker_ended_for_memory(json), cases[i].for_memory);
                assert_int_equal(docker_exit_status(json), cases[i].status);
        }
}

static void times_that_did_not_come_to_pass_are_zero(void **state _unused_)
{
        _cleanup_json_ cJSON *json =
                parse("{\"Created\":\"2026-07-01T09:00:00.5Z\",\"State\":{\"StartedAt\":\"yesterday\","
                      "\"FinishedAt\":\"0001-01-01T00:00:00Z\"},\"RestartCount\":3,\"Image\":\"sha256:ab\","
                      "\"Config\":{\"Image\":\"img:1\"}}");
        assert_int_equal(docker_created(json), 1782896400500 * NSEC_PER_MSEC);
        assert_int_equal(docker_started(json), 0);
        assert_string_equal(docker_started_at(json), "yesterday");
        assert_int_equal(docker_finished(json), 0);
        assert_true(docker_restart_count(json) == 3);
        assert_string_equal(docker_image(json), "img:1");
        assert_string_equal(docker_image_id(json), "sha256:ab");
}

static void a_document_that_tells_nothing_is_survived(void **state _unused_)
{
        static const char *const documents[] = {"{}", "[]", "null", "\"x\"",
                                                "{\"State\":[],\"Config\":7,\"Labels\":\"x\",\"Names\":{}}"};
        for (size_t i = 0; i <= N_ELEMENTS(documents); i++) {
                _cleanup_json_ cJSON *json = i < N_ELEMENTS(documents) ? parse(documents[i]) : NULL;
                assert_string_equal(docker_name(json), "");
                assert_string_equal(docker_service(json), "");
                assert_string_equal(docker_compose_project(json), "");
                assert_string_equal(docker_status(json), "");
                assert_string_equal(docker_started_at(json), "");
                assert_string_equal(docker_health(json), "none");
                assert_null(docker_version(json));
                assert_null(docker_image(json));
                assert_null(docker_image_id(json));
                assert_false(docker_runs(json) || docker_marked_running(json) || docker_has_ended(json));
                assert_int_equal(docker_exit_status(json), -1);
                assert_true(docker_restart_count(json) < 0);
                assert_int_equal(docker_created(json) + docker_started(json) + docker_finished(json), 0);
        }
}

static void replicas_and_one_offs_are_told_apart(void **state _unused_)
{
        static const struct {
                const char *document;
                int number;
                bool one_off, restarted;
        } cases[] = {
                {"{\"Labels\":{\"com.docker.compose.container-number\":\"3\",\"com.docker.compose.oneoff\":"
                 "\"False\"}}",
                 3, false, false},
                {"{\"Labels\":{\"com.docker.compose.container-number\":\"x\",\"com.docker.compose.oneoff\":"
                 "\"True\"}}",
                 0, true, false},
                {"{\"Labels\":{\"com.docker.compose.container-number\":\"99999999999\"}}", 0, false, false},
                {"{\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\"}}}", 0, false, true},
                {"{\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}}", 0, false, true},
                {"{\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"on-failure\"}}}", 0, false, false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ cJSON *json = parse(cases[i].document);
                assert_int_equal(docker_number(json), cases[i].number);
                assert_int_equal(docker_is_one_off(json), cases[i].one_off);
                assert_int_equal(docker_is_restarted(json), cases[i].restarted);
        }
}

static void an_event_tells_of_its_container(void **state _unused_)
{
        _cleanup_json_ cJSON *event = parse(
                "{\"Type\":\"container\",\"Action\":\"health_status: "
                "healthy\",\"Actor\":{\"ID\":\"1\",\"Attributes\":{"
                "\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\",\"name\":"
                "\"web-1.runbook-INC-1.old\"}},\"timeNano\":1}");
        _cleanup_json_ cJSON *other =
                parse("{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"2\"}}");
        assert_string_equal(docker_event_action(event), "health_status: healthy");
        assert_string_equal(docker_event_container(event), "1");
        assert_string_equal(docker_service(event), "web");
        assert_string_equal(docker_compose_project(event), "shop");
        assert_true(docker_is_kept(event));
        assert_string_equal(docker_event_container(other), "");
        assert_string_equal(docker_event_action(NULL), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_version_is_the_images_own),
                cmocka_unit_test(a_list_and_a_description_tell_the_same),
                cmocka_unit_test(replicas_and_one_offs_are_told_apart),
                cmocka_unit_test(an_event_tells_of_its_container),
                cmocka_unit_test(what_is_kept_is_known_by_its_name),
                cmocka_unit_test(how_it_ended_is_told_once_it_has),
                cmocka_unit_test(times_that_did_not_come_to_pass_are_zero),
                cmocka_unit_test(a_document_that_tells_nothing_is_survived),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What an Engine's refusal, and an Engine that is not there, read like to a person (F9). */
#include "tests/harness/unit.h"

#include <errno.h>

#include "lib/docker/internal.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void ids_are_as_docker_ps_has_them(void **state _unused_)
{
        static const struct {
                const char *message, *sentence;
        } cases[] = {
                {"No such container: " ID, "Docker: No such container: 0123456789ab"},
                {ID " and " ID, "Docker: 0123456789ab and 0123456789ab"},
                {"sha256:" ID "!", "Docker: sha256:0123456789ab!"},
                /* Another length is no id. */
                {"0" ID, "Docker: 0" ID},
                {"deadbeef and nothing", "Docker: deadbeef and nothing"},
                {"first line\\nsecond " ID, "Docker: first line"},
                {"", "Docker: "},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *body = text_format("{\"message\":\"%s\"}", cases[i].message);
                _cleanup_error_ struct error error = {0};
                assert_int_equal(docker_answer_error(404, body, strlen(body), &error), -ENOENT);
                assert_string_equal(error_text(&error), cases[i].sentence);
        }
}

static void an_engine_that_is_away_has_the_name_of_the_file(void **state _unused_)
{
        const struct docker_options options = {.host = (char *)(uintptr_t) "unix:///nowhere/docker.sock"};
        _cleanup_docker_ struct docker *docker = NULL;
        _cleanup_json_ cJSON *inspected = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(docker_new(&options, &docker, &error), 0);
        int r = docker_inspect(docker, ID, deadline_in(NSEC_PER_SEC), &inspected, &error);
        assert_int_equal(r, -ECONNREFUSED);
        assert_true(docker_is_away(r));
        assert_string_equal(error_text(&error),
                            "Docker: unix:///nowhere/docker.sock: cannot connect: No such file or directory");
        assert_false(docker_is_away(-ENOENT) || docker_is_away(-EREMOTEIO) || docker_is_away(-ETIMEDOUT));
}

static void so_is_one_behind_a_proxy_that_finds_nobody(void **state _unused_)
{
        static const char body[] = "{\"message\":\"the Engine does not answer its proxy\"}";
        static const long statuses[] = {502, 503, 504};
        for (size_t i = 0; i < N_ELEMENTS(statuses); i++) {
                _cleanup_error_ struct error error = {0};
                assert_true(docker_is_away(docker_answer_error(statuses[i], body, sizeof(body) - 1, &error)));
                assert_string_equal(error_text(&error), "Docker: the Engine does not answer its proxy");
        }
        assert_false(docker_is_away(docker_answer_error(500, "", 0, NULL)));
        assert_false(docker_is_away(docker_answer_error(403, "", 0, NULL)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ids_are_as_docker_ps_has_them),
                cmocka_unit_test(an_engine_that_is_away_has_the_name_of_the_file),
                cmocka_unit_test(so_is_one_behind_a_proxy_that_finds_nobody),
        };
        return http_client_global_init(NULL) < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

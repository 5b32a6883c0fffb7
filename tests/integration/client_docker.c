/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker client against a real Engine: RUNBOOK_TEST_DOCKER, with the stand-in's image RUNBOOK_TEST_IMAGE.
 */
#include "tests/harness/containers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/docker/internal.h"
#include "runbook/wait.h"

#define QUIET "\"Healthcheck\":{\"Test\":[\"NONE\"]},\"HostConfig\":{\"NetworkMode\":\"none\"}"

static int clean(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        remove_containers(docker);
        return 0;
}

static void a_host_is_a_socket_or_an_address(void **state _unused_)
{
        static const char *const good[] = {"unix:///var/run/docker.sock", "tcp://127.0.0.1:2375",
                                           "tcp://[::1]:2375"};
        static const char *const bad[] = {
                "",         "/var/run/docker.sock",     "unix://run/x",     "tcp://",
                "http://x", "tcp://user:secret@host:1", "tcp://host:1/path"};
        for (size_t i = 0; i < N_ELEMENTS(good); i++) {
                _cleanup_docker_ struct docker *docker = NULL;
                assert_int_equal(engine_at(good[i], &docker, NULL), 0);
        }
        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                struct docker *docker = NULL;
                assert_int_equal(engine_at(bad[i], &docker, NULL), -EINVAL);
        }
}

static void the_version_is_the_engines_own(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        int minor = 0, engines = 0;
        assert_int_equal(docker_api_minor(docker, SOON, &minor, NULL), 0);
        _cleanup_json_ cJSON *version = engine_ask(docker, "GET", "/version", NULL);
        assert_int_equal(sscanf(json_string(version, "ApiVersion"), "1.%d", &engines), 1);
        assert_int_equal(minor, engines < DOCKER_API_NEWEST ? engines : DOCKER_API_NEWEST);
}

static void refusals_have_a_code_and_the_engines_words(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_error_ struct error error = {0};
        cJSON *answer = NULL;
        assert_int_equal(docker_inspect(docker, "client-nothing", SOON, &answer, &error), -ENOENT);
        assert_non_null(strstr(error_text(&error), "client-nothing"));
        /* What is asked for is a name and not a path. */
        assert_true(docker_inspect(docker, "../images", SOON, &answer, &error) < 0);

        _cleanup_free_ char *id = create_container(docker, "client-one", "one", 1, QUIET);
        assert_int_equal(docker_call(docker, "GET", "/containers/json?filters=x", NULL, SOON, NULL, &error),
                         -EREMOTEIO);
        _cleanup_free_ char *rename = text_format("/containers/%s/rename?name=client-one", id);
        assert_true(docker_call(docker, "POST", rename, NULL, SOON, NULL, &error) < 0);
        _cleanup_free_ char *other = create_container(docker, "client-two", "two", 1, QUIET);
        _cleanup_free_ char *conflict = text_format("/containers/%s/rename?name=client-one", other);
        assert_int_equal(docker_call(docker, "POST", conflict, NULL, SOON, NULL, &error), -EEXIST);

        _cleanup_free_ char *start = text_format("/containers/%s/start", id);
        assert_int_equal(docker_call(docker, "POST", start, NULL, SOON, &answer, NULL), 0);
        assert_null(answer);
        assert_int_equal(docker_call(docker, "POST", start, NULL, SOON, NULL, NULL), -EALREADY);
}

static void who_does_not_answer_is_not_waited_for(void **state _unused_)
{
        int port = 0;
        _cleanup_close_ int listener = silent_listener(&port);
        _cleanup_free_ char *silent = text_format("tcp://127.0.0.1:%d", port);
        _cleanup_free_ char *nobody = text_format("tcp://127.0.0.1:%d", closed_port());
        _cleanup_docker_ struct docker *hangs = NULL, *refuses = NULL;
        assert_int_equal(engine_at(silent, &hangs, NULL), 0);
        assert_int_equal(engine_at(nobody, &refuses, NULL), 0);
        cJSON *list = NULL;
        assert_int_equal(docker_list(hangs, "p", NULL, deadline_in(100 * NSEC_PER_MSEC), &list, NULL),
                         -ETIMEDOUT);
        assert_int_equal(docker_list(refuses, "p", NULL, SOON, &list, NULL), -ECONNREFUSED);
}

static void assert_listed(struct docker *docker, const char *service, const char *expected)
{
        _cleanup_json_ cJSON *list = NULL;
        _cleanup_text_ struct text names = {0};
        const cJSON *item;
        assert_int_equal(docker_list(docker, PROJECT, service, SOON, &list, NULL), 0);
        cJSON_ArrayForEach(item, list) text_printf(&names, "%s=%s ", docker_service(item), docker_name(item));
        assert_string_equal(text_string(&names), expected);
}

static void a_list_is_in_order_and_of_the_project_only(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        assert_listed(docker, NULL, "");
        free(create_container(docker, "client-w10", "worker", 10, QUIET));
        free(create_container(docker, "client-w9", "worker", 9, QUIET));
        free(create_container(docker, "client-api", "api", 1, QUIET));
        free(create_container(docker, "client-w2", "worker", 2, QUIET));
        free(create_container(docker, "client-w2.runbook-INC-2026-0001-1.old", "worker", 2, QUIET));
        assert_listed(docker, NULL, "api=client-api worker=client-w2 worker=client-w9 worker=client-w10 ");
        assert_listed(docker, "worker", "worker=client-w2 worker=client-w9 worker=client-w10 ");
        assert_listed(docker, "api\",\"x", "");
        /* What serves is counted, by whatever name. */
        container_do(docker, "POST", "client-w2.runbook-INC-2026-0001-1.old", "/start");
        assert_listed(docker, "worker",
                      "worker=client-w2 worker=client-w2.runbook-INC-2026-0001-1.old worker=client-w9 "
                      "worker=client-w10 ");

        /* An empty name is never read as "all". */
        cJSON *list = NULL;
        assert_int_equal(docker_list(docker, "", NULL, SOON, &list, NULL), -EINVAL);
        assert_int_equal(docker_list(docker, PROJECT, "", SOON, &list, NULL), -EINVAL);
}

static void a_health_check_is_waited_for(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_free_ char *more = on_host_network();
        _cleanup_free_ char *id = create_container(docker, "client-healthy", "one", 1, more);
        container_do(docker, "POST", id, "/start");
        assert_int_equal(docker_wait_healthy(docker, id, 0, SOON, NULL), 0);
        _cleanup_json_ cJSON *inspected = container_inspect(docker, id);
        assert_string_equal(docker_health(inspected), "healthy");
        assert_string_equal(docker_service(inspected), "one");
        assert_string_equal(docker_name(inspected), "client-healthy");
}

static void without_a_health_check_it_has_to_run_a_while(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_free_ char *id = create_container(docker, "client-quiet", "one", 1, QUIET);
        container_do(docker, "POST", id, "/start");
        nsec before = clock_monotonic();
        assert_int_equal(docker_wait_healthy(docker, id, 600 * NSEC_PER_MSEC, SOON, NULL), 0);
        assert_true(clock_monotonic() - before >= 600 * NSEC_PER_MSEC);
        _cleanup_json_ cJSON *inspected = container_inspect(docker, id);
        assert_string_equal(docker_health(inspected), "none");
}

static void one_that_never_gets_healthy_times_out_with_its_state(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_error_ struct error error = {0};
        /* Its health check asks at port 0. */
        _cleanup_free_ char *id =
                create_container(docker, "client-ill", "one", 1,
                                 "\"Env\":[\"PORT=65536\"],\"HostConfig\":{\"NetworkMode\":\"none\"}");
        assert_int_equal(docker_wait_healthy(docker, id, 0, deadline_in(100 * NSEC_PER_MSEC), &error),
                         -ETIMEDOUT);
        assert_non_null(strstr(error_text(&error), "created"));
        container_do(docker, "POST", id, "/start");
        assert_int_equal(docker_wait_healthy(docker, id, 0, deadline_in(NSEC_PER_SEC), &error), -ETIMEDOUT);
        assert_non_null(strstr(error_text(&error), "client-ill"));
        assert_non_null(strstr(error_text(&error), "running"));
}

static void one_that_exits_is_told_at_once(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_error_ struct error error = {0};
        /* Nothing listens, so the health check as the main program ends with 1. */
        _cleanup_free_ char *id =
                create_container(docker, "client-ends", "one", 1, "\"Cmd\":[\"healthcheck\"]," QUIET);
        container_do(docker, "POST", id, "/start");
        assert_int_equal(docker_wait_healthy(docker, id, 30 * NSEC_PER_SEC, SOON, &error), -ECHILD);
        assert_non_null(strstr(error_text(&error), "status 1"));
        container_do(docker, "DELETE", id, "");
        assert_int_equal(docker_wait_healthy(docker, id, 0, SOON, &error), -ENOENT);
}

struct log {
        struct text out, err;
        int fail_with;
};

static int keep(void *context, int stream, const char *data, size_t length)
{
        struct log *log = context;
        if (log->fail_with)
                return log->fail_with;
        text_append(stream == 2 ? &log->err : &log->out, data, length);
        return 0;
}

static void log_free(struct log *log)
{
        text_free(&log->out);
        text_free(&log->err);
}

static size_t lines(const struct text *text)
{
        size_t count = 0;
        for (const char *c = text_string(text); *c; c++)
                count += *c == '\n';
        return count;
}

/* Starts it, waits for its first line and stops it; each further start adds one. */
static void write_line(struct docker *docker, const char *id, size_t expected)
{
        container_do(docker, "POST", id, "/start");
        for (struct deadline deadline = SOON;;) {
                _cleanup_(log_free) struct log log = {0};
                assert_int_equal(docker_logs(docker, id, 0, 0, SOON, keep, &log, NULL), 0);
                if (lines(&log.out) >= expected)
                        break;
                assert_false(deadline_passed(deadline));
                pause_for(20 * NSEC_PER_MSEC, DEADLINE_NEVER);
        }
        container_do(docker, "POST", id, "/stop");
}

static void assert_logs(bool terminal)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_free_ char *id =
                create_container(docker, "client-logs", "one", 1, terminal ? "\"Tty\":true," QUIET : QUIET);
        for (size_t i = 1; i <= 3; i++)
                write_line(docker, id, i);

        _cleanup_(log_free) struct log all = {0}, last = {0}, none = {0}, full = {.fail_with = -ENOSPC};
        nsec time = 0;
        assert_int_equal(docker_logs(docker, id, 0, 0, SOON, keep, &all, NULL), 0);
        assert_int_equal(lines(&all.out), 3);
        assert_int_equal(all.err.length, 0);
        /* Every line starts with its time. */
        _cleanup_free_ char *stamp = strndup(all.out.data, strcspn(all.out.data, " "));
        assert_int_equal(time_parse(stamp, &time, NULL), 0);
        assert_non_null(strstr(all.out.data, " level=info service=mcp-server msg=\"starting\""));

        assert_int_equal(docker_logs(docker, id, 2, 0, SOON, keep, &last, NULL), 0);
        assert_int_equal(lines(&last.out), 2);
        assert_string_equal(last.out.data, strchr(all.out.data, '\n') + 1);

        assert_int_equal(
                docker_logs(docker, id, 0, clock_wall() + 60 * NSEC_PER_SEC, SOON, keep, &none, NULL), 0);
        assert_int_equal(none.out.length, 0);

        assert_int_equal(docker_logs(docker, id, 0, 0, SOON, keep, &full, NULL), -ENOSPC);
}

static void logs_are_taken_apart(void **state _unused_)
{
        assert_logs(false);
}

static void logs_of_a_terminal_are_taken_as_they_are(void **state _unused_)
{
        assert_logs(true);
}

static void logs_that_cannot_be_read_say_why(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_error_ struct error error = {0};
        _cleanup_(log_free) struct log log = {0};
        _cleanup_free_ char *id = create_container(docker, "client-mute", "one", 1,
                                                   "\"Tty\":true,\"HostConfig\":{\"NetworkMode\":\"none\","
                                                   "\"LogConfig\":{\"Type\":\"none\"}}");
        container_do(docker, "POST", id, "/start");
        assert_int_equal(docker_logs(docker, id, 0, 0, SOON, keep, &log, &error), -EREMOTEIO);
        assert_non_null(strstr(error_text(&error), "does not support reading"));
        assert_int_equal(log.out.length, 0);
        assert_int_equal(docker_logs(docker, "client-nothing", 0, 0, SOON, keep, &log, &error), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_host_is_a_socket_or_an_address),
                cmocka_unit_test(the_version_is_the_engines_own),
                cmocka_unit_test_teardown(refusals_have_a_code_and_the_engines_words, clean),
                cmocka_unit_test(who_does_not_answer_is_not_waited_for),
                cmocka_unit_test_teardown(a_list_is_in_order_and_of_the_project_only, clean),
                cmocka_unit_test_teardown(a_health_check_is_waited_for, clean),
                cmocka_unit_test_teardown(without_a_health_check_it_has_to_run_a_while, clean),
                cmocka_unit_test_teardown(one_that_never_gets_healthy_times_out_with_its_state, clean),
                cmocka_unit_test_teardown(one_that_exits_is_told_at_once, clean),
                cmocka_unit_test_teardown(logs_are_taken_apart, clean),
                cmocka_unit_test_teardown(logs_of_a_terminal_are_taken_as_they_are, clean),
                cmocka_unit_test_teardown(logs_that_cannot_be_read_say_why, clean),
        };
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests_name("client_docker", tests, clean, NULL);
}

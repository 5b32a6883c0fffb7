/* SPDX-License-Identifier: Apache-2.0 */
/* Kind docker, against an Engine on a unix socket that says what a test wants: cgroups v1 and v2, API 1.44.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "exporter/check/skipped.h"
#include "exporter/kinds/docker/container.h"
#include "exporter/kinds/docker/stats.h"
#include "runbook/http_client.h"
#include "tests/harness/kind.h"
#include "tests/harness/peer.h"

#define NOW "Wed, 01 Jul 2026 12:00:00 GMT"

struct reply {
        const char *path;   /* a piece of it */
        const char *status; /* NULL: 200 OK */
        const char *body;   /* NULL: none ever comes */
};

struct fake_engine {
        char path[64];
        int listener;
        pthread_t thread;
        const struct reply *replies; /* closed by an empty one; the first that fits is given */
        const char *api_version, *date;
        struct text asked; /* the request lines */
        int silent;        /* a connection that is kept waiting, or -1 */
};

static void answer(struct fake_engine *engine, int fd)
{
        _cleanup_text_ struct text head = {0}, text = {0};
        peer_limit(fd);
        if (!peer_read_until(fd, &head, "\r\n\r\n"))
                return;
        *strchr(head.data, '\r') = '\0';
        text_printf(&engine->asked, "%s\n", head.data);
        for (const struct reply *reply = engine->replies; reply->path; reply++)
                if (strstr(head.data, reply->path) && !reply->body) {
                        engine->silent = dup(fd);
                        return;
                } else if (strstr(head.data, reply->path)) {
                        text_printf(&text,
                                    "HTTP/1.1 %s\r\nApi-Version: %s\r\nDate: %s"
                                    "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                                    reply->status ? reply->status : "200 OK", engine->api_version,
                                    engine->date, strlen(reply->body), reply->body);
                        peer_send(fd, text.data, text.length);
                        return;
                }
        text_printf(&text,
                    "HTTP/1.1 404 Not Found\r\nDate: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    engine->date);
        peer_send(fd, text.data, text.length);
}

static void *serve(void *context)
{
        struct fake_engine *engine = context;
        for (int fd; (fd = accept(engine->listener, NULL, NULL)) >= 0; close(fd))
                answer(engine, fd);
        return NULL;
}

static void engine_start(struct fake_engine *engine, const struct reply *replies)
{
        *engine = (struct fake_engine){.replies = replies, .api_version = "1.44", .date = NOW, .silent = -1};
        snprintf(engine->path, sizeof(engine->path), "/tmp/runbook-test-engine-%d", (int)getpid());
        unlink(engine->path);
        engine->listener = peer_listen_unix(engine->path);
        assert_int_equal(listen(engine->listener, 128), 0);
        assert_int_equal(pthread_create(&engine->thread, NULL, serve, engine), 0);
}

static void engine_stop(struct fake_engine *engine)
{
        shutdown(engine->listener, SHUT_RDWR);
        pthread_join(engine->thread, NULL);
        close(engine->listener);
        close_p(&engine->silent);
        unlink(engine->path);
}

/* Afterwards: what was asked may be read once the thread has ended. */
static void engine_release(struct fake_engine *engine)
{
        text_free(&engine->asked);
}

static struct check_set *load(const struct fake_engine *engine, const char *options)
{
        _cleanup_free_ char *yaml = text_format("{host: 'unix://%s', project: p%s}", engine->path, options);
        return load_check("docker", yaml, NULL);
}

#define LISTED(id, state)                                                                  \
        "{\"Id\":\"" id "\",\"Names\":[\"/c-" id "\"],\"State\":\"" state "\",\"Labels\":" \
        "{\"com.docker.compose.service\":\"s-" id "\"}}"
#define RUNNING "\"State\":{\"Status\":\"running\",\"Running\":true,\"StartedAt\":\"2026-07-01T10:00:00Z\"}"

/* As an Engine of API 1.44 on cgroups v2 tells it, shortened. */
static const char stats_v2[] =
        "{\"read\":\"2026-07-01T12:00:00.5Z\",\"preread\":\"0001-01-01T00:00:00Z\","
        "\"pids_stats\":{\"current\":7,\"limit\":18446744073709551615},"
        "\"blkio_stats\":{\"io_service_bytes_recursive\":["
        "{\"major\":259,\"minor\":0,\"op\":\"read\",\"value\":4096},"
        "{\"major\":259,\"minor\":0,\"op\":\"write\",\"value\":100},"
        "{\"major\":253,\"minor\":0,\"op\":\"read\",\"value\":904},"
        "{\"major\":253,\"minor\":0,\"op\":\"write\",\"value\":20}],\"io_serviced_recursive\":null},"
        "\"num_procs\":0,\"storage_stats\":{},\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":1500000000,"
        "\"usage_in_kernelmode\":500000000,\"usage_in_usermode\":1000000000},\"system_cpu_usage\":9,"
        "\"online_cpus\":2,\"throttling_data\":{\"periods\":40,\"throttled_periods\":4,"
        "\"throttled_time\":250000000}},\"precpu_stats\":{\"cpu_usage\":{\"total_usage\":0}},"
        "\"memory_stats\":{\"usage\":10000,\"stats\":{\"inactive_file\":1000,\"active_file\":5},"
        "\"limit\":67108864},\"name\":\"/c-one\",\"id\":\"one\",\"networks\":{"
        "\"eth0\":{\"rx_bytes\":5,\"tx_bytes\":60},\"eth1\":{\"rx_bytes\":700,\"tx_bytes\":8000}}}";

static const struct reply two_containers[] = {
        {"/_ping", NULL, "OK"},
        {"/v1.44/containers/json", NULL, "[" LISTED("one", "running") "," LISTED("two", "exited") "]"},
        {"/v1.44/events", NULL, ""},
        {"/containers/one/json", NULL,
         "{\"Id\":\"one\",\"Name\":\"/c-one\",\"Image\":\"sha256:0123456789abcdef\",\"RestartCount\":2,"
         "\"Created\":\"2026-07-01T09:00:00Z\",\"Config\":{\"Image\":\"img:1\",\"Labels\":"
         "{\"org.opencontainers.image.version\":\"22.04\",\"version\":\"1.2.3\"}},"
         "\"HostConfig\":{\"Memory\":67108864,\"NanoCpus\":500000000}," RUNNING "}"},
        {"/containers/two/json", NULL,
         "{\"Id\":\"two\",\"Name\":\"/c-two\",\"Image\":\"sha256:0123456789abcdef\",\"RestartCount\":0,"
         "\"Created\":\"2026-07-01T09:00:00Z\",\"Config\":{\"Image\":\"img:2\",\"Labels\":"
         "{\"org.opencontainers.image.version\":\"22.04\"}},\"State\":{\"Status\":\"exited\","
         "\"Running\":false,\"ExitCode\":137,\"OOMKilled\":true,\"StartedAt\":\"2026-07-01T10:00:00Z\","
         "\"FinishedAt\":\"2026-07-01T11:00:00Z\",\"Health\":{\"Status\":\"unhealthy\","
         "\"FailingStreak\":3,\"Log\":[]}}}"},
        {"/containers/one/stats", NULL, stats_v2},
        {0},
};

static void assert_told(const char *page, const char *id, const char *what, const char *number)
{
        _cleanup_free_ char *line = text_format(
                "runbook_docker_container_%s{service=\"s-%s\",container=\"c-%s\"} %s", what, id, id, number);
        assert_line(page, line);
}

static void containers_are_told_by_state_and_resources(void **state _unused_)
{
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, two_containers);
        struct check_set *set = load(&engine, "");
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL;

        if (run_check(set, 5 * NSEC_PER_SEC, &page, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_told(page, "one", "cpu_seconds_total", "1.5");
        assert_told(page, "one", "cpu_periods_total", "40");
        assert_told(page, "one", "cpu_throttled_periods_total", "4");
        assert_told(page, "one", "cpu_throttled_seconds_total", "0.25");
        assert_told(page, "one", "memory_usage_bytes", "9000");
        assert_told(page, "one", "memory_limit_bytes", "67108864");
        assert_told(page, "one", "network_receive_bytes_total", "705");
        assert_told(page, "one", "network_transmit_bytes_total", "8060");
        assert_told(page, "one", "block_read_bytes_total", "5000");
        assert_told(page, "one", "block_written_bytes_total", "120");
        assert_told(page, "one", "restarts_total", "2");
        assert_told(page, "one", "created_timestamp_seconds", "1782896400");
        assert_line(page, "runbook_docker_container_info{service=\"s-one\",container=\"c-one\","
                          "image=\"img:1\",image_id=\"0123456789ab\",version=\"1.2.3\",state=\"running\"} 1");

        assert_told(page, "two", "running", "0");
        assert_told(page, "two", "exit_code", "137");
        assert_told(page, "two", "oom_killed", "1");
        assert_told(page, "two", "finish_timestamp_seconds", "1782903600");
        assert_line(page, "runbook_docker_container_info{service=\"s-two\",container=\"c-two\","
                          "image=\"img:2\",image_id=\"0123456789ab\",version=\"22.04\",state=\"exited\"} 1");
        assert_nowhere(page, "container_healthy");
        assert_line(page, "runbook_docker_container_health_transitions_total{service=\"s-two\",container="
                          "\"c-two\",to=\"unhealthy\"} 0"); /* it has a health check */
        assert_nowhere(page, "health_transitions_total{service=\"s-one\"");
        assert_nowhere(page, "cpu_seconds_total{service=\"s-two\"");
        check_set_free(set);
        engine_stop(&engine);
        assert_null(strstr(text_string(&engine.asked), "two/stats"));
}

/* Its health check may fail for as long as it takes to start: that is no verdict yet. */
static void one_that_starts_is_neither_healthy_nor_unhealthy(void **state _unused_)
{
        static const struct {
                const char *health, *healthy;
        } cases[] = {{"starting", NULL}, {"healthy", "1"}, {"unhealthy", "0"}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *body =
                        text_format("{\"Id\":\"one\",\"State\":{\"Status\":\"running\",\"Health\":"
                                    "{\"Status\":\"%s\",\"FailingStreak\":2,\"Log\":[]}}}",
                                    cases[i].health);
                const struct reply replies[] = {
                        {"/_ping", NULL, "OK"},
                        {"/v1.44/containers/json", NULL, "[" LISTED("one", "running") "]"},
                        {"/v1.44/events", NULL, ""},
                        {"/containers/one/json", NULL, body},
                        {0},
                };
                _cleanup_(engine_release) struct fake_engine engine;
                engine_start(&engine, replies);
                struct check_set *set = load(&engine, ", services: s-one, groups: state");
                _cleanup_free_ char *page = NULL;

                assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &page, NULL),
                                 string_equal(cases[i].healthy, "0") ? -ECHILD : 0);
                assert_told(page, "one", "health_failing_streak", "2");
                if (cases[i].healthy)
                        assert_told(page, "one", "healthy", cases[i].healthy);
                else
                        assert_nowhere(page, "container_healthy");
                check_set_free(set);
                engine_stop(&engine);
        }
}

static void a_service_that_is_down_says_why(void **state _unused_)
{
        static const struct {
                const char *state, *reason;
        } cases[] = {
                {"\"exited\",\"ExitCode\":137,\"OOMKilled\":true",
                 "c-one exited with status 137 (out of memory)"},
                {"\"exited\",\"ExitCode\":1,\"OOMKilled\":true", "c-one exited with status 1"},
                {"\"restarting\",\"Running\":true,\"ExitCode\":2",
                 "c-one restarting, it ended with status 2"},
                {"\"created\",\"ExitCode\":0", "c-one created"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *body =
                        text_format("{\"Id\":\"one\",\"State\":{\"Status\":%s}}", cases[i].state);
                _cleanup_free_ char *reason =
                        text_format("service s-one has no running container: %s; service s-two has no "
                                    "running container",
                                    cases[i].reason);
                const struct reply replies[] = {
                        {"/_ping", NULL, "OK"},
                        {"/v1.44/containers/json", NULL, "[" LISTED("one", "exited") "]"},
                        {"/v1.44/events", NULL, ""},
                        {"/containers/one/json", NULL, body},
                        {0},
                };
                _cleanup_(engine_release) struct fake_engine engine;
                engine_start(&engine, replies);
                struct check_set *set = load(&engine, ", services: [s-one, s-two]");
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = NULL;

                assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &page, &error), -ECHILD);
                assert_string_equal(error_text(&error), reason);
                assert_line(page, "runbook_docker_service_containers{service=\"s-two\"} 0");
                check_set_free(set);
                engine_stop(&engine);
        }
}

static void groups_leave_out_what_is_not_wanted(void **state _unused_)
{
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, two_containers);
        struct check_set *set = load(&engine, ", groups: state");
        _cleanup_free_ char *page = NULL, *others = NULL;

        assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &page, NULL), 0);
        assert_told(page, "one", "running", "1");
        assert_nowhere(page, "cpu_seconds");
        check_set_free(set);
        engine_stop(&engine);
        assert_null(strstr(text_string(&engine.asked), "/stats"));
        engine_release(&engine);

        engine_start(&engine, two_containers);
        set = load(&engine, ", groups: [resources]");
        assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &others, NULL), 0);
        assert_nowhere(others, "container_running");
        assert_nowhere(others, "service_containers");
        assert_told(others, "one", "pids", "7");
        check_set_free(set);
        engine_stop(&engine);
        assert_null(strstr(text_string(&engine.asked), "/events"));
}

/* Engine 29 does not speak the API of Engine 24 any more, nor does an older one that of a newer. */
static void after_an_upgrade_the_version_is_asked_for_anew(void **state _unused_)
{
        static const struct reply before[] = {
                {"/_ping", NULL, "OK"},
                {"/v1.44/containers/json", NULL, "[" LISTED("one", "exited") "]"},
                {"/v1.44/containers/one/json", NULL, "{\"Id\":\"one\"," RUNNING "}"},
                {0}};
        static const struct reply after[] = {
                {"/_ping", NULL, "OK"},
                {"/v1.45/containers/json", NULL, "[" LISTED("one", "exited") "]"},
                {"/v1.45/containers/one/json", NULL, "{\"Id\":\"one\"," RUNNING "}"},
                {"/v1.44/", "400 Bad Request", "{\"message\":\"client version 1.44 is too old\"}"},
                {0}};
        _cleanup_(engine_release) struct fake_engine engine, upgraded;
        engine_start(&engine, before);
        struct check_set *set = load(&engine, ", groups: resources");
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL, *refused = NULL, *again = NULL;

        assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &page, NULL), 0);
        engine_stop(&engine);
        engine_start(&upgraded, after);
        upgraded.api_version = "1.45";
        assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &refused, &error), -EREMOTEIO);
        assert_string_equal(error_text(&error), "Docker: client version 1.44 is too old");
        assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &again, NULL), 0);
        check_set_free(set);
        engine_stop(&upgraded);
}

/* More containers than are asked about at the same time; and some are gone. */
static void many_containers_are_asked_at_once(void **state _unused_)
{
        enum { COUNT = 3 * HTTP_AT_ONCE };
        _cleanup_text_ struct text list = {0};
        text_puts(&list, "[");
        for (int i = 0; i < COUNT; i++)
                text_printf(&list, "%s{\"Id\":\"%s%d\",\"Names\":[\"/c%d\"],\"State\":\"running\"}",
                            i ? "," : "", i % 3 ? "there" : "gone", i, i);
        text_puts(&list, "]");
        const struct reply replies[] = {
                {"/_ping", NULL, "OK"},
                {"/v1.44/containers/json", NULL, text_string(&list)},
                {"/v1.44/events", "403 Forbidden", "{\"message\":\"not you\"}"},
                {"/containers/there", NULL, "{\"Id\":\"x\"," RUNNING "}"}, /* no statistics either */
                {0},
        };
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, replies);
        struct check_set *set = load(&engine, "");
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL;
        size_t told = 0;

        if (run_check(set, 10 * NSEC_PER_SEC, &page, &error) < 0)
                fail_msg("%s", error_text(&error));
        for (const char *at = page; (at = strstr(at, "\nrunbook_docker_container_running{")); at++)
                told++;
        assert_int_equal(told, COUNT - COUNT / 3);
        assert_nowhere(page, "oom_kills");
        check_set_free(set);
        engine_stop(&engine);
}

static void one_that_hangs_costs_only_its_own_samples(void **state _unused_)
{
        struct reply replies[N_ELEMENTS(two_containers)];
        memcpy(replies, two_containers, sizeof(replies));
        replies[N_ELEMENTS(two_containers) - 2].body = NULL; /* what container `one` uses */
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, replies);
        struct check_set *set = load(&engine, "");
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL;

        assert_int_equal(run_check(set, 300 * NSEC_PER_MSEC, &page, &error), -ETIMEDOUT);
        assert_non_null(strstr(error_text(&error), "timed out waiting for the answer"));
        assert_told(page, "one", "running", "1");
        assert_told(page, "two", "running", "0");
        assert_nowhere(page, "cpu_seconds");
        check_set_free(set);
        engine_stop(&engine);
}

/* Also one that cannot be described, as Engines have them whose containers hang. */
static void one_that_is_not_described_hides_no_other(void **state _unused_)
{
        const struct reply replies[] = {
                {"/_ping", NULL, "OK"},
                {"/v1.44/containers/json", NULL,
                 "[" LISTED("one", "running") "," LISTED("two", "running") "]"},
                {"/v1.44/events", NULL, ""},
                {"/containers/one/json", NULL, NULL},
                {"/containers/two/json", NULL, "{\"Id\":\"two\"," RUNNING "}"},
                {0},
        };
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, replies);
        struct check_set *set = load(&engine, ", groups: state, services: [s-one, s-two]");
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL;

        assert_int_equal(run_check(set, 300 * NSEC_PER_MSEC, &page, &error), -ETIMEDOUT);
        assert_non_null(strstr(error_text(&error), "container c-one: Docker: "));
        assert_told(page, "two", "running", "1");
        assert_line(page, "runbook_docker_service_containers{service=\"s-two\"} 1");
        assert_nowhere(page, "service=\"s-one\"} "); /* not even that it runs nowhere */
        check_set_free(set);
        engine_stop(&engine);
}

/* One that nobody named, either: it costs itself, is told, and the check has measured the rest. */
static void one_that_is_not_described_is_skipped_and_told(void **state _unused_)
{
        const struct reply replies[] = {
                {"/_ping", NULL, "OK"},
                {"/v1.44/containers/json", NULL,
                 "[" LISTED("one", "running") "," LISTED("two", "running") "," LISTED("gone", "running") "]"},
                {"/v1.44/events", NULL, ""},
                {"/containers/one/json", "500 Internal Server Error", "{\"message\":\"lock\"}"},
                {"/containers/two/json", NULL, "{\"Id\":\"two\"," RUNNING "}"},
                {0},
        };
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, replies);
        struct check_set *set = load(&engine, ", groups: state, services: [s-two]");
        struct skipped_items skipped = {0};
        struct sample_set samples = {.limit = 100, .skipped = &skipped};
        struct sample_sink sink = {.set = &samples};
        _cleanup_error_ struct error error = {0};

        if (set->checks[0].kind->run(set->states[0], deadline_in(5 * NSEC_PER_SEC), &sink, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_int_equal(skipped.of[SKIP_UNREADABLE].count, 1); /* what is gone is no item */
        assert_string_equal(skipped_items_text(&skipped, SKIP_UNREADABLE), "container c-one: Docker: lock");
        skipped_items_release(&skipped);
        sample_set_release(&samples);
        check_set_free(set);
        engine_stop(&engine);
}

static void a_project_without_a_container_fails_with_the_one_that_was_meant(void **state _unused_)
{
#define OF(project, more) \
        "{\"Id\":\"" project "\",\"Labels\":{\"com.docker.compose.project\":\"" project "\"" more "}}"
        static const struct {
                const char *others, *reason;
        } cases[] = {
                {"[" OF("devops-mpc", "") "," OF("other", "") "]",
                 "there is no container of project \"p-devops-mcp\"; did you mean \"devops-mpc\"?"},
                {"[" OF("one", "") "," OF("two", "") "," OF("one", "") ",{\"Id\":\"x\"}]",
                 "there is no container of project \"p-devops-mcp\"; there are: one, two"},
                {"[" OF("p-devops-mcp", ",\"com.docker.compose.oneoff\":\"True\"") "]",
                 "there is no container of project \"p-devops-mcp\""},
                {"[]", "there is no container of project \"p-devops-mcp\""},
                {"{}", "there is no container of project \"p-devops-mcp\""},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const struct reply replies[] = {
                        {"/_ping", NULL, "OK"},
                        {"/v1.44/containers/json?all=1&filters=%7B%7D", NULL, cases[i].others},
                        {"/v1.44/containers/json", NULL, "[]"},
                        {0},
                };
                _cleanup_(engine_release) struct fake_engine engine;
                engine_start(&engine, replies);
                struct check_set *set = load(&engine, "-devops-mcp, services: [web], groups: [state]");
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = NULL;

                assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &page, &error), -ESRCH);
                assert_string_equal(error_text(&error), cases[i].reason);
                assert_line(page, "runbook_docker_service_replicas_running{service=\"web\"} 0");
                check_set_free(set);
                engine_stop(&engine);
        }
}

static void a_service_without_a_container_fails_with_the_one_that_was_meant(void **state _unused_)
{
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, two_containers);
        struct check_set *set = load(&engine, ", services: [s_onee, unlike], groups: [state]");
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL;

        assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &page, &error), -ECHILD);
        assert_string_equal(error_text(&error),
                            "service s_onee has no running container, nor any other (did you mean s-one?); "
                            "service unlike has no running container");
        check_set_free(set);
        engine_stop(&engine);
}

static void without_a_project_all_containers_are_told_docker_exporter_173(void **state _unused_)
{
#define IN(id, labels) \
        "{\"Id\":\"" id "\",\"Names\":[\"/c-" id "\"],\"State\":\"running\",\"Labels\":{" labels "}}"
#define MADE(project, more) \
        "\"com.docker.compose.project\":\"" project "\",\"com.docker.compose.service\":\"web\"" more
        static const struct reply replies[] = {
                {"/_ping", NULL, "OK"},
                {"/v1.44/containers/json?all=1&filters=%7B%7D", NULL,
                 "[" IN("a",
                        MADE("p1",
                             ",\"team\":\"core\",\"com.example.tier\":"
                             "\"1\"")) "," IN("b",
                                              MADE("p2",
                                                   ",\"team\":"
                                                   "\"\"")) "," IN("c",
                                                                   "\"team\":\"data\"") "," IN("d",
                                                                                               MADE("p1",
                                                                                                    ",\"com."
                                                                                                    "docker."
                                                                                                    "compose."
                                                                                                    "oneoff\""
                                                                                                    ":"
                                                                                                    "\"True"
                                                                                                    "\"")) "," IN("x",
                                                                                                                  "") "]"},
                {"/v1.44/events", NULL, ""},
                {"/containers/x", NULL, NULL}, /* is not asked */
                {"/containers/", NULL, "{\"Id\":\"x\"," RUNNING "}"},
                {0},
        };
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, replies);
        _cleanup_free_ char *yaml =
                text_format("{host: 'unix://%s', groups: state, include: ['c-*'], exclude: ['*-x', y], "
                            "labels: [team, com.example.tier]}",
                            engine.path);
        struct check_set *set = load_check("docker", yaml, NULL);
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL;

        if (run_check(set, 5 * NSEC_PER_SEC, &page, &error) < 0)
                fail_msg("%s", error_text(&error));
#define TOLD "runbook_docker_container_running{"
        assert_line(page, TOLD "project=\"p1\",service=\"web\",container=\"c-a\",team=\"core\","
                               "com_example_tier=\"1\"} 1");
        assert_line(page, TOLD "project=\"p2\",service=\"web\",container=\"c-b\"} 1");
        assert_line(page, TOLD "container=\"c-c\",team=\"data\"} 1");
        assert_line(page, TOLD "project=\"p1\",service=\"web\",container=\"c-d\"} 1");
        assert_line(page, "runbook_docker_service_replicas_running{project=\"p1\",service=\"web\"} 1");
        assert_line(page, "runbook_docker_service_replicas_wanted{project=\"p2\",service=\"web\"} 1");
        assert_nowhere(page, "c-x");
        assert_nowhere(page, "service=\"\"");
        check_set_free(set);
        engine_stop(&engine);
}

static void where_no_container_is_chosen_the_check_fails(void **state _unused_)
{
        static const struct {
                const char *list, *options, *reason;
        } cases[] = {
                {"[" LISTED("one", "running") "]", "include: [one]",
                 "no container has a name that is in include and not in exclude"},
                {"[" LISTED("one", "running") "]", "exclude: ['c-*']",
                 "no container has a name that is in include and not in exclude"},
                {"[]", "groups: [state]", "the Engine has no container"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const struct reply replies[] = {
                        {"/_ping", NULL, "OK"}, {"/v1.44/containers/json", NULL, cases[i].list}, {0}};
                _cleanup_(engine_release) struct fake_engine engine;
                engine_start(&engine, replies);
                _cleanup_free_ char *yaml =
                        text_format("{host: 'unix://%s', %s}", engine.path, cases[i].options);
                struct check_set *set = load_check("docker", yaml, NULL);
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = NULL;

                assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &page, &error), -ESRCH);
                assert_string_equal(error_text(&error), cases[i].reason);
                check_set_free(set);
                engine_stop(&engine);
        }
}

/* An Engine waits with its events until its clock shows the time that a proxy told as its own. */
static void events_that_do_not_come_cost_nothing_else(void **state _unused_)
{
        struct reply replies[N_ELEMENTS(two_containers)];
        memcpy(replies, two_containers, sizeof(replies));
        replies[2].body = NULL;
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, replies);
        struct check_set *set = load(&engine, "");
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL;

        if (run_check(set, 2 * NSEC_PER_SEC, &page, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_told(page, "one", "running", "1");
        assert_nowhere(page, "oom_kills");
        check_set_free(set);
        engine_stop(&engine);
}

/* Events of which the Engine tells the time, in seconds of 2026-07-01 12:00. */
#define AT(second) ",\"timeNano\":17829072" second "000000000}\n"
#define EVENT(id, second)                                                    \
        "{\"Type\":\"container\",\"Action\":\"oom\",\"Actor\":{\"ID\":\"" id \
        "\",\"Attributes\":{\"com.docker.compose.project\":\"p\"}}" AT(second)

static void kills_for_want_of_memory_are_counted_from_events(void **state _unused_)
{
        static const struct reply none[] = {
                {"/_ping", NULL, "OK"}, {"/events", NULL, EVENT("old", "00")}, {0}};
        static const struct reply three[] = {{"/events", NULL,
                                              EVENT("old", "00") EVENT("one", "01") EVENT("other", "01")
                                                      EVENT("one", "02")},
                                             {0}};
        static const struct reply forgotten[] = {{"/events", NULL, EVENT("one", "09")}, {0}};
        static const struct reply to_come[] = {
                {"/events", NULL,
                 EVENT("one",
                       "02") "{\"Type\":\"container\",\"Action\":\"oom\",\"Actor\":{\"ID\":\"one\","
                             "\"Attributes\":{\"com.docker.compose.project\":\"p\"}},\"timeNano\":1e300}\n"},
                {0}};
        static const struct reply after_it[] = {{"/events", NULL, EVENT("one", "02") EVENT("one", "05")},
                                                {0}};
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, none);
        _cleanup_free_ char *host = text_format("unix://%s", engine.path);
        const struct docker_options options = {.host = host};
        _cleanup_docker_ struct docker *docker = NULL;
        struct docker_watch watch = {0};
        struct deadline deadline = deadline_in(5 * NSEC_PER_SEC);
        cJSON *nothing = NULL;
#define LOOK(when, what)                                                                          \
        do {                                                                                      \
                engine.date = "Wed, 01 Jul 2026 12:00:" when " GMT";                              \
                engine.replies = what;                                                            \
                assert_int_equal(docker_inspect(docker, "x", deadline, &nothing, NULL), -ENOENT); \
                assert_int_equal(docker_watch_count(&watch, docker, "p", deadline, NULL), 0);     \
        } while (0)
#define KILLS(id) docker_watch_of(&watch, id)->happened[DOCKER_EVENT_OOM]

        assert_int_equal(docker_new(&options, &docker, NULL), 0);
        /* It does not know the Engine's time before the first answer. */
        assert_int_equal(docker_watch_count(&watch, docker, "p", deadline, NULL), 0);
        assert_false(watch.counting);
        LOOK("00", none);
        assert_true(watch.counting);
        assert_int_equal(KILLS("old"), 0); /* of before the first look */
        LOOK("02", three);
        assert_int_equal(KILLS("one"), 2);
        assert_int_equal(KILLS("old"), 0);
        /* The same second is not asked for again, and what was seen is not counted again. */
        LOOK("02", three);
        LOOK("03", three);
        assert_int_equal(KILLS("one"), 2);
        assert_int_equal(watch.gaps, 0);
        LOOK("10", forgotten);
        assert_int_equal(KILLS("one"), 3);
        assert_int_equal(watch.gaps, 1);
        /* The Engine's clock was ahead, and is not waited for: it begins anew. */
        LOOK("01", none);
        LOOK("03", three);
        assert_int_equal(KILLS("one"), 5);
        assert_int_equal(watch.gaps, 1);
        /* By what says that it is to come, what comes then is not less new. */
        LOOK("04", to_come);
        LOOK("06", after_it);
        assert_int_equal(KILLS("one"), 6);
        assert_int_equal(watch.gaps, 1);

        docker_watch_sweep(&watch);
        assert_int_equal(KILLS("one"), 6);
        docker_watch_sweep(&watch); /* the others were not asked for */
        assert_int_equal(watch.count, 1);
        docker_watch_release(&watch);
        engine_stop(&engine);
        assert_non_null(
                strstr(text_string(&engine.asked), "since=1782907199.999999000&until=1782907202.000000000 "));
}

#define HAPPENED(action, id, more)                                                                           \
        "{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" id                          \
        "\",\"Attributes\":{\"com.docker.compose.service\":\"s-one\",\"com.docker.compose.project\":\"" more \
        "}}" AT("05")

static void what_happened_to_a_service_is_counted_by_its_events(void **state _unused_)
{
#define CONTAINER                                                                                   \
        {"/v1.44/containers/json", NULL, "[" LISTED("one", "running") "]"},                         \
        {                                                                                           \
                "/containers/one/json", NULL,                                                       \
                        "{\"Id\":\"one\",\"State\":{\"Status\":\"running\",\"Health\":{\"Status\":" \
                        "\"healthy\"}}}"                                                            \
        }
        static const struct reply before[] = {
                {"/_ping", NULL, "OK"}, {"/v1.44/events", NULL, EVENT("one", "00")}, CONTAINER, {0}};
        static const struct reply after[] = {
                {"/v1.44/events", NULL,
                 EVENT("one", "00") HAPPENED("health_status: unhealthy", "one", "p\"")
                         HAPPENED("health_status: healthy", "one", "p\"") HAPPENED("die", "gone", "p\"")
                 /* What is no service's, is another's, or is no event of a container. */
                 HAPPENED("die", "z", "p\",\"com.docker.compose.oneoff\":\"True\"") HAPPENED(
                         "die", "z", "p\",\"name\":\"c-one.runbook-INC-1.old\"") HAPPENED("die", "z",
                                                                                          "other\"")
                         HAPPENED("exec_die", "one", "p\"") "{\"Type\":\"network\",\"Action\":\"die\","
                                                            "\"Actor\":{\"ID\":\"n\"}" AT("05") "{}\n"},
                CONTAINER,
                {0}};
        _cleanup_(engine_release) struct fake_engine engine;
        engine_start(&engine, before);
        struct check_set *set = load(&engine, ", groups: state");
        _cleanup_free_ char *first = NULL, *page = NULL;

        assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &first, NULL), 0);
#define TURNED "runbook_docker_container_health_transitions_total{service=\"s-one\",container=\"c-one\",to="
#define COUNTED "runbook_docker_service_events_total{service=\"s-one\",event="
        assert_line(first, TURNED "\"unhealthy\"} 0");
        assert_line(first, COUNTED "\"oom\"} 0");
        engine.date = "Wed, 01 Jul 2026 12:00:15 GMT";
        engine.replies = after;
        assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &page, NULL), 0);
        assert_line(page, TURNED "\"unhealthy\"} 1");
        assert_line(page, TURNED "\"healthy\"} 1");
        assert_line(page, COUNTED "\"die\"} 1"); /* of a container that is gone */
        assert_line(page, COUNTED "\"unhealthy\"} 1");
        assert_line(page, COUNTED "\"oom\"} 0");
        assert_line(page, "runbook_docker_event_gaps_total 0");
        check_set_free(set);
        engine_stop(&engine);
}

static cJSON *parse(const char *text)
{
        cJSON *json = NULL;
        _cleanup_error_ struct error error = {0};
        if (json_parse(text, strlen(text), &json, &error) < 0)
                fail_msg("%s", error_text(&error));
        return json;
}

static char *stats_page(const char *stats, const char *inspected)
{
        _cleanup_json_ cJSON *document = parse(stats), *description = parse(inspected);
        struct sample_set samples = {0};
        const struct sample_set *const all = &samples;
        struct sample_sink sink = {.set = &samples};
        const struct docker_series series = {
                .sink = &sink, .labels = {{"service", "s-x"}, {"container", "c-x"}}, .count = 2};
        struct text page = {0};
        docker_stats_add(document, description, &series);
        assert_int_equal(metrics_encode_text(&all, 1, &page, NULL), 0);
        sample_set_release(&samples);
        text_puts(&page, "");
        return text_take(&page);
}

static void cgroups_v1_are_read_as_docker_stats_reads_them(void **state _unused_)
{
        _cleanup_free_ char *page = stats_page(
                "{\"read\":\"2026-07-01T12:00:00Z\",\"pids_stats\":{},"
                "\"blkio_stats\":{\"io_service_bytes_recursive\":["
                "{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":300},"
                "{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":40},"
                "{\"major\":8,\"minor\":0,\"op\":\"Sync\",\"value\":340},"
                "{\"major\":8,\"minor\":0,\"op\":\"Total\",\"value\":340}]},"
                "\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":28941428,\"percpu_usage\":[1,2]},"
                "\"throttling_data\":{\"periods\":0,\"throttled_periods\":0,\"throttled_time\":0}},"
                "\"memory_stats\":{\"usage\":5000,\"max_usage\":9000,\"stats\":{\"inactive_file\":1,"
                "\"total_inactive_file\":1200},\"limit\":25276514304}}",
                "{\"HostConfig\":{\"Memory\":0,\"NanoCpus\":0,\"CpuQuota\":0}}");
        assert_told(page, "x", "cpu_seconds_total", "0.028941428");
        assert_told(page, "x", "memory_usage_bytes", "3800");
        assert_told(page, "x", "block_read_bytes_total", "300");
        assert_told(page, "x", "block_written_bytes_total", "40");
        assert_nowhere(page, "memory_limit"); /* the machine's size is no limit of the container's */
        assert_nowhere(page, "throttled");
        assert_nowhere(page, "network");
        assert_nowhere(page, "pids");
}

static void what_is_not_measured_is_absent(void **state _unused_)
{
        static const struct {
                const char *stats, *page;
        } cases[] = {
                {"{}", ""},
                {"{\"read\":\"0001-01-01T00:00:00Z\",\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":0}}}", ""},
                {"{\"read\":\"2026-07-01T12:00:00Z\",\"networks\":{},\"memory_stats\":{},"
                 "\"blkio_stats\":{\"io_service_bytes_recursive\":null}}",
                 ""},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *page = stats_page(cases[i].stats, "{}");
                assert_string_equal(page, cases[i].page);
        }
        _cleanup_free_ char *page =
                stats_page("{\"read\":\"2026-07-01T12:00:00Z\",\"memory_stats\":{\"usage\":5,"
                           "\"stats\":{\"inactive_file\":9}},\"blkio_stats\":"
                           "{\"io_service_bytes_recursive\":[]}}",
                           "{}");
        assert_told(page, "x", "memory_usage_bytes", "5");
        assert_told(page, "x", "block_read_bytes_total", "0");
}

/* Results of a health check at these seconds of one minute, of which the last `streak` count as failures. */
static nsec failing(struct docker_watched *watched, int streak, const int *seconds, size_t count)
{
        _cleanup_text_ struct text text = {0};
        text_printf(&text, "{\"State\":{\"Health\":{\"FailingStreak\":%d,\"Log\":[", streak);
        for (size_t i = 0; i < count; i++)
                text_printf(&text, "%s{\"Start\":\"2026-07-01T12:00:%02dZ\",\"ExitCode\":1}", i ? "," : "",
                            seconds[i]);
        text_puts(&text, "]}}}");
        _cleanup_json_ cJSON *inspected = parse(text_string(&text));
        nsec since = docker_watch_failing(watched, inspected);
        return since == 0 ? 0 : since / NSEC_PER_SEC - 1782907200;
}
#define FAILING(watched, streak, ...)                            \
        failing((watched), (streak), (const int[]){__VA_ARGS__}, \
                sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void a_failing_health_check_has_failed_since_its_first_failure(void **state _unused_)
{
        struct docker_watched watched = {0}, late = {0};
        assert_int_equal(FAILING(&watched, 0, 1, 2), 0);
        assert_int_equal(FAILING(&watched, 1, 1, 2, 13), 13);
        /* Failures from before it was started anew are in the log, but not of the streak. */
        assert_int_equal(FAILING(&watched, 3, 1, 2, 13, 14, 15), 13);
        /* The Engine forgets the first one; we do not, however the pace may change. */
        assert_int_equal(FAILING(&watched, 7, 15, 16, 17, 18, 19), 13);
        assert_int_equal(FAILING(&watched, 9, 17, 18, 19, 23, 25), 13);
        /* Who comes late reckons, and stays with it. */
        assert_int_equal(FAILING(&late, 10, 30, 32, 34, 36, 38), 20);
        assert_int_equal(FAILING(&late, 11, 32, 34, 36, 38, 44), 20);
        /* A streak that is longer but began after the last look is another one. */
        assert_int_equal(FAILING(&watched, 10, 50, 51, 52, 53, 54), 45);
        assert_int_equal(FAILING(&watched, 0, 51, 52, 53, 54, 55), 0);
        assert_int_equal(FAILING(&watched, 1, 56), 56);
        /* What cannot be: a million failures are the most that is reckoned with; a clock that was set back.
         */
        struct docker_watched absurd = {0}, back = {0};
        assert_int_equal(FAILING(&absurd, INT_MAX, 10, 20, 30, 40, 59), -12249929);
        assert_int_equal(FAILING(&back, 7, 50, 40, 30, 20, 10), 50);
}

static void mistakes_are_named(void **state _unused_)
{
        assert_complaint("docker", "{project: p, host: /run/docker.sock}",
                         "is not a Docker host: unix:///path");
        assert_complaint("docker", "{project: p, host: 'tcp://u@h:1'}", "is not a Docker host");
        assert_complaint("docker", "{project: p, groups: [stat]}",
                         ":1:50: there is no group \"stat\"; did you mean \"state\"?");
        assert_complaint("docker", "{project: p, groups: memory}",
                         "there is no group \"memory\"; there are: state, resources");
        assert_complaint("docker", "{services: [web]}", "services are those of a project, which is missing");
        assert_complaint("docker", "{replicas: {web: 2}}", "services are those of a project");
        assert_complaint("docker", "{project: ''}", "project");
        assert_complaint("docker", "{project: p, replicas: {web: 0}}", "\"0\" is no number from 1 to 10000");
        assert_complaint("docker", "{project: p, replicas: {web: two}}", "\"two\" is no number");
        assert_complaint("docker", "{project: p, ca_file: /ca}", "ca_file is for TLS");
        assert_complaint("docker", "{project: p, host: 'tcp://h:2376', ca_file: /ca, cert_file: /c}",
                         "cert_file and key_file are only of use together");
        assert_complaint("docker", "{project: p, host: 'tcp://h:2376', ca_file: ''}", "ca_file");
        check_set_free(load_check("docker", "{project: p, host: 'tcp://h:2376', ca_file: /c}", NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(containers_are_told_by_state_and_resources),
                cmocka_unit_test(one_that_starts_is_neither_healthy_nor_unhealthy),
                cmocka_unit_test(a_service_that_is_down_says_why),
                cmocka_unit_test(groups_leave_out_what_is_not_wanted),
                cmocka_unit_test(after_an_upgrade_the_version_is_asked_for_anew),
                cmocka_unit_test(many_containers_are_asked_at_once),
                cmocka_unit_test(one_that_hangs_costs_only_its_own_samples),
                cmocka_unit_test(one_that_is_not_described_hides_no_other),
                cmocka_unit_test(one_that_is_not_described_is_skipped_and_told),
                cmocka_unit_test(a_project_without_a_container_fails_with_the_one_that_was_meant),
                cmocka_unit_test(a_service_without_a_container_fails_with_the_one_that_was_meant),
                cmocka_unit_test(without_a_project_all_containers_are_told_docker_exporter_173),
                cmocka_unit_test(where_no_container_is_chosen_the_check_fails),
                cmocka_unit_test(events_that_do_not_come_cost_nothing_else),
                cmocka_unit_test(kills_for_want_of_memory_are_counted_from_events),
                cmocka_unit_test(what_happened_to_a_service_is_counted_by_its_events),
                cmocka_unit_test(cgroups_v1_are_read_as_docker_stats_reads_them),
                cmocka_unit_test(what_is_not_measured_is_absent),
                cmocka_unit_test(a_failing_health_check_has_failed_since_its_first_failure),
                cmocka_unit_test(mistakes_are_named),
        };
        assert_int_equal(http_client_global_init(NULL), 0);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

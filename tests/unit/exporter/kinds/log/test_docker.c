/* SPDX-License-Identifier: Apache-2.0 */
/* The place in a container's log: what is new is given once, against an Engine whose log the test writes. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exporter/kinds/log/docker.h"
#include "runbook/http_client.h"
#include "runbook/http_server.h"
#include "tests/harness/files.h"
#include "tests/harness/kind.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SECOND NSEC_PER_SEC
#define LINES_MAX 60000

#define HUNG "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define LISTED(id, name) \
        "{\"Id\":\"" id "\",\"Names\":[\"/" name "\"],\"Labels\":{\"com.docker.compose.service\":\"web\"}}"

/* The Engine: one container, and its log; perhaps another one before it, of whose log nothing ever comes. */
static struct {
        pthread_mutex_t mutex; /* the server's thread reads what the test's writes */
        struct http_server *server;
        nsec times[LINES_MAX];
        size_t first, count; /* lines before `first` were rotated away; a line says its number */
        struct text asked;   /* the tails that were asked for, and a blank behind each */
        bool has_container, has_hung;
        struct http_exchange *unanswered[8];
        size_t unanswered_count;
} engine = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void reply(struct http_exchange *exchange, struct text *body)
{
        struct http_content *content = http_content_new(body);
        assert_non_null(content);
        http_content_set_header(content, "Api-Version", "1.41");
        http_reply_content(exchange, 200, HTTP_TYPE_JSON, content);
        http_content_unref(content);
}

static void serve_ping(struct http_exchange *exchange, void *context _unused_)
{
        struct text body = {0};
        text_puts(&body, "OK");
        reply(exchange, &body);
}

static void serve_list(struct http_exchange *exchange, void *context _unused_)
{
        struct text body = {0};
        pthread_mutex_lock(&engine.mutex);
        text_printf(&body, "[%s%s]", engine.has_hung ? LISTED(HUNG, "web_0") "," : "",
                    engine.has_container ? LISTED(ID, "web_1") : "");
        pthread_mutex_unlock(&engine.mutex);
        reply(exchange, &body);
}

static void serve_container(struct http_exchange *exchange, void *context _unused_)
{
        struct text body = {0};
        text_printf(&body, "{\"Id\":\"%s\",\"State\":{\"Running\":true},\"Config\":{\"Tty\":false}}",
                    http_path_parameter(exchange));
        reply(exchange, &body);
}

static void put_frame(struct text *body, nsec wall, size_t number)
{
        time_t seconds = (time_t)(wall / SECOND);
        struct tm calendar;
        char day[32];
        assert_non_null(gmtime_r(&seconds, &calendar));
        assert_true(strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &calendar) > 0);
        _cleanup_free_ char *line =
                text_format("%s.%09lldZ line %zu\n", day, (long long)(wall % SECOND), number);
        const unsigned char head[8] = {1, 0, 0, 0, 0, 0, 0, (unsigned char)strlen(line)};
        text_append(body, head, sizeof(head));
        text_puts(body, line);
}

/* As the Engine has it: of the last `tail` lines those that are not older than `since`. */
static void serve_log(struct http_exchange *exchange, void *context _unused_)
{
        const char *tail = http_query(exchange, "tail"), *since = http_query(exchange, "since");
        long long seconds = 0, nanoseconds = 0;
        struct text body = {0};
        if (strcmp(http_path_parameter(exchange), HUNG) == 0) {
                pthread_mutex_lock(&engine.mutex);
                assert_true(engine.unanswered_count < N_ELEMENTS(engine.unanswered));
                http_suspend(exchange);
                engine.unanswered[engine.unanswered_count++] = exchange;
                pthread_mutex_unlock(&engine.mutex);
                return;
        }
        pthread_mutex_lock(&engine.mutex);
        text_printf(&engine.asked, "%s ", tail);
        assert_true(!since || sscanf(since, "%lld.%9lld", &seconds, &nanoseconds) == 2);
        size_t wanted = strcmp(tail, "all") == 0 ? LINES_MAX : strtoul(tail, NULL, 10);
        size_t from = engine.count > engine.first + wanted ? engine.count - wanted : engine.first;
        text_puts(&body, "");
        for (size_t i = from; i < engine.count; i++)
                if (engine.times[i] >= seconds * SECOND + nanoseconds)
                        put_frame(&body, engine.times[i], i);
        pthread_mutex_unlock(&engine.mutex);
        http_reply(exchange, 200, "application/vnd.docker.raw-stream", &body);
}

static const struct http_route routes[] = {
        {"GET", "/_ping", serve_ping, 0, NULL},
        {"GET", "/v1.41/containers/json", serve_list, 0, NULL},
        {"GET", "/v1.41/containers/{id}/json", serve_container, 0, NULL},
        {"GET", "/v1.41/containers/{id}/logs", serve_log, 0, NULL},
        {0},
};

static void logs(nsec wall, size_t lines)
{
        pthread_mutex_lock(&engine.mutex);
        while (lines-- > 0)
                engine.times[engine.count++] = wall;
        pthread_mutex_unlock(&engine.mutex);
}

static void rotate_away(size_t first)
{
        pthread_mutex_lock(&engine.mutex);
        engine.first = first;
        pthread_mutex_unlock(&engine.mutex);
}

static void set_containers(bool there, bool hung)
{
        pthread_mutex_lock(&engine.mutex);
        engine.has_container = there;
        engine.has_hung = hung;
        pthread_mutex_unlock(&engine.mutex);
}

static void assert_asked(const char *tails)
{
        pthread_mutex_lock(&engine.mutex);
        assert_string_equal(text_string(&engine.asked), tails);
        pthread_mutex_unlock(&engine.mutex);
}

/* The exporter: the source, and what it gave. */
static char directory[64], state_path[80];
static struct log_docker_config config;
static void *source;
static unsigned given[LINES_MAX]; /* how often each line was */
static bool caught_up;

static void close_source(void)
{
        source = log_source_docker.free(source);
}

/* Begins anew, as after a start of the exporter. */
static void open_source(bool from_start, bool with_state, uint64_t bytes_limit)
{
        const struct log_source_options options = {
                .state_path = with_state ? state_path : NULL,
                .from_start = from_start,
                .line_limit = 1000,
                .bytes_limit = bytes_limit,
        };
        close_source();
        assert_int_equal(log_source_docker.open(&config, NULL, &options, &source, NULL), 0);
}

static void take(void *context _unused_, size_t member, const char *line, size_t length)
{
        size_t number;
        assert_int_equal(member, 0);
        assert_int_equal(strlen(line), length);
        assert_int_equal(sscanf(line, "line %zu", &number), 1);
        assert_true(number < LINES_MAX);
        given[number]++;
}

static int run_once(struct deadline deadline, struct error *error)
{
        pthread_mutex_lock(&engine.mutex);
        text_clear(&engine.asked);
        pthread_mutex_unlock(&engine.mutex);
        return log_source_docker.run(source, deadline, deadline_in(20 * SECOND), take, NULL, &caught_up,
                                     error);
}

static void run(void)
{
        _cleanup_error_ struct error error = {0};
        if (run_once(deadline_in(20 * SECOND), &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_true(caught_up);
}

/* Of the lines [from, to) each was given once, and no other one. */
static void assert_given(size_t from, size_t to)
{
        for (size_t i = 0; i < engine.count; i++)
                if (given[i] != (i >= from && i < to))
                        fail_msg("line %zu was given %u times", i, given[i]);
}

static void assert_tell(const char *line)
{
        struct sample_set samples = {0};
        const struct sample_set *const all = &samples;
        _cleanup_text_ struct text page = {0};
        log_source_docker.add_samples(source, &(struct sample_sink){.set = &samples});
        assert_int_equal(metrics_encode_text(&all, 1, &page, NULL), 0);
        assert_line(text_string(&page), line);
        sample_set_release(&samples);
}

static int start(void **state _unused_)
{
        static char web[] = "web", project[] = "a", *services[] = {web};
        const struct http_server_options options = {.listen_addresses = HTTP_ADDRESSES("127.0.0.1:0"),
                                                    .routes = routes};
        strcpy(directory, "/tmp/runbook-test-docker-XXXXXX");
        assert_non_null(mkdtemp(directory));
        snprintf(state_path, sizeof(state_path), "%s/log-a", directory);
        assert_int_equal(http_server_start(&options, &engine.server, NULL), 0);
        engine.first = engine.count = 0;
        engine.has_container = true;
        engine.has_hung = false;
        memset(given, 0, sizeof(given));
        config = (struct log_docker_config){.services = {.items = services, .count = 1}};
        config.docker.host = text_format("tcp://127.0.0.1:%u", http_server_port(engine.server));
        config.docker.project = project;
        return 0;
}

static int stop(void **state _unused_)
{
        close_source();
        pthread_mutex_lock(&engine.mutex);
        while (engine.unanswered_count > 0)
                http_reply_text(engine.unanswered[--engine.unanswered_count], 500, "at last");
        pthread_mutex_unlock(&engine.mutex);
        engine.server = http_server_stop(engine.server);
        text_free(&engine.asked);
        free(config.docker.host);
        unlink(state_path);
        return rmdir(directory);
}

static void lines_of_one_time_are_given_once(void **state _unused_)
{
        open_source(true, true, 0);
        logs(100 * SECOND, 3);
        run();
        assert_given(0, 3);
        logs(100 * SECOND, 2);
        run();
        run();
        assert_given(0, 5);
        open_source(true, true, 0);
        run();
        assert_given(0, 5);
        logs(100 * SECOND, 1);
        logs(100 * SECOND + 1, 2);
        open_source(false, true, 0);
        run();
        assert_given(0, 8);
        assert_tell("runbook_log_gaps_total{service=\"web\"} 0");
        assert_tell("runbook_log_containers{service=\"web\"} 1");
}

static void lines_that_were_written_down_late_are_given(void **state _unused_)
{
        open_source(true, false, 0);
        logs(100 * SECOND + 10, 1);
        logs(100 * SECOND + 20, 2);
        run();
        logs(100 * SECOND + 5, 1); /* of the other stream, in the same moment */
        logs(100 * SECOND + 20, 1);
        run();
        run();
        assert_given(0, 5);
        logs(100 * SECOND + 15, 1);
        run();
        logs(200 * SECOND, 1);
        run();
        run();
        assert_given(0, 7);
}

static void from_the_end_what_was_there_is_passed_over(void **state _unused_)
{
        open_source(false, false, 0);
        logs(100 * SECOND, 5);
        run();
        assert_given(0, 0);
        logs(100 * SECOND, 1);
        logs(101 * SECOND, 1);
        run();
        run();
        assert_given(5, 7);
}

static void no_more_of_a_long_log_is_asked_for_than_is_needed(void **state _unused_)
{
        open_source(true, false, 0);
        for (nsec i = 0; i < 2000; i++)
                logs(100 * SECOND + i * SECOND, 1);
        run();
        assert_asked("all ");
        run();
        assert_asked("1000 ");
        for (nsec i = 0; i < 1500; i++)
                logs(3000 * SECOND + i * SECOND, 1);
        run();
        assert_asked("1000 50000 ");
        assert_given(0, 3500);
        for (nsec i = 0; i < 51000; i++)
                logs(9000 * SECOND + i, 1);
        run();
        assert_asked("1000 50000 all ");
        assert_given(0, 54500);
        assert_tell("runbook_log_gaps_total{service=\"web\"} 0");
}

static void a_tail_that_begins_amid_the_lines_of_one_time_is_not_enough(void **state _unused_)
{
        open_source(true, false, 0);
        logs(100 * SECOND, 1);
        logs(101 * SECOND, 3);
        run();
        for (nsec i = 0; i < 998; i++)
                logs(102 * SECOND + i, 1);
        run();
        assert_asked("1000 50000 ");
        assert_given(0, 1002);
}

static void a_place_that_was_rotated_away_is_a_gap(void **state _unused_)
{
        open_source(true, true, 0);
        logs(100 * SECOND, 10);
        run();
        logs(101 * SECOND, 10);
        logs(102 * SECOND, 10);
        rotate_away(15);
        run();
        run();
        for (size_t i = 0; i < 30; i++)
                assert_int_equal(given[i], i < 10 || i >= 15);
        assert_tell("runbook_log_gaps_total{service=\"web\"} 1");
        rotate_away(30);
        run();
        assert_tell("runbook_log_gaps_total{service=\"web\"} 1");
        logs(103 * SECOND, 1);
        run();
        run();
        assert_int_equal(given[30], 1);
        assert_tell("runbook_log_gaps_total{service=\"web\"} 2");
}

static void what_is_too_much_for_one_run_is_for_the_next(void **state _unused_)
{
        unsigned runs = 0;
        open_source(true, true, 100);
        for (nsec i = 0; i < 10; i++)
                logs(100 * SECOND + i, 7);
        do {
                open_source(true, true, 100);
                assert_int_equal(run_once(deadline_in(20 * SECOND), NULL), 0);
                runs++;
        } while (!caught_up);
        assert_given(0, 70);
        assert_true(runs >= 6 && runs <= 12);
}

static void without_time_there_is_one_line_a_run(void **state _unused_)
{
        open_source(true, false, 0);
        logs(100 * SECOND, 3);
        for (size_t i = 1; i <= 3; i++) {
                assert_int_equal(run_once(deadline_in(0), NULL), 0);
                assert_given(0, i);
                assert_int_equal(caught_up, i == 3);
        }
}

static void containers_that_are_gone_are_forgotten(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        open_source(true, true, 0);
        logs(100 * SECOND, 3);
        run();
        set_containers(false, false);
        assert_int_equal(run_once(deadline_in(20 * SECOND), &error), -ENOENT);
        assert_string_equal(error_text(&error), "service web has no container");
        assert_tell("runbook_log_containers{service=\"web\"} 0");
        set_containers(true, false);
        open_source(false, true, 0);
        run();
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(given[i], 2);
}

static void a_clock_that_was_set_back_is_told(void **state _unused_)
{
        const nsec now = clock_wall();
        _cleanup_error_ struct error error = {0};
        open_source(true, false, 0);
        logs(now, 1);
        run();
        run();
        logs(now + 3600 * SECOND, 1);
        run();
        logs(now + SECOND, 1);
        assert_int_equal(run_once(deadline_in(20 * SECOND), &error), -ESTALE);
        assert_non_null(strstr(error_text(&error), "container web_1: the clock was set back"));
        assert_false(caught_up);
        assert_given(0, 2);
}

static int run_briefly(struct error *error)
{
        return log_source_docker.run(source, deadline_in(SECOND / 10), deadline_in(SECOND / 5), take, NULL,
                                     &caught_up, error);
}

static void one_that_gives_no_answer_comes_last_the_next_time(void **state _unused_)
{
        open_source(true, false, 0);
        set_containers(true, true);
        logs(100 * SECOND, 3);
        for (int i = 0; i < 3; i++) {
                _cleanup_error_ struct error error = {0};
                assert_int_equal(run_briefly(&error), -ETIMEDOUT);
                assert_non_null(strstr(error_text(&error), "container web_0: Docker: "));
                assert_false(caught_up);
                assert_given(0, i > 0 ? 3 : 0);
        }
}

static void places_that_are_not_understood_are_told_and_left(void **state _unused_)
{
        static const char *const contents[] = {
                "runbook log places 1\n", "runbook docker places 1", "runbook docker places 1\n" ID " 5\n",
                "runbook docker places 1\n" ID " -2 0\n", "runbook docker places 1\n" ID ID " 5 1\n"};
        logs(100 * SECOND, 3);
        for (size_t i = 0; i < N_ELEMENTS(contents); i++) {
                _cleanup_error_ struct error error = {0};
                write_file(directory, "log-a", contents[i], strlen(contents[i]));
                open_source(true, true, 0);
                assert_int_equal(run_once(deadline_in(20 * SECOND), &error), -EINVAL);
                assert_non_null(strstr(error_text(&error), "remove it to begin anew"));
                assert_int_equal(run_once(deadline_in(20 * SECOND), NULL), -EINVAL);
        }
        assert_given(0, 0);
}

#define WITH_ENGINE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_ENGINE(lines_of_one_time_are_given_once),
                WITH_ENGINE(lines_that_were_written_down_late_are_given),
                WITH_ENGINE(from_the_end_what_was_there_is_passed_over),
                WITH_ENGINE(no_more_of_a_long_log_is_asked_for_than_is_needed),
                WITH_ENGINE(a_tail_that_begins_amid_the_lines_of_one_time_is_not_enough),
                WITH_ENGINE(a_place_that_was_rotated_away_is_a_gap),
                WITH_ENGINE(what_is_too_much_for_one_run_is_for_the_next),
                WITH_ENGINE(without_time_there_is_one_line_a_run),
                WITH_ENGINE(containers_that_are_gone_are_forgotten),
                WITH_ENGINE(a_clock_that_was_set_back_is_told),
                WITH_ENGINE(one_that_gives_no_answer_comes_last_the_next_time),
                WITH_ENGINE(places_that_are_not_understood_are_told_and_left),
        };
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Contracts that run: one that holds costs nothing but its time, one that does not ends the process. */
#include "runbook/assert.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runbook/json.h"
#include "runbook/log.h"
#include "runbook/text.h"
#include "tests/harness/unit.h"

static int broken_on;

static void rely_on(int legs)
{
        broken_on = __LINE__ + 1;
        assert_that(legs % 2 == 0, "legs come in pairs");
}

/* What a process of its own logs that relies on an odd number; and how it ended. */
static char *log_of_breaking(const char *format, int *ret_status)
{
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                const struct rlimit no_core = {0, 0};
                setrlimit(RLIMIT_CORE, &no_core);
                signal(SIGABRT, SIG_DFL); /* cmocka has a handler of its own */
                dup2(pipes[1], STDERR_FILENO);
                log_setup("error", format, NULL);
                rely_on(3);
                _exit(0);
        }
        close(pipes[1]);
        char *line = calloc(1, 4096);
        size_t length = 0;
        for (ssize_t got; length < 4095 && (got = read(pipes[0], line + length, 4095 - length)) > 0;)
                length += (size_t)got;
        close(pipes[0]);
        assert_int_equal(waitpid(child, ret_status, 0), child);
        return line;
}

static void test_holding(void **state)
{
        (void)state;
        rely_on(4);
}

static void test_evaluated_once(void **state)
{
        (void)state;
        int asked = 0;
        assert_that(++asked == 1, "a condition is asked once");
        assert_int_equal(asked, 1);
}

static void test_breaking_aborts(void **state)
{
        (void)state;
        int status = 0;
        rely_on(2);
        _cleanup_free_ char *line = log_of_breaking("json", &status);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);

        _cleanup_json_ cJSON *json = NULL;
        assert_int_equal(json_parse(line, strlen(line), &json, NULL), 0);
        assert_string_equal(json_string(json, "level"), "error");
        assert_string_equal(json_string(json, "contract"), "legs come in pairs");
        assert_string_equal(json_string(json, "condition"), "legs % 2 == 0");
        assert_true(string_ends(json_string(json, "file"), "tests/unit/lib/base/test_assert.c"));
        char number[16];
        snprintf(number, sizeof(number), "%d", broken_on);
        assert_string_equal(json_string(json, "line"), number);
}

static void test_breaking_in_logfmt(void **state)
{
        (void)state;
        int status = 0;
        _cleanup_free_ char *line = log_of_breaking("logfmt", &status);
        assert_true(WIFSIGNALED(status));
        assert_non_null(strstr(line,
                               "level=error msg=\"A contract of this program does not hold: it aborts\" "
                               "contract=\"legs come in pairs\" condition=\"legs % 2 == 0\" file="));
}

static void test_lock_is_seen(void **state)
{
        (void)state;
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        assert_false(is_locked(&mutex));
        pthread_mutex_lock(&mutex);
        assert_true(is_locked(&mutex));
        pthread_mutex_unlock(&mutex);
        assert_false(is_locked(&mutex));
        pthread_mutex_destroy(&mutex);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_holding),         cmocka_unit_test(test_evaluated_once),
                cmocka_unit_test(test_breaking_aborts), cmocka_unit_test(test_breaking_in_logfmt),
                cmocka_unit_test(test_lock_is_seen),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines as they reach stderr. */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "runbook/json.h"
#include "runbook/log.h"
#include "runbook/text.h"
#include "tests/harness/unit.h"

/* What one log_event() writes to stderr. */
static char *logged(const char *format, const char *value)
{
        int saved = dup(STDERR_FILENO), pipes[2];
        assert_int_equal(pipe(pipes), 0);
        dup2(pipes[1], STDERR_FILENO);
        assert_int_equal(log_setup("info", format, NULL), 0);
        log_event(LOG_DEBUG, "never seen", NULL);
        log_event(LOG_WARN, "Pool is full", "database", "mcp", "value", value, NULL);
        dup2(saved, STDERR_FILENO);
        close(saved);
        close(pipes[1]);

        char *line = calloc(1, 4096);
        assert_true(read(pipes[0], line, 4095) > 0);
        close(pipes[0]);
        return line;
}

static void test_logfmt(void **state _unused_)
{
        _cleanup_free_ char *line = logged("logfmt", "two words=\"x\"\nand a line");
        assert_true(string_starts(line, "time=20"));
        assert_non_null(strstr(line, "Z level=warn msg=\"Pool is full\" database=mcp "
                                     "value=\"two words=\\\"x\\\"\\nand a line\"\n"));
        assert_null(strstr(line, "never seen"));

        _cleanup_free_ char *without = logged("logfmt", NULL);
        assert_non_null(strstr(without, "database=mcp\n"));
}

static void test_json_lines(void **state _unused_)
{
        _cleanup_free_ char *line = logged("json", "a\x01\xff");
        _cleanup_json_ cJSON *json = NULL;
        assert_int_equal(json_parse(line, strlen(line), &json, NULL), 0);
        assert_string_equal(json_string(json, "level"), "warn");
        assert_string_equal(json_string(json, "msg"), "Pool is full");
        assert_string_equal(json_string(json, "value"), "a\x01\xef\xbf\xbd");
}

static void test_setup_refuses_other_words(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        assert_int_equal(log_setup("loud", "json", &error), -EINVAL);
        assert_string_equal(error.message, "log level 'loud' is not one of debug, info, warn, error");
        assert_int_equal(log_setup("info", "xml", &error), -EINVAL);
        assert_string_equal(error.message, "log format 'xml' is neither logfmt nor json");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_logfmt),
                cmocka_unit_test(test_json_lines),
                cmocka_unit_test(test_setup_refuses_other_words),
        };
        return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

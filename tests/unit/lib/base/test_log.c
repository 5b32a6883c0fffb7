/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines as they reach stderr, and errors with their sentences. */

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

static void test_logfmt(void **state)
{
        (void)state;
        _cleanup_free_ char *line = logged("logfmt", "two words=\"x\"\nand a line");
        assert_true(string_starts(line, "time=20"));
        assert_non_null(strstr(line, "Z level=warn msg=\"Pool is full\" database=mcp "
                                     "value=\"two words=\\\"x\\\"\\nand a line\"\n"));
        assert_null(strstr(line, "never seen"));

        _cleanup_free_ char *without = logged("logfmt", NULL);
        assert_non_null(strstr(without, "database=mcp\n"));
}

static void test_json_lines(void **state)
{
        (void)state;
        _cleanup_free_ char *line = logged("json", "a\x01\xff");
        _cleanup_json_ cJSON *json = NULL;
        assert_int_equal(json_parse(line, strlen(line), &json, NULL), 0);
        assert_string_equal(json_string(json, "level"), "warn");
        assert_string_equal(json_string(json, "msg"), "Pool is full");
        assert_string_equal(json_string(json, "value"), "a\x01\xef\xbf\xbd");
}

static void test_setup_refuses_other_words(void **state)
{
        (void)state;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(log_setup("loud", "json", &error), -EINVAL);
        assert_string_equal(error.message, "log level 'loud' is not one of debug, info, warn, error");
        assert_int_equal(log_setup("info", "xml", &error), -EINVAL);
        assert_string_equal(error.message, "log format 'xml' is neither logfmt nor json");
}

static void test_errors_gather_context(void **state)
{
        (void)state;
        _cleanup_error_ struct error error = {0}, other = {0};
        assert_string_equal(error_text(&error), "unknown error");
        assert_int_equal(error_set(&error, ENOENT, "no file %s", "x"), -ENOENT);
        assert_int_equal(error_prefix(&error, -ENOENT, "check %s", "disk"), -ENOENT);
        assert_string_equal(error_text(&error), "check disk: no file x");
        error_move(&other, &error);
        assert_null(error.message);
        assert_string_equal(error_text(&other), "check disk: no file x");
        assert_int_equal(error_set(NULL, EIO, "nobody asks"), -EIO);
}

static void test_json_says_where_it_is_wrong(void **state)
{
        (void)state;
        static const struct {
                const char *json, *message;
        } cases[] = {
                {"", "not valid JSON at line 1, column 1"},
                {"{\"a\": 1,\n \"b\": }", "not valid JSON at line 2, column 7"},
                {"{} {}", "not valid JSON at line 1, column 4"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                cJSON *json = NULL;
                _cleanup_error_ struct error error = {0};
                assert_int_equal(json_parse(cases[i].json, strlen(cases[i].json), &json, &error), -EBADMSG);
                assert_null(json);
                assert_string_equal(error.message, cases[i].message);
        }
}

static void test_json_lookups_never_fail_half_way(void **state)
{
        (void)state;
        const char *document =
                " {\"State\": {\"Health\": {\"Status\": \"healthy\"}}, \"n\": 3, \"t\": true}\n";
        _cleanup_json_ cJSON *json = NULL;
        assert_int_equal(json_parse(document, strlen(document), &json, NULL), 0);
        assert_string_equal(json_string(json_get(json, "State", "Health", NULL), "Status"), "healthy");
        assert_null(json_string(json_get(json, "State", "Nothing", "Deeper", NULL), "Status"));
        assert_null(json_string(json, "n"));
        assert_true(json_number(json, "n", 0) == 3 && json_number(json, "t", -1) == -1);
        assert_true(json_bool(json, "t", false) && json_bool(json, "n", true));
        assert_int_equal(json_put(json, "n", cJSON_CreateString("new")), 0);
        assert_string_equal(json_string(json, "n"), "new");
        assert_int_equal(json_put(json, "x", NULL), -ENOMEM);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_logfmt),
                cmocka_unit_test(test_json_lines),
                cmocka_unit_test(test_setup_refuses_other_words),
                cmocka_unit_test(test_errors_gather_context),
                cmocka_unit_test(test_json_says_where_it_is_wrong),
                cmocka_unit_test(test_json_lookups_never_fail_half_way),
        };
        return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

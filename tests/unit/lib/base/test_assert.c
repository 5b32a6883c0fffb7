/* SPDX-License-Identifier: Apache-2.0 */
/* Contracts that run: one that holds costs nothing but its time, one that does not ends the process. */
#include "runbook/assert.h"

#include <stdio.h>

#include "runbook/json.h"
#include "runbook/text.h"
#include "tests/harness/breaking.h"

static int relied_on;

static void rely_on(void *argument)
{
        const int *legs = argument;
        relied_on = __LINE__ + 1;
        assert_that(*legs % 2 == 0, "legs come in pairs");
}

static void test_holding(void **state)
{
        (void)state;
        int legs = 4;
        rely_on(&legs);
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
        int legs = 2;
        rely_on(&legs);
        legs = 3;
        _cleanup_free_ char *line = log_of_breaking("json", rely_on, &legs);

        _cleanup_json_ cJSON *json = NULL;
        assert_int_equal(json_parse(line, strlen(line), &json, NULL), 0);
        assert_string_equal(json_string(json, "level"), "error");
        assert_string_equal(json_string(json, "contract"), "legs come in pairs");
        assert_string_equal(json_string(json, "condition"), "*legs % 2 == 0");
        assert_true(string_ends(json_string(json, "file"), "tests/unit/lib/base/test_assert.c"));
        char number[16];
        snprintf(number, sizeof(number), "%d", relied_on);
        assert_string_equal(json_string(json, "line"), number);
}

static void test_breaking_in_logfmt(void **state)
{
        (void)state;
        int legs = 1;
        _cleanup_free_ char *line = log_of_breaking("logfmt", rely_on, &legs);
        assert_non_null(strstr(line,
                               "level=error msg=\"A contract of this program does not hold: it aborts\" "
                               "contract=\"legs come in pairs\" condition=\"*legs % 2 == 0\" file="));
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

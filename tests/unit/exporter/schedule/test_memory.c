/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of a check over restarts. */
#include "tests/harness/files.h"

#include <stdlib.h>

#include "exporter/schedule/memory.h"

static void a_success_is_remembered_of_the_check_as_it_is(void **state _unused_)
{
        char directory[] = "/tmp/runbook-test-memory-XXXXXX";
        assert_non_null(mkdtemp(directory));
        struct check check = {.name = (char *)"c", .definition = (char *)"one", .state_directory = directory};
        struct check other = {.name = (char *)"d", .definition = (char *)"one", .state_directory = directory};
        assert_false(memory_has_success(&check));
        assert_int_equal(memory_put_success(&check, NULL), 0);
        assert_true(memory_has_success(&check));
        assert_false(memory_has_success(&other));
        check.definition = (char *)"two";
        assert_false(memory_has_success(&check));
        assert_int_equal(memory_put_success(&check, NULL), 0);
        assert_true(memory_has_success(&check));
        check.probe_target = (char *)"elsewhere";
        assert_false(memory_has_success(&check));
        remove_directory(directory);
}

static void nothing_is_remembered_where_there_is_no_directory(void **state _unused_)
{
        struct check check = {.name = (char *)"c", .definition = (char *)"one"};
        assert_int_equal(memory_put_success(&check, NULL), 0);
        assert_false(memory_has_success(&check));
        check.state_directory = "/nowhere";
        _cleanup_error_ struct error error = {0};
        assert_true(memory_put_success(&check, &error) < 0);
        assert_non_null(strstr(error_text(&error), "/nowhere/success-c"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_success_is_remembered_of_the_check_as_it_is),
                cmocka_unit_test(nothing_is_remembered_where_there_is_no_directory),
        };
        return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}

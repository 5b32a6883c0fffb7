/* SPDX-License-Identifier: Apache-2.0 */
/* Leases of connections, and what cannot be had. */
#include <errno.h>

#include "responder/targets/targets.h"
#include "tests/harness/unit.h"

static void test_leases_fail_in_words(void **state _unused_)
{
        struct database database = {.name = (char *)"mcp",
                                    .postgres = {.dsn = (char *)"host=127.0.0.1 port=1 dbname=d"}};
        const struct target_set set = {.databases = {&database, 1}};
        struct targets *targets = NULL;
        assert_int_equal(targets_new(&set, &targets, NULL), 0);

        _cleanup_error_ struct error error = {0};
        struct postgres *postgres = NULL;
        struct docker *docker = NULL;
        bool answer = false;
        double value = 0;
        struct deadline deadline = deadline_in(10 * NSEC_PER_SEC);
        assert_int_equal(targets_database(targets, "other", deadline, &postgres, &error), -ENOENT);
        assert_int_equal(targets_database(targets, "mcp", deadline, &postgres, &error), -ECONNREFUSED);
        assert_non_null(strstr(error_text(&error), "database \"mcp\""));
        /* It was given back: a second one does not wait for the first. */
        assert_int_equal(targets_database(targets, "", deadline, &postgres, &error), -ECONNREFUSED);
        assert_null(postgres);
        assert_int_equal(targets_docker(targets, &docker, &error), -ENOTSUP);
        assert_int_equal(targets_query_holds(targets, "x", 0, deadline, &answer, &value, &error), -ENOTSUP);
        assert_int_equal(targets_check_holds(targets, "x", 0, deadline, &answer, &error), -ENOTSUP);
        struct alertmanager_view view;
        cJSON *firing;
        assert_int_equal(targets_alertmanager(targets, deadline, &view, &error), -ENOTSUP);
        assert_int_equal(targets_firing(targets, deadline, &firing, &error), -ENOTSUP);
        assert_int_equal(
                targets_notify(targets, "nobody", &(struct message){.text = "x"}, deadline, NULL, &error),
                -ENOENT);
        assert_null(targets_free(targets));
        assert_null(targets_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_leases_fail_in_words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

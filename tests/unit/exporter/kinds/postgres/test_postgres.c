/* SPDX-License-Identifier: Apache-2.0 */
/* Kind postgres: its options, and that its table holds together. What it measures: test_kinds_postgres.py. */
#include <errno.h>
#include <string.h>

#include "exporter/kinds/postgres/groups.h"
#include "tests/harness/kind.h"

static const struct check_kind *kind(void)
{
        for (size_t i = 0; check_kinds[i]; i++)
                if (strcmp(check_kinds[i]->name, "postgres") == 0)
                        return check_kinds[i];
        fail_msg("there is no kind postgres");
        return NULL;
}

static bool is_listed(const struct metric_family *family)
{
        for (size_t i = 0; kind()->families[i]; i++)
                if (kind()->families[i] == family)
                        return true;
        return false;
}

static void every_group_and_family_is_documented(void **state _unused_)
{
        const struct config_field *groups = kind()->fields;
        size_t used = 0, listed = 0;
        while (strcmp(groups->name, "groups") != 0)
                groups++;
        for (const struct postgres_group *group = postgres_groups; group->name; group++) {
                _cleanup_free_ char *name = text_format("`%s`", group->name);
                assert_non_null(strstr(groups->help, name));
                for (const struct column_metric *metric = group->metrics; metric->family; metric++) {
                        if (!is_listed(metric->family))
                                fail_msg("%s is not in the list of families", metric->family->name);
                        used++;
                }
        }
        while (kind()->families[listed])
                listed++;
        assert_true(used > listed / 2);
        assert_true(is_listed(&postgres_ready));
        assert_true(is_listed(&postgres_group_success));
}

/* `$1`, `$2`, … of a query are as many as its row gives it. */
static void every_parameter_of_a_query_is_given(void **state _unused_)
{
        for (const struct postgres_group *group = postgres_groups; group->name; group++)
                for (int i = 0; i < GROUP_PARAMETERS_MAX; i++) {
                        _cleanup_free_ char *place = text_format("$%d", i + 1);
                        assert_int_equal(strstr(group->sql, place) != NULL,
                                         group->parameters[i] != PARAMETER_NONE);
                }
}

static void mistakes_are_named(void **state _unused_)
{
        assert_complaint("postgres", "{dsn: 'dbname=x', groups: [conections]}",
                         "there is no group \"conections\"; did you mean \"connections\"?");
        assert_complaint("postgres", "{dsn: 'dbname=x', groups: [everything]}",
                         "there is no group \"everything\"; there are: server, connections, ");
        assert_complaint("postgres", "{dsn: 'dbname=x', groups: [row_counts]}", "row_counts needs tables");
        assert_complaint("postgres", "{dsn: 'dbname=x', groups: [vacuum], tables: [contexts]}",
                         "tables is only of use to the groups row_counts and row_estimates");
        assert_complaint("postgres", "{dsn: 'dbname=x', groups: [row_counts], tables: []}", "tables");
        assert_complaint("postgres", "{dsn: 'dbname=x', top: 0}", "top");
        assert_complaint("postgres", "{dsn: 'dbname=x', slow: fast}", "slow");
        assert_complaint("postgres", "{dsn: 'dbname=x', statement_text: maybe}", "statement_text");
        assert_complaint("postgres", "{dsn: 'dbname=x', query: SELECT 1}", "only of use together");
        assert_complaint("postgres", "{dsn: 'dbname=x password=y'}", "password");
        assert_complaint("postgres", "{dsn: 'dbname=x', databases: ['*']}",
                         "none of the groups is of a database");
        assert_complaint("postgres", "{dsn: 'dbname=x', groups: [vacuum], databases: []}", "databases");
        assert_complaint("postgres", "{dsn: 'dbname=x', groups: [vacuum], exclude_databases: [a]}",
                         "only of use with databases");
        assert_complaint("postgres",
                         "{dsn: 'dbname=x', databases: ['*'], query: SELECT 1, metrics: [{name: a, help: A., "
                         "value: v, labels: [database]}]}",
                         "the label database is the exporter's own");
        assert_complaint("postgres", "{dsn: 'dbname=x', groups: [server, pgbouncer_pools]}",
                         "give each a check of its own");
}

static void what_cannot_be_reached_is_not_ready(void **state _unused_)
{
        struct check_set *set = load_check(
                "postgres", "{dsn: 'host=/nowhere dbname=x', groups: [server, connections]}", NULL);
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL;
        assert_int_equal(run_check(set, NSEC_PER_SEC, &page, &error), -ECONNREFUSED);
        assert_line(page, "runbook_postgres_ready 0");
        assert_line(page, "runbook_postgres_group_success{group=\"server\"} 0");
        assert_line(page, "runbook_postgres_group_success{group=\"connections\"} 0");
        check_set_free(set);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_group_and_family_is_documented),
                cmocka_unit_test(every_parameter_of_a_query_is_given),
                cmocka_unit_test(mistakes_are_named),
                cmocka_unit_test(what_cannot_be_reached_is_not_ready),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

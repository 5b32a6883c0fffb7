/* SPDX-License-Identifier: Apache-2.0 */
/* checks.yml: what it may say, and that every mistake is named with its place. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>

#include "exporter/check/check.h"

/* Loads `yaml` from a file; the complaints, which the caller frees, or NULL when there are none. */
static char *load(const char *yaml, struct check_set **ret)
{
        char path[] = "/tmp/runbook-test-checks-XXXXXX";
        int fd = mkstemp(path);
        struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        char *complaints = NULL;
        assert_true(fd >= 0);
        assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
        close(fd);
        int r = check_set_load(path, NULL, &set, &error);
        unlink(path);
        if (r < 0) {
                assert_int_equal(r, -EINVAL);
                assert_null(set);
                complaints = strdup(error_text(&error));
        }
        if (ret)
                *ret = set;
        else
                check_set_free(set);
        return complaints;
}

static void assert_fine(const char *yaml, struct check_set **ret)
{
        _cleanup_free_ char *complaints = load(yaml, ret);
        if (complaints)
                fail_msg("unexpected: %s", complaints);
}

/* Each expected piece stands in the complaints, after its position. */
static void assert_complaints(const char *yaml, const char *const *expected)
{
        _cleanup_free_ char *complaints = load(yaml, NULL);
        assert_non_null(complaints);
        for (size_t i = 0; expected[i]; i++)
                if (!strstr(complaints, expected[i]))
                        fail_msg("no \"%s\" in:\n%s", expected[i], complaints);
}

#define COMPLAINTS(yaml, ...) assert_complaints(yaml, (const char *const[]){__VA_ARGS__, NULL})

static void limits_come_from_the_check_the_defaults_or_the_table(void **state _unused_)
{
        struct check_set *set;
        assert_fine("defaults: {timeout: 7s, max_series: 5}\n"
                    "checks:\n"
                    "  - {name: root, title: Disk space, disk: {mountpoints: [/]}}\n"
                    "  - {name: tmp, timeout: 1s, cache: 2m, max_series: 9, disk: {mountpoints: /tmp}}\n",
                    &set);
        assert_int_equal(set->count, 2);
        assert_string_equal(set->checks[0].title, "Disk space");
        assert_int_equal(set->checks[0].timeout, 7 * NSEC_PER_SEC);
        assert_int_equal(set->checks[0].cache, 0);
        assert_int_equal(set->checks[0].max_series, 5);
        assert_string_equal(set->checks[1].title, "tmp");
        assert_int_equal(set->checks[1].timeout, NSEC_PER_SEC);
        assert_int_equal(set->checks[1].cache, 120 * NSEC_PER_SEC);
        assert_int_equal(set->checks[1].max_series, 9);
        assert_string_equal(set->checks[1].kind->name, "disk");
        check_set_free(set);
}

static void every_kind_opens_without_its_target(void **state _unused_)
{
        struct check_set *set;
        assert_fine("checks:\n"
                    "  - {name: a, http: {url: 'http://127.0.0.1:1/health', status: [200, 3xx, 401-403],\n"
                    "       json: {status: healthy, n: 1}, headers: {X-A: b}, bearer_token_file: /nowhere}}\n"
                    "  - {name: b, redis: {address: '127.0.0.1:1', password_file: /nowhere}}\n"
                    "  - {name: c, postgres: {dsn: 'host=127.0.0.1 port=1'}}\n"
                    "  - {name: d, docker: {host: 'unix:///nowhere', project: p, services: [s]}}\n"
                    "  - {name: e, disk: {mountpoints: [/nowhere]}}\n"
                    "  - {name: f, prometheus: {url: 'http://127.0.0.1:1', query: up, labels: job}}\n",
                    &set);
        assert_int_equal(set->count, 6);
        check_set_free(set);
}

static void every_mistake_is_named_in_one_run(void **state _unused_)
{
        COMPLAINTS(
                "checks:\n"
                "  - {name: a, htpp: {url: 'http://x'}}\n"
                "  - {name: 'a b', disk: {mountpoints: [/]}}\n"
                "  - {name: c, disk: {mountpoints: [/]}, redis: {}}\n"
                "  - {name: d, timeout: 5, disk: {mountpoints: [tmp]}}\n"
                "  - {disk: {mountpoints: [/]}}\n"
                "  - {name: e, http: {url: 'ftp://x', status: [2000], headers: {Authorization: secret}}}\n",
                ":2:", "htpp", "http", ":3:", "\"a b\" is not a name", ":4:", "only one is possible",
                ":5:", "timeout", "\"tmp\" is not an absolute path", ":6:", "name",
                ":7:", "http:// or https://", "\"2000\" is no status", "use bearer_token_file");
}

static void the_rows_of_the_capacity_report_are_checked(void **state _unused_)
{
        COMPLAINTS("checks:\n  - {name: a, system: {}}\n"
                   "capacity:\n"
                   "  - {section: A, rows: [{title: T, metric: 'not a name'}]}\n"
                   "  - {section: B, rows: []}\n"
                   "  - {rows: [{title: T}]}\n",
                   ":4:", "\"not a name\" is not the name of a metric", ":5:", ":6:", "section", "metric");
}

static void a_file_without_checks_is_refused(void **state _unused_)
{
        COMPLAINTS("checks: []\n", "a list of checks is needed");
        COMPLAINTS("checks: {a: b}\n", "a list of checks is needed");
        COMPLAINTS("defaults: {}\n", "a list of checks is needed");
        COMPLAINTS("", "the document is empty");
}

static void names_are_unique(void **state _unused_)
{
        COMPLAINTS("checks:\n"
                   "  - {name: a, disk: {mountpoints: [/]}}\n"
                   "  - {name: b, disk: {mountpoints: [/]}}\n"
                   "  - {name: a, disk: {mountpoints: [/]}}\n",
                   ":4:", "there is a check \"a\" already");
}

#define QUERY(name, metric, kind, help)                                                      \
        "  - {name: " name ", postgres: {dsn: 'host=x', query: 'SELECT 1 AS v', metrics: [{" \
        "name: " metric ", type: " kind ", help: '" help "', value: v}]}}\n"

static void one_name_is_one_metric(void **state _unused_)
{
        assert_fine("checks:\n" QUERY("a", "t_things", "gauge", "Things.")
                            QUERY("b", "t_things", "gauge", "Things."),
                    NULL);
        COMPLAINTS("checks:\n" QUERY("a", "t_things", "gauge", "Things.")
                           QUERY("b", "t_things", "gauge", "Other things."),
                   ":3:", "t_things has another help in check \"a\"");
        COMPLAINTS("checks:\n" QUERY("a", "runbook_check_success", "gauge", "Mine."),
                   "runbook_check_success has another help in every check");
        COMPLAINTS("checks:\n  - {name: z, redis: {}}\n"
                   "  - {name: p, prometheus: {url: 'http://x', query: up,\n"
                   "       metric: {name: runbook_redis_keys, help: Mine.}}}\n",
                   ":3:", "runbook_redis_keys has another help in check \"z\"");
}

static void operators_metrics_keep_to_the_rules(void **state _unused_)
{
        COMPLAINTS("checks:\n" QUERY("a", "t-x", "gauge", "A.") QUERY("b", "t_total", "gauge", "B.")
                           QUERY("c", "t_x", "counter", "C.") QUERY("d", "t_sum", "gauge", "D.")
                                   QUERY("e", "process_x", "gauge", "E."),
                   "\"t-x\" is not a metric's name", "t_total: counters, and only they",
                   "t_x: counters, and only", "t_sum: \"_sum\" is for", "process_x: names of");
        COMPLAINTS("checks:\n"
                   "  - {name: a, prometheus: {url: 'http://x', query: up, labels: [check]}}\n"
                   "  - {name: b, prometheus: {url: 'http://x', query: up, labels: [a-b]}}\n"
                   "  - {name: c, postgres: {dsn: 'host=x', query: SELECT 1}}\n"
                   "  - {name: d, postgres: {dsn: 'host=x', groups: [tables]}}\n"
                   "  - {name: e, postgres: {dsn: 'host=x password=y'}}\n",
                   "label \"check\" already", "\"a-b\" is not a label's name", "only of use together",
                   "there is no group \"tables\"", ":6:", "password");
}

static void promql_is_read_when_the_file_is(void **state _unused_)
{
        COMPLAINTS("checks:\n"
                   "  - {name: a, prometheus: {url: 'http://x', query: 'sum(up'}}\n"
                   "  - {name: b, prometheus: {url: 'http://x', query: 'ratee(up[5m])', labels: [check]}}\n"
                   "  - name: c\n"
                   "    prometheus:\n"
                   "      url: http://x\n"
                   "      query: |\n"
                   "        up\n"
                   "          [5m]\n"
                   "  - {name: d, prometheus: {url: 'http://x', query: 'up and 1'}}\n",
                   ":2:56: 'query' is not PromQL: this '(' is never closed",
                   ":3:53: 'query' is not PromQL: there is no function \"ratee\"; did you mean \"rate\"?",
                   "label \"check\" already",
                   ":8:1: 'query' gives a range vector, where a scalar or an instant vector is wanted",
                   ":10:56: 'query' is not PromQL: 'and' stands between two instant vectors");
        assert_fine("checks:\n  - {name: a, prometheus: {url: 'http://x', query: time()}}\n", NULL);
}

static void labels_come_from_the_check_and_the_defaults(void **state _unused_)
{
        struct check_set *set;
        assert_fine("defaults: {labels: {env: prod, service: api, team: x}}\n"
                    "checks:\n"
                    "  - {name: a, disk: {mountpoints: [/]}}\n"
                    "  - {name: b, labels: {service: '', team: y, more: z}, docker: {project: p}}\n",
                    &set);
        const struct check *a = &set->checks[0], *b = &set->checks[1];
        assert_int_equal(a->label_count, 3);
        assert_true(check_has_label(a, "service") && !check_has_label(b, "service"));
        assert_int_equal(b->label_count, 3);
        assert_string_equal(b->labels[0].value, "prod");
        assert_string_equal(b->labels[1].value, "y");
        assert_string_equal(b->labels[2].name, "more");
        check_set_free(set);
}

static void labels_that_are_others_are_refused_with_their_place(void **state _unused_)
{
        COMPLAINTS(
                "defaults:\n  labels: {env: prod, service: x, 9a: b}\n"
                "checks:\n"
                "  - {name: a, labels: {job: x, mountpoint: y}, disk: {mountpoints: [/]}}\n"
                "  - {name: b, docker: {project: p}}\n"
                "  - {name: c, labels: {service: '', path: x},\n"
                "     log: {files: /a, patterns: [{name: a, pattern: '(?P<path>a)', labels: path}]}}\n"
                "  - {name: d, labels: {unit: x},\n"
                "     log: {journal: {units: a.service}, patterns: [{name: a, pattern: b}]}}\n"
                "  - {name: e, postgres: {dsn: host=x, query: select 1, metrics: [{name: a, value: b, "
                "labels: env}]}}\n"
                "  - {name: f, prometheus: {url: 'http://h/', query: up, labels: env}}\n"
                "  - {name: g, http: {url: 'http://h/', metrics: [{name: h, each: a, keys: env}]}}\n",
                ":2:39: \"9a\" is not a label's name",
                ":4:29: the label \"job\" may not be given: Prometheus",
                ":4:44: series of the kind disk have a label \"mountpoint\"",
                ":5:23: series of this kind have a label \"service\" of their own: take that of the defaults",
                ":7:76: all series of this check have the label \"path\" already",
                ":9:21: its series have a label \"unit\"",
                ":10:94: all series of this check have the label \"env\"", ":11:65: all series",
                ":12:75: all series");
}

static void secrets_are_not_taken_from_urls(void **state _unused_)
{
        _cleanup_free_ char *complaints = load("checks:\n"
                                               "  - {name: a, http: {url: 'http://me:hunter2@x/'}}\n"
                                               "  - {name: b, http: {url: 'http://x/@me'}}\n",
                                               NULL);
        assert_non_null(complaints);
        assert_non_null(strstr(complaints, ":2:"));
        assert_null(strstr(complaints, ":3:"));
        assert_null(strstr(complaints, "hunter2"));
}

static void the_reference_names_every_kind_option_and_metric(void **state _unused_)
{
        _cleanup_text_ struct text text = {0};
        check_kinds_describe(&text);
        assert_int_equal(text_error(&text), 0);
        for (size_t i = 0; check_kinds[i]; i++) {
                assert_non_null(strstr(text.data, check_kinds[i]->name));
                for (size_t k = 0; check_kinds[i]->fields[k].name; k++) {
                        assert_non_null(check_kinds[i]->fields[k].help);
                        assert_non_null(strstr(text.data, check_kinds[i]->fields[k].name));
                }
                for (size_t k = 0; check_kinds[i]->families[k]; k++) {
                        assert_non_null(check_kinds[i]->families[k]->help);
                        assert_non_null(strstr(text.data, check_kinds[i]->families[k]->name));
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(limits_come_from_the_check_the_defaults_or_the_table),
                cmocka_unit_test(every_kind_opens_without_its_target),
                cmocka_unit_test(every_mistake_is_named_in_one_run),
                cmocka_unit_test(the_rows_of_the_capacity_report_are_checked),
                cmocka_unit_test(a_file_without_checks_is_refused),
                cmocka_unit_test(names_are_unique),
                cmocka_unit_test(one_name_is_one_metric),
                cmocka_unit_test(operators_metrics_keep_to_the_rules),
                cmocka_unit_test(promql_is_read_when_the_file_is),
                cmocka_unit_test(labels_come_from_the_check_and_the_defaults),
                cmocka_unit_test(labels_that_are_others_are_refused_with_their_place),
                cmocka_unit_test(secrets_are_not_taken_from_urls),
                cmocka_unit_test(the_reference_names_every_kind_option_and_metric),
        };
        return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}

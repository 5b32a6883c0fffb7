/* SPDX-License-Identifier: Apache-2.0 */
/* `targets:` of checks.yml: what it makes of a check, and where its mistakes are complained about. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>

#include "exporter/check/targets.h"
#include "exporter/schedule/schedule.h"

/* Loads `yaml`; the complaints, which the caller frees, or NULL when there are none. */
static char *load(const char *yaml, struct check_set **ret)
{
        char path[] = "/tmp/runbook-test-targets-XXXXXX";
        int fd = mkstemp(path);
        _cleanup_error_ struct error error = {0};
        assert_true(fd >= 0);
        assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
        close(fd);
        int r = check_set_load(path, "/nowhere", ret, &error);
        unlink(path);
        return r < 0 ? strdup(error_text(&error)) : NULL;
}

static struct check_set *load_fine(const char *yaml)
{
        struct check_set *set = NULL;
        _cleanup_free_ char *complaints = load(yaml, &set);
        if (complaints)
                fail_msg("unexpected: %s", complaints);
        return set;
}

/* Each expected piece stands in the complaints, and there are so many lines of them. */
static void assert_complaints(const char *yaml, size_t lines, const char *const *expected)
{
        struct check_set *set = NULL;
        _cleanup_free_ char *complaints = load(yaml, &set);
        size_t count = 1;
        assert_non_null(complaints);
        for (size_t i = 0; expected[i]; i++)
                if (!strstr(complaints, expected[i]))
                        fail_msg("no \"%s\" in:\n%s", expected[i], complaints);
        for (const char *at = complaints; (at = strchr(at, '\n')); at++)
                count++;
        if (count != lines)
                fail_msg("not %zu lines:\n%s", lines, complaints);
}

#define COMPLAINTS(yaml, lines, ...) assert_complaints(yaml, lines, (const char *const[]){__VA_ARGS__, NULL})

static void each_target_is_a_check_of_its_own_behind_the_others(void **state _unused_)
{
        struct check_set *set = load_fine("checks:\n"
                                          "  - name: web\n"
                                          "    title: Web\n"
                                          "    timeout: 2s\n"
                                          "    cache: 1m\n"
                                          "    targets: [\"http://127.0.0.1:2/\", \"http://127.0.0.1:3/\"]\n"
                                          "    http: {url: \"http://127.0.0.1:1/\", status: 204}\n"
                                          "  - {name: cache, targets: \"127.0.0.1:5\", redis: {}}\n"
                                          "  - {name: disk, disk: {mountpoints: /}}\n");
        assert_int_equal(set->count, 3);
        assert_int_equal(check_set_size(set), 6);
        for (size_t i = 0; i < set->count; i++) {
                assert_null(set->checks[i].probe_target);
                assert_string_equal(set->checks[i].state_directory, "/nowhere");
        }
        const struct check *third = &set->checks[4], *last = &set->checks[5];
        assert_string_equal(set->checks[3].probe_target, "http://127.0.0.1:2/");
        assert_string_equal(third->probe_target, "http://127.0.0.1:3/");
        assert_string_equal(third->name, "web");
        assert_string_equal(third->title, "Web");
        assert_int_equal(third->timeout, 2 * NSEC_PER_SEC);
        assert_int_equal(third->cache, 60 * NSEC_PER_SEC);
        assert_null(third->state_directory); /* two checks may not share a file that is named after them */
        assert_string_equal(last->probe_target, "127.0.0.1:5");
        assert_string_equal(last->name, "cache");
        check_set_free(set);
}

static void every_kind_with_a_target_takes_another_one(void **state _unused_)
{
        struct check_set *set = load_fine(
                "checks:\n"
                "  - {name: a, targets: ['http://y/'], http: {url: 'http://x/'}}\n"
                "  - {name: b, targets: ['y:1', /run/redis.sock], redis: {address: 'x:1'}}\n"
                "  - {name: c, targets: ['host=y', 'postgresql://u@z/db'], postgres: {dsn: 'host=x'}}\n"
                "  - {name: d, targets: ['tcp://y:2375'], docker: {project: p}}\n"
                "  - {name: e, targets: ['http://y'], prometheus: {url: 'http://x', query: up}}\n"
                "  - {name: f, targets: ['y:443'], tls: {address: 'x:443'}}\n"
                "  - {name: g, targets: ['unix:path=/y'], systemd: {units: [a.service]}}\n"
                "  - {name: h, targets: ['http://y'], s3: {bucket: buck, endpoint: 'http://x',\n"
                "       access_key_file: /x, secret_key_file: /x}}\n");
        assert_int_equal(set->count, 8);
        assert_int_equal(set->target_count, 10);
        check_set_free(set);
        for (size_t i = 0; check_kinds[i]; i++) {
                const struct config_field *field = check_kinds[i]->fields;
                while (field->name && check_kinds[i]->target_key &&
                       strcmp(field->name, check_kinds[i]->target_key) != 0)
                        field++;
                assert_non_null(field->name);
        }
}

static void mistakes_are_complained_about_where_they_stand(void **state _unused_)
{
        COMPLAINTS("checks:\n"
                   "  - name: a\n"
                   "    targets:\n"
                   "      - http://fine/\n"
                   "      - ftp://nowhere/\n"
                   "      - http://fine/\n"
                   "      - ''\n"
                   "      - [x]\n"
                   "    http: {url: 'http://x/'}\n"
                   "  - name: b\n"
                   "    targets: [/]\n"
                   "    disk: {mountpoints: /}\n"
                   "  - name: c\n"
                   "    targets: {a: b}\n"
                   "    redis: {}\n"
                   "  - name: d\n"
                   "    targets: ['x:443']\n"
                   "    tls: {files: /x.pem}\n"
                   "  - name: e\n"
                   "    targets: []\n"
                   "    redis: {}\n",
                   8, ":5:9: a URL of http:// or https://", ":6:9: this target stands there already",
                   ":7:9: a value of url", ":8:9: a value of url",
                   ":11:14: checks of the kind disk cannot be pointed elsewhere",
                   ":14:14: a list of other values of address",
                   ":17:14: only a check with address can be pointed elsewhere",
                   ":20:14: 'targets' must not");
}

static void a_mistake_of_the_check_is_complained_about_once(void **state _unused_)
{
        COMPLAINTS("checks:\n"
                   "  - name: a\n"
                   "    targets: ['http://y/', 'http://z/']\n"
                   "    http: {url: 'http://x/', status: [2000], color: red}\n"
                   "  - {name: b, targets: ['http://y/'], http: 7}\n",
                   2, "unknown key 'color'", ":5:");
        COMPLAINTS("checks:\n"
                   "  - name: a\n"
                   "    targets: ['http://y/', 'http://z/']\n"
                   "    http: {url: 'http://x/', status: [2000]}\n",
                   1, "2000");
}

static void there_is_a_limit(void **state _unused_)
{
        _cleanup_text_ struct text yaml = {0};
        text_puts(&yaml, "checks:\n  - name: a\n    redis: {}\n    targets:\n");
        for (int i = 0; i < CHECK_TARGETS_MAX + 1; i++)
                text_printf(&yaml, "      - 127.0.0.1:%d\n", i + 1);
        COMPLAINTS(text_string(&yaml), 1, ":5:", "at most 256");
}

static void a_change_of_targets_changes_no_other_check(void **state _unused_)
{
        struct check_set *before =
                load_fine("checks:\n  - {name: a, targets: ['x:1', 'x:2'], redis: {address: 'x:9'}}\n");
        struct check_set *after =
                load_fine("checks:\n  - {name: a, redis: {address: 'x:9'}, targets: ['x:2', 'x:3']} # new\n");
        struct check_set *without = load_fine("checks:\n  - {name: a, redis: {address: 'x:9'}}\n");
        assert_string_equal(without->checks[0].definition, before->checks[0].definition);
        assert_string_equal(before->checks[2].probe_target, after->checks[1].probe_target);
        assert_string_not_equal(before->checks[1].definition, before->checks[0].definition);
        assert_string_not_equal(before->checks[1].definition, before->checks[2].definition);

        struct workers *workers;
        struct schedule *first, *second;
        assert_int_equal(workers_new(1, &workers, NULL), 0);
        assert_int_equal(schedule_new(before, workers, NULL, NULL, &first, NULL), 0);
        assert_int_equal(schedule_succeed(first, after, NULL, NULL, &second, NULL), 0);
        assert_int_equal(schedule_fresh(second), 1); /* x:3 */
        schedule_free(first);
        schedule_free(second);
        assert_int_equal(workers_stop(workers, DEADLINE_NEVER), 0);
        check_set_free(before);
        check_set_free(after);
        check_set_free(without);
}

static void what_may_be_secret_in_a_target_is_not_shown(void **state _unused_)
{
        _cleanup_text_ struct text text = {0};
        check_target_put(&text, "http://x/health?token=hunter2#hunter2");
        check_target_put(&text, NULL);
        assert_string_equal(text_string(&text), "http://x/health");
        text_clear(&text);
        check_target_put(&text, "redis://me:hunter2@x:1");
        check_target_put(&text, " me:hun/t@r2?@x:1");
        check_target_put(&text, " host=x user=me");
        assert_string_equal(text_string(&text), "redis://…@x:1…@x:1 host=x user=me");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_target_is_a_check_of_its_own_behind_the_others),
                cmocka_unit_test(every_kind_with_a_target_takes_another_one),
                cmocka_unit_test(mistakes_are_complained_about_where_they_stand),
                cmocka_unit_test(a_mistake_of_the_check_is_complained_about_once),
                cmocka_unit_test(there_is_a_limit),
                cmocka_unit_test(a_change_of_targets_changes_no_other_check),
                cmocka_unit_test(what_may_be_secret_in_a_target_is_not_shown),
        };
        return cmocka_run_group_tests_name("check_targets", tests, NULL, NULL);
}

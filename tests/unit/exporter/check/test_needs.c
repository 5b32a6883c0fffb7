/* SPDX-License-Identifier: Apache-2.0 */
/* What checks need: names and circles are refused with their place; an effect is one as long as its cause is.
 */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "exporter/check/needs.h"
#include "exporter/commands/inhibitions.h"

#define DISK "disk: {mountpoints: [/]}"

static int load(const char *yaml, struct check_set **ret, struct error *error)
{
        char path[] = "/tmp/runbook-test-needs-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
        close(fd);
        int r = check_set_load(path, NULL, ret, error);
        unlink(path);
        return r;
}

static struct check_set *load_fine(const char *yaml)
{
        struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        if (load(yaml, &set, &error) < 0)
                fail_msg("unexpected: %s", error_text(&error));
        return set;
}

static void assert_complaint(const char *yaml, const char *expected)
{
        struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(load(yaml, &set, &error), -EINVAL);
        if (!strstr(error_text(&error), expected))
                fail_msg("no \"%s\" in:\n%s", expected, error_text(&error));
}

static void an_unknown_name_is_refused_with_its_place_and_the_nearest(void **state _unused_)
{
        assert_complaint("checks:\n"
                         "  - {name: redis, " DISK "}\n"
                         "  - {name: api, needs: [redis, redsi], " DISK "}\n",
                         ":3:32: there is no check \"redsi\"; did you mean \"redis\"?");
        assert_complaint("checks:\n  - {name: api, needs: postgres, " DISK "}\n",
                         ":2:24: there is no check \"postgres\"; there are: api");
        assert_complaint("checks: [{name: api, needs: [], " DISK "}]", "must not be empty");
}

static void a_circle_is_refused_with_its_place(void **state _unused_)
{
        assert_complaint("checks: [{name: a, needs: a, " DISK "}]", ":1:27: a circle: a needs a");
        assert_complaint("checks:\n"
                         "  - {name: a, needs: b, " DISK "}\n"
                         "  - {name: b, needs: [d, c], " DISK "}\n"
                         "  - {name: c, needs: a, " DISK "}\n"
                         "  - {name: d, " DISK "}\n",
                         ":4:22: a circle: a needs b needs c needs a");
}

static void a_name_may_be_needed_before_it_comes_and_twice(void **state _unused_)
{
        _cleanup_(check_set_free_p) struct check_set *set =
                load_fine("checks:\n"
                          "  - {name: a, needs: [b, b], " DISK "}\n"
                          "  - {name: b, " DISK "}\n");
        assert_int_equal(set->checks[0].needed_count, 2);
        assert_int_equal(set->checks[0].needed[0], 1);
        assert_int_equal(set->needs_order[0], 1);
}

/* web needs api, which needs redis and postgres; postgres needs disk. */
static const char stack[] = "checks:\n"
                            "  - {name: web, needs: api, " DISK "}\n"
                            "  - {name: api, needs: [redis, postgres], " DISK "}\n"
                            "  - {name: redis, " DISK "}\n"
                            "  - {name: postgres, needs: disk, " DISK "}\n"
                            "  - {name: disk, " DISK "}\n"
                            "  - {name: mail.er, needs: api, " DISK "}\n";
enum { WEB, API, REDIS, POSTGRES, DISK_CHECK, MAILER, CHECKS };

static void the_root_fails_and_needs_nothing_that_does(void **state _unused_)
{
        _cleanup_(check_set_free_p) struct check_set *set = load_fine(stack);
        size_t roots[CHECKS];
        bool fails[CHECKS] = {[WEB] = true, [API] = true, [DISK_CHECK] = true};
        check_needs_find_roots(set, fails, roots);
        assert_int_equal(roots[WEB], DISK_CHECK); /* also past one that passes */
        assert_int_equal(roots[API], DISK_CHECK);
        assert_true(roots[DISK_CHECK] == NO_ROOT);
        assert_true(roots[REDIS] == NO_ROOT);

        fails[REDIS] = true; /* the first in the file */
        check_needs_find_roots(set, fails, roots);
        assert_int_equal(roots[WEB], REDIS);
        assert_int_equal(roots[POSTGRES], DISK_CHECK);
}

static void what_recovers_hides_nothing_any_more(void **state _unused_)
{
        _cleanup_(check_set_free_p) struct check_set *set = load_fine(stack);
        size_t roots[CHECKS];
        bool fails[CHECKS] = {[WEB] = true, [REDIS] = true};
        check_needs_find_roots(set, fails, roots);
        assert_int_equal(roots[WEB], REDIS);
        fails[REDIS] = false;
        check_needs_find_roots(set, fails, roots);
        for (size_t i = 0; i < CHECKS; i++)
                assert_true(roots[i] == NO_ROOT);
}

static void effects_stand_behind_their_root(void **state _unused_)
{
        size_t order[] = {0, 1, 2, 3, 4}, alone[] = {0, 1};
        const size_t roots[] = {2, NO_ROOT, NO_ROOT, NO_ROOT, 2};
        const size_t expected[] = {1, 2, 0, 4, 3};
        assert_int_equal(check_needs_arrange(roots, order, 5), 0);
        assert_memory_equal(order, expected, sizeof(expected));
        /* What is not shown has nobody behind it. */
        assert_int_equal(check_needs_arrange(roots, alone, 2), 0);
        assert_int_equal(alone[0], 0);
        assert_int_equal(alone[1], 1);
}

/* By the words of the header, slowly. */
static bool reaches(const struct check_set *set, size_t from, size_t to)
{
        for (size_t k = 0; k < set->checks[from].needed_count; k++)
                if (set->checks[from].needed[k] == to || reaches(set, set->checks[from].needed[k], to))
                        return true;
        return false;
}

static size_t slow_root(const struct check_set *set, const bool *fails, size_t i)
{
        for (size_t root = 0; root < set->count; root++) {
                bool is_root = fails[root] && reaches(set, i, root);
                for (size_t k = 0; is_root && k < set->count; k++)
                        is_root = !(fails[k] && reaches(set, root, k));
                if (is_root)
                        return root;
        }
        return NO_ROOT;
}

static void roots_of_any_graph_are_those_of_the_definition(void **state _unused_)
{
        enum { COUNT = 9 };
        srand(7);
        for (int round = 0; round < 300; round++) {
                _cleanup_text_ struct text yaml = {0};
                bool fails[COUNT], needed[COUNT];
                size_t roots[COUNT], order[COUNT], at[COUNT];
                for (size_t i = 0; i < COUNT; i++)
                        order[i] = i;
                for (size_t i = COUNT; i-- > 1;) {
                        size_t k = (size_t)rand() % (i + 1), swapped = order[i];
                        order[i] = order[k];
                        order[k] = swapped;
                }
                text_puts(&yaml, "checks:\n");
                for (size_t i = 0; i < COUNT; i++) {
                        const char *between = "";
                        text_printf(&yaml, "  - {name: c%zu, " DISK ", needs: [", i);
                        for (size_t k = 0; k < COUNT; k++)
                                if (order[k] < order[i] && rand() % 4 == 0) {
                                        text_printf(&yaml, "%sc%zu", between, k);
                                        between = ", ";
                                }
                        text_puts(&yaml, *between ? "]}\n" : "c0]}\n");
                        if (!*between) {
                                yaml.length -= strlen(", needs: [c0]}\n");
                                text_puts(&yaml, "}\n");
                        }
                }
                _cleanup_(check_set_free_p) struct check_set *set = load_fine(text_string(&yaml));
                for (size_t i = 0; i < COUNT; i++)
                        fails[i] = rand() % 3 == 0;
                check_needs_find_roots(set, fails, roots);
                for (size_t i = 0; i < COUNT; i++) {
                        assert_true(roots[i] == slow_root(set, fails, i));
                        check_needs_mark(set, i, needed);
                        for (size_t k = 0; k < COUNT; k++)
                                assert_int_equal(needed[k], reaches(set, i, k));
                        at[i] = i;
                }
                assert_int_equal(check_needs_arrange(roots, at, COUNT), 0);
                for (size_t i = 0, seen = 0; i < COUNT; seen |= (size_t)1 << at[i++])
                        assert_false(seen >> at[i] & 1);
        }
}

static void a_rule_names_all_that_is_needed(void **state _unused_)
{
        _cleanup_(check_set_free_p) struct check_set *set = load_fine(stack);
        _cleanup_(check_set_free_p) struct check_set *none = load_fine("checks: [{name: a, " DISK "}]");
        _cleanup_text_ struct text text = {0}, empty = {0};
        assert_int_equal(inhibitions_print(set, &text), 0);
        assert_non_null(strstr(text_string(&text), "inhibit_rules:\n"
                                                   "  - source_matchers: ['severity=\"critical\"', "
                                                   "'check=~\"api|redis|postgres|disk\"']\n"
                                                   "    target_matchers: ['check=\"web\"']\n"
                                                   "    equal: [job, instance]\n"));
        assert_null(strstr(text_string(&text), "check=\"redis\""));
        assert_int_equal(inhibitions_print(none, &empty), 0);
        assert_non_null(strstr(text_string(&empty), "inhibit_rules: []\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_unknown_name_is_refused_with_its_place_and_the_nearest),
                cmocka_unit_test(a_circle_is_refused_with_its_place),
                cmocka_unit_test(a_name_may_be_needed_before_it_comes_and_twice),
                cmocka_unit_test(the_root_fails_and_needs_nothing_that_does),
                cmocka_unit_test(what_recovers_hides_nothing_any_more),
                cmocka_unit_test(effects_stand_behind_their_root),
                cmocka_unit_test(roots_of_any_graph_are_those_of_the_definition),
                cmocka_unit_test(a_rule_names_all_that_is_needed),
        };
        return cmocka_run_group_tests_name("needs", tests, NULL, NULL);
}

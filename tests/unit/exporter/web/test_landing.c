/* SPDX-License-Identifier: Apache-2.0 */
/* The page for people: nothing that others wrote is markup in it. */
#include "tests/harness/unit.h"

#include <string.h>

#include "exporter/web/landing.h"

static void the_landing_page_escapes_what_others_wrote(void **state _unused_)
{
        struct check checks[] = {
                {.name = (char *)"n", .title = (char *)"<b>Title & \"co\"", .kind = check_kinds[0]},
                {.name = (char *)"n", .title = (char *)"t", .kind = check_kinds[0]},
        };
        const struct check_set set = {.checks = checks, .count = 2, .needs_order = (size_t[]){0, 1}};
        struct check_result result = {.code = -1, .reason = (char *)"<script>", .references = 1};
        const struct check_state states[] = {{.check = &checks[0], .result = &result}, {.check = &checks[1]}};
        _cleanup_text_ struct text page = {0};
        assert_int_equal(landing_render(&set, states, clock_wall(), &page), 0);
        assert_null(strstr(page.data, "<b>Title"));
        assert_null(strstr(page.data, "<script>"));
        assert_non_null(strstr(page.data, "&lt;script&gt;"));
        assert_non_null(strstr(page.data, "fails"));
        assert_non_null(strstr(page.data, "not run yet"));
        assert_non_null(strstr(page.data, "2 checks, 1 of them failing, 0 warning"));
}

/* The place of each name in the page. */
static void assert_order(const char *page, const char *const *pieces)
{
        for (size_t i = 0; pieces[i]; i++) {
                const char *found = strstr(page, pieces[i]);
                if (!found)
                        fail_msg("no \"%s\" in its place in:\n%s", pieces[i], page);
                page = found;
        }
}

/* Three checks; web needs redis. Redis has the result of `redis`, web and mail fail. */
static char *page_of(const struct check_result *redis)
{
        struct check checks[] = {
                {.name = (char *)"web",
                 .title = (char *)"Web",
                 .kind = check_kinds[0],
                 .needed = (size_t[]){2},
                 .needed_count = 1},
                {.name = (char *)"mail", .title = (char *)"Mail", .kind = check_kinds[0]},
                {.name = (char *)"redis", .title = (char *)"Redis", .kind = check_kinds[0]},
        };
        const struct check_set set = {.checks = checks, .count = 3, .needs_order = (size_t[]){2, 0, 1}};
        struct check_result bad = {.code = -1, .reason = (char *)"gone", .references = 1};
        const struct check_state states[] = {
                {.check = &checks[0], .result = &bad},
                {.check = &checks[1], .result = &bad},
                {.check = &checks[2],
                 .result = (struct check_result *)redis,
                 .success = redis && !redis->code},
        };
        struct text page = {0};
        assert_int_equal(landing_render(&set, states, clock_wall(), &page), 0);
        return text_take(&page);
}

static void an_effect_stands_behind_its_root(void **state _unused_)
{
        const struct check_result bad = {.code = -1, .reason = (char *)"refused", .references = 1};
        _cleanup_free_ char *page = page_of(&bad);
        assert_order(page, (const char *const[]){"3 of them failing", ">mail</a>", ">redis</a>", "refused",
                                                 "↳", "Web", ">web</a>", "gone",
                                                 "because <strong>redis</strong> fails", NULL});
        assert_null(strstr(strstr(page, "because") + 1, "because"));
}

static void what_passes_or_is_not_known_has_no_effects(void **state _unused_)
{
        const struct check_result good = {.references = 1};
        const struct check_result *const results[] = {&good, NULL};
        for (size_t i = 0; i < N_ELEMENTS(results); i++) {
                _cleanup_free_ char *page = page_of(results[i]);
                assert_order(page, (const char *const[]){">web</a>", ">mail</a>", ">redis</a>", NULL});
                assert_null(strstr(page, "because"));
        }
}

/* What fails and what warns stands before everything else, with why; what only follows from it is counted. */
static void a_strip_says_first_what_is_wrong(void **state _unused_)
{
        const struct check_result bad = {.code = -1, .reason = (char *)"<refused>", .references = 1};
        _cleanup_free_ char *page = page_of(&bad);
        assert_order(page, (const char *const[]){"<p class=\"lead\">3 fail</p>",
                                                 "<a href=\"#check-mail\">Mail</a>: gone",
                                                 "<a href=\"#check-redis\">Redis</a>: &lt;refused&gt;",
                                                 "1 of them only for what it needs.", "<table>",
                                                 "<tr id=\"check-redis\">", NULL});
        assert_null(strstr(page, "#check-web"));
        assert_null(strstr(page, "All is well"));
}

static void what_is_well_is_said_in_one_line(void **state _unused_)
{
        struct check checks[] = {{.name = (char *)"n", .title = (char *)"t", .kind = check_kinds[0]}};
        const struct check_set set = {.checks = checks, .count = 1, .needs_order = (size_t[]){0}};
        struct check_result result = {.references = 1};
        const struct check_state states[] = {{.check = &checks[0], .result = &result, .success = true}};
        _cleanup_text_ struct text page = {0};
        assert_int_equal(landing_render(&set, states, clock_wall(), &page), 0);
        assert_order(page.data, (const char *const[]){"All is well: 1 check passes", "<table>", NULL});
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_landing_page_escapes_what_others_wrote),
                cmocka_unit_test(an_effect_stands_behind_its_root),
                cmocka_unit_test(what_passes_or_is_not_known_has_no_effects),
                cmocka_unit_test(a_strip_says_first_what_is_wrong),
                cmocka_unit_test(what_is_well_is_said_in_one_line),
        };
        return cmocka_run_group_tests_name("landing", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The page for people: nothing that others wrote is markup in it. */
#include "tests/harness/unit.h"

#include <string.h>

#include "exporter/web/internal.h"

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
        assert_int_equal(
                landing_render(&(struct landing){.set = &set, .states = states, .now = clock_wall()}, &page),
                0);
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
        assert_int_equal(
                landing_render(&(struct landing){.set = &set, .states = states, .now = clock_wall()}, &page),
                0);
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
        assert_int_equal(
                landing_render(&(struct landing){.set = &set, .states = states, .now = clock_wall()}, &page),
                0);
        assert_order(page.data, (const char *const[]){"All is well: 1 check passes", "<table>", NULL});
}

/* Four checks, one of each sort; what is asked for is shown, and the strips whatever it is. */
static char *page_by(const char *words, const char *show)
{
        struct check checks[] = {
                {.name = (char *)"redis", .title = (char *)"Redis cache", .kind = check_kinds[0]},
                {.name = (char *)"disk", .title = (char *)"Disk <b>", .kind = check_kinds[0]},
                {.name = (char *)"mail", .title = (char *)"Mail", .kind = check_kinds[0]},
        };
        const struct check_set set = {.checks = checks, .count = 3, .needs_order = (size_t[]){0, 1, 2}};
        struct check_result good = {.references = 1},
                            bad = {.code = -1, .reason = (char *)"refused by 10.0.0.1", .references = 1};
        const struct check_state states[] = {{.check = &checks[0], .result = &good, .success = true},
                                             {.check = &checks[1], .result = &good, .success = true},
                                             {.check = &checks[2], .result = &bad}};
        const struct landing landing = {
                .set = &set, .states = states, .filter = {words, show}, .now = clock_wall()};
        struct text page = {0};
        assert_true(landing_filter_valid(&landing.filter));
        assert_int_equal(landing_render(&landing, &page), 0);
        return text_take(&page);
}

static void the_filter_shows_what_is_asked_for(void **state _unused_)
{
        static const struct {
                const char *words, *show;
                const char *shown; /* of each check whether it is */
        } cases[] = {
                {NULL, NULL, "yyy"},
                {"", "", "yyy"},
                {"redis", NULL, "ynn"},
                {"CACHE", NULL, "ynn"},
                {" red   cache ", NULL, "ynn"},
                {"red mail", NULL, "nnn"},
                {"<b>", NULL, "nyn"},
                {"10.0.0.1", NULL, "nny"},
                {NULL, "wrong", "nny"},
                {NULL, "fail", "nny"},
                {NULL, "pass", "yyn"},
                {"disk", "pass", "nyn"},
                {"disk", "fail", "nnn"},
                {NULL, "not_set_up", "nnn"},
                {"\"'><script>", NULL, "nnn"},
        };
        static const char *const rows[] = {"<tr id=\"check-redis\"", "<tr id=\"check-disk\"",
                                           "<tr id=\"check-mail\""};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *page = page_by(cases[i].words, cases[i].show);
                for (size_t k = 0; k < N_ELEMENTS(rows); k++)
                        if ((strstr(page, rows[k]) != NULL) != (cases[i].shown[k] == 'y'))
                                fail_msg("case %zu: %s", i, rows[k]);
                assert_non_null(strstr(page, "<p class=\"lead\">1 fails</p>"));
                assert_null(strstr(page, "<script>"));
        }
        assert_false(landing_filter_valid(&(struct landing_filter){.show = "red"}));
}

static void what_is_shown_of_the_days_is_never_greener_than_they_were(void **state _unused_)
{
        struct history_view view = {.trouble = STANDING_FAIL,
                                    .since = NSEC_PER_SEC,
                                    .last = 2 * NSEC_PER_SEC,
                                    .reason = "<refused>"};
        _cleanup_text_ struct text days = {0}, none = {0};
        for (size_t i = 0; i < HISTORY_DAYS; i++)
                view.days[i] = i < 80    ? HISTORY_NOT_MEASURED
                               : i == 84 ? STANDING_FAIL
                               : i == 86 ? STANDING_UNKNOWN
                                         : STANDING_PASS;
        days_put(&days, &view, clock_wall());
        assert_non_null(strstr(days.data, "1 failed, 1 not known, 8 passed, 80 not measured"));
        assert_non_null(strstr(days.data, "<path class=\"none\" d=\"M0 15.5H319\"/>"));
        assert_non_null(strstr(days.data, "<path class=\"fail\" d=\"M336 8H339\"/>"));
        assert_non_null(strstr(days.data, "<path class=\"pass\" d=\"M320 12H335M340 12H343M348 12H359\"/>"));
        trouble_put(&none, &view, clock_wall());
        assert_non_null(strstr(none.data, "Failed last "));
        assert_non_null(strstr(none.data, ": &lt;refused&gt;</div>"));
        text_clear(&none);
        view.goes_on = true;
        trouble_put(&none, &view, clock_wall());
        assert_non_null(strstr(none.data, "So since "));
        text_clear(&none);
        trouble_put(&none, &(struct history_view){0}, clock_wall());
        assert_int_equal(none.length, 0);
}

static void the_checklist_has_its_steps_in_their_order(void **state _unused_)
{
        struct check checks[] = {
                {.name = (char *)"b", .title = (char *)"Second", .kind = check_kinds[0], .step = 2},
                {.name = (char *)"n", .title = (char *)"None", .kind = check_kinds[0]},
                {.name = (char *)"a", .title = (char *)"First", .kind = check_kinds[0], .step = 1},
        };
        const struct check_set set = {.title = (char *)"Ours",
                                      .links = {.responder_url = (char *)"https://responder.example"},
                                      .checks = checks,
                                      .count = 3,
                                      .needs_order = (size_t[]){0, 1, 2}};
        struct check_result good = {.references = 1},
                            bad = {.code = -1, .reason = (char *)"gone", .references = 1};
        const struct check_state states[] = {{.check = &checks[0], .result = &bad},
                                             {.check = &checks[1], .result = &bad},
                                             {.check = &checks[2], .result = &good, .success = true}};
        _cleanup_text_ struct text page = {0};
        assert_int_equal(
                checklist_render(&(struct landing){.set = &set, .states = states, .now = clock_wall()},
                                 &page),
                0);
        assert_order(page.data, (const char *const[]){"href=\"https://responder.example\">Responder</a>",
                                                      "<h1>Ours: Daily operations checklist</h1>",
                                                      "1 passed, 0 warned, 1 failed", "passes", ">1.<",
                                                      "First", "fails", ">2.<", "Second", "gone", NULL});
        assert_null(strstr(page.data, "None"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_landing_page_escapes_what_others_wrote),
                cmocka_unit_test(an_effect_stands_behind_its_root),
                cmocka_unit_test(what_passes_or_is_not_known_has_no_effects),
                cmocka_unit_test(a_strip_says_first_what_is_wrong),
                cmocka_unit_test(what_is_well_is_said_in_one_line),
                cmocka_unit_test(the_filter_shows_what_is_asked_for),
                cmocka_unit_test(what_is_shown_of_the_days_is_never_greener_than_they_were),
                cmocka_unit_test(the_checklist_has_its_steps_in_their_order),
        };
        return cmocka_run_group_tests_name("landing", tests, NULL, NULL);
}

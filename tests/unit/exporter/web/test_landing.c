/* SPDX-License-Identifier: Apache-2.0 */
/* The page for people: nothing that others wrote is markup in it. */
#include "tests/harness/unit.h"

#include <string.h>

#include "exporter/web/landing.h"

static void the_landing_page_escapes_what_others_wrote(void **state _unused_)
{
        const struct check check = {
                .name = (char *)"n", .title = (char *)"<b>Title & \"co\"", .kind = check_kinds[0]};
        struct check_result result = {.code = -1, .reason = (char *)"<script>", .references = 1};
        const struct check_state states[] = {{.check = &check, .result = &result}, {.check = &check}};
        _cleanup_text_ struct text page = {0};
        landing_render(NULL, states, 2, clock_wall(), &page);
        assert_int_equal(text_error(&page), 0);
        assert_null(strstr(page.data, "<b>Title"));
        assert_null(strstr(page.data, "<script"));
        assert_non_null(strstr(page.data, "&lt;script&gt;"));
        assert_non_null(strstr(page.data, "fails"));
        assert_non_null(strstr(page.data, "not run yet"));
        assert_non_null(strstr(page.data, "2 checks, 1 of them failing, 0 warning"));
        assert_null(strstr(page.data, "src="));
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(the_landing_page_escapes_what_others_wrote)};
        return cmocka_run_group_tests_name("landing", tests, NULL, NULL);
}

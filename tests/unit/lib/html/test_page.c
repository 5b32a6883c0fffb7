/* SPDX-License-Identifier: Apache-2.0 */
/* Pages: what others have said stays text, and every page has the one frame. */
#include <string.h>

#include "runbook/html.h"
#include "tests/harness/unit.h"

#define SPELL "<a href=\"x\">'&'</a>"
#define BOUND "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"

static size_t occurrences(const struct text *page, const char *words)
{
        size_t count = 0;
        for (const char *at = text_string(page); (at = strstr(at, words)); at += strlen(words))
                count++;
        return count;
}

static void what_others_say_is_text(void **state _unused_)
{
        _cleanup_text_ struct text text = {0};
        html_put(&text, SPELL);
        html_put(&text, NULL);
        assert_string_equal(text_string(&text), BOUND);
        text_clear(&text);
        html_put(&text, "a\xff\xe2\x82<ü"); /* a page with such bytes is no page */
        assert_string_equal(text_string(&text), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;ü");
}

static void a_page_has_one_frame(void **state _unused_)
{
        static const struct html_link links[] = {{"/metrics", "Metrics"}, {"/", "Home"}, {0}};
        _cleanup_text_ struct text page = {0};
        html_begin(&page, SPELL);
        html_put_nav(&page, links);
        html_table_begin(&page, "Things", (const char *const[]){"Name", "Value", NULL});
        text_puts(&page, "<tr><th scope=\"row\">a</th><td>1</td></tr>\n");
        html_table_end(&page);
        html_end(&page);
        const char *string = text_string(&page);
        assert_int_equal(strncmp(string, "<!DOCTYPE html>\n<html lang=\"en\">", 32), 0);
        assert_int_equal(occurrences(&page, "<title>" BOUND "</title>"), 1);
        assert_int_equal(occurrences(&page, "<h1>" BOUND "</h1>"), 1);
        assert_int_equal(occurrences(&page, SPELL), 0);
        assert_non_null(strstr(string, "<nav aria-label=\"Pages\"><a href=\"/metrics\">Metrics</a>"
                                       "<a href=\"/\">Home</a></nav>"));
        assert_non_null(strstr(string,
                               "aria-label=\"Things\" tabindex=\"0\"><table><thead><tr>"
                               "<th scope=\"col\">Name</th><th scope=\"col\">Value</th></tr></thead>"));
        static const char *const pairs[][2] = {{"<main", "</main>"},   {"<body", "</body>"},
                                               {"<table", "</table>"}, {"<div", "</div>"},
                                               {"<tbody", "</tbody>"}, {"<html", "</html>"}};
        for (size_t i = 0; i < N_ELEMENTS(pairs); i++) {
                assert_int_equal(occurrences(&page, pairs[i][0]), 1);
                assert_int_equal(occurrences(&page, pairs[i][1]), 1);
        }
        /* Nothing is fetched from anywhere, and nothing runs. */
        static const char *const foreign[] = {"http:", "https:", "<script", "<link", "@import", "url("};
        for (size_t i = 0; i < N_ELEMENTS(foreign); i++)
                assert_int_equal(occurrences(&page, foreign[i]), 0);
}

/* Every class that colours has its colour in the one style, by day and by night. */
static void colours_are_the_pages_own(void **state _unused_)
{
        static const char *const classes[] = {HTML_GOOD, HTML_BAD, HTML_WAIT, HTML_BUSY};
        _cleanup_text_ struct text page = {0};
        html_begin(&page, "x");
        for (size_t i = 0; i < N_ELEMENTS(classes); i++) {
                _cleanup_free_ char *rule = text_format(".%s{color:var(--%s)}", classes[i], classes[i]);
                _cleanup_free_ char *colour = text_format("--%s:#", classes[i]);
                assert_int_equal(occurrences(&page, rule), 1);
                assert_int_equal(occurrences(&page, colour), 2);
        }
}

static void times_are_told(void **state _unused_)
{
        static const struct {
                nsec wall, now;
                const char *ago;
        } cases[] = {
                {0, 90 * NSEC_PER_SEC, "<time datetime=\"1970-01-01T00:00:00.000Z\">1m30s ago</time>"},
                {NSEC_PER_SEC, NSEC_PER_SEC + 1, "<time datetime=\"1970-01-01T00:00:01.000Z\">0s ago</time>"},
                {2 * NSEC_PER_SEC, 0, "<time datetime=\"1970-01-01T00:00:02.000Z\">0s ago</time>"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text text = {0};
                html_put_ago(&text, cases[i].wall, cases[i].now);
                assert_string_equal(text_string(&text), cases[i].ago);
        }
        _cleanup_text_ struct text text = {0};
        html_put_time(&text, 0);
        html_put_time(&text, NSEC_PER_SEC);
        html_put_duration(&text, 1500 * NSEC_PER_MSEC);
        html_put_duration(&text, 12 * NSEC_PER_MSEC + 340000);
        assert_string_equal(text_string(&text), "<time>1970-01-01T00:00:01.000Z</time>1.50 s12.3 ms");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_say_is_text),
        cmocka_unit_test(a_page_has_one_frame),
        cmocka_unit_test(colours_are_the_pages_own),
        cmocka_unit_test(times_are_told),
};

int main(void)
{
        return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}

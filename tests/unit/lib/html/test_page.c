/* SPDX-License-Identifier: Apache-2.0 */
/* Pages: what others have said stays text, and every page has the one frame. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runbook/html.h"
#include "runbook/mask.h"
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

/* Before it is escaped or cut, for a secret may hold what is, and stand where it is. */
static void secrets_are_masked(void **state _unused_)
{
        _cleanup_text_ struct text text = {0};
        mask_learn("a \"secret\" & more", 17);
        html_put(&text, "<it is a \"secret\" & more>");
        assert_string_equal(text_string(&text), "&lt;it is ...&gt;");
        text_clear(&text);
        html_put_line(&text, "it is a \"secret\" & more", 14);
        assert_string_equal(text_string(&text), "it is ...");
}

static void a_page_has_one_frame(void **state _unused_)
{
        static const struct html_link links[] = {{"/metrics", "Metrics"}, {"/", "Home"}, {0}};
        _cleanup_text_ struct text page = {0};
        html_begin(&page, SPELL);
        html_put_nav(&page, links, "/metrics");
        html_table_begin(&page, "Things", (const char *const[]){"Name", "Value", NULL});
        text_puts(&page, "<tr><th scope=\"row\">a</th><td>1</td></tr>\n");
        html_table_end(&page);
        html_end(&page);
        const char *string = text_string(&page);
        assert_int_equal(strncmp(string, "<!DOCTYPE html>\n<html lang=\"en\">", 32), 0);
        assert_int_equal(occurrences(&page, "<title>" BOUND "</title>"), 1);
        assert_int_equal(occurrences(&page, "<h1>" BOUND "</h1>"), 1);
        assert_int_equal(occurrences(&page, SPELL), 0);
        assert_non_null(strstr(string, "<nav aria-label=\"Pages\"><a href=\"/metrics\" "
                                       "aria-current=\"page\">Metrics</a><a href=\"/\">Home</a></nav>"));
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
        /* Nothing is fetched from anywhere else, and nothing runs where nothing changes. */
        static const char *const foreign[] = {"http:",  "https:", "<script", "<style",
                                              "style=", "src=",   "refresh"};
        for (size_t i = 0; i < N_ELEMENTS(foreign); i++)
                assert_int_equal(occurrences(&page, foreign[i]), 0);
        assert_int_equal(occurrences(&page, "<link rel=\"stylesheet\" href=\"/assets/style.css?v="), 1);
}

static void a_live_page_needs_no_script(void **state _unused_)
{
        _cleanup_text_ struct text page = {0};
        html_open(&page, "x", 3);
        assert_int_equal(occurrences(&page, "<noscript><meta http-equiv=\"refresh\""), 1);
        assert_int_equal(occurrences(&page, "<script defer src=\"/assets/live.js?v="), 1);
        assert_int_equal(occurrences(&page, "<script"), 1);
        assert_int_equal(occurrences(&page, "<body data-live=\"3\">"), 1);
        _cleanup_text_ struct text listens = {0};
        html_open_listening(&listens, "x", 3, "/events?a=1&b=2");
        assert_int_equal(occurrences(&listens, "<body data-live=\"3\" data-events=\"/events?a=1&amp;b=2\">"),
                         1);
}

static void only_what_is_a_url_becomes_a_link(void **state _unused_)
{
        static const char *const texts[] = {
                "javascript:alert(1)", "JavaScript:x", "//evil", "data:text/html,x",
                " https://x",          "httpx://y",    ""};
        for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
                _cleanup_text_ struct text page = {0};
                html_put_url(&page, texts[i], "name", 100);
                assert_string_equal(text_string(&page), texts[i]);
        }
        _cleanup_text_ struct text page = {0};
        html_put_url(&page, "https://x/?a=\"&b=<c>", NULL, 100);
        assert_string_equal(text_string(&page),
                            "<a rel=\"noreferrer\" href=\"https://x/?a=&quot;&amp;b=&lt;c&gt;\">"
                            "https://x/?a=&quot;&amp;b=&lt;c&gt;</a>");
        text_clear(&page);
        html_put_url(&page, NULL, "name", 100);
        assert_string_equal(text_string(&page), "");
        /* Whether or not it is one, what is shown is a line. */
        html_put_url(&page, "httpx\xe2\x80\xaey\n\x1b", "name", 100);
        assert_string_equal(text_string(&page), "httpx y  ");
        text_clear(&page);
        html_put_url(&page, "http://x/\xe2\x80\xaey", NULL, 100);
        assert_int_equal(occurrences(&page, ">http://x/ y</a>"), 1);
        text_clear(&page);
        html_put_url(&page, "https://x/0123456789", NULL, 10);
        assert_int_equal(occurrences(&page, "href=\"https://x/0123456789\""), 1);
        assert_int_equal(occurrences(&page, ">https://x/0123456789</a>"), 0);
}

static void a_line_neither_turns_nor_goes_on_for_ever(void **state _unused_)
{
        _cleanup_text_ struct text page = {0};
        html_put_line(&page,
                      "a\n<b>\xe2\x80\xae"
                      "c\x1b[2J",
                      100);
        assert_string_equal(text_string(&page), "a &lt;b&gt; c [2J");
        text_clear(&page);
        html_put_line(&page, "0123456789", 4);
        assert_true(page.length <= 4 + 3);
        html_put_line(&page, NULL, 4);
}

/* Every class that colours has its colour in the one style, by day and by night; and that is all it takes. */
static void colours_are_the_pages_own(void **state _unused_)
{
        static const char *const classes[] = {HTML_GOOD, HTML_BAD, HTML_WAIT, HTML_BUSY};
        static const char *const foreign[] = {"http:", "https:", "@import", "url("};
        const struct html_asset *asset = html_asset_find("style.css");
        _cleanup_text_ struct text style = {0};
        text_append(&style, asset->data, asset->length);
        for (size_t i = 0; i < N_ELEMENTS(classes); i++) {
                _cleanup_free_ char *rule = text_format(".%s { color: var(--%s); }", classes[i], classes[i]);
                _cleanup_free_ char *colour = text_format("--%s: #", classes[i]);
                assert_int_equal(occurrences(&style, rule), 1);
                assert_int_equal(occurrences(&style, colour), 2);
        }
        for (size_t i = 0; i < N_ELEMENTS(foreign); i++)
                assert_int_equal(occurrences(&style, foreign[i]), 0);
        assert_null(html_asset_find("../style.css"));
}

/* The contrast of two colours of sRGB, as WCAG 2 has it. */
static double luminance(const char *hex)
{
        double sum = 0;
        static const double weights[] = {0.2126, 0.7152, 0.0722};
        for (size_t i = 0; i < 3; i++) {
                const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
                double value = (double)strtol(digits, NULL, 16) / 255;
                sum += weights[i] * (value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4));
        }
        return sum;
}

static const char *colour_of(const char *scheme, const char *name)
{
        _cleanup_free_ char *wanted = text_format("--%s: #", name);
        const char *found = strstr(scheme, wanted);
        if (!found)
                fail_msg("no colour %s", name);
        return found + strlen(wanted);
}

static void colours_can_be_read(void **state _unused_)
{
        static const char *const pairs[][2] = {
                {"text", "ground"},      {"text", "card"},        {"dim", "ground"},
                {"dim", "card"},         {"link", "ground"},      {"link", "card"},
                {"good", "card"},        {"bad", "card"},         {"wait", "card"},
                {"busy", "card"},        {"good", "good-ground"}, {"bad", "bad-ground"},
                {"wait", "wait-ground"}, {"busy", "busy-ground"}, {"text", "wait-ground"}};
        const struct html_asset *asset = html_asset_find("style.css");
        _cleanup_text_ struct text style = {0};
        text_append(&style, asset->data, asset->length);
        const char *schemes[] = {text_string(&style),
                                 strstr(text_string(&style), "prefers-color-scheme: dark")};
        for (size_t s = 0; s < N_ELEMENTS(schemes); s++)
                for (size_t i = 0; i < N_ELEMENTS(pairs); i++) {
                        double a = luminance(colour_of(schemes[s], pairs[i][0]));
                        double b = luminance(colour_of(schemes[s], pairs[i][1]));
                        double contrast = ((a > b ? a : b) + 0.05) / ((a > b ? b : a) + 0.05);
                        if (contrast < 4.5)
                                fail_msg("%s on %s has only %.2f:1", pairs[i][0], pairs[i][1], contrast);
                }
}

static void times_are_for_people(void **state _unused_)
{
        static const struct {
                const char *wall, *when;
        } cases[] = {
                {"2026-03-05T03:12:44.123Z", "03:12, just now"},
                {"2026-03-05T03:12:40.000Z", "03:12, 5 s ago"},
                {"2026-03-05T03:08:40.000Z", "03:08, 4 min ago"},
                {"2026-03-05T03:16:46.000Z", "03:16, in 4 min"},
                {"2026-03-04T03:12:00.000Z", "yesterday 03:12, 24 h ago"},
                {"2026-02-25T13:12:00.000Z", "25 Feb 13:12, 7 d ago"},
                {"2025-12-31T00:00:00.000Z", "31 Dec 2025 00:00, 64 d ago"},
        };
        nsec now;
        assert_int_equal(time_parse("2026-03-05T03:12:45.500Z", &now, NULL), 0);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text text = {0};
                _cleanup_free_ char *end = text_format(">%s</time>", cases[i].when);
                nsec wall;
                assert_int_equal(time_parse(cases[i].wall, &wall, NULL), 0);
                html_put_when(&text, wall, now);
                assert_non_null(strstr(text_string(&text), cases[i].wall));
                if (!string_ends(text_string(&text), end))
                        fail_msg("%s, and not %s", text_string(&text), end);
        }
        _cleanup_text_ struct text text = {0};
        html_put_when(&text, 0, now);
        html_put_clock(&text, 0, now);
        assert_string_equal(text_string(&text), "");
        html_put_clock(&text, now, now);
        assert_true(string_ends(text_string(&text), ">03:12:45</time>"));
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
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(a_page_has_one_frame),
        cmocka_unit_test(a_live_page_needs_no_script),
        cmocka_unit_test(only_what_is_a_url_becomes_a_link),
        cmocka_unit_test(a_line_neither_turns_nor_goes_on_for_ever),
        cmocka_unit_test(colours_are_the_pages_own),
        cmocka_unit_test(colours_can_be_read),
        cmocka_unit_test(times_are_for_people),
        cmocka_unit_test(times_are_told),
};

int main(void)
{
        setenv("TZ", "UTC", 1);
        tzset();
        return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}

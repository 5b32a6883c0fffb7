/* SPDX-License-Identifier: Apache-2.0 */
/* What verification has measured is drawn as it was; what it has not is not. */
#include "tests/harness/unit.h"

#include <string.h>

#include "responder/web/pages/internal.h"

static const struct visit visit = {.now = 1795814400 * NSEC_PER_SEC};

/* 2026-11-27T03:12:00Z */
#define BEGAN (1795749120 * NSEC_PER_SEC)

static cJSON *parse(const char *text)
{
        cJSON *json = NULL;
        _cleanup_error_ struct error error = {0};
        if (json_parse(text, strlen(text), &json, &error) < 0)
                fail_msg("%s", error_text(&error));
        return json;
}

static void draw(const char *timeline, const char *query, struct text *page)
{
        _cleanup_json_ cJSON *events = parse(timeline), *definition = cJSON_CreateObject();
        cJSON *verify = cJSON_CreateObject();
        if (query)
                json_put(verify, "query", cJSON_CreateString(query));
        json_put(definition, "verify", verify);
        struct step_record step = {
                .position = 1, .action = (char *)"docker.restart", .started_at = BEGAN + NSEC_PER_SEC};
        const struct incident incident = {
                .alert.starts_at = BEGAN - 10 * NSEC_PER_SEC, .steps = &step, .step_count = 1};
        put_chart(&visit, &incident, events, definition, page);
}

#define HEALED(values)                                                                                       \
        "[{\"at\": \"2026-11-27T03:12:00Z\", \"event\": \"verifying\"}, {\"at\": \"2026-11-27T03:12:30Z\", " \
        "\"event\": \"healed\", \"detail\": {\"seconds\": 30, \"values\": " values "}}]"

static void values_are_drawn_with_their_limit(void **state _unused_)
{
        _cleanup_text_ struct text page = {0};
        draw(HEALED("[[0, 9], [15, 4], [30, 1]]"), "x{service=\"${labels.service}\"} < 2", &page);
        const char *string = text_string(&page);
        assert_non_null(strstr(string,
                               "role=\"img\" aria-label=\"Measured 3 times: 9 at first, 1 in the end; "
                               "the limit is 2.\"><title>"));
        /* From the highest to the lowest, over all of its width; the limit lies an eighth from below. */
        assert_non_null(strstr(string, "<path class=\"line\" d=\"M10.0 10.0L300.0 85.0L590.0 130.0\"/>"));
        assert_non_null(strstr(string, "<path class=\"limit\" d=\"M0 115.0H600\"/>"));
        assert_non_null(strstr(string, "datetime=\"2026-11-27T03:12:00.000Z\""));
        assert_non_null(strstr(string, "datetime=\"2026-11-27T03:12:30.000Z\""));
        assert_null(strstr(string, "style="));
}

/* From before the alert on, without dots; the alert and its steps are marked. */
static void what_was_before_is_drawn(void **state _unused_)
{
        _cleanup_text_ struct text page = {0}, spoiled = {0};
        draw(HEALED("[[0, 9], [30, 1]], \"before\": [[-30, 1], [-15, 5]]"), "x < 2", &page);
        const char *string = text_string(&page);
        assert_non_null(strstr(string, "<path class=\"before\" d=\"M10.0 130.0L155.0 70.0\"/>"));
        assert_non_null(strstr(string, "<path class=\"line\" d=\"M300.0 10.0L590.0 130.0\"/>"));
        assert_non_null(
                strstr(string, "<path class=\"mark\" d=\"M203.3 0V140\"><title>the alert begins</title>"));
        assert_non_null(strstr(string, "<title>docker.restart</title>"));
        assert_non_null(strstr(string, "datetime=\"2026-11-27T03:11:30.000Z\""));
        draw(HEALED("[[0, 9], [30, 1]], \"before\": [[-30, \"1\"]]"), "x < 2", &spoiled);
        assert_null(strstr(text_string(&spoiled), "class=\"before\""));
        assert_non_null(strstr(text_string(&spoiled), "class=\"line\""));
}

static void one_value_is_a_dot_and_none_is_nothing(void **state _unused_)
{
        static const char *const nothing[] = {"[]", HEALED("[]"), HEALED("7"), HEALED("[[0, \"9\"]]"),
                                              HEALED("[7]")};
        _cleanup_text_ struct text page = {0}, none = {0};
        draw(HEALED("[[0, 9]]"), NULL, &page);
        assert_non_null(strstr(text_string(&page), "<path class=\"dots\" d=\"M300.0 70.0h0\"/>"));
        assert_null(strstr(text_string(&page), "limit"));
        for (size_t i = 0; i < N_ELEMENTS(nothing); i++)
                draw(nothing[i], "x < 2", &none);
        assert_string_equal(text_string(&none), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_are_drawn_with_their_limit),
                cmocka_unit_test(what_was_before_is_drawn),
                cmocka_unit_test(one_value_is_a_dot_and_none_is_nothing),
        };
        return cmocka_run_group_tests_name("chart", tests, NULL, NULL);
}

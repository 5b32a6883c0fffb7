/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever others have said stays text on the pages: labels, annotations, plans, outcomes, reasons, actors.
 */
#include "tests/harness/unit.h"

#include <string.h>

#include "responder/web/pages/internal.h"

#define SPELL "<img src=x onerror=\"alert(1)\">'&'\xe2\x80\xae\x1b[2J\n"

/* No tag, attribute or direction of theirs. */
static void assert_bound(const struct text *page)
{
        const char *string = text_string(page);
        assert_null(strstr(string, "<img"));
        assert_null(strstr(string, "onerror=\""));
        assert_null(strstr(string, "\xe2\x80\xae"));
        assert_null(strstr(string, "\x1b"));
        assert_non_null(strstr(string, "&lt;img src=x onerror=&quot;"));
}

static cJSON *parse(const char *text)
{
        cJSON *json = NULL;
        _cleanup_error_ struct error error = {0};
        if (json_parse(text, strlen(text), &json, &error) < 0)
                fail_msg("%s", error_text(&error));
        return json;
}

static cJSON *spelled(const char *key)
{
        cJSON *json = cJSON_CreateObject();
        assert_int_equal(json_put(json, key, cJSON_CreateString(SPELL)), 0);
        return json;
}

static const struct visit visit = {.now = 1795814400 * NSEC_PER_SEC};

static void labels_and_names_are_bound(void **state _unused_)
{
        char spell[] = SPELL, service[] = "service", one[] = "1";
        char *keys[] = {service, spell}, *values[] = {spell, one};
        const struct alert alert = {.labels = {keys, values, 2}};
        _cleanup_text_ struct text page = {0}, subject = {0}, guard = {0}, actor = {0};
        put_labels(&page, &alert.labels, NULL);
        assert_bound(&page);
        put_subject(&subject, spell, &alert);
        assert_bound(&subject);
        put_guard(&guard, spell);
        assert_bound(&guard);
        put_actor(&actor, spell);
        assert_bound(&actor);
}

static void plans_and_outcomes_are_bound(void **state _unused_)
{
        char action[] = SPELL;
        struct step_record steps[] = {
                {.position = 1,
                 .action = action,
                 .status = STEP_DONE,
                 .plan = spelled("summary"),
                 .started_at = 1},
                {.position = 2, .action = action, .status = STEP_FAILED, .outcome = spelled("summary")},
                {.position = 3, .action = action},
        };
        char *definition = NULL;
        {
                _cleanup_json_ cJSON *json = parse("{\"steps\": [{}, {}, {}], \"verify\": {}}");
                json_put(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "steps"), 0), "arguments",
                         spelled(SPELL));
                json_put(json, "verify", spelled("query"));
                definition = json_print(json);
        }
        const struct incident incident = {.steps = steps, .step_count = 3, .definition = definition};
        _cleanup_json_ cJSON *timeline = parse("[{\"detail\": {\"plans\": [{\"step\": 3}]}}]");
        json_put(cJSON_GetArrayItem(
                         cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetArrayItem(timeline, 0), "detail"),
                                             "plans"),
                         0),
                 "error", cJSON_CreateString(SPELL));
        _cleanup_text_ struct text page = {0};
        put_steps(&visit, &incident, timeline, &page);
        assert_bound(&page);
        assert_non_null(strstr(text_string(&page), "cannot be planned:"));
        for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
                cJSON_Delete(steps[i].plan);
                cJSON_Delete(steps[i].outcome);
        }
        free(definition);
}

static void evidence_is_bound(void **state _unused_)
{
        struct step_record step = {.outcome = parse("{\"files\": [{}]}")};
        cJSON *file = cJSON_GetArrayItem(cJSON_GetObjectItem(step.outcome, "files"), 0);
        for (size_t i = 0; i < 3; i++)
                json_put(file, ((const char *const[]){"path", "container", "sha256"})[i],
                         cJSON_CreateString(SPELL));
        const struct incident incident = {.steps = &step, .step_count = 1};
        _cleanup_text_ struct text page = {0};
        put_evidence(&visit, &incident, &page);
        assert_bound(&page);
        cJSON_Delete(step.outcome);
}

static void the_timeline_is_bound(void **state _unused_)
{
        static const char *const members[] = {"reason", "to", "what", "guard", "holder"};
        _cleanup_json_ cJSON *timeline =
                parse("[{\"at\": \"2026-11-27T03:12:44.000Z\", \"detail\": {}}, {}]");
        cJSON *event = cJSON_GetArrayItem(timeline, 0);
        json_put(event, "event", cJSON_CreateString(SPELL));
        json_put(event, "actor", cJSON_CreateString(SPELL));
        for (size_t i = 0; i < N_ELEMENTS(members); i++)
                json_put(cJSON_GetObjectItem(event, "detail"), members[i], cJSON_CreateString(SPELL));
        _cleanup_text_ struct text page = {0};
        put_timeline(&visit, timeline, &page);
        assert_bound(&page);
        assert_non_null(strstr(text_string(&page), "2026-11-27T03:12:44.000Z"));
}

/* A state is a phrase, and none is the raw name of the API. */
static void states_are_words(void **state _unused_)
{
        for (enum incident_state s = INCIDENT_UNCHANGED; s < INCIDENT_STATE_COUNT; s++) {
                const struct incident incident = {.state = s};
                assert_non_null(state_phrase(&incident));
                assert_null(strchr(state_phrase(&incident), '_'));
        }
        for (enum step_status s = 0; s < STEP_STATUS_COUNT; s++) {
                assert_non_null(step_phrase(s));
                assert_null(strchr(step_phrase(s), '_'));
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_and_names_are_bound), cmocka_unit_test(plans_and_outcomes_are_bound),
        cmocka_unit_test(evidence_is_bound),          cmocka_unit_test(the_timeline_is_bound),
        cmocka_unit_test(states_are_words),
};

int main(void)
{
        return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a test expects, held against what came of a rehearsal. */
#include "responder/rehearsal/expected.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "responder/journal/incident.h"
#include "responder/rehearsal/cases.h"

static const char *const answers[] = {"any", "no", "yes", NULL};
enum { ANY, NO, YES };

const struct config_field case_expect_fields[] = {
        {"at", CONFIG_DURATION, offsetof(struct expectation, at), .fallback = "0",
         .help = "when it is looked at, since the begin: once all that is due by then is done"},
        {"remediation", CONFIG_STRING, offsetof(struct expectation, remediation),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "of which it is"},
        {"incidents", CONFIG_INT, offsetof(struct expectation, incidents), .fallback = "-1",
         .help = "how many incidents of it there are; 0: it is not set off"},
        {"incident", CONFIG_INT, offsetof(struct expectation, incident), .fallback = "0",
         .help = "which of these the rest is about, counted from 1; the last when absent"},
        {"state", CONFIG_STRING, offsetof(struct expectation, state),
         .help = "its state: healed, held, awaiting_approval, …"},
        {"acted", CONFIG_ENUM, offsetof(struct expectation, acted), .choices = answers, .fallback = "any",
         .help = "whether it has begun"},
        {"held_by", CONFIG_STRINGS, offsetof(struct expectation, held_by),
         .help = "the guards that have held it, one after the other; [] is for none"},
        {"asked", CONFIG_ENUM, offsetof(struct expectation, asked), .choices = answers, .fallback = "any",
         .help = "whether a person was asked whether it may begin"},
        {"why", CONFIG_STRING, offsetof(struct expectation, why),
         .help = "words of the reason for which a person was asked, or it was held, last"},
        {"called", CONFIG_STRINGS, offsetof(struct expectation, called),
         .help = "the receivers that were told something of it, in the order in which they first were; [] is "
                 "for none"},
        {"steps", CONFIG_NODE, offsetof(struct expectation, steps),
         .help = "its steps as they were bound, each with the arguments that matter"},
        {0},
};

bool expectation_read(struct config_node *node, struct expectation *ret)
{
        enum incident_state state;
        bool fine = config_read(node, case_expect_fields, ret);
        if (fine && ret->state && incident_state_parse(ret->state, &state) < 0) {
                config_complain(node, "state", "there is no state \"%s\"", ret->state);
                return false;
        }
        return fine;
}

void expectation_release(struct expectation *expectation)
{
        config_release(case_expect_fields, expectation);
}

/* The one that is meant; NULL: there is none. */
static const cJSON *find(const struct expectation *expectation, const cJSON *outcomes, int64_t *ret_count)
{
        const cJSON *outcome, *found = NULL;
        *ret_count = 0;
        cJSON_ArrayForEach(outcome, outcomes)
        {
                if (!string_equal(json_string(outcome, "remediation"), expectation->remediation))
                        continue;
                (*ret_count)++;
                if (expectation->incident == 0 || expectation->incident == *ret_count)
                        found = outcome;
        }
        return found;
}

/* The texts of a member of all items, "a, b"; repeated ones once, where `once`. */
static void put_all(struct text *text, const cJSON *list, const char *key, bool once)
{
        const cJSON *item, *other;
        cJSON_ArrayForEach(item, list)
        {
                const char *word = json_string(item, key);
                bool before = false;
                for (other = list->child; once && other != item; other = other->next)
                        before |= string_equal(json_string(other, key), word);
                if (!before)
                        text_printf(text, "%s%s", text->length > 0 ? ", " : "", word ? word : "");
        }
}

static void check_list(struct config_node *node, const char *key, const struct config_strings *expected,
                       const cJSON *list, const char *member, bool once)
{
        _cleanup_text_ struct text is = {0}, wanted = {0};
        if (!config_member(node, key))
                return;
        put_all(&is, list, member, once);
        for (size_t i = 0; i < expected->count; i++)
                text_printf(&wanted, "%s%s", i > 0 ? ", " : "", expected->items[i]);
        if (!string_equal(text_string(&is), text_string(&wanted)))
                config_complain(node, key, "'%s' is [%s], not [%s]", key, text_string(&is),
                                text_string(&wanted));
}

static void check_answer(struct config_node *node, const char *key, int expected, bool is)
{
        if (expected != ANY && (expected == YES) != is)
                config_complain(node, key, "'%s' is %s", key, is ? "yes" : "no");
}

/* Of the question that a person was asked last, else of what holds it last. */
static const char *last_reason(const cJSON *outcome)
{
        const cJSON *asked = json_get(outcome, "asked", NULL), *held = json_get(outcome, "held", NULL);
        const cJSON *list = cJSON_GetArraySize(asked) > 0 ? asked : held;
        const char *reason = json_string(cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1), "reason");
        return reason ? reason : "";
}

static bool matches(struct config_node *node, const cJSON *json);

static bool list_matches(struct config_node *node, const cJSON *json)
{
        if (!cJSON_IsArray(json) || (size_t)cJSON_GetArraySize(json) != config_size(node))
                return false;
        for (size_t i = 0; i < config_size(node); i++)
                if (!matches(config_item(node, i), cJSON_GetArrayItem(json, (int)i)))
                        return false;
        return true;
}

static bool mapping_matches(struct config_node *node, const cJSON *json)
{
        for (size_t i = 0; i < config_size(node); i++)
                if (!matches(config_item(node, i),
                             cJSON_GetObjectItemCaseSensitive(json, config_key(node, i))))
                        return false;
        return cJSON_IsObject(json);
}

/* As it is written, or as it is meant: "60s" is 1m. */
static bool scalar_matches(const char *word, const cJSON *json)
{
        if (!json)
                return false;
        if (cJSON_IsBool(json))
                return string_equal(word, cJSON_IsTrue(json) ? "true" : "false");
        if (cJSON_IsNumber(json)) {
                int64_t size;
                char *end = NULL;
                double number = strtod(word, &end);
                return (end != word && !*end && number == json->valuedouble) ||
                       (config_parse_word(CONFIG_SIZE, word, &size, NULL) >= 0 &&
                        (double)size == json->valuedouble);
        }
        nsec one, other;
        return cJSON_IsString(json) &&
               (string_equal(word, json->valuestring) ||
                (duration_parse(word, &one, NULL) >= 0 &&
                 duration_parse(json->valuestring, &other, NULL) >= 0 && one == other));
}

/* What is not said may be anything. */
static bool matches(struct config_node *node, const cJSON *json)
{
        if (config_is_mapping(node))
                return mapping_matches(node, json);
        if (config_is_list(node))
                return list_matches(node, json);
        const char *word = config_scalar(node);
        return word ? scalar_matches(word, json) : cJSON_IsNull(json);
}

static void check_step(struct config_node *node, const cJSON *step)
{
        const char *action = json_string(step, "action");
        const cJSON *arguments = json_get(step, "arguments", NULL);
        if (!config_is_mapping(node) || config_size(node) != 1) {
                config_complain(node, NULL, "must be an action with the arguments that matter");
                return;
        }
        if (!string_equal(config_key(node, 0), action)) {
                config_complain(node, NULL, "the step is %s", action);
                return;
        }
        if (config_is_mapping(config_item(node, 0)) && config_size(config_item(node, 0)) == 0)
                return;
        _cleanup_free_ char *printed = arguments ? json_print(arguments) : NULL;
        if (!matches(config_item(node, 0), arguments))
                config_complain(node, NULL, "its arguments are %.500s", printed ? printed : "not bound");
}

static void check_steps(struct config_node *node, struct config_node *expected, const cJSON *steps)
{
        size_t count = (size_t)cJSON_GetArraySize(steps);
        if (!expected)
                return;
        if (!config_is_list(expected)) {
                config_complain(expected, NULL, "must be a list");
                return;
        }
        if (config_size(expected) != count) {
                config_complain(node, "steps", "there are %zu steps, not %zu", count, config_size(expected));
                return;
        }
        for (size_t i = 0; i < count; i++)
                check_step(config_item(expected, i), cJSON_GetArrayItem(steps, (int)i));
}

void expectation_check(struct config_node *node, const struct expectation *expectation, const cJSON *outcomes)
{
        int64_t count;
        const cJSON *outcome = find(expectation, outcomes, &count);
        if (expectation->incidents >= 0 && expectation->incidents != count)
                config_complain(node, "incidents", "there are %" PRId64 " incidents of %s, not %" PRId64,
                                count, expectation->remediation, expectation->incidents);
        if (!outcome) {
                if (expectation->incidents != 0)
                        config_complain(node, "remediation", "there is no such incident of %s",
                                        expectation->remediation);
                return;
        }
        const char *state = json_string(outcome, "state"), *reason = last_reason(outcome);
        if (expectation->state && !string_equal(expectation->state, state))
                config_complain(node, "state", "'state' is %s", state);
        if (expectation->why && !strstr(reason, expectation->why))
                config_complain(node, "why", "the reason is \"%.300s\"", reason);
        check_answer(node, "acted", expectation->acted, json_string(outcome, "acted_at") != NULL);
        check_answer(node, "asked", expectation->asked,
                     cJSON_GetArraySize(json_get(outcome, "asked", NULL)) > 0);
        check_list(node, "held_by", &expectation->held_by, json_get(outcome, "held", NULL), "guard", false);
        check_list(node, "called", &expectation->called, json_get(outcome, "called", NULL), "receiver", true);
        check_steps(node, expectation->steps, json_get(outcome, "steps", NULL));
}

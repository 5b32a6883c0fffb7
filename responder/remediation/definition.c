/* SPDX-License-Identifier: Apache-2.0 */
/* A remediation bound for one incident, written as JSON and read back. */
#include "responder/remediation/definition.h"

#include <errno.h>

#include "responder/remediation/steps.h"

/* What a remediation is once it has begun; what lets it begin (match, guards, approval) is over then. */
static const struct config_field begun_fields[] = {
        {"remediation", CONFIG_STRING, offsetof(struct remediation, name), .flags = 0},
        {"lock", CONFIG_STRING, offsetof(struct remediation, lock), .flags = CONFIG_BIND},
        {"on_failure", CONFIG_ENUM, offsetof(struct remediation, on_failure), .choices = on_failure_words},
        {"escalate_to", CONFIG_STRING, offsetof(struct remediation, escalate_to), .flags = 0},
        {"expire", CONFIG_DURATION, offsetof(struct remediation, expire), .fallback = "1h"},
        {"verify", CONFIG_OBJECT, offsetof(struct remediation, verify), .fields = verify_fields},
        {0},
};

/* What is said about it, and changes nothing of what is done: it makes no remediation another one. */
static const struct config_field said_fields[] = {
        {"tell", CONFIG_STRINGS, offsetof(struct remediation, tell), .flags = 0},
        {"at_stake", CONFIG_STRING, offsetof(struct remediation, at_stake), .flags = CONFIG_BIND},
        {"still_firing", CONFIG_DURATION, offsetof(struct remediation, still_firing), .flags = 0},
        {0},
};

/* A sentence that lacks a label is left out: what is to be said keeps nothing from being done. */
static int put_said(const struct remediation *remediation, const struct bindings *bindings, cJSON *json,
                    struct error *error)
{
        struct remediation said = {.tell = remediation->tell, .still_firing = remediation->still_firing};
        _cleanup_error_ struct error why = {0};
        int r = remediation->at_stake
                        ? bind_text(remediation->at_stake, bindings, BIND_PLAIN, &said.at_stake, &why)
                        : 0;
        _cleanup_free_ char *at_stake = said.at_stake;
        if (r == -ENOMEM)
                return error_oom(error);
        _cleanup_json_ cJSON *members = config_to_json(said_fields, &said);
        for (const struct config_field *field = said_fields; field->name; field++)
                if (json_put(json, field->name,
                             cJSON_DetachItemFromObjectCaseSensitive(members, field->name)) < 0)
                        return error_oom(error);
        return 0;
}

/* NULL: it acts upon none. */
static int target_json(const struct action *action, const cJSON *arguments, const struct target_set *targets,
                       cJSON **ret, struct error *error)
{
        char sum[DIGEST_TEXT_MAX];
        const char *name = action->target_key ? json_string(arguments, action->target_key) : NULL;
        if (action->target == TARGET_NONE)
                return 0;
        int r = target_set_digest(targets, action->target, name, sum, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        if (json_put(json, "kind", json_text(target_words[action->target])) < 0 ||
            json_put(json, "name", json_text(name)) < 0 || json_put(json, "sha256", json_text(sum)) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(json);
        return 0;
}

/* The arguments with every label bound. */
static int arguments_json(const struct step *step, const struct bindings *bindings, cJSON **ret,
                          struct error *error)
{
        const struct action *action = step->action;
        _cleanup_free_ void *config = calloc(1, action->config_size > 0 ? action->config_size : 1);
        if (!config)
                return error_oom(error);
        int r = config_bind(action->fields, step->config, bindings, config, error);
        if (r < 0)
                return r;
        *ret = config_to_json(action->fields, config);
        config_release(action->fields, config);
        return *ret ? 0 : error_oom(error);
}

static int step_json(const struct step *step, const struct target_set *targets,
                     const struct bindings *bindings, cJSON **ret, struct error *error)
{
        const struct action *action = step->action;
        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *json = config_to_json(step_fields, step);
        cJSON *arguments = NULL, *target = NULL;
        if (json_put(json, "action", json_text(action->name)) < 0)
                return error_oom(error);
        int r = arguments_json(step, bindings, &arguments, &why);
        /* What only accompanies the cure does not veto it: it will not run, and says why. */
        if (r < 0 && r != -ENOMEM && !step->essential) {
                if (json_put(json, "unbound", json_text(error_text(&why))) < 0)
                        return error_oom(error);
                *ret = TAKE_PTR(json);
                return 0;
        }
        if (r < 0) {
                error_move(error, &why);
                return r;
        }
        if (json_put(json, "arguments", arguments) < 0)
                return error_oom(error);
        r = target_json(action, arguments, targets, &target, error);
        if (r < 0)
                return r;
        if (target && json_put(json, "target", target) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(json);
        return 0;
}

/* With the name for a lock, where it gives none. */
static int bind_begun(const struct remediation *remediation, const struct config_map *labels,
                      const struct bindings *bindings, cJSON **ret, struct error *error)
{
        struct remediation whole = *remediation, bound = {0};
        const char *receiver = remediation_receiver(remediation, labels);
        _cleanup_free_ char *first = receiver ? strdup(receiver) : NULL;
        if (receiver && !first)
                return error_oom(error);
        whole.escalate_to = first;
        if (!whole.lock)
                whole.lock = whole.name;
        int r = config_bind(begun_fields, &whole, bindings, &bound, error);
        if (r < 0)
                return r;
        *ret = config_to_json(begun_fields, &bound);
        config_release(begun_fields, &bound);
        return *ret ? 0 : error_oom(error);
}

int definition_make(const struct remediation *remediation, const struct target_set *targets,
                    const struct alert *alert, const char *incident, cJSON **ret, struct error *error)
{
        struct alert_bindings bindings;
        alert_bindings_init(&bindings, alert, incident);
        _cleanup_json_ cJSON *json = NULL;
        int r = bind_begun(remediation, &alert->labels, &bindings.bindings, &json, error);
        if (r >= 0)
                r = put_said(remediation, &bindings.bindings, json, error);
        cJSON *steps = r < 0 ? NULL : cJSON_CreateArray();
        if (r >= 0 && json_put(json, "steps", steps) < 0)
                r = error_oom(error);
        for (size_t i = 0; r >= 0 && i < remediation->step_count; i++) {
                cJSON *step = NULL;
                r = step_json(&remediation->steps[i], targets, &bindings.bindings, &step, error);
                if (r < 0)
                        return error_prefix(error, r, "step %zu (%s)", i + 1,
                                            remediation->steps[i].action->name);
                if (json_append(steps, step) < 0)
                        r = error_oom(error);
        }
        if (r >= 0)
                *ret = TAKE_PTR(json);
        return r;
}

/* What of a definition says what is done, and to what. */
static int cause_json(const struct remediation *remediation, const cJSON *definition, cJSON **ret,
                      struct error *error)
{
        _cleanup_json_ cJSON *json = cJSON_CreateArray();
        const cJSON *steps = cJSON_GetObjectItemCaseSensitive(definition, "steps");
        bool changes = remediation_changes(remediation);
        if (json_append(json, json_text(remediation->name)) < 0 ||
            json_append(json, json_text(remediation->lock)) < 0 ||
            json_append(json, json_text(json_string(definition, "lock"))) < 0)
                return error_oom(error);
        for (size_t i = 0; i < remediation->step_count; i++) {
                const struct step *step = &remediation->steps[i];
                const cJSON *bound = cJSON_GetArrayItem(steps, (int)i);
                if (changes && step->action->effect == EFFECT_READ_ONLY)
                        continue;
                if (json_append(json, json_text(step->action->name)) < 0 ||
                    json_append(json, config_to_json(step->action->fields, step->config)) < 0 ||
                    json_append(json, cJSON_Duplicate(json_get(bound, "arguments", NULL), true)) < 0)
                        return error_oom(error);
        }
        *ret = TAKE_PTR(json);
        return 0;
}

/* In place of the incident's number, which is another one each time. */
#define ANY_INCIDENT "INC-0000-0000"

int definition_cause(const struct remediation *remediation, const struct target_set *targets,
                     const struct alert *alert, char ret[static DIGEST_TEXT_MAX], struct error *error)
{
        _cleanup_json_ cJSON *definition = NULL, *json = NULL;
        int r = definition_make(remediation, targets, alert, ANY_INCIDENT, &definition, error);
        if (r >= 0)
                r = cause_json(remediation, definition, &json, error);
        return r < 0 ? r : json_digest(json, ret, error);
}

static int restore_step(const cJSON *json, struct step *ret, struct error *error)
{
        const char *name = json_string(json, "action"), *unbound = json_string(json, "unbound");
        const struct action *action = name ? action_find(name) : NULL;
        if (!action)
                return error_set(error, EBADMSG, "there is no action \"%s\" any more", name ? name : "");
        struct step step = {.bound = true};
        int r = config_from_json(step_fields, json, &step, error);
        if (r < 0)
                return r;
        step_agree(&step);
        if (unbound) {
                step.action = action;
                step.unbound = strdup(unbound);
                *ret = step;
                return step.unbound ? 0 : error_oom(error);
        }
        step.config = calloc(1, action->config_size > 0 ? action->config_size : 1);
        if (!step.config)
                return error_oom(error);
        r = config_from_json(action->fields, cJSON_GetObjectItemCaseSensitive(json, "arguments"), step.config,
                             error);
        if (r < 0) {
                free(step.config);
                return error_prefix(error, r, "%s", action->name);
        }
        step.action = action;
        *ret = step;
        const cJSON *target = cJSON_GetObjectItemCaseSensitive(json, "target");
        if (target && !(ret->target = cJSON_Duplicate(target, true)))
                return error_oom(error);
        return 0;
}

static int restore_steps(const cJSON *list, struct remediation *remediation, struct error *error)
{
        int count = cJSON_GetArraySize(list);
        if (count <= 0)
                return error_set(error, EBADMSG, "it has no steps");
        struct step *steps = calloc((size_t)count, sizeof(*steps));
        if (!steps)
                return error_oom(error);
        remediation->steps = steps;
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, list)
        {
                int r = restore_step(item, &steps[remediation->step_count++], error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Versions before did not keep it. */
static bool definition_says(const cJSON *definition)
{
        return cJSON_HasObjectItem(definition, said_fields[0].name);
}

bool definition_tells(const cJSON *definition, const struct remediation *file, const char *end)
{
        if (!definition_says(definition))
                return remediation_tells(file, end);
        const cJSON *one;
        cJSON_ArrayForEach(one, json_get(definition, said_fields[0].name, NULL))
        {
                if (string_equal(cJSON_GetStringValue(one), end))
                        return true;
        }
        return false;
}

int definition_still_firing(const char *definition, nsec *ret, struct error *error)
{
        _cleanup_json_ cJSON *json = NULL;
        nsec told = -1;
        _cleanup_error_ struct error why = {0};
        if (definition && definition_read(definition, &json, &why) == -ENOMEM)
                return error_oom(error);
        const char *said = json ? json_string(json, "still_firing") : NULL;
        if (said && duration_parse(said, &told, NULL) < 0)
                told = -1;
        *ret = told;
        return 0;
}

int definition_read(const char *text, cJSON **ret, struct error *error)
{
        return json_parse(text, strlen(text), ret, error);
}

int definition_restore(const cJSON *definition, struct remediation **ret, struct error *error)
{
        struct remediation *remediation = calloc(1, sizeof(*remediation));
        if (!remediation)
                return error_oom(error);
        remediation->bound = true;
        int r = config_from_json(begun_fields, definition, remediation, error);
        if (r >= 0)
                r = config_from_json(said_fields, definition, remediation, error);
        remediation->says = definition_says(definition);
        if (r >= 0 && (!remediation->name || !remediation->lock))
                r = error_set(error, EBADMSG, "it has no name or no lock");
        if (r >= 0)
                r = restore_steps(cJSON_GetObjectItemCaseSensitive(definition, "steps"), remediation, error);
        if (r < 0) {
                remediation_free(remediation);
                return r;
        }
        *ret = remediation;
        return 0;
}

int definition_check_target(const struct step *step, const struct target_set *targets, struct error *error)
{
        char sum[DIGEST_TEXT_MAX] = "";
        const char *name = json_string(step->target, "name"), *was = json_string(step->target, "sha256");
        if (!step->target)
                return 0;
        int r = target_set_digest(targets, step->action->target, name, sum, error);
        if (r == -ENOENT)
                return error_prefix(error, -ESTALE, "remediations.yml has changed since");
        if (r < 0 || string_equal(sum, was))
                return r;
        return error_set(error, ESTALE, "remediations.yml has changed since: the %s%s%s%s is another one",
                         target_words[step->action->target], name && *name ? " \"" : "", name ? name : "",
                         name && *name ? "\"" : "");
}

/* What cannot be bound before there is an alert stands in it as it is written. */
static int put_step(struct text *text, const struct step *step, const struct target_set *targets,
                    struct error *error)
{
        const struct action *action = step->action;
        _cleanup_json_ cJSON *beside = config_to_json(step_fields, step);
        _cleanup_json_ cJSON *arguments = config_to_json(action->fields, step->config);
        cJSON *target = NULL;
        _cleanup_error_ struct error why = {0};
        if (target_json(action, arguments, targets, &target, &why) == -ENOMEM)
                return error_oom(error);
        _cleanup_free_ char *one = beside ? json_print(beside) : NULL;
        _cleanup_free_ char *other = arguments ? json_print(arguments) : NULL;
        _cleanup_free_ char *third = target ? json_print(target) : strdup("");
        cJSON_Delete(target);
        if (!one || !other || !third)
                return error_oom(error);
        text_printf(text, "%s %s %s %s\n", action->name, one, other, third);
        return 0;
}

int definition_digest(const struct remediation *remediation, const struct target_set *targets,
                      char ret[static DIGEST_TEXT_MAX], struct error *error)
{
        unsigned char sum[DIGEST_SIZE];
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *whole = config_to_json(begun_fields, remediation);
        _cleanup_free_ char *printed = whole ? json_print(whole) : NULL;
        if (!printed)
                return error_oom(error);
        text_printf(&text, "%s ", printed);
        approval_print(&remediation->approval, &text);
        matchers_print(&remediation->match, &text);
        for (size_t i = 0; i < remediation->step_count; i++) {
                int r = put_step(&text, &remediation->steps[i], targets, error);
                if (r < 0)
                        return r;
        }
        if (text_error(&text) < 0 || digest_of(text.data, text.length, sum) < 0)
                return error_oom(error);
        digest_text(sum, ret);
        return 0;
}

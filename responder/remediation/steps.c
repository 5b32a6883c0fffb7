/* SPDX-License-Identifier: Apache-2.0 */
/* The `steps:` of one remediation: one action each, and what stands beside it. */
#include "responder/remediation/steps.h"

#include <errno.h>

#define STEPS_MAX 64
#define STEP_TIMEOUT (60 * NSEC_PER_SEC)

static const char *const undo_words[] = {"never", "when_resolved", NULL};
tables_agree(undo_words, UNDO_WHEN_COUNT + 1);
const char *const on_failure_words[] = {"escalate", "undo", "continue", "stop", NULL};
tables_agree(on_failure_words, ON_FAILURE_COUNT + 1);

/* Two words for each, for whoever writes them as in the rest of the file. */
static const char *const essential_words[] = {"no", "yes", "false", "true", NULL};

/* What may stand beside the action. */
const struct config_field step_fields[] = {
        {"undo", CONFIG_ENUM, offsetof(struct step, undo), .fallback = "never", .choices = undo_words,
         .help = "when_resolved: undone once the alert is resolved"},
        {"timeout", CONFIG_DURATION, offsetof(struct step, timeout), .fallback = "0",
         .help = "how long the step may take; the action's own when absent"},
        {"max", CONFIG_INT, offsetof(struct step, max), .fallback = "0",
         .help = "most targets it may touch without asking a person; 0: no limit"},
        {"on_failure", CONFIG_ENUM, offsetof(struct step, on_failure), .fallback = "escalate",
         .choices = on_failure_words, .help = "the remediation's own when absent"},
        {"essential", CONFIG_ENUM, offsetof(struct step, essential), .fallback = "yes",
         .choices = essential_words,
         .help = "no: when it cannot be planned or fails, that is told, and the others go on; "
                 "`on_failure: continue` means the same"},
        {0},
};

bool action_undoes(const char *name)
{
        const struct action *action = action_find(name);
        return action && action->undo;
}

bool action_changes(const char *name)
{
        const struct action *action = action_find(name);
        return !action || action->effect != EFFECT_READ_ONLY;
}

static size_t action_count(void)
{
        size_t count = 0;
        while (actions[count])
                count++;
        return count;
}

/* The names of all actions, closed by NULL; free() the array only. */
static const char **action_names(void)
{
        size_t count = action_count();
        const char **names = calloc(count + 1, sizeof(*names));
        for (size_t i = 0; names && i < count; i++)
                names[i] = actions[i]->name;
        return names;
}

static bool is_step_field(const char *key)
{
        for (const struct config_field *field = step_fields; field->name; field++)
                if (string_equal(field->name, key))
                        return true;
        return false;
}

/* The one action among the keys of a step; NULL after a complaint. */
static const struct action *action_of(struct config_node *node, const char *const *names,
                                      struct config_node **ret_arguments)
{
        const struct action *found = NULL;
        for (size_t i = 0; i < config_size(node); i++) {
                const char *key = config_key(node, i);
                const struct action *action = key ? action_find(key) : NULL;
                if (!action && key && !is_step_field(key)) {
                        _cleanup_error_ struct error error = {0};
                        words_unknown(names, action_count(), key, "there is no action", &error);
                        config_complain(node, key, "%s", error_text(&error));
                        return NULL;
                }
                if (action && found) {
                        config_complain(node, key, "a step has one action, and this one has %s already",
                                        found->name);
                        return NULL;
                }
                if (action) {
                        found = action;
                        *ret_arguments = config_item(node, i);
                }
        }
        if (!found)
                config_complain(node, NULL, "a step needs an action");
        return found;
}

void step_agree(struct step *step)
{
        step->essential %= 2;
        if (step->on_failure == ON_FAILURE_CONTINUE)
                step->essential = 0;
        else if (!step->essential)
                step->on_failure = ON_FAILURE_CONTINUE;
}

/* The remediation's own policy is for those that say nothing themselves. */
static void inherit(struct config_node *node, int on_failure, struct step *step)
{
        bool says_policy = config_member(node, "on_failure"), essential = step->essential % 2;
        bool continues = step->on_failure == ON_FAILURE_CONTINUE;
        if (!says_policy)
                step->on_failure = on_failure;
        if (config_member(node, "essential") && says_policy && essential == continues)
                config_complain(node, "on_failure",
                                essential ? "'continue' is for a step that is not essential, and this one is"
                                          : "a step that is not essential has no 'on_failure' but continue: "
                                            "when it fails, the others go on");
        if (config_member(node, "essential") && essential && step->on_failure == ON_FAILURE_CONTINUE)
                step->on_failure = ON_FAILURE_ESCALATE;
        step_agree(step);
}

static void step_check(struct config_node *node, const struct step *step)
{
        if (step->undo == UNDO_WHEN_RESOLVED && !step->action->undo)
                config_complain(node, "undo", "%s cannot be undone", step->action->name);
        if (step->max < 0)
                config_complain(node, "max", "must not be negative");
        if (step->timeout < 0)
                config_complain(node, "timeout", "must not be negative");
}

/* What an operator lets the action wait for must fit into the time of the step: else it never comes to its
 * end. */
static void check_times(struct config_node *node, const struct step *step, struct config_node *arguments)
{
        nsec spent = 0;
        const char *last = NULL;
        for (const struct config_field *field = step->action->fields; field->name; field++)
                if (field->flags & CONFIG_SPENT && config_member(arguments, field->name)) {
                        spent += *(const nsec *)(const void *)((const char *)step->config + field->offset);
                        last = field->name;
                }
        if (!last || spent <= step->timeout)
                return;
        char waits[DURATION_TEXT_MAX], timeout[DURATION_TEXT_MAX];
        duration_format(spent, waits);
        duration_format(step->timeout, timeout);
        struct config_node *own = config_member(node, "timeout");
        if (own)
                config_complain(node, "timeout",
                                "%s is less than the %s which %s in line %d may take: make it longer",
                                timeout, waits, step->action->name,
                                config_line(config_member(arguments, last)));
        else
                config_complain(
                        arguments, last,
                        "%s is more than the %s which a step of %s has: give it a `timeout` that is longer",
                        waits, timeout, step->action->name);
}

static int step_read(struct config_node *node, const struct target_set *targets, int on_failure,
                     const char *const *names, struct step *ret, struct error *error)
{
        struct config_node *arguments = NULL;
        if (!config_is_mapping(node)) {
                config_complain(node, NULL, "a step is a mapping, as in `- docker.restart: {service: web}`");
                return 0;
        }
        const struct action *action = action_of(node, names, &arguments);
        if (!action)
                return 0;

        struct step step = {0};
        config_read_some(node, step_fields, &step, names);
        step.action = action;
        step.config = calloc(1, action->config_size > 0 ? action->config_size : 1);
        if (!step.config)
                return error_oom(error);
        inherit(node, on_failure, &step);
        step_check(node, &step);
        if (step.timeout <= 0)
                step.timeout = action->timeout > 0 ? action->timeout : STEP_TIMEOUT;

        if (config_read(arguments, action->fields, step.config)) {
                check_times(node, &step, arguments);
                if (action->check)
                        action->check(step.config, targets, arguments);
        }
        *ret = step;
        return 0;
}

int steps_read(struct config_node *list, const struct target_set *targets, int on_failure,
               struct step **ret_steps, size_t *ret_count, struct error *error)
{
        size_t count = config_size(list);
        if (!config_is_list(list) || count == 0) {
                config_complain(list, NULL, "must be a list of at least one step");
                return 0;
        }
        if (count > STEPS_MAX) {
                config_complain(list, NULL, "%zu steps are too many: %d are the most", count, STEPS_MAX);
                return 0;
        }
        _cleanup_free_ const char **names = action_names();
        struct step *steps = calloc(count, sizeof(*steps));
        if (!names || !steps) {
                free(steps);
                return error_oom(error);
        }
        *ret_steps = steps;
        *ret_count = count;
        for (size_t i = 0; i < count; i++) {
                int r = step_read(config_item(list, i), targets, on_failure, names, &steps[i], error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int step_service(const struct step *step, char **ret, struct error *error)
{
        const struct action *action = step->action;
        *ret = NULL;
        if (!action || action->target != TARGET_DOCKER || action->effect == EFFECT_READ_ONLY)
                return 0;
        _cleanup_json_ cJSON *arguments = config_to_json(action->fields, step->config);
        if (!arguments)
                return error_oom(error);
        const char *service = json_string(arguments, "service");
        *ret = service && *service ? strdup(service) : NULL;
        return *ret || !service || !*service ? 0 : error_oom(error);
}

int steps_lock(const struct step *steps, size_t count, char **ret, struct error *error)
{
        _cleanup_free_ char *only = NULL;
        for (size_t i = 0; i < count; i++) {
                _cleanup_free_ char *service = NULL;
                int r = steps[i].essential ? step_service(&steps[i], &service, error) : 0;
                if (r < 0)
                        return r;
                if (service && only && !string_equal(service, only)) {
                        *ret = NULL;
                        return 0;
                }
                if (service && !only)
                        only = TAKE_PTR(service);
        }
        *ret = only ? text_format("service/%s", only) : NULL;
        return *ret || !only ? 0 : error_oom(error);
}

void step_release(struct step *step)
{
        if (step->action && step->config)
                config_release(step->action->fields, step->config);
        free(step->config);
        free(step->unbound);
        cJSON_Delete(step->target);
        *step = (struct step){0};
}

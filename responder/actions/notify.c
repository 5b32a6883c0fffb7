/* SPDX-License-Identifier: Apache-2.0 */
/* notify: one sentence to one receiver. */
#include <errno.h>

#include "responder/actions/shared/plan.h"

struct notify_config {
        char *to, *text;
};

static const struct config_field notify_fields[] = {
        {"to", CONFIG_STRING, offsetof(struct notify_config, to), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "the name of a receiver"},
        {"text", CONFIG_STRING, offsetof(struct notify_config, text),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY | CONFIG_BIND,
         .help = "what is said; Slack's own markup is shown as it stands, so that no label can forge any"},
        {0},
};

static void notify_check(const void *configured, const struct target_set *targets, struct config_node *node)
{
        const struct notify_config *config = configured;
        if (target_set_receiver(targets, config->to))
                return;

        const struct receiver *receivers = targets->receivers.items;
        _cleanup_free_ const char **names = calloc(targets->receivers.count + 1, sizeof(*names));
        for (size_t i = 0; names && i < targets->receivers.count; i++)
                names[i] = receivers[i].name;
        _cleanup_error_ struct error error = {0};
        words_unknown(names, names ? targets->receivers.count : 0, config->to, "there is no receiver",
                      &error);
        config_complain(node, "to", "%s", error_text(&error));
}

static int notify_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct notify_config *config = run->config;
        if (!target_set_receiver(targets_set(run->targets), config->to))
                return error_set(error, ESRCH, "there is no receiver \"%s\"", config->to);
        return plan_new(ret_plan, 1, error, "tell %s: %s", config->to, config->text);
}

static int notify_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct notify_config *config = run->config;
        struct message message = {.incident = run->incident};
        if (run->about)
                message = *run->about;
        message.text = config->text;
        int r = targets_notify(run->targets, config->to, &message, run->deadline, NULL, error);
        return r < 0 ? r : outcome_new(ret_outcome, error, "%s was told", config->to);
}

/*
 * Read-only, as it changes nothing that could be put back. Repeatable, because a person who is told twice
 * after a crash is better off than one who is not told at all.
 */
const struct action action_notify = {
        .name = "notify",
        .help = "Sends a sentence to a receiver: Slack, Teams, PagerDuty, ntfy, a mail, a JSON webhook, or "
                "the log.",
        .fields = notify_fields,
        .config_size = sizeof(struct notify_config),
        .effect = EFFECT_READ_ONLY,
        .tells = true,
        .repeatable = true,
        .timeout = 30 * NSEC_PER_SEC,
        .target = TARGET_RECEIVER,
        .target_key = "to",
        .check = notify_check,
        .plan = notify_plan,
        .run = notify_run,
};

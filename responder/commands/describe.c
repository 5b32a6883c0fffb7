/* SPDX-License-Identifier: Apache-2.0 */
/* The reference page of remediations.yml, out of the same tables that read it. */
#include "responder/commands/describe.h"

#include "responder/incident/planning.h"

static void describe_action(const struct action *action, struct text *text)
{
        text_printf(text, "\n### `%s`\n\n%s Effect: %s; %s; %s.\n\n", action->name, action->help,
                    effect_name(action->effect), action->undo ? "can be undone" : "cannot be undone",
                    action->repeatable || action->effect == EFFECT_READ_ONLY
                            ? "runs again after a crash midway"
                    : action->resume ? "finds out after a crash midway what it had done"
                                     : "a crash midway calls a person");
        if (action->fields && action->fields[0].name)
                config_describe(action->fields, text);
        else
                text_puts(text, "It has no arguments.\n");
}

void describe_remediations(struct text *text)
{
        text_puts(text, "# remediations.yml\n\n## What steps act on\n\n");
        config_describe(target_fields, text);
        text_puts(text, "\n## Who is called, and what with\n\n");
        config_describe(top_fields, text);
        text_puts(text, "\n### Its `escalation:`, as a mapping\n\n");
        config_describe(escalation_fields, text);
        text_puts(text, "\n### A level of it\n\n");
        config_describe(escalation_level_fields, text);
        text_puts(text, "\n### Its `maintenance:`\n\n");
        config_describe(maintenance_fields, text);
        text_puts(text, "\n## A remediation\n\n");
        config_describe(remediation_fields, text);
        text_puts(text, "\n## `approval:` as a mapping\n\n");
        config_describe(approval_fields, text);
        text_puts(text, "\n### Its `when:`\n\n");
        config_describe(approval_when_fields, text);
        text_puts(text, "\n## Beside the action of a step\n\n");
        config_describe(step_fields, text);
        text_puts(text, "\n## Actions\n");
        for (size_t i = 0; actions[i]; i++)
                describe_action(actions[i], text);
}

void describe_action_names(struct text *text)
{
        text_puts(text, "\nActions of steps:\n ");
        for (size_t i = 0; actions[i]; i++)
                text_printf(text, "%s %s", i > 0 ? "," : "", actions[i]->name);
        text_putc(text, '\n');
}

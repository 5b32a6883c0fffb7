/* SPDX-License-Identifier: Apache-2.0 */
/* The reference page of remediations.yml, out of the same tables that read it. */
#ifndef RESPONDER_COMMANDS_DESCRIBE_H
#define RESPONDER_COMMANDS_DESCRIBE_H

#include "runbook/text.h"

/* Appends Markdown. */
void describe_remediations(struct text *text);

/* Appends the names of all actions, for --help. */
void describe_action_names(struct text *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder states`: the life of an incident, out of the very table that the journal asks. */
#ifndef RESPONDER_COMMANDS_STATES_H
#define RESPONDER_COMMANDS_STATES_H

#include "runbook/text.h"

/* Appends Markdown: a picture for Mermaid, and a table of every event; the states are called as the API calls
 * them, the events as the timeline has them. */
void describe_states(struct text *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder plan`: what each step would do right now about an alert; nothing is changed or kept. */
#ifndef RESPONDER_COMMANDS_PLAN_H
#define RESPONDER_COMMANDS_PLAN_H

#include "responder/remediation/remediation.h"
#include "responder/world/world.h"

/*
 * Reads `alert_path` (one alert, or a whole webhook; "-": stdin), plans every remediation that matches, and
 * appends the answer to `text`, for a person or as JSON. -ENOENT: nothing matches. -ECANCELED: a plan could
 * not be made; the text says which and why.
 */
int plan_command(const struct remediation_set *set, const struct world *world, const char *alert_path,
                 bool as_json, struct text *text, struct error *error);

#endif

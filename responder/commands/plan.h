/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `runbook_responder plan`: what each step would do right now about an alert; nothing is changed or kept.
 *
 * responder/commands holds what the responder answers on a terminal without serving: this, the reference
 * (describe.h) and the life of an incident (states.h). It is a room of its own so that main only wires parts
 * together. It uses responder/incident, responder/journal, responder/world, responder/actions,
 * responder/remediation, responder/alert, responder/targets, lib/program, lib/http/client, lib/base and
 * lib/config.
 */
#ifndef RESPONDER_COMMANDS_PLAN_H
#define RESPONDER_COMMANDS_PLAN_H

#include "responder/commands/arguments.h"
#include "responder/remediation/remediation.h"
#include "responder/world/world.h"

/*
 * About the alert of --label or --alert (one alert, or a whole webhook; "-": stdin): plans every remediation
 * that matches, tells which others do not and why, and what the guards of a responder that runs would say;
 * appends the answer to `text`, for a person or as JSON. -EINVAL: no alert can be made of it. -ENOENT:
 * nothing matches. -ECANCELED: a plan could not be made; the text says which and why.
 */
int plan_check(const struct responder_arguments *arguments, struct error *error); /* whether one is given */
int plan_command(const struct remediation_set *set, const struct world *world,
                 const struct responder_arguments *arguments, struct text *text, struct error *error);

#endif

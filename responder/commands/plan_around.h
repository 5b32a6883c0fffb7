/* SPDX-License-Identifier: Apache-2.0 */
/* What `plan` tells beside the plans: which remediations are not set off, and why; and what guards say. */
#ifndef RESPONDER_COMMANDS_PLAN_AROUND_H
#define RESPONDER_COMMANDS_PLAN_AROUND_H

#include "responder/commands/remote.h"
#include "responder/remediation/remediation.h"

/* A line for each remediation that the alert does not set off, with the matchers that refuse it: those with
 * the fewest of these first. Appends nothing when there is none. */
int plan_put_refused(const struct remediation_set *set, const struct alert *alert, struct text *text,
                     struct error *error);

/* The matchers of one remediation that refuse it, as JSON; NULL when out of memory. */
cJSON *plan_refused_json(const struct remediation *remediation, const struct alert *alert);

/*
 * What each guard of the responder that runs would say of the alert now: the answer of the API, or {"error"}
 * with why it is not known; NULL when out of memory. `remote` NULL: nobody can be asked.
 */
cJSON *plan_ask_guards(struct remote *remote, const char *remediation, const struct alert *alert);

/* The same in a line for a person. */
void plan_put_guards(const cJSON *answer, struct text *text);

#endif

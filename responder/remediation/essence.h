/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plan is by: which things it would do what to, and not how they happen to be at the moment. Two plans
 * that have it alike are one plan for whoever has agreed to it. Which members of it these are, the action
 * says (`counts`); all but the summary where it says nothing, or is not there any more.
 */
#ifndef RESPONDER_REMEDIATION_ESSENCE_H
#define RESPONDER_REMEDIATION_ESSENCE_H

#include "responder/remediation/remediation.h"
#include "runbook/digest.h"

int essence_digest(const char *action, const cJSON *plan, char ret[static DIGEST_TEXT_MAX],
                   struct error *error);

/* What is otherwise, in words: "containers web-1 → web-2"; NULL: nothing; free() it. -ENOMEM is the only
 * failure. */
int essence_compare(const char *action, const cJSON *then, const cJSON *now, char **ret, struct error *error);

#endif

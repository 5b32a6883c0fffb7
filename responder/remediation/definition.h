/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The definition of what an incident runs: its remediation with every label bound, as JSON that the journal
 * keeps from the moment the incident begins.
 *
 *     {"remediation": "high_latency", "lock": "mcp", "on_failure": "escalate", "escalate_to": "oncall",
 *      "expire": "1h", "verify": {…}, "tell": ["healed"], "at_stake": "mcp is slow", "still_firing": "15m",
 *      "steps": [{"action": "docker.restart", "arguments": {"service": "web", …}, "undo": "never",
 *                 "timeout": "1m", "max": 0, "on_failure": "escalate",
 *                 "essential": "yes", "target": {"kind": "docker", "name": null, "sha256": "…"}}, …]}
 *
 * A step that is not essential and lacks a label has "unbound", which says so, in place of its arguments.
 * No secret is in it: of a password it has the place where that is kept, of a target a digest.
 */
#ifndef RESPONDER_REMEDIATION_DEFINITION_H
#define RESPONDER_REMEDIATION_DEFINITION_H

#include "responder/remediation/remediation.h"
#include "runbook/digest.h"

/* As the file has it now, for this alert and incident. -ENOKEY names a label that is missing. */
int definition_make(const struct remediation *remediation, const struct target_set *targets,
                    const struct alert *alert, const char *incident, cJSON **ret, struct error *error);

/*
 * What it does, for this alert: a digest of its name, its lock, and the actions with their arguments that
 * change something (of all of them where none does), as the file has them and as they are bound. Alerts that
 * have the same one are one cause: what one label says and the other does not none of this asks for. -ENOKEY
 * as above.
 */
int definition_cause(const struct remediation *remediation, const struct target_set *targets,
                     const struct alert *alert, char ret[static DIGEST_TEXT_MAX], struct error *error);

/* From the text that the journal keeps; -EBADMSG. */
int definition_read(const char *text, cJSON **ret, struct error *error);

/*
 * The remediation that a definition describes, `bound`: the arguments are what is run, nothing is bound any
 * more. -EBADMSG when this program cannot read it: an action or an argument is not there any more.
 */
int definition_restore(const cJSON *definition, struct remediation **ret, struct error *error);

/* Whether an end is told of what was begun so; what a version before did not keep is as the file has it,
 * which may be NULL. */
bool definition_tells(const cJSON *definition, const struct remediation *file, const char *end);

/* How long the alert may go on after the end of what was begun so, out of the text that the journal keeps,
 * which may be NULL. -1: it does not say so, as those of versions before. -ENOMEM is the only failure. */
int definition_still_firing(const char *definition, nsec *ret, struct error *error);

/*
 * What is no longer as it was, in words: "step 2 env LOG_LEVEL debug → trace"; a few of it when it is much.
 * NULL: nothing is. -ENOMEM is the only failure. How long an incident waits is not asked about, for that was
 * over when it began; nor is what people are told.
 */
int definition_compare(const cJSON *then, const cJSON *now, char **ret, struct error *error);

/* The same of any two objects: "containers: web-1 is gone, web-2 is new". */
int differences_say(const cJSON *then, const cJSON *now, char **ret, struct error *error);

/* 0 when the target of a step of a restored remediation is defined as it was; -ESTALE says what is not. */
int definition_check_target(const struct step *step, const struct target_set *targets, struct error *error);

/*
 * The SHA-256 of a remediation as the file has it, with its matchers and the targets of its steps: by it is
 * known whether an alert was matched with another one of that name.
 */
int definition_digest(const struct remediation *remediation, const struct target_set *targets,
                      char ret[static DIGEST_TEXT_MAX], struct error *error);

#endif

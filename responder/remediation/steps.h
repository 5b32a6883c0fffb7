/* SPDX-License-Identifier: Apache-2.0 */
/* The `steps:` of one remediation: one action each, and what stands beside it. */
#ifndef RESPONDER_REMEDIATION_STEPS_H
#define RESPONDER_REMEDIATION_STEPS_H

#include "responder/remediation/remediation.h"

/*
 * Reads the list; mistakes are complaints about `list`. `on_failure` is the remediation's own. What was read
 * is handed over also on failure (-ENOMEM), and step_release() takes each.
 */
int steps_read(struct config_node *list, const struct target_set *targets, int on_failure,
               struct step **ret_steps, size_t *ret_count, struct error *error);
void step_release(struct step *step);

/*
 * The lock of a remediation that gives none: "service/web", where those of its essential steps that change
 * something in Docker are all of one service; NULL: it is another one; free() it. So what acts upon one
 * service takes turns, whichever remediation it is. -ENOMEM is the only failure.
 */
int steps_lock(const struct step *steps, size_t count, char **ret, struct error *error);

/* The Compose service that a step changes, as it stands in the file; NULL: none; free() it. */
int step_service(const struct step *step, char **ret, struct error *error);

/* Brings `essential` and `on_failure` of a step that was read, from whichever file, to agree. */
void step_agree(struct step *step);

/* The words of `on_failure:`, in the order of enum on_failure, closed by NULL. */
extern const char *const on_failure_words[];

#endif

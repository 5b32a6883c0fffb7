/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of steps beforehand: whether that answers which is none of the file's targets, such as a
 * Redis server, and whether they would be let do what they do. */
#ifndef RESPONDER_REMEDIATION_PROBES_H
#define RESPONDER_REMEDIATION_PROBES_H

#include "responder/remediation/remediation.h"

/* Each of them once, by the action that names it; free() the array. What it points to is the set's. */
int remediation_probes(const struct remediation_set *set, struct target_probe **ret, size_t *ret_count,
                       struct error *error);

/*
 * For each step whose action can ask whether it would be let do what it does: "rights", with the remediation
 * and the step as its name. One that is refused is down, with what to do about it; when its target cannot be
 * asked, it is unknown, for that is told of the target.
 */
struct rights_probes;
int rights_probes_new(const struct remediation_set *set, struct targets *targets, struct rights_probes **ret,
                      struct error *error);                             /* both outlive it */
struct rights_probes *rights_probes_free(struct rights_probes *rights); /* takes NULL */
size_t rights_probes_count(const struct rights_probes *rights);
struct target_probe rights_probe_at(const struct rights_probes *rights,
                                    size_t index); /* it points to these */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What steps act upon that is none of the file's targets, such as a Redis server. */
#ifndef RESPONDER_REMEDIATION_PROBES_H
#define RESPONDER_REMEDIATION_PROBES_H

#include "responder/remediation/remediation.h"

/* Each of them once, by the action that names it; free() the array. What it points to is the set's. */
int remediation_probes(const struct remediation_set *set, struct target_probe **ret, size_t *ret_count,
                       struct error *error);

#endif

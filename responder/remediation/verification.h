/* SPDX-License-Identifier: Apache-2.0 */
/* `verify:` of a remediation. */
#ifndef RESPONDER_REMEDIATION_VERIFICATION_H
#define RESPONDER_REMEDIATION_VERIFICATION_H

#include "responder/remediation/remediation.h"

/* Complains about what the table (verify_fields) cannot say. */
void verification_check(struct config_node *node, struct verification *verify,
                        const struct target_set *targets);

/* An absent string reads as NULL, whatever the reader gave. */
static inline void null_when_empty(char **string)
{
        if (*string && !**string) {
                free(*string);
                *string = NULL;
        }
}

#endif

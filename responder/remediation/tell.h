/* SPDX-License-Identifier: Apache-2.0 */
/* `tell:`, the ends that people hear of although they need nobody. */
#ifndef RESPONDER_REMEDIATION_TELL_H
#define RESPONDER_REMEDIATION_TELL_H

#include "runbook/config.h"

/* Complains about what is no such end. */
void tell_check(struct config_node *node, const struct config_strings *tell);

#endif

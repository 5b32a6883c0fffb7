/* SPDX-License-Identifier: Apache-2.0 */
/* By which signs people are looked for, of a file of remediations. */
#ifndef RESPONDER_REMEDIATION_SIGNS_H
#define RESPONDER_REMEDIATION_SIGNS_H

#include "runbook/config.h"

/* Complains about each item of `human_signs` by which nobody can be seen. */
void signs_check(struct config_node *node, const struct config_strings *signs);

#endif

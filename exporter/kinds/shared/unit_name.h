/* SPDX-License-Identifier: Apache-2.0 */
/* Names of systemd's units, as an operator gives them. */
#ifndef EXPORTER_KINDS_SHARED_UNIT_NAME_H
#define EXPORTER_KINDS_SHARED_UNIT_NAME_H

#include "runbook/config.h"

/* Complains under `key` about what is not the whole name of one unit; false then. */
bool unit_names_check(const struct config_strings *names, struct config_node *node, const char *key);

#endif

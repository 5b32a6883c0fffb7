/* SPDX-License-Identifier: Apache-2.0 */
/* Inhibition rules for Alertmanager from `needs:` of the checks. */
#ifndef EXPORTER_COMMANDS_INHIBITIONS_H
#define EXPORTER_COMMANDS_INHIBITIONS_H

#include "exporter/check/check.h"

/*
 * Writes `inhibit_rules:`, a rule for each check that needs others: while one of those fails, by the alerts
 * that the command `alerts` writes or by the shipped ones, what is told of this one waits. -ENOMEM.
 */
int inhibitions_print(const struct check_set *set, struct text *text);

#endif

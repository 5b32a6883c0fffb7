/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter alerts`: alerting rules for Prometheus, from the checks and their thresholds. */
#ifndef EXPORTER_COMMANDS_ALERTS_H
#define EXPORTER_COMMANDS_ALERTS_H

#include "exporter/check/check.h"

/*
 * A rule file in YAML. Of each check: that it fails, and each condition under warn and fail as PromQL, with
 * the check's title, what was measured, what that means, advice and runbook_url as annotations; and
 * check_url, where the exporter's page shows it, when `external_url` says where people reach that (NULL:
 * nobody has said), which is also the runbook_url where the check has none. With `twins` each is there twice,
 * `stage="act"` and `stage="page"`. -ENOMEM.
 */
int alerts_print(const struct check_set *set, const char *external_url, bool twins, struct text *text);

#endif

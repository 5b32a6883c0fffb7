/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `runbook_responder coverage`: from check over metric and alert to remediation and verification, over the
 * three files, and every gap between them.
 */
#ifndef RESPONDER_COMMANDS_COVERAGE_H
#define RESPONDER_COMMANDS_COVERAGE_H

#include "responder/commands/arguments.h"
#include "responder/remediation/remediation.h"
#include "runbook/json.h"

/* One alerting rule. */
struct alert_rule {
        char *name, *expr, *group;
        struct config_map
                labels; /* that are known before it fires: alertname, and those without a template */
};
struct alert_rules {
        struct alert_rule *items;
        size_t count;
};

/* Reads a file of rules of Prometheus; what records is passed over. -EINVAL with every mistake. */
int alert_rules_load(const char *path, struct alert_rules *ret, struct error *error);
void alert_rules_release(struct alert_rules *rules);

/* The command: what to exit with; EXIT_FAILED when there is a gap. */
int command_coverage(const void *arguments);

/* The text of it; `ret_gaps` counts. `families` is what `runbook_exporter families` prints. */
int coverage_put(const struct remediation_set *set, const struct alert_rules *rules, const cJSON *families,
                 const char *for_person, struct text *text, size_t *ret_gaps, struct error *error);

#endif

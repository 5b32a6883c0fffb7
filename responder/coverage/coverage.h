/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From check over metric and alert to remediation and verification, over the three files, and every gap
 * between them.
 *
 * responder/coverage reads the rules of Prometheus and what the exporter says of its checks, and holds both
 * against the remediations; a command and a page show what it finds. It uses responder/remediation,
 * responder/alert, lib/promql, lib/base and lib/config.
 */
#ifndef RESPONDER_COVERAGE_COVERAGE_H
#define RESPONDER_COVERAGE_COVERAGE_H

#include "responder/remediation/remediation.h"
#include "runbook/json.h"

/* What it is told by, where that is read anew each time; `families` NULL: nobody has said. */
struct coverage_files {
        const char *families, *for_person;
        const char *const *alerts; /* closed by NULL */
};

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

/*
 * Reads files of rules of Prometheus (closed by NULL), one behind the other; what records is passed over. A
 * file of Prometheus itself stands for its `rule_files`, which may be patterns and are as seen from it.
 * -EINVAL with every mistake of a file, -ENOENT for what matches none: an alert that was not read is no gap.
 */
int alert_rules_load(const char *const *paths, struct alert_rules *ret, struct error *error);
void alert_rules_release(struct alert_rules *rules);

enum coverage_column {
        COVERAGE_CHECK,
        COVERAGE_ALERT,
        COVERAGE_REMEDIATION,
        COVERAGE_VERIFIED,
        COVERAGE_COLUMNS
};

struct coverage_row {
        char *cells[COVERAGE_COLUMNS];
        enum coverage_column missing; /* where there is nothing; COVERAGE_COLUMNS: it is whole */
};

struct coverage {
        struct coverage_row *rows;
        size_t row_count;
        char **gaps; /* a sentence each */
        size_t gap_count;
        bool failed; /* for want of memory; false in what was made */
};

/* `families` is what `runbook_exporter families` prints; `for_person` the group of rules that no remediation
 * is to be for. -EINVAL for an expression that is no PromQL. */
int coverage_make(const struct remediation_set *set, const struct alert_rules *rules, const cJSON *families,
                  const char *for_person, struct coverage *ret, struct error *error);
void coverage_release(struct coverage *coverage);

/* Reads what that printed from a file, "-" for stdin; to be deleted. */
int coverage_read_families(const char *path, cJSON **ret, struct error *error);

#endif

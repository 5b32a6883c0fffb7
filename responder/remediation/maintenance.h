/* SPDX-License-Identifier: Apache-2.0 */
/* `maintenance:` at the top of remediations.yml: when it is, and what Alertmanager is to silence meanwhile.
 */
#ifndef RESPONDER_REMEDIATION_MAINTENANCE_H
#define RESPONDER_REMEDIATION_MAINTENANCE_H

#include "responder/alert/match.h"
#include "runbook/config.h"
#include "runbook/hours.h"

struct maintenance_plan {
        struct hours *hours; /* NULL: none but by hand */
        char *reason;        /* NULL: not said */
        bool silences;
        struct matchers match; /* empty: what each remediation matches */
};

/* Its keys, for the reference page. */
extern const struct config_field maintenance_fields[];

/* Reads it; `node` may be NULL. Mistakes are complaints; -ENOMEM is the only failure. */
int maintenance_read(struct config_node *node, const char *zone, struct maintenance_plan *ret,
                     struct error *error);
void maintenance_release(struct maintenance_plan *plan);

/* The hours that `key` of `node` names; NULL when there are none, or wrong ones. Likewise. */
int hours_read(struct config_node *node, const char *key, const struct config_strings *texts,
               const char *zone, struct hours **ret, struct error *error);

#endif

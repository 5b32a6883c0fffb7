/* SPDX-License-Identifier: Apache-2.0 */
/* How one unit stands. */
#ifndef EXPORTER_KINDS_SYSTEMD_UNIT_H
#define EXPORTER_KINDS_SYSTEMD_UNIT_H

#include "exporter/kinds/systemd/manager.h"
#include "runbook/metrics.h"

#define SYSTEMD_UNIT_FAMILIES(X)                                                                             \
        X(systemd_state, GAUGE, "runbook_systemd_unit_state", NULL,                                          \
          "Whether the unit is in the state; one state is 1.")                                               \
        X(systemd_active_since, GAUGE, "runbook_systemd_unit_active_enter_timestamp_seconds", "seconds",     \
          "When the unit became active for the last time.")                                                  \
        X(systemd_inactive_since, GAUGE, "runbook_systemd_unit_inactive_enter_timestamp_seconds", "seconds", \
          "When the unit became inactive or failed for the last time.")                                      \
        X(systemd_restarts, COUNTER, "runbook_systemd_unit_restarts_total", NULL,                            \
          "How often systemd restarted the service by itself.")                                              \
        X(systemd_last_exit, GAUGE, "runbook_systemd_unit_last_exit_timestamp_seconds", "seconds",           \
          "When the service's main process ended for the last time.")                                        \
        X(systemd_last_success, GAUGE, "runbook_systemd_unit_last_result_success", NULL,                     \
          "Whether the last run of the service was a success.")                                              \
        X(systemd_last_trigger, GAUGE, "runbook_systemd_timer_last_trigger_timestamp_seconds", "seconds",    \
          "When the timer elapsed for the last time.")

SYSTEMD_UNIT_FAMILIES(DECLARE_FAMILY)

/* -ENOENT for a unit that is not loaded. The state is one of systemd's words, owned. */
int systemd_unit_look(const struct systemd_unit *unit, char **ret_state, struct error *error);

/* Adds how it stands, being in `state`. `must_succeed`: -ENODATA with the reason when the last run of a
 * service was no success. */
int systemd_unit_add(const struct systemd_unit *unit, const char *state, bool must_succeed,
                     struct sample_sink *sink, struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Steps from one state to the next: journaled, counted, logged. */
#include "responder/incident/stages.h"

#include "runbook/log.h"

void carry_log(const struct walk *walk, enum log_level level, const char *message, const char *reason)
{
        log_event(level, message, "incident", walk->incident.number, "remediation",
                  walk->incident.remediation, "state", incident_state_name(walk->incident.state), "reason",
                  reason, NULL);
}

int carry_conclude(struct walk *walk, enum incident_state expect, enum incident_state state,
                   const char *event, const char *actor, const cJSON *detail, struct error *error)
{
        struct journal_entry entry = {.actor = actor,
                                      .event = event,
                                      .expect = expect,
                                      .state = state,
                                      .clear_requests = true,
                                      .ended = true,
                                      .detail = detail};
        int r = walk_write(walk, &entry, error);
        if (r < 0)
                return r;
        meters_incident_ended(walk->options->meters, walk->incident.remediation, state);
        carry_log(walk, LOG_INFO, "Incident ended", json_string(detail, "reason"));
        return 0;
}

/* A change of state that does not end the incident. */
int carry_change(struct carry *carry, enum incident_state expect, enum incident_state state,
                 const char *event, const cJSON *detail, struct error *error)
{
        struct walk *walk = &carry->walk;
        struct journal_entry entry = {
                .event = event,
                .expect = expect,
                .state = state,
                .lock = string_equal(walk->incident.lock, carry->lock) ? NULL : carry->lock,
                .detail = detail,
        };
        int r = walk_write(walk, &entry, error);
        if (r >= 0)
                carry_log(walk,
                          state == INCIDENT_FAILED || state == INCIDENT_NOT_HEALED ? LOG_WARN : LOG_INFO,
                          "Incident changed", json_string(detail, "reason"));
        return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's own metrics: counted where things happen, read when Prometheus asks. Thread-safe. */
#ifndef RESPONDER_INCIDENT_METERS_H
#define RESPONDER_INCIDENT_METERS_H

#include "responder/incident/outcomes.h"
#include "responder/journal/incident.h"
#include "runbook/metrics.h"

struct meters;

struct meters *meters_new(void);
struct meters *meters_free(struct meters *meters);

void meters_webhook(struct meters *meters, unsigned http_status);
void meters_refused(struct meters *meters, const char *route, unsigned http_status); /* 401, 403 */
void meters_unreadable(struct meters *meters, size_t alerts); /* of a webhook that was taken but for these */
/* So many alerts had this outcome; and how many had it. */
void meters_alert(struct meters *meters, enum alert_outcome outcome, size_t alerts);
double meters_alerts(struct meters *meters, enum alert_outcome outcome);
/* An incident reached a state that ends it; `to_action` and `to_healed` are durations since the alert began
 * (0: not). */
void meters_incident_ended(struct meters *meters, const char *remediation, enum incident_state state);
void meters_action_begun(struct meters *meters, const char *remediation, nsec since_alert);
void meters_healed(struct meters *meters, const char *remediation, nsec since_alert);
void meters_step(struct meters *meters, const char *action, bool succeeded, nsec duration);
void meters_notification(struct meters *meters, const char *receiver, bool succeeded);

void meters_collect(struct meters *meters, struct sample_sink *sink);
extern const struct metric_family *const meters_families[]; /* closed by NULL */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Calling a person: what they are told of an incident, and by which receiver. */
#ifndef RESPONDER_INCIDENT_ESCALATE_H
#define RESPONDER_INCIDENT_ESCALATE_H

#include "responder/incident/run.h"

/* The receiver of the incident's remediation, else the file's; NULL: nobody is to be called. */
const char *escalation_receiver(const struct incident_run *run);

/*
 * "INC-2026-0001 high_latency: <what>: <reason>" to that receiver, within 10 s; counted. When nobody could be
 * reached, `look_again` is set to the next try, and -EAGAIN returned.
 */
int call_until_heard(struct incident_run *run, const char *what, const char *reason, struct error *error);

/* Tells whoever there is, once, that approval is awaited: the incident itself waits durably, and stands on
 * the page. */
void call_for_approval(const struct incident_run *run);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Calling a person: what they are told of an incident, and by which receiver. */
#ifndef RESPONDER_CALL_H
#define RESPONDER_CALL_H

#include "responder/incident/steps.h"

/* The receiver of the incident's remediation, else the file's; NULL: nobody is to be called. */
const char *call_receiver(const struct walk *walk);

/* The last reason that the journal gives for the incident's state, "" when it gives none; free() it. */
int call_reason(const struct walk *walk, char **ret, struct error *error);

/* "INC-2026-0001 high_latency: <what>: <reason>" to the receiver, once, within 10 s; counted. */
int call_person(const struct walk *walk, const char *what, const char *reason, struct error *error);

#endif

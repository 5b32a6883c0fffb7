/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder doctor`: whether all that the file names is there and answers; by reading only. */
#ifndef RESPONDER_COMMANDS_DOCTOR_H
#define RESPONDER_COMMANDS_DOCTOR_H

#include "responder/remediation/remediation.h"

/*
 * Reads every secret, looks at the Engine, connects to each database, has Prometheus evaluate each
 * verification (with a word for each value of an alert), asks the exporter for each check that one names, and
 * Alertmanager for its alerts, and PostgreSQL whether it would let each step do what it does; looks at the
 * clock, at what the kernel has for the sandbox, and whether the journal can be written. Receivers are not
 * tried: they would have to be sent something. Prints a line each, and below what is broken what to do;
 * EXIT_FINE, or EXIT_FAILED when anything is broken.
 */
int doctor_command(const struct remediation_set *set, struct targets *targets, const char *journal);

#endif

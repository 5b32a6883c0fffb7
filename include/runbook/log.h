/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log lines on stderr: a level, a sentence, and pairs of key and value.
 *
 *     log_event(LOG_INFO, "Incident healed", "incident", id, "remediation", name, NULL);
 *
 * gives in logfmt
 *     time=2026-01-31T12:00:00.000Z level=info msg="Incident healed" incident=INC-2026-0001 remediation=…
 *
 * Any thread may log; a line is written by one write(2). The level and the format are set once, by main,
 * before there is a second thread. Values are strings; a NULL value leaves its pair out.
 */
#ifndef RUNBOOK_LOG_H
#define RUNBOOK_LOG_H

#include "runbook/common.h"
#include "runbook/error.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS /* how many there are */ };

/* `level`: debug, info, warn, error; `format`: logfmt, json. -EINVAL for any other word. */
int log_setup(const char *level, const char *format, struct error *error);

bool log_enabled(enum log_level level);

/* Pairs of `const char *` key and value, closed by NULL. */
void log_event(enum log_level level, const char *message, ...) _sentinel_;

#endif

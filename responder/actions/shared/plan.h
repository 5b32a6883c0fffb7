/* SPDX-License-Identifier: Apache-2.0 */
/* What actions of every family need to write their plans, progress and outcomes. */
#ifndef RESPONDER_ACTIONS_SHARED_PLAN_H
#define RESPONDER_ACTIONS_SHARED_PLAN_H

#include "responder/remediation/action.h"

/* `when_empty:` of actions that select something. */
enum when_empty { WHEN_EMPTY_FAIL, WHEN_EMPTY_SKIP };
extern const char *const when_empty_words[];

/* A plan: {"summary": <sentence>, "targets": n}; and an outcome: {"summary": <sentence>}. */
int plan_new(cJSON **ret, int64_t targets, struct error *error, const char *format, ...) _printf_(4, 5);
int outcome_new(cJSON **ret, struct error *error, const char *format, ...) _printf_(3, 4);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What actions of every family need to write their plans, progress and outcomes.
 *
 * responder/actions/shared is what several families would otherwise each have: this, and evidence
 * (evidence.h). A family is a folder, its file the action's name; families use this room, the contract in
 * responder/remediation, responder/alert, responder/targets, and of lib: base, config, docker, postgres,
 * redis, http/client and process. They do not know each other, nor who runs them.
 */
#ifndef RESPONDER_ACTIONS_SHARED_PLAN_H
#define RESPONDER_ACTIONS_SHARED_PLAN_H

#include "responder/remediation/action.h"

/* `when_empty:` of actions that select something. */
enum when_empty { WHEN_EMPTY_FAIL, WHEN_EMPTY_SKIP, WHEN_EMPTY_COUNT };
extern const char *const when_empty_words[];

/* A plan: {"summary": <sentence>, "targets": n}; and an outcome: {"summary": <sentence>}. */
int plan_new(cJSON **ret, int64_t targets, struct error *error, const char *format, ...) _printf_(4, 5);
int outcome_new(cJSON **ret, struct error *error, const char *format, ...) _printf_(3, 4);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the API's documents say, in words for a person at a terminal. What others have said in them stays
 * within its line. */
#ifndef RESPONDER_COMMANDS_SHOW_H
#define RESPONDER_COMMANDS_SHOW_H

#include "runbook/json.h"

/* "4m12s ago" of a time of the API; nothing when there is none. */
void show_age(struct text *text, const char *at);

/* "2026-01-31 13:00:00" by the clock of this place; nothing when there is none. */
void show_time(struct text *text, const char *at);

/* HighLatency service="mcp-server" … */
void show_alert(struct text *text, const cJSON *alert);

/* "awaiting approval", "held by cooldown until 03:20:11", "healed, still firing" */
void show_state(struct text *text, const cJSON *incident);

/* A string of the document, as part of a line; nothing when it has none. */
void show_string(struct text *text, const cJSON *json, const char *key);

/* The whole of an incident: what GET /api/v1/incidents/{number} answers. */
void show_incident(struct text *text, const cJSON *incident);

#endif

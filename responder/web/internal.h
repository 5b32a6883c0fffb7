/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP side share. */
#ifndef RESPONDER_API_INTERNAL_H
#define RESPONDER_API_INTERNAL_H

#include "responder/web/web.h"
#include "responder/web/webhook.h"
#include "runbook/workers.h"

struct api {
        struct api_options options;
        struct webhook_receiver *webhook;
        struct workers *workers;
        struct http_server *server;
};

/* api_json.c: an incident as the API shows it; with steps and timeline (which it takes) when `whole`. NULL
 * when out of memory. */
cJSON *api_incident(const struct incident *incident, bool whole, cJSON *timeline);

/* Answers on a worker thread. */
typedef void api_answer(struct api *api, struct http_exchange *exchange);
api_answer api_landing;                    /* api_landing.c */
api_answer api_metrics;                    /* api_metrics.c */
api_answer api_list, api_show, api_status; /* api_read.c */
api_answer api_decision;                   /* api_decisions.c */

/* api_read.c: one whole incident; paused or not, and how many incidents there are in which state. */
int api_show_incident(struct api *api, const char *number, cJSON **ret, struct error *error);
int api_status_json(struct api *api, cJSON **ret, struct error *error);

/* {"error": "…"} with the status that fits the errno. */
void api_reply_error(struct http_exchange *exchange, int result, const struct error *error);
/* Takes the document; NULL answers 500. */
void api_reply_json(struct http_exchange *exchange, unsigned status, cJSON *take);

#endif

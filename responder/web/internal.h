/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP side share. */
#ifndef RESPONDER_WEB_INTERNAL_H
#define RESPONDER_WEB_INTERNAL_H

#include "responder/web/web.h"
#include "responder/web/webhook.h"
#include "runbook/workers.h"

/* Threads of their own for each sort of answer, so that none waits behind another. */
enum api_pool {
        API_PAGES,     /* what may read much */
        API_DECISIONS, /* what persons decide: the kill switch is one */
        API_METRICS,   /* what machines ask for: also whether it is ready */
        API_READING,   /* large webhooks */
        API_FETCHES,   /* of the rest of cut groups: they wait for Alertmanager */
        API_POOL_COUNT,
};

struct api {
        struct api_options options;
        struct webhook_receiver *webhook;
        struct workers *pools[API_POOL_COUNT];
        struct http_server *server;
};

/* Makes the document that a request is answered with; `*ret` NULL: out of memory. On a worker thread. */
typedef int api_document(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error);
api_document api_list, api_show, api_status, api_decide, api_pause, api_reload;

/* Answers with a page of its own. On a worker thread. */
typedef void api_page(struct api *api, struct http_exchange *exchange);
api_page api_landing, api_metrics, api_ready;

/* What a route that is answered by a worker has of its own. */
struct api_route {
        api_document *document; /* either this … */
        api_page *page;         /* … or this */
        enum api_pool pool;
        bool operates;          /* only for those who may operate */
        enum decision decision; /* for api_decide() */
        bool pauses;            /* for api_pause() */
};

/* Whether who asks may operate: those who send alerts do not approve what they set off. -EACCES is told in
 * `error`. For the handler, on the event thread. */
bool api_may_operate(const struct api *api, const struct http_exchange *exchange, struct error *error);

/* An incident as the API shows it; with steps and timeline (which it takes) when `whole`. NULL when out of
 * memory. */
cJSON *api_incident(const struct incident *incident, bool whole, cJSON *timeline);

/* A wall time; null when there is none yet. */
cJSON *api_time(nsec wall);

/* {"error": "…"} with the status that fits the errno. */
void api_reply_error(struct http_exchange *exchange, int result, const struct error *error);
/* Takes the document; NULL answers 500. */
void api_reply_json(struct http_exchange *exchange, cJSON *take);

#endif

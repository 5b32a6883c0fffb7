/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/v1/alerts: an Alertmanager webhook is read whole, journaled, and only then answered with 200.
 *
 * 400 is for what would be wrong for ever, 503 for what may work in a moment (Alertmanager retries only 5xx);
 * never 429, never a redirect. Bodies of more than 64 KiB, and those whose alerts `max_alerts` has cut, are
 * worked on by a worker thread; the rest of a cut group is fetched from Alertmanager before the answer.
 */
#ifndef RESPONDER_WEB_WEBHOOK_H
#define RESPONDER_WEB_WEBHOOK_H

#include "responder/journal/journal.h"
#include "runbook/http_server.h"
#include "runbook/workers.h"

struct webhook_receiver;

/* All borrowed. */
struct webhook_options {
        struct journal *journal;
        struct workers *workers;
        const char *alertmanager_url; /* "": cut groups are taken as they come, with a warning */
        void (*wake)(void *context);  /* alerts have been journaled; any thread, never blocks */
        void *context;
};

int webhook_receiver_new(const struct webhook_options *options, struct webhook_receiver **ret,
                         struct error *error);
/* Waits until every webhook that is under way was answered; takes NULL. Call it when no more can come. */
struct webhook_receiver *webhook_receiver_free(struct webhook_receiver *receiver);

/* The route's handler: suspends the exchange, and answers it when the alerts are durable. */
void webhook_receive(struct webhook_receiver *receiver, struct http_exchange *exchange);

#endif

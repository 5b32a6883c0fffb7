/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/v1/alerts: an Alertmanager webhook is read whole, journaled, and only then answered with 200.
 *
 * 400 is for what would be wrong for ever, 503 for what may work in a moment (Alertmanager retries only 5xx);
 * never 429, never a redirect. Bodies of more than 64 KiB are worked on by a worker thread. Another one
 * fetches the rest of a group whose alerts `max_alerts` has cut: before the answer, but after what was
 * delivered is journaled. An alert that cannot be read costs itself: it is logged, counted, and told in the
 * answer.
 */
#ifndef RESPONDER_WEB_WEBHOOK_H
#define RESPONDER_WEB_WEBHOOK_H

#include "responder/incident/meters.h"
#include "responder/journal/journal.h"
#include "runbook/http_server.h"
#include "runbook/workers.h"

struct webhook_receiver;

/* Threads, and how much may wait for them; what comes beyond it is told to come again. */
struct webhook_workers {
        struct workers *workers;
        unsigned waiting;
};

/* All borrowed. */
struct webhook_options {
        struct journal *journal;
        struct webhook_workers reading;  /* for what is large */
        struct webhook_workers fetching; /* for what waits for Alertmanager */
        struct meters *meters;
        /* Of now; "": cut groups are taken as they come, with a warning; free() it; NULL: out of memory. */
        char *(*alertmanager_url)(void *context);
        void (*wake)(void *context); /* alerts have been journaled; any thread, never blocks */
        void *context;
};

int webhook_receiver_new(const struct webhook_options *options, struct webhook_receiver **ret,
                         struct error *error);
/* Waits until every webhook that is under way was answered; takes NULL. Call it when no more can come. */
struct webhook_receiver *webhook_receiver_free(struct webhook_receiver *receiver);

/* The route's handler: suspends the exchange, and answers it when the alerts are durable. */
void webhook_receive(struct webhook_receiver *receiver, struct http_exchange *exchange);

#endif

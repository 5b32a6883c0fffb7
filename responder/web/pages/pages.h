/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The responder's pages for people, a file each: what goes on, one incident, what was, what there is.
 *
 * responder/web/pages turns what the journal has into words: never a raw state, a line of JSON or a time in
 * milliseconds. It knows who looks only as far as that matters to what is shown (struct visit); who may do
 * what is responder/web's. It uses responder/engine, responder/incident, responder/journal,
 * responder/remediation, responder/alert, the configuration of responder/targets, lib/http/server, lib/html,
 * lib/base and lib/config.
 */
#ifndef RESPONDER_WEB_PAGES_PAGES_H
#define RESPONDER_WEB_PAGES_PAGES_H

#include "responder/engine/engine.h"
#include "runbook/http_server.h"

/* Who looks, when, and at what. Borrowed until the page is answered. */
struct visit {
        const struct incident_parts *parts;
        struct http_exchange *exchange;
        nsec now;                    /* wall */
        nsec started_at, webhook_at; /* wall: of this process, of the last webhook that was taken; 0: none */
};

/* Answers the exchange. On a worker: it may read the journal. */
typedef void page_maker(const struct visit *visit);
page_maker page_now, page_incident;

#endif

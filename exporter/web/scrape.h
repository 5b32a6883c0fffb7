/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /metrics: starts what is due, leaves the request open, and answers it at the last result or at its
 * deadline, whichever comes first.
 *
 * The handler runs on the server's event thread and never encodes: it either answers from memory or hands the
 * exchange to the scrape's own thread, which is the only one that builds pages and answers.
 *
 * exporter/web is what the exporter answers over HTTP: this, /probe, the landing page, traces. It knows
 * checks by their runs alone. It uses exporter/schedule, exporter/check, lib/http/server, lib/html, lib/base,
 * lib/config and lib/metrics.
 */
#ifndef EXPORTER_WEB_SCRAPE_H
#define EXPORTER_WEB_SCRAPE_H

#include "exporter/check/exporter_samples.h"
#include "exporter/web/selection.h"

struct scrape;

/*
 * Makes the schedule of `set` and starts the thread; a `predecessor` (may be NULL) hands over what is
 * unchanged, and is to be retired. `runs_at_start`: what has never run does, once, before somebody asks.
 * Takes a reference of `set`; `workers` and `status` are borrowed.
 */
int scrape_new(struct check_set *set, struct workers *workers, bool runs_at_start, struct scrape *predecessor,
               const struct process_status *status, struct scrape **ret, struct error *error);

/*
 * After the last scrape_handle(): what waits is still answered, by the checks that it came for; then the
 * schedule is freed. scrape_is_over() tells when; scrape_free() may be called any time.
 */
void scrape_retire(struct scrape *scrape);
bool scrape_is_over(struct scrape *scrape);

/* Answers one GET /metrics, now or later. On the event thread. */
void scrape_handle(struct scrape *scrape, struct http_exchange *exchange);

/* Answers any request for what is selected, in the same manner; the selection is emptied. */
void scrape_serve(struct scrape *scrape, struct http_exchange *exchange, struct selection *selection);

struct schedule *scrape_schedule(struct scrape *scrape);
const struct check_set *scrape_set(const struct scrape *scrape);

/* Answers everything that waits with 503, and what comes later too; ends the thread. Before the server stops.
 */
void scrape_stop(struct scrape *scrape);

/* After scrape_stop(); the last of them only once no run is left. Takes NULL. */
struct scrape *scrape_free(struct scrape *scrape);

#endif

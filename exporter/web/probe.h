/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /probe?check=NAME: one check alone, as a scrape; with target=T pointed at one of its `targets:`; with
 * debug=1 a fresh run of it, step by step.
 */
#ifndef EXPORTER_WEB_PROBE_H
#define EXPORTER_WEB_PROBE_H

#include "exporter/web/scrape.h"

/* Answers now or later. On the event thread. */
void probe_handle(struct scrape *scrape, struct http_exchange *exchange);

#endif

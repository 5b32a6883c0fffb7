/* SPDX-License-Identifier: Apache-2.0 */
/* What the room's tests look into. */
#ifndef EXPORTER_WEB_INTERNAL_H
#define EXPORTER_WEB_INTERNAL_H

#include "runbook/clock.h"

/*
 * How long a scrape may take, from Prometheus' X-Prometheus-Scrape-Timeout-Seconds: half a second less, so
 * that the page arrives in time; half of it when it is shorter than a second. NULL and nonsense: 10 s.
 */
nsec scrape_allowance(const char *timeout_header);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that were refused for who made them: counted by route, and logged now and then. */
#ifndef RESPONDER_WEB_REFUSALS_H
#define RESPONDER_WEB_REFUSALS_H

#include "responder/incident/meters.h"
#include "runbook/clock.h"

/* On the server's event thread alone. */
struct refusals {
        nsec logged_at;    /* monotonic; 0: not yet */
        unsigned unlogged; /* since then */
};

/* Of a request that was answered with that; whatever is neither 401 nor 403 is passed over. `route_path` is
 * NULL when there is none. What only asks whether anybody answers is counted, and never logged. */
void refusals_note(struct refusals *refusals, struct meters *meters, const char *route_path, unsigned status,
                   nsec now);

#endif

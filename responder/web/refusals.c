/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that were refused for who made them. */
#include "responder/web/refusals.h"

#include <stdio.h>
#include <string.h>

#include "runbook/log.h"

#define LOG_EVERY (10 * NSEC_PER_SEC)

void refusals_note(struct refusals *refusals, struct meters *meters, const char *route_path, unsigned status,
                   nsec now)
{
        if (status != 401 && status != 403)
                return;
        meters_refused(meters, route_path ? route_path : "", status);
        /* Who watches over a container has no password, and asks all day whether anybody answers. */
        if (route_path && strcmp(route_path, "/-/healthy") == 0)
                return;
        refusals->unlogged++;
        if (refusals->logged_at != 0 && now - refusals->logged_at < LOG_EVERY)
                return;
        char count[16], code[16];
        snprintf(count, sizeof(count), "%u", refusals->unlogged);
        snprintf(code, sizeof(code), "%u", status);
        log_event(LOG_WARN, "Requests were refused for who made them", "requests", count, "last", route_path,
                  "status", code, NULL);
        refusals->logged_at = now;
        refusals->unlogged = 0;
}

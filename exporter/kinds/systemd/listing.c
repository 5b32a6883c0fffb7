/* SPDX-License-Identifier: Apache-2.0 */
/* All units that systemd has loaded. */
#include "exporter/kinds/systemd/listing.h"

#include <errno.h>
#include <string.h>

#include "runbook/trace.h"
#include "runbook/words.h"

SYSTEMD_LISTING_FAMILIES(DEFINE_SHARED_FAMILY)

const char *const systemd_states[SYSTEMD_STATES] = {"active",     "reloading",    "inactive",   "failed",
                                                    "activating", "deactivating", "maintenance"};
static const char *const types[] = {"automount", "device", "mount", "path",   "scope", "service",
                                    "slice",     "socket", "swap",  "target", "timer"};

bool systemd_is_active(const char *state)
{
        return strcmp(state, "active") == 0 || strcmp(state, "reloading") == 0;
}

static int add(struct systemd_listing *listing, const char *name, const char *state)
{
        if (listing->count == listing->capacity) {
                size_t capacity = listing->capacity ? 2 * listing->capacity : 256;
                struct systemd_listed *larger = reallocarray(listing->units, capacity, sizeof(*larger));
                if (!larger)
                        return -ENOMEM;
                listing->units = larger;
                listing->capacity = capacity;
        }
        int known = words_find(systemd_states, SYSTEMD_STATES, state);
        char *copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        listing->units[listing->count++] =
                (struct systemd_listed){.name = copy, .state = known < 0 ? "" : systemd_states[known]};
        return 0;
}

/* Name, description, load state, active state, sub state, who it follows, path, and the job: id, type, path.
 */
#define LISTED "(ssssssouso)"

static int read_units(sd_bus_message *reply, struct systemd_listing *listing)
{
        const char *name, *state;
        int r = sd_bus_message_enter_container(reply, 'a', LISTED);
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'r', "ssssssouso")) > 0) {
                r = sd_bus_message_read(reply, "ssssssouso", &name, NULL, NULL, &state, NULL, NULL, NULL,
                                        NULL, NULL, NULL);
                if (r >= 0)
                        r = add(listing, name, state);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r;
}

static int compare(const void *a, const void *b)
{
        return strcmp(((const struct systemd_listed *)a)->name, ((const struct systemd_listed *)b)->name);
}

int systemd_list(sd_bus *bus, struct deadline deadline, struct systemd_listing *ret, struct error *error)
{
        _cleanup_(systemd_listing_release) struct systemd_listing listing = {0};
        sd_bus_error failure = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        trace_step(deadline, "asking for all units");
        sd_bus_set_method_call_timeout(bus, systemd_patience(deadline));
        int r = sd_bus_call_method(bus, SYSTEMD_SERVICE, "/org/freedesktop/systemd1",
                                   SYSTEMD_SERVICE ".Manager", "ListUnits", &failure, &reply, "");
        if (r >= 0)
                r = read_units(reply, &listing);
        if (r < 0)
                error_set(error, -r, "the list of units: %s",
                          failure.message ? failure.message : error_reason(-r));
        sd_bus_error_free(&failure);
        sd_bus_message_unref(reply);
        if (r < 0)
                return r;
        if (listing.count > 0)
                qsort(listing.units, listing.count, sizeof(*listing.units), compare);
        *ret = listing;
        listing = (struct systemd_listing){0};
        return 0;
}

void systemd_listing_release(struct systemd_listing *listing)
{
        for (size_t i = 0; i < listing->count; i++)
                free(listing->units[i].name);
        free(listing->units);
        *listing = (struct systemd_listing){0};
}

void systemd_listing_count(const struct systemd_listing *listing, struct sample_sink *sink)
{
        size_t counts[N_ELEMENTS(types)][SYSTEMD_STATES] = {0};
        for (size_t i = 0; i < listing->count; i++) {
                const char *dot = strrchr(listing->units[i].name, '.');
                int type = words_find(types, N_ELEMENTS(types), dot ? dot + 1 : "");
                int state = words_find(systemd_states, SYSTEMD_STATES, listing->units[i].state);
                if (type >= 0 && state >= 0)
                        counts[type][state]++;
        }
        for (size_t type = 0; type < N_ELEMENTS(types); type++)
                for (size_t state = 0; state < SYSTEMD_STATES; state++)
                        SAMPLE(sink, &systemd_units, (double)counts[type][state], {"type", types[type]},
                               {"state", systemd_states[state]});
}

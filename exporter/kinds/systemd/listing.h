/* SPDX-License-Identifier: Apache-2.0 */
/* All units that systemd has loaded: counted, and chosen by patterns. */
#ifndef EXPORTER_KINDS_SYSTEMD_LISTING_H
#define EXPORTER_KINDS_SYSTEMD_LISTING_H

#include "exporter/kinds/systemd/manager.h"
#include "runbook/metrics.h"

#define SYSTEMD_LISTING_FAMILIES(X)                            \
        X(systemd_units, GAUGE, "runbook_systemd_units", NULL, \
          "Units that systemd has loaded, by their type and the state they are in.")

SYSTEMD_LISTING_FAMILIES(DECLARE_FAMILY)

enum { SYSTEMD_STATES = 7 };
extern const char *const systemd_states[SYSTEMD_STATES]; /* "active", "reloading", … */

/* Whether a unit that must be active is as it should be. */
bool systemd_is_active(const char *state);

struct systemd_listed {
        char *name;
        const char *state; /* one of systemd_states; "" for one that is not known */
        bool asked;        /* already in this run */
};

/* Sorted by name. */
struct systemd_listing {
        struct systemd_listed *units;
        size_t count, capacity;
};

int systemd_list(sd_bus *bus, struct deadline deadline, struct systemd_listing *ret, struct error *error);
void systemd_listing_release(struct systemd_listing *listing);

/* How many there are of each type and state, also where there are none. */
void systemd_listing_count(const struct systemd_listing *listing, struct sample_sink *sink);

#endif

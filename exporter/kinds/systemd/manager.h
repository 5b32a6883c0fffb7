/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's manager over D-Bus: connecting to it, and its properties. One thread at a time. */
#ifndef EXPORTER_KINDS_SYSTEMD_MANAGER_H
#define EXPORTER_KINDS_SYSTEMD_MANAGER_H

#include <systemd/sd-bus.h>

#include "runbook/clock.h"
#include "runbook/error.h"

#define SYSTEMD_SERVICE "org.freedesktop.systemd1"

/* Connects and waits until it is greeted, which sd-bus itself would do without regard to the deadline.
 * `direct`: it is systemd's own socket and no bus. */
int systemd_connect(const char *address, bool direct, struct deadline deadline, sd_bus **ret,
                    struct error *error);
void systemd_disconnect(sd_bus **bus);

/* What is left, for sd-bus: 0 would be its own default. */
uint64_t systemd_patience(struct deadline deadline);

/* One unit that is asked about. */
struct systemd_unit {
        sd_bus *bus;
        const char *name, *path;
        struct deadline deadline;
};

/*
 * One property of the type 's' (*ret is a char *, owned), 't' (uint64_t) or 'u' (uint32_t). -EBADR when this
 * systemd has no such property.
 */
int systemd_property(const struct systemd_unit *unit, const char *interface, const char *member, char type,
                     void *ret, struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's manager over D-Bus. */
#include "exporter/kinds/systemd/manager.h"

#include <errno.h>

#include "runbook/trace.h"

void systemd_disconnect(sd_bus **bus)
{
        sd_bus_close_unref(*bus);
}

uint64_t systemd_patience(struct deadline deadline)
{
        uint64_t left = (uint64_t)deadline_left(deadline) / 1000;
        return left > 0 ? left : 1;
}

int systemd_connect(const char *address, bool direct, struct deadline deadline, sd_bus **ret,
                    struct error *error)
{
        _cleanup_(systemd_disconnect) sd_bus *bus = NULL;
        trace_step(deadline, "connecting to D-Bus at %s", address);
        int r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, !direct);
        if (r >= 0)
                r = sd_bus_start(bus);
        while (r >= 0 && sd_bus_is_ready(bus) == 0) {
                if (deadline_passed(deadline))
                        return error_set(error, ETIMEDOUT, "%s: no answer in time", address);
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, systemd_patience(deadline));
        }
        if (r < 0) {
                error_set_errno(error, -r, "%s", address);
                return r == -ENOENT ? error_not_set_up(error, r) : r;
        }
        *ret = TAKE_PTR(bus);
        return 0;
}

int systemd_property(const struct systemd_unit *unit, const char *interface, const char *member, char type,
                     void *ret, struct error *error)
{
        sd_bus_error failure = SD_BUS_ERROR_NULL;
        sd_bus_set_method_call_timeout(unit->bus, systemd_patience(unit->deadline));
        int r = type == 's' ? sd_bus_get_property_string(unit->bus, SYSTEMD_SERVICE, unit->path, interface,
                                                         member, &failure, ret)
                            : sd_bus_get_property_trivial(unit->bus, SYSTEMD_SERVICE, unit->path, interface,
                                                          member, &failure, type, ret);
        if (r < 0)
                error_set(error, -r, "%s: %s: %s", unit->name, member,
                          failure.message ? failure.message : error_reason(-r));
        sd_bus_error_free(&failure);
        return r < 0 ? r : 0;
}

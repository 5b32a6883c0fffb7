/* SPDX-License-Identifier: Apache-2.0 */
/* What a unit uses: properties of the interface of its type. */
#include "exporter/kinds/systemd/resources.h"

#include <errno.h>
#include <string.h>

#define NOT_ACCOUNTED UINT64_MAX /* how systemd writes that it does not know */

SYSTEMD_RESOURCE_FAMILIES(DEFINE_SHARED_FAMILY)

static const struct {
        const char *member;
        const struct metric_family *family;
        double unit;
} properties[] = {
        {"MemoryCurrent", &systemd_memory, 1}, {"MemoryPeak", &systemd_memory_peak, 1},
        {"CPUUsageNSec", &systemd_cpu, 1e-9},  {"TasksCurrent", &systemd_tasks, 1},
        {"IOReadBytes", &systemd_io_read, 1},  {"IOWriteBytes", &systemd_io_written, 1},
};

/* Units with a control group: by their suffix, and the interface that tells of it. */
static const struct {
        const char *suffix, *interface;
} types[] = {
        {".service", SYSTEMD_SERVICE ".Service"}, {".slice", SYSTEMD_SERVICE ".Slice"},
        {".scope", SYSTEMD_SERVICE ".Scope"},     {".socket", SYSTEMD_SERVICE ".Socket"},
        {".mount", SYSTEMD_SERVICE ".Mount"},     {".swap", SYSTEMD_SERVICE ".Swap"},
};

static const char *interface_of(const char *name)
{
        const char *suffix = strrchr(name, '.');
        for (size_t i = 0; suffix && i < N_ELEMENTS(types); i++)
                if (strcmp(suffix, types[i].suffix) == 0)
                        return types[i].interface;
        return NULL;
}

int systemd_resources_add(const struct systemd_unit *unit, struct sample_sink *sink, struct error *error)
{
        const char *interface = interface_of(unit->name);
        for (size_t i = 0; interface && i < N_ELEMENTS(properties); i++) {
                _cleanup_error_ struct error reason = {0};
                uint64_t value = NOT_ACCOUNTED;
                int r = systemd_property(unit, interface, properties[i].member, 't', &value, &reason);
                if (r == -EBADR)
                        continue; /* another version of systemd */
                if (r < 0) {
                        error_move(error, &reason);
                        return r;
                }
                if (value != NOT_ACCOUNTED)
                        SAMPLE(sink, properties[i].family, (double)value * properties[i].unit,
                               {"unit", unit->name});
        }
        return 0;
}

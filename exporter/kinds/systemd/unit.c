/* SPDX-License-Identifier: Apache-2.0 */
/* How one unit stands: its state, and when and how it came to that. */
#include "exporter/kinds/systemd/unit.h"

#include <errno.h>
#include <string.h>

#include "exporter/kinds/systemd/listing.h"
#include "runbook/trace.h"

SYSTEMD_UNIT_FAMILIES(DEFINE_SHARED_FAMILY)

static const char unit_interface[] = SYSTEMD_SERVICE ".Unit";

/* Times that never were are 0 and are left out. */
static int add_time(const struct systemd_unit *unit, const char *interface, const char *member,
                    const struct metric_family *family, struct sample_sink *sink, struct error *error)
{
        uint64_t usec = 0;
        int r = systemd_property(unit, interface, member, 't', &usec, error);
        if (r == 0 && usec > 0)
                SAMPLE(sink, family, (double)usec / 1e6, {"unit", unit->name});
        return r;
}

static int add_service(const struct systemd_unit *unit, bool must_succeed, struct sample_sink *sink,
                       struct error *error)
{
        static const char interface[] = SYSTEMD_SERVICE ".Service";
        _cleanup_free_ char *result = NULL;
        uint32_t count = 0;
        int r = systemd_property(unit, interface, "NRestarts", 'u', &count, error);
        if (r < 0)
                return r;
        SAMPLE(sink, &systemd_restarts, count, {"unit", unit->name});
        r = add_time(unit, interface, "ExecMainExitTimestamp", &systemd_last_exit, sink, error);
        if (r == 0)
                r = systemd_property(unit, interface, "Result", 's', &result, error);
        if (r < 0)
                return r;
        bool success = string_equal(result, "success");
        SAMPLE(sink, &systemd_last_success, success, {"unit", unit->name});
        return success || !must_succeed
                       ? 0
                       : error_failed(error, error_set(error, ENODATA, "%s: its last run ended with %s",
                                                       unit->name, result));
}

static bool has_suffix(const char *name, const char *suffix)
{
        return strcmp(strrchr(name, '.'), suffix) == 0;
}

int systemd_unit_look(const struct systemd_unit *unit, char **ret_state, struct error *error)
{
        _cleanup_free_ char *loaded = NULL;
        trace_step(unit->deadline, "asking about %s", unit->name);
        int r = systemd_property(unit, unit_interface, "LoadState", 's', &loaded, error);
        if (r < 0)
                return r;
        if (strcmp(loaded, "loaded") != 0)
                return error_failed(error, error_set(error, ENOENT, "%s is %s", unit->name, loaded));
        return systemd_property(unit, unit_interface, "ActiveState", 's', ret_state, error);
}

int systemd_unit_add(const struct systemd_unit *unit, const char *state, bool must_succeed,
                     struct sample_sink *sink, struct error *error)
{
        for (size_t i = 0; i < SYSTEMD_STATES; i++)
                SAMPLE(sink, &systemd_state, strcmp(state, systemd_states[i]) == 0, {"unit", unit->name},
                       {"state", systemd_states[i]});
        int r = add_time(unit, unit_interface, "ActiveEnterTimestamp", &systemd_active_since, sink, error);
        if (r == 0)
                r = add_time(unit, unit_interface, "InactiveEnterTimestamp", &systemd_inactive_since, sink,
                             error);
        if (r == 0 && has_suffix(unit->name, ".timer"))
                r = add_time(unit, SYSTEMD_SERVICE ".Timer", "LastTriggerUSec", &systemd_last_trigger, sink,
                             error);
        if (r == 0 && has_suffix(unit->name, ".service"))
                r = add_service(unit, must_succeed, sink, error);
        return r;
}

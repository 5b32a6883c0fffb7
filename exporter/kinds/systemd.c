/* SPDX-License-Identifier: Apache-2.0 */
/* Kind systemd: how units stand, asked over D-Bus by sd-bus; no process is started. */
#include <errno.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "exporter/check/check.h"
#include "exporter/kinds/shared/unit_name.h"
#include "runbook/trace.h"

#define UNITS_MAX 100
#define SERVICE "org.freedesktop.systemd1"

struct systemd_config {
        struct config_strings units, finished;
        char *address;
        bool direct;
};

static const struct config_field fields[] = {
        {"units", CONFIG_STRINGS, offsetof(struct systemd_config, units),
         .help = "Units that must be active, with their suffix"},
        {"finished", CONFIG_STRINGS, offsetof(struct systemd_config, finished),
         .help = "Services that come and go, such as logrotate.service: their last run must have been a "
                 "success"},
        {"address", CONFIG_STRING, offsetof(struct systemd_config, address), .flags = CONFIG_NOT_EMPTY,
         .fallback = "unix:path=/run/dbus/system_bus_socket", .help = "Where D-Bus is"},
        {"direct", CONFIG_BOOL, offsetof(struct systemd_config, direct), .fallback = "false",
         .help = "The address is systemd's own socket, unix:path=/run/systemd/private, and not a bus"},
        {0},
};

#define FAMILIES(X)                                                                               \
        X(unit_state, GAUGE, "runbook_systemd_unit_state", NULL,                                  \
          "Whether the unit is in the state; one state is 1.")                                    \
        X(active_since, GAUGE, "runbook_systemd_unit_active_enter_timestamp_seconds", "seconds",  \
          "When the unit became active for the last time.")                                       \
        X(restarts, COUNTER, "runbook_systemd_unit_restarts_total", NULL,                         \
          "How often systemd restarted the service by itself.")                                   \
        X(last_exit, GAUGE, "runbook_systemd_unit_last_exit_timestamp_seconds", "seconds",        \
          "When the service's main process ended for the last time.")                             \
        X(last_success, GAUGE, "runbook_systemd_unit_last_result_success", NULL,                  \
          "Whether the last run of the service was a success.")                                   \
        X(last_trigger, GAUGE, "runbook_systemd_timer_last_trigger_timestamp_seconds", "seconds", \
          "When the timer elapsed for the last time.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

static const char *const states[] = {"active",     "reloading",    "inactive",   "failed",
                                     "activating", "deactivating", "maintenance"};

/* The state is the configuration itself: nothing is kept between runs. */
static int systemd_open(const struct check *check, struct config_node *node, void **ret_state,
                        struct error *error _unused_)
{
        const struct systemd_config *config = check->config;
        size_t count = config->units.count + config->finished.count;
        if (count == 0 || count > UNITS_MAX) {
                config_complain(node, NULL, "units or finished is needed, with %d names at most", UNITS_MAX);
                return -EINVAL;
        }
        if (!unit_names_check(&config->units, node, "units") ||
            !unit_names_check(&config->finished, node, "finished"))
                return -EINVAL;
        if (!string_starts(config->address, "unix:path=/")) {
                config_complain(node, "address", "\"%s\" is not unix:path=/…", config->address);
                return -EINVAL;
        }
        *ret_state = check->config;
        return 0;
}

static void *systemd_close(void *state _unused_)
{
        return NULL;
}

static void bus_free_p(sd_bus **bus)
{
        sd_bus_close_unref(*bus);
}

static uint64_t left_usec(struct deadline deadline)
{
        uint64_t left = (uint64_t)deadline_left(deadline) / 1000;
        return left > 0 ? left : 1; /* 0 would be sd-bus' own default */
}

/* Connects and waits until it is greeted, which sd-bus itself would do without regard to the deadline. */
static int connect_bus(const struct systemd_config *config, struct deadline deadline, sd_bus **ret,
                       struct error *error)
{
        _cleanup_(bus_free_p) sd_bus *bus = NULL;
        trace_step(deadline, "connecting to D-Bus at %s", config->address);
        int r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, config->address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, !config->direct);
        if (r >= 0)
                r = sd_bus_start(bus);
        while (r >= 0 && sd_bus_is_ready(bus) == 0) {
                if (deadline_passed(deadline))
                        return error_set(error, ETIMEDOUT, "%s: no answer in time", config->address);
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, left_usec(deadline));
        }
        if (r < 0)
                return error_set_errno(error, -r, "%s", config->address);
        *ret = TAKE_PTR(bus);
        return 0;
}

/* One unit that is asked about. */
struct unit {
        sd_bus *bus;
        const char *name, *path;
        struct deadline deadline;
};

static int get_property(const struct unit *unit, const char *interface, const char *member, char type,
                        void *ret, struct error *error)
{
        sd_bus_error failure = SD_BUS_ERROR_NULL;
        sd_bus_set_method_call_timeout(unit->bus, left_usec(unit->deadline));
        int r = type == 's' ? sd_bus_get_property_string(unit->bus, SERVICE, unit->path, interface, member,
                                                         &failure, ret)
                            : sd_bus_get_property_trivial(unit->bus, SERVICE, unit->path, interface, member,
                                                          &failure, type, ret);
        if (r < 0)
                error_set(error, -r, "%s: %s: %s", unit->name, member,
                          failure.message ? failure.message : error_reason(-r));
        sd_bus_error_free(&failure);
        return r < 0 ? r : 0;
}

/* Times that never were are 0 and are left out. */
static int add_time(const struct unit *unit, const char *interface, const char *member,
                    const struct metric_family *family, struct sample_sink *sink, struct error *error)
{
        uint64_t usec = 0;
        int r = get_property(unit, interface, member, 't', &usec, error);
        if (r == 0 && usec > 0)
                SAMPLE(sink, family, (double)usec / 1e6, {"unit", unit->name});
        return r;
}

static int ask_service(const struct unit *unit, bool must_succeed, struct sample_sink *sink,
                       struct error *error)
{
        static const char interface[] = SERVICE ".Service";
        _cleanup_free_ char *result = NULL;
        uint32_t count = 0;
        int r = get_property(unit, interface, "NRestarts", 'u', &count, error);
        if (r < 0)
                return r;
        SAMPLE(sink, &restarts, count, {"unit", unit->name});
        r = add_time(unit, interface, "ExecMainExitTimestamp", &last_exit, sink, error);
        if (r == 0)
                r = get_property(unit, interface, "Result", 's', &result, error);
        if (r < 0)
                return r;
        bool success = strcmp(result, "success") == 0;
        SAMPLE(sink, &last_success, success, {"unit", unit->name});
        return success || !must_succeed
                       ? 0
                       : error_set(error, ENODATA, "%s: its last run ended with %s", unit->name, result);
}

static bool has_suffix(const char *name, const char *suffix)
{
        return strcmp(strrchr(name, '.'), suffix) == 0;
}

static int ask_unit(const struct unit *unit, bool must_be_active, struct sample_sink *sink,
                    struct error *error)
{
        static const char interface[] = SERVICE ".Unit";
        _cleanup_free_ char *loaded = NULL, *state = NULL;
        trace_step(unit->deadline, "asking about %s", unit->name);
        int r = get_property(unit, interface, "LoadState", 's', &loaded, error);
        if (r < 0)
                return r;
        if (strcmp(loaded, "loaded") != 0)
                return error_set(error, ENOENT, "%s is %s", unit->name, loaded);
        r = get_property(unit, interface, "ActiveState", 's', &state, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < N_ELEMENTS(states); i++)
                SAMPLE(sink, &unit_state, strcmp(state, states[i]) == 0, {"unit", unit->name},
                       {"state", states[i]});
        r = add_time(unit, interface, "ActiveEnterTimestamp", &active_since, sink, error);
        if (r == 0 && has_suffix(unit->name, ".timer"))
                r = add_time(unit, SERVICE ".Timer", "LastTriggerUSec", &last_trigger, sink, error);
        if (r == 0 && has_suffix(unit->name, ".service"))
                r = ask_service(unit, !must_be_active, sink, error);
        if (r == 0 && must_be_active && strcmp(state, "active") != 0 && strcmp(state, "reloading") != 0)
                r = error_set(error, ENODATA, "%s is %s", unit->name, state);
        return r;
}

/* Goes on after a failure, unless time is over: the other units are still worth telling. */
static int ask_all(const struct systemd_config *config, sd_bus *bus, struct deadline deadline,
                   struct sample_sink *sink, struct error *error)
{
        size_t active = config->units.count, count = active + config->finished.count;
        int result = 0;
        for (size_t i = 0; i < count && result != -ETIMEDOUT; i++) {
                _cleanup_error_ struct error reason = {0};
                _cleanup_free_ char *path = NULL;
                const char *name = i < active ? config->units.items[i] : config->finished.items[i - active];
                int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &path);
                if (r < 0)
                        return error_oom(error);
                r = ask_unit(&(struct unit){.bus = bus, .name = name, .path = path, .deadline = deadline},
                             i < active, sink, &reason);
                if (r < 0 && (result == 0 || r == -ETIMEDOUT)) {
                        result = r;
                        error_move(error, &reason);
                }
        }
        return result;
}

static int systemd_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        const struct systemd_config *config = state;
        _cleanup_(bus_free_p) sd_bus *bus = NULL;
        int r = connect_bus(config, deadline, &bus, error);
        return r < 0 ? r : ask_all(config, bus, deadline, sink, error);
}

/* The labels of its families. */
static const char *const labels[] = {"unit", "state", NULL};

const struct check_kind check_kind_systemd = {
        .name = "systemd",
        .help = "How units of systemd stand, over D-Bus.",
        .fields = fields,
        .config_size = sizeof(struct systemd_config),
        .target_key = "address",
        .families = families,
        .labels = labels,
        .open = systemd_open,
        .run = systemd_run,
        .close = systemd_close,
};

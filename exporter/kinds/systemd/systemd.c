/* SPDX-License-Identifier: Apache-2.0 */
/* Kind systemd: how units stand and what they use, asked over D-Bus by sd-bus; no process is started. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "exporter/check/check.h"
#include "exporter/check/skipped.h"
#include "exporter/kinds/shared/globs.h"
#include "exporter/kinds/shared/group_names.h"
#include "exporter/kinds/shared/unit_name.h"
#include "exporter/kinds/systemd/listing.h"
#include "exporter/kinds/systemd/resources.h"
#include "exporter/kinds/systemd/unit.h"

#define UNITS_MAX 100
#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"

struct systemd_config {
        struct config_strings units, finished, groups;
        char *address, *user;
        bool direct;
};

static const struct config_field fields[] = {
        {"units", CONFIG_STRINGS, offsetof(struct systemd_config, units),
         .help = "Units that must be active, with their suffix; or patterns with *, ? and [abc], which mean "
                 "those "
                 "that systemd has loaded"},
        {"finished", CONFIG_STRINGS, offsetof(struct systemd_config, finished),
         .help = "Services that come and go, such as logrotate.service, or patterns of them: their last run "
                 "must "
                 "have been a success"},
        {"groups", CONFIG_STRINGS, offsetof(struct systemd_config, groups),
         .help = "What to measure: `state`, `resources`, `counts`; the first two when not given. `counts` is "
                 "of "
                 "all units that there are, and needs none named"},
        {"user", CONFIG_STRING, offsetof(struct systemd_config, user), .flags = CONFIG_NOT_EMPTY,
         .help = "The user, by name or number, whose own systemd is asked, in place of address and direct; "
                 "takes "
                 "root or that user"},
        {"address", CONFIG_STRING, offsetof(struct systemd_config, address), .flags = CONFIG_NOT_EMPTY,
         .fallback = SYSTEM_BUS, .help = "Where D-Bus is"},
        {"direct", CONFIG_BOOL, offsetof(struct systemd_config, direct), .fallback = "false",
         .help = "The address is systemd's own socket, unix:path=/run/systemd/private, and not a bus"},
        {0},
};

#define ALL_FAMILIES(X) SYSTEMD_UNIT_FAMILIES(X) SYSTEMD_RESOURCE_FAMILIES(X) SYSTEMD_LISTING_FAMILIES(X)
static const struct metric_family *const families[] = {ALL_FAMILIES(FAMILY_ADDRESS) NULL};

/* Bits, by the order of their names. */
enum { GROUP_STATE = 1 << 0, GROUP_RESOURCES = 1 << 1, GROUP_COUNTS = 1 << 2 };
static const char *const group_names[] = {"state", "resources", "counts"};

struct systemd_check {
        const struct systemd_config *config;
        unsigned groups;
        bool has_patterns;
};

static bool is_pattern(const char *name)
{
        return strpbrk(name, "*?[") != NULL;
}

/* Names of units, and patterns that may become some. */
static bool check_names(const struct config_strings *names, struct config_node *node, const char *key,
                        bool *has_patterns)
{
        for (size_t i = 0; i < names->count; i++) {
                char *item = names->items[i];
                const struct config_strings one = {.items = &item, .count = 1};
                if (is_pattern(item))
                        *has_patterns = true;
                else if (!unit_names_check(&one, node, key))
                        return false;
        }
        return true;
}

static bool check_address(const struct systemd_config *config, struct config_node *node)
{
        if (config->user && (config->direct || strcmp(config->address, SYSTEM_BUS) != 0)) {
                config_complain(node, "user", "user stands in place of address and direct");
                return false;
        }
        if (!string_starts(config->address, "unix:path=/")) {
                config_complain(node, "address", "\"%s\" is not unix:path=/…", config->address);
                return false;
        }
        return true;
}

static int systemd_open(const struct check *check, struct config_node *node, void **ret_state,
                        struct error *error)
{
        const struct systemd_config *config = check->config;
        struct systemd_check state = {.config = config};
        size_t count = config->units.count + config->finished.count;
        if (!group_names_read(&config->groups, node, group_names, N_ELEMENTS(group_names), &state.groups))
                return -EINVAL;
        if (config->groups.count == 0)
                state.groups = GROUP_STATE | GROUP_RESOURCES;
        if (count > UNITS_MAX || (count == 0 && state.groups != GROUP_COUNTS)) {
                config_complain(node, NULL, "units or finished is needed, with %d names at most", UNITS_MAX);
                return -EINVAL;
        }
        if (config->finished.count > 0 && !(state.groups & GROUP_STATE)) {
                config_complain(node, "finished",
                                "how a last run ended is in the group state, which is left out");
                return -EINVAL;
        }
        if (!check_names(&config->units, node, "units", &state.has_patterns) ||
            !check_names(&config->finished, node, "finished", &state.has_patterns) ||
            !check_address(config, node))
                return -EINVAL;
        struct systemd_check *kept = malloc(sizeof(*kept));
        if (!kept)
                return error_oom(error);
        *kept = state;
        *ret_state = kept;
        return 0;
}

static void *systemd_close(void *state)
{
        free(state);
        return NULL;
}

/* The id of a user by name or number. */
static int find_user(const char *user, uid_t *ret, struct error *error)
{
        int64_t number = 0;
        char buffer[4096];
        struct passwd entry, *found = NULL;
        if (config_parse_word(CONFIG_INT, user, &number, NULL) >= 0 && number >= 0 && number < UINT32_MAX) {
                *ret = (uid_t)number;
                return 0;
        }
        int code = getpwnam_r(user, &entry, buffer, sizeof(buffer), &found);
        if (!found)
                return error_set(error, code ? code : ENOENT, "there is no user %s", user);
        *ret = entry.pw_uid;
        return 0;
}

static int connect_manager(const struct systemd_config *config, struct deadline deadline, sd_bus **ret,
                           struct error *error)
{
        if (!config->user)
                return systemd_connect(config->address, config->direct, deadline, ret, error);
        uid_t uid = 0;
        int r = find_user(config->user, &uid, error);
        if (r < 0)
                return r;
        /* Their bus lets nobody else in, also not root; systemd's own socket does. */
        _cleanup_free_ char *address = text_format("unix:path=/run/user/%u/systemd/private", uid);
        return address ? systemd_connect(address, true, deadline, ret, error) : error_oom(error);
}

/* One run: what is asked, and the first thing that was wrong. */
struct run {
        const struct systemd_check *check;
        sd_bus *bus;
        struct deadline deadline;
        struct sample_sink *sink;
        struct systemd_listing listing;
        size_t asked;
        int result;
        struct error reason;
};

static void run_release(struct run *run)
{
        systemd_disconnect(&run->bus);
        systemd_listing_release(&run->listing);
        error_clear(&run->reason);
}

/* Takes the error. Goes on after a failure, unless time is over: the other units are still worth telling.
 * What is told is the worst of them. */
static void take_failure(struct run *run, int result, struct error *error)
{
        int kept = error_keep_worse(&run->reason, run->result, error, result);
        run->result = result == -ETIMEDOUT ? result : kept;
}

static int ask_unit(struct run *run, const char *name, bool must_be_active, bool listed, struct error *error)
{
        _cleanup_free_ char *path = NULL, *state = NULL;
        if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &path) < 0)
                return error_oom(error);
        const struct systemd_unit unit = {
                .bus = run->bus, .name = name, .path = path, .deadline = run->deadline};
        int r = systemd_unit_look(&unit, &state, error);
        if (r == -ENOENT && listed)
                return 0; /* gone since it was listed */
        if (r < 0)
                return r;
        if (run->check->groups & GROUP_STATE)
                r = systemd_unit_add(&unit, state, !must_be_active, run->sink, error);
        if (r == 0 && must_be_active && !systemd_is_active(state))
                r = error_failed(error, error_set(error, ENODATA, "%s is %s", name, state));
        if (r != -ETIMEDOUT && run->check->groups & GROUP_RESOURCES) {
                _cleanup_error_ struct error reason = {0};
                int failed = systemd_resources_add(&unit, run->sink, &reason);
                if (failed < 0 && r >= 0) {
                        error_move(error, &reason);
                        r = failed;
                }
        }
        return r;
}

/* Asks about one unit; of what is beyond the limit, only whether it is active, which the list tells. */
static void ask(struct run *run, const char *name, bool must_be_active, const char *listed_state)
{
        _cleanup_error_ struct error error = {0};
        int r = 0;
        if (run->asked++ < UNITS_MAX)
                r = ask_unit(run, name, must_be_active, listed_state != NULL, &error);
        else {
                check_skip(run->sink, SKIP_BEYOND_LIMIT, "%s: patterns choose more than %d units", name,
                           UNITS_MAX);
                if (must_be_active && listed_state && !systemd_is_active(listed_state))
                        r = error_failed(&error, error_set(&error, ENODATA, "%s is %s", name, listed_state));
        }
        take_failure(run, r, &error);
}

static bool is_named(const struct systemd_config *config, const char *name)
{
        return config_strings_have(&config->units, name) || config_strings_have(&config->finished, name);
}

static void ask_pattern(struct run *run, char *pattern, bool must_be_active)
{
        const struct config_strings patterns = {.items = &pattern, .count = 1};
        size_t found = 0;
        for (size_t i = 0; i < run->listing.count && run->result != -ETIMEDOUT; i++) {
                struct systemd_listed *listed = &run->listing.units[i];
                if (!globs_match(&patterns, listed->name))
                        continue;
                found++;
                if (listed->asked || is_named(run->check->config, listed->name))
                        continue;
                listed->asked = true;
                ask(run, listed->name, must_be_active, listed->state);
        }
        if (found > 0 || run->result == -ETIMEDOUT)
                return;
        _cleanup_error_ struct error error = {0};
        take_failure(run, error_set(&error, ENOENT, "no unit that is loaded matches %s", pattern), &error);
}

/* Names first: what is named is not cut for what a pattern finds. */
static void ask_all(struct run *run)
{
        const struct config_strings *lists[] = {&run->check->config->units, &run->check->config->finished};
        for (int patterns = 0; patterns <= 1; patterns++)
                for (size_t list = 0; list < N_ELEMENTS(lists); list++)
                        for (size_t i = 0; i < lists[list]->count && run->result != -ETIMEDOUT; i++) {
                                char *name = lists[list]->items[i];
                                if (is_pattern(name) != (patterns == 1))
                                        continue;
                                if (patterns)
                                        ask_pattern(run, name, list == 0);
                                else
                                        ask(run, name, list == 0, NULL);
                        }
}

static int systemd_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        const struct systemd_check *check = state;
        _cleanup_(run_release) struct run run = {.check = check, .deadline = deadline, .sink = sink};
        int r = connect_manager(check->config, deadline, &run.bus, error);
        if (r >= 0 && (check->has_patterns || check->groups & GROUP_COUNTS))
                r = systemd_list(run.bus, deadline, &run.listing, error);
        if (r < 0)
                return r;
        if (check->groups & GROUP_COUNTS)
                systemd_listing_count(&run.listing, sink);
        ask_all(&run);
        error_move(error, &run.reason);
        return run.result;
}

/* The labels of its families. */
static const char *const labels[] = {"unit", "state", "type", NULL};

const struct check_kind check_kind_systemd = {
        .name = "systemd",
        .help = "How units of systemd stand and what they use, over D-Bus.",
        .fields = fields,
        .config_size = sizeof(struct systemd_config),
        .target_key = "address",
        .families = families,
        .labels = labels,
        .open = systemd_open,
        .run = systemd_run,
        .close = systemd_close,
        .indirect = true,
};

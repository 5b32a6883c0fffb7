/* SPDX-License-Identifier: Apache-2.0 */
/* host.memory: what `free -h` showed on the page of the runbook, written down. */
#include <errno.h>
#include <stdio.h>

#include "responder/actions/shared/plan.h"

/* Which lines of /proc/meminfo are recorded, in KiB there, in bytes here. */
static const struct {
        const char *line, *key;
} wanted[] = {
        {"MemTotal:", "memory_total_bytes"},
        {"MemAvailable:", "memory_available_bytes"},
        {"SwapTotal:", "swap_total_bytes"},
        {"SwapFree:", "swap_free_bytes"},
};

struct memory_config {
        char unused;
};

static const struct config_field memory_fields[] = {{0}};

static int read_memory(cJSON *object, struct error *error)
{
        FILE *file = fopen("/proc/meminfo", "re");
        if (!file)
                return error_set_errno(error, errno, "/proc/meminfo");
        char *line = NULL;
        size_t capacity = 0;
        int r = 0;
        while (r >= 0 && getline(&line, &capacity, file) > 0)
                for (size_t i = 0; i < N_ELEMENTS(wanted); i++)
                        if (string_starts(line, wanted[i].line))
                                r = json_put(object, wanted[i].key,
                                             cJSON_CreateNumber(strtod(line + strlen(wanted[i].line), NULL) *
                                                                1024));
        free(line);
        fclose(file);
        return r < 0 ? error_oom(error) : 0;
}

static int read_load(cJSON *object, struct error *error)
{
        double load[3];
        if (getloadavg(load, N_ELEMENTS(load)) < (int)N_ELEMENTS(load))
                return error_set(error, EIO, "the load average is not known");
        if (json_put(object, "load1", cJSON_CreateNumber(load[0])) < 0 ||
            json_put(object, "load5", cJSON_CreateNumber(load[1])) < 0 ||
            json_put(object, "load15", cJSON_CreateNumber(load[2])) < 0)
                return error_oom(error);
        return 0;
}

static int memory_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        (void)run;
        return plan_new(ret_plan, 1, error, "record the memory and load of this host");
}

static int memory_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        (void)run;
        _cleanup_json_ cJSON *found = cJSON_CreateObject(), *outcome = NULL;
        int r = read_memory(found, error);
        if (r >= 0)
                r = read_load(found, error);
        if (r >= 0)
                r = outcome_new(&outcome, error, "%.0f of %.0f MiB of memory available, load %.2f",
                                json_number(found, "memory_available_bytes", 0) / (1024 * 1024),
                                json_number(found, "memory_total_bytes", 0) / (1024 * 1024),
                                json_number(found, "load1", 0));
        if (r < 0)
                return r;
        if (json_put(outcome, "host", TAKE_PTR(found)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

/* Repeatable: it only reads. */
const struct action action_host_memory = {
        .name = "host.memory",
        .help = "Records the memory, swap and load of the responder's host.",
        .fields = memory_fields,
        .config_size = sizeof(struct memory_config),
        .effect = EFFECT_READ_ONLY,
        .repeatable = true,
        .timeout = 10 * NSEC_PER_SEC,
        .plan = memory_plan,
        .run = memory_run,
};

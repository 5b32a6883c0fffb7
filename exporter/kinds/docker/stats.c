/* SPDX-License-Identifier: Apache-2.0 */
/* The samples of one statistics document of the Engine: cumulative, as the kernel counts. */
#include "exporter/kinds/docker/stats.h"

#include <strings.h>

DOCKER_STATS_FAMILIES(DEFINE_SHARED_FAMILY)

/* Adds `json`'s member times `unit`; nothing when it has no such number. */
static void add_number(const struct docker_series *series, const struct metric_family *family,
                       const cJSON *json, const char *key, double unit)
{
        const cJSON *number = cJSON_GetObjectItemCaseSensitive(json, key);
        if (cJSON_IsNumber(number))
                docker_series_add(series, family, number->valuedouble * unit);
}

static void add_cpu(const struct docker_series *series, const cJSON *cpu, const cJSON *limits)
{
        const cJSON *throttling = json_get(cpu, "throttling_data", NULL);
        add_number(series, &docker_cpu_seconds, json_get(cpu, "cpu_usage", NULL), "total_usage", 1e-9);
        if (json_number(limits, "NanoCpus", 0) <= 0 && json_number(limits, "CpuQuota", 0) <= 0)
                return;
        add_number(series, &docker_cpu_periods, throttling, "periods", 1);
        add_number(series, &docker_cpu_throttled_periods, throttling, "throttled_periods", 1);
        add_number(series, &docker_cpu_throttled_seconds, throttling, "throttled_time", 1e-9);
}

/* As Docker's client reckons it: the cache is `total_inactive_file` in cgroups v1, `inactive_file` in v2. */
static void add_memory(const struct docker_series *series, const cJSON *memory, const cJSON *limits)
{
        double usage = json_number(memory, "usage", -1), limit = json_number(limits, "Memory", 0);
        const cJSON *details = json_get(memory, "stats", NULL);
        double cache = json_number(details, "total_inactive_file", json_number(details, "inactive_file", 0));
        if (usage >= 0)
                docker_series_add(series, &docker_memory_usage, cache < usage ? usage - cache : usage);
        if (limit > 0)
                docker_series_add(series, &docker_memory_limit, limit);
}

static void add_network(const struct docker_series *series, const cJSON *networks)
{
        double received = 0, sent = 0;
        const cJSON *interface;
        if (!networks || !networks->child)
                return;
        cJSON_ArrayForEach(interface, networks)
        {
                received += json_number(interface, "rx_bytes", 0);
                sent += json_number(interface, "tx_bytes", 0);
        }
        docker_series_add(series, &docker_network_receive, received);
        docker_series_add(series, &docker_network_transmit, sent);
}

/* One entry for each device and operation: "Read" and "Write" in cgroups v1, "read" and "write" in v2. */
static void add_block(const struct docker_series *series, const cJSON *entries)
{
        double bytes_read = 0, written = 0;
        const cJSON *entry;
        if (!cJSON_IsArray(entries))
                return;
        cJSON_ArrayForEach(entry, entries)
        {
                const char *operation = json_string(entry, "op");
                if (operation && strcasecmp(operation, "read") == 0)
                        bytes_read += json_number(entry, "value", 0);
                else if (operation && strcasecmp(operation, "write") == 0)
                        written += json_number(entry, "value", 0);
        }
        docker_series_add(series, &docker_block_read, bytes_read);
        docker_series_add(series, &docker_block_written, written);
}

void docker_stats_add(const cJSON *stats, const cJSON *inspected, const struct docker_series *series)
{
        const cJSON *limits = json_get(inspected, "HostConfig", NULL);
        const char *measured = json_string(stats, "read");
        nsec wall;
        /* Of a container that has ended the Engine tells zeroes, measured in the year 1. */
        if (!measured || time_parse(measured, &wall, NULL) < 0 || wall <= 0)
                return;
        add_cpu(series, json_get(stats, "cpu_stats", NULL), limits);
        add_memory(series, json_get(stats, "memory_stats", NULL), limits);
        add_network(series, json_get(stats, "networks", NULL));
        add_block(series, json_get(stats, "blkio_stats", "io_service_bytes_recursive", NULL));
        add_number(series, &docker_pids, json_get(stats, "pids_stats", NULL), "current", 1);
}

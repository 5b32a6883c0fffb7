/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind system: what a capacity report reads of a machine, from /proc: CPU, load, memory, disks, network.
 *
 * No more than that: node_exporter is for all the rest. Rates and shares are left to PromQL.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "exporter/check/check.h"
#include "exporter/kinds/shared/globs.h"
#include "runbook/file.h"

#define FILE_MAX ((size_t)1 << 20) /* a machine with thousands of disks stays below */

struct system_config {
        char *proc;
        struct config_strings devices, exclude_devices, interfaces, exclude_interfaces;
};

static const struct config_field fields[] = {
        {"proc", CONFIG_STRING, offsetof(struct system_config, proc), .flags = CONFIG_NOT_EMPTY,
         .fallback = "/proc", .help = "Where the kernel's /proc is mounted; in a container that of the host"},
        {"devices", CONFIG_STRINGS, offsetof(struct system_config, devices), .fallback = "['*']",
         .help = "Whole disks to tell the I/O of, by patterns with *, ? and [abc]; partitions never are"},
        {"exclude_devices", CONFIG_STRINGS, offsetof(struct system_config, exclude_devices),
         .fallback = "['loop*', 'ram*', 'zram*', 'fd*', 'sr*']", .help = "Disks to leave out of those"},
        {"interfaces", CONFIG_STRINGS, offsetof(struct system_config, interfaces), .fallback = "['*']",
         .help = "Network interfaces to tell the I/O of, by patterns"},
        {"exclude_interfaces", CONFIG_STRINGS, offsetof(struct system_config, exclude_interfaces),
         .fallback = "['lo', 'veth*', 'br-*', 'docker*']", .help = "Interfaces to leave out of those"},
        {0},
};

#define FAMILIES(X)                                                                               \
        X(cpu_seconds, COUNTER, "runbook_system_cpu_seconds_total", "seconds",                    \
          "Time that all CPUs together spent in each mode.")                                      \
        X(cpu_cores, GAUGE, "runbook_system_cpu_cores", NULL, "CPUs that are online.")            \
        X(load_average, GAUGE, "runbook_system_load_average", NULL,                               \
          "Tasks that run or wait, as an average over the window.")                               \
        X(memory_total, GAUGE, "runbook_system_memory_total_bytes", "bytes",                      \
          "The memory that the kernel can use.")                                                  \
        X(memory_available, GAUGE, "runbook_system_memory_available_bytes", "bytes",              \
          "Memory that programs can get without swapping.")                                       \
        X(swap_total, GAUGE, "runbook_system_swap_total_bytes", "bytes", "The size of all swap.") \
        X(swap_free, GAUGE, "runbook_system_swap_free_bytes", "bytes", "Swap that is not used.")  \
        X(disk_read, COUNTER, "runbook_system_disk_read_bytes_total", "bytes",                    \
          "Bytes that were read from the disk.")                                                  \
        X(disk_written, COUNTER, "runbook_system_disk_written_bytes_total", "bytes",              \
          "Bytes that were written to the disk.")                                                 \
        X(disk_busy, COUNTER, "runbook_system_disk_busy_seconds_total", "seconds",                \
          "Time during which the disk had anything to do.")                                       \
        X(network_received, COUNTER, "runbook_system_network_received_bytes_total", "bytes",      \
          "Bytes that came in through the interface.")                                            \
        X(network_sent, COUNTER, "runbook_system_network_sent_bytes_total", "bytes",              \
          "Bytes that went out through the interface.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

/* The columns of the line "cpu" in /proc/stat. What guests use is part of user and nice already. */
static const char *const modes[] = {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"};

static void read_stat(const struct system_config *config _unused_, char *content, struct sample_sink *sink)
{
        double ticks = (double)sysconf(_SC_CLK_TCK);
        unsigned cores = 0;
        for (char *rest = content, *line; (line = strsep(&rest, "\n"));) {
                if (string_starts(line, "cpu") && line[3] >= '0' && line[3] <= '9')
                        cores++;
                if (!string_starts(line, "cpu "))
                        continue;
                char *at = line + 4, *end;
                for (size_t i = 0; i < N_ELEMENTS(modes); i++, at = end) {
                        double value = (double)strtoull(at, &end, 10);
                        if (end == at)
                                break; /* an old kernel has fewer columns */
                        SAMPLE(sink, &cpu_seconds, value / ticks, {"mode", modes[i]});
                }
        }
        SAMPLE_BARE(sink, &cpu_cores, cores);
}

static void read_load(const struct system_config *config _unused_, char *content, struct sample_sink *sink)
{
        double one, five, fifteen;
        if (sscanf(content, "%lf %lf %lf", &one, &five, &fifteen) != 3)
                return;
        SAMPLE(sink, &load_average, one, {"window", "1m"});
        SAMPLE(sink, &load_average, five, {"window", "5m"});
        SAMPLE(sink, &load_average, fifteen, {"window", "15m"});
}

static void read_memory(const struct system_config *config _unused_, char *content, struct sample_sink *sink)
{
        static const struct {
                const char *name;
                const struct metric_family *family;
        } wanted[] = {
                {"MemTotal:", &memory_total},
                {"MemAvailable:", &memory_available},
                {"SwapTotal:", &swap_total},
                {"SwapFree:", &swap_free},
        };
        for (char *rest = content, *line; (line = strsep(&rest, "\n"));)
                for (size_t i = 0; i < N_ELEMENTS(wanted); i++)
                        if (string_starts(line, wanted[i].name))
                                SAMPLE_BARE(sink, wanted[i].family,
                                            (double)strtoull(line + strlen(wanted[i].name), NULL, 10) * 1024);
}

/* "sda1" of "sda", "nvme0n1p2" of "nvme0n1"; a disk whose name ends in a digit puts a p between. */
static bool is_partition_of(const char *name, const char *disk)
{
        size_t length = strlen(disk);
        if (length == 0 || !string_starts(name, disk))
                return false;
        name += length;
        if (disk[length - 1] >= '0' && disk[length - 1] <= '9' && *name++ != 'p')
                return false;
        return *name && strspn(name, "0123456789") == strlen(name);
}

/* Documentation/admin-guide/iostats.rst; a sector is 512 bytes whatever the disk has. */
static void read_disks(const struct system_config *config, char *content, struct sample_sink *sink)
{
        char disk[64] = ""; /* the kernel's names have at most 31 characters; partitions follow their disk */
        for (char *rest = content, *line; (line = strsep(&rest, "\n"));) {
                uint64_t read_sectors, written_sectors, busy;
                char name[64];
                if (sscanf(line, "%*u %*u %63s %*u %*u %" SCNu64 " %*u %*u %*u %" SCNu64 " %*u %*u %" SCNu64,
                           name, &read_sectors, &written_sectors, &busy) != 4 ||
                    is_partition_of(name, disk))
                        continue;
                snprintf(disk, sizeof(disk), "%s", name);
                if (!globs_match(&config->devices, name) || globs_match(&config->exclude_devices, name))
                        continue;
                SAMPLE(sink, &disk_read, (double)read_sectors * 512, {"device", name});
                SAMPLE(sink, &disk_written, (double)written_sectors * 512, {"device", name});
                SAMPLE(sink, &disk_busy, (double)busy / 1000, {"device", name});
        }
}

/* "  eth0: 1296 16 0 0 0 0 0 0 1296 16 …", after two lines of titles without a colon. */
static void read_network(const struct system_config *config, char *content, struct sample_sink *sink)
{
        for (char *rest = content, *line; (line = strsep(&rest, "\n"));) {
                uint64_t received, sent;
                char *colon = strrchr(line, ':');
                if (!colon || sscanf(colon + 1, "%" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &received,
                                     &sent) != 2)
                        continue;
                *colon = '\0';
                const char *name = line + strspn(line, " ");
                if (!globs_match(&config->interfaces, name) || globs_match(&config->exclude_interfaces, name))
                        continue;
                SAMPLE(sink, &network_received, (double)received, {"interface", name});
                SAMPLE(sink, &network_sent, (double)sent, {"interface", name});
        }
}

static const struct {
        const char *name;
        void (*read)(const struct system_config *config, char *content, struct sample_sink *sink);
} sources[] = {
        {"stat", read_stat},       {"loadavg", read_load},    {"meminfo", read_memory},
        {"diskstats", read_disks}, {"net/dev", read_network},
};

/* The state is the configuration itself: nothing is kept between runs. */
static int system_open(const struct check *check, struct config_node *node, void **ret_state,
                       struct error *error _unused_)
{
        const struct system_config *config = check->config;
        if (config->proc[0] != '/') {
                config_complain(node, "proc", "\"%s\" is not an absolute path", config->proc);
                return -EINVAL;
        }
        *ret_state = check->config;
        return 0;
}

static void *system_close(void *state _unused_)
{
        return NULL;
}

/* Goes on after a failure: the rest is still worth telling. */
static int system_run(void *state, struct deadline deadline _unused_, struct sample_sink *sink,
                      struct error *error)
{
        const struct system_config *config = state;
        int result = 0;
        for (size_t i = 0; i < N_ELEMENTS(sources); i++) {
                _cleanup_error_ struct error reason = {0};
                _cleanup_text_ struct text content = {0};
                _cleanup_free_ char *path = text_format("%s/%s", config->proc, sources[i].name);
                if (!path)
                        return error_oom(error);
                int r = file_read_whole(path, FILE_MAX, &content, &reason);
                if (r == 0 && content.data)
                        sources[i].read(config, content.data, sink);
                else if (r < 0 && result == 0) {
                        result = r;
                        error_move(error, &reason);
                }
        }
        return result;
}

/* The labels of its families. */
static const char *const labels[] = {"mode", "window", "device", "interface", NULL};

const struct check_kind check_kind_system = {
        .name = "system",
        .help = "CPU, load, memory, disk and network I/O of the machine, as far as a capacity report needs "
                "them.",
        .fields = fields,
        .config_size = sizeof(struct system_config),
        .families = families,
        .labels = labels,
        .open = system_open,
        .run = system_run,
        .close = system_close,
        .indirect = true,
};

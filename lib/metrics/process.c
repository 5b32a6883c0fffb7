/* SPDX-License-Identifier: Apache-2.0 */
/* The process_* families that every Prometheus client has, of this process, from /proc. */
#include "runbook/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#define FAMILIES(X)                                                                                        \
        X(cpu_seconds, COUNTER, "process_cpu_seconds_total", "seconds",                                    \
          "Total user and system CPU time spent in seconds.")                                              \
        X(open_fds, GAUGE, "process_open_fds", NULL, "Number of open file descriptors.")                   \
        X(max_fds, GAUGE, "process_max_fds", NULL, "Maximum number of open file descriptors.")             \
        X(virtual_memory, GAUGE, "process_virtual_memory_bytes", "bytes", "Virtual memory size in bytes.") \
        X(virtual_memory_max, GAUGE, "process_virtual_memory_max_bytes", "bytes",                          \
          "Maximum amount of virtual memory available in bytes.")                                          \
        X(resident_memory, GAUGE, "process_resident_memory_bytes", "bytes",                                \
          "Resident memory size in bytes.")                                                                \
        X(threads, GAUGE, "process_threads", NULL, "Number of operating system threads.")                  \
        X(start_time, GAUGE, "process_start_time_seconds", "seconds",                                      \
          "Start time of the process since the Unix epoch in seconds.")

FAMILIES(DEFINE_FAMILY)

static inline void file_close_p(FILE **file)
{
        if (*file)
                fclose(*file);
}

/* The kernel's boot as it tells itself, so that the start time is the same number on every page. */
static bool boot_time(uint64_t *ret)
{
        _cleanup_(file_close_p) FILE *file = fopen("/proc/stat", "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        if (!file)
                return false;
        while (getline(&line, &size, file) > 0)
                if (sscanf(line, "btime %" SCNu64, ret) == 1)
                        return true;
        return false;
}

static void put_stat(struct sample_sink *sink)
{
        _cleanup_(file_close_p) FILE *file = fopen("/proc/self/stat", "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        uint64_t user, system, thread_count, start, virtual, resident, boot;
        double ticks = (double)sysconf(_SC_CLK_TCK);
        if (!file || getline(&line, &size, file) <= 0)
                return;
        /* The name in parentheses may hold anything; what follows its last one are fields 3 and on (proc(5)).
         */
        const char *fields = strrchr(line, ')');
        if (!fields || sscanf(fields + 1,
                              " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                              " %*d %*d %*d %*d %" SCNu64 " %*d %" SCNu64 " %" SCNu64 " %" SCNu64,
                              &user, &system, &thread_count, &start, &virtual, &resident) != 6)
                return;
        SAMPLE_BARE(sink, &cpu_seconds, (double)(user + system) / ticks);
        SAMPLE_BARE(sink, &threads, (double)thread_count);
        SAMPLE_BARE(sink, &virtual_memory, (double)virtual);
        SAMPLE_BARE(sink, &resident_memory, (double)resident * (double)sysconf(_SC_PAGESIZE));
        if (boot_time(&boot))
                SAMPLE_BARE(sink, &start_time, (double)boot + (double)start / ticks);
}

static void put_fds(struct sample_sink *sink)
{
        DIR *directory = opendir("/proc/self/fd");
        size_t count = 0;
        if (!directory)
                return;
        for (const struct dirent *entry; (entry = readdir(directory));)
                if (entry->d_name[0] != '.')
                        count++;
        closedir(directory);
        SAMPLE_BARE(sink, &open_fds, (double)(count - 1)); /* without the directory itself */
}

/* No limit is -1, as client_golang has it for virtual memory. */
static void put_limit(struct sample_sink *sink, const struct metric_family *family,
                      __rlimit_resource_t resource)
{
        struct rlimit limit;
        if (getrlimit(resource, &limit) == 0)
                SAMPLE_BARE(sink, family, limit.rlim_cur == RLIM_INFINITY ? -1.0 : (double)limit.rlim_cur);
}

void metrics_process(struct sample_sink *sink)
{
        put_stat(sink);
        put_fds(sink);
        put_limit(sink, &max_fds, RLIMIT_NOFILE);
        put_limit(sink, &virtual_memory_max, RLIMIT_AS);
}

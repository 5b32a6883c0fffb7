/* SPDX-License-Identifier: Apache-2.0 */
/* What a unit uses, as systemd accounts for it by control groups. */
#ifndef EXPORTER_KINDS_SYSTEMD_RESOURCES_H
#define EXPORTER_KINDS_SYSTEMD_RESOURCES_H

#include "exporter/kinds/systemd/manager.h"
#include "runbook/metrics.h"

#define SYSTEMD_RESOURCE_FAMILIES(X)                                                                        \
        X(systemd_memory, GAUGE, "runbook_systemd_unit_memory_bytes", "bytes",                              \
          "Memory that the unit uses; only where systemd accounts for it (MemoryAccounting=).")             \
        X(systemd_memory_peak, GAUGE, "runbook_systemd_unit_memory_peak_bytes", "bytes",                    \
          "The most memory that the unit used since it was started; only where systemd tells (since 255).") \
        X(systemd_cpu, COUNTER, "runbook_systemd_unit_cpu_seconds_total", "seconds",                        \
          "CPU time that the unit used since it was started; only where systemd accounts for it.")          \
        X(systemd_tasks, GAUGE, "runbook_systemd_unit_tasks", NULL,                                         \
          "Processes and threads of the unit; only where systemd accounts for them (TasksAccounting=).")    \
        X(systemd_io_read, COUNTER, "runbook_systemd_unit_io_read_bytes_total", "bytes",                    \
          "Bytes that the unit read from block devices; only where systemd accounts for them "              \
          "(IOAccounting=).")                                                                               \
        X(systemd_io_written, COUNTER, "runbook_systemd_unit_io_written_bytes_total", "bytes",              \
          "Bytes that the unit wrote to block devices; only where systemd accounts for them.")

SYSTEMD_RESOURCE_FAMILIES(DECLARE_FAMILY)

/* Adds what is accounted for; nothing of a unit that has no processes of its own, such as a timer. */
int systemd_resources_add(const struct systemd_unit *unit, struct sample_sink *sink, struct error *error);

#endif

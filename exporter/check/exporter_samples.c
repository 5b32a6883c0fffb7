/* SPDX-License-Identifier: Apache-2.0 */
/* What the exporter tells of itself: its version and process, how the last reload went, what it has given up.
 */
#include "exporter/check/exporter_samples.h"

#include "runbook/state_file.h"

#define FAMILIES(X)                                                                                    \
        X(build_info, INFO, "runbook_exporter_build_info", NULL, "The version of this exporter.")      \
        X(duplicate_series, COUNTER, "runbook_exporter_duplicate_series_total", NULL,                  \
          "Series that were left out of pages because the same series was there already.")             \
        X(reload_successful, GAUGE, "runbook_exporter_config_last_reload_successful", NULL,            \
          "Whether the last attempt to read the configuration was successful.")                        \
        X(reload_success_time, GAUGE, "runbook_exporter_config_last_reload_success_timestamp_seconds", \
          "seconds", "When the configuration was last read successfully.")                             \
        X(sandbox_info, INFO, "runbook_exporter_sandbox_info", NULL,                                   \
          "What the exporter has given up: by which version of Landlock, and by a seccomp filter.")    \
        X(state_unread, COUNTER, "runbook_exporter_state_read_errors_total", NULL,                     \
          "Files in --state.directory that could not be read, or did not hold what they should.")      \
        X(state_unwritten, COUNTER, "runbook_exporter_state_write_errors_total", NULL,                 \
          "Files in --state.directory that could not be written.")                                     \
        X(state_written, GAUGE, "runbook_exporter_state_last_write_timestamp_seconds", "seconds",      \
          "When a file in --state.directory was last written; absent before the first.")

FAMILIES(DEFINE_FAMILY)
const struct metric_family *const exporter_sample_families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

static void add_state_files(struct sample_sink *sink)
{
        const struct state_file_counts counts = state_file_counts();
        SAMPLE_BARE(sink, &state_unread, (double)counts.unread);
        SAMPLE_BARE(sink, &state_unwritten, (double)counts.unwritten);
        if (counts.written_at > 0)
                SAMPLE_BARE(sink, &state_written, nsec_to_seconds(counts.written_at));
}

void exporter_status_add(struct sample_sink *sink, const struct process_status *status)
{
        SAMPLE_BARE(sink, &reload_successful, __atomic_load_n(&status->successful, __ATOMIC_RELAXED));
        SAMPLE_BARE(sink, &reload_success_time,
                    nsec_to_seconds(__atomic_load_n(&status->success_wall, __ATOMIC_RELAXED)));
        if (status->landlock)
                SAMPLE(sink, &sandbox_info, 1, {"landlock", status->landlock},
                       {"seccomp", status->seccomp ? "true" : "false"});
        if (status->keeps_state)
                add_state_files(sink);
}

void exporter_samples_add(struct sample_sink *sink, uint64_t duplicates)
{
        SAMPLE(sink, &build_info, 1, {"version", RUNBOOK_VERSION});
        SAMPLE_BARE(sink, &duplicate_series, (double)duplicates);
        metrics_process(sink);
}

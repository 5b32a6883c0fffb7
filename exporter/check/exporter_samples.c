/* SPDX-License-Identifier: Apache-2.0 */
/* What the exporter tells of itself: its version and process, how the last reload went, what it has given up.
 */
#include "exporter/check/exporter_samples.h"

#define FAMILIES(X)                                                                                    \
        X(build_info, INFO, "runbook_exporter_build_info", NULL, "The version of this exporter.")      \
        X(duplicate_series, COUNTER, "runbook_exporter_duplicate_series_total", NULL,                  \
          "Series that were left out of pages because the same series was there already.")             \
        X(reload_successful, GAUGE, "runbook_exporter_config_last_reload_successful", NULL,            \
          "Whether the last attempt to read the configuration was successful.")                        \
        X(reload_success_time, GAUGE, "runbook_exporter_config_last_reload_success_timestamp_seconds", \
          "seconds", "When the configuration was last read successfully.")                             \
        X(sandbox_info, INFO, "runbook_exporter_sandbox_info", NULL,                                   \
          "What the exporter has given up: by which version of Landlock, and by a seccomp filter.")

FAMILIES(DEFINE_FAMILY)
const struct metric_family *const exporter_sample_families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

void exporter_status_add(struct sample_sink *sink, const struct process_status *status)
{
        SAMPLE_BARE(sink, &reload_successful, __atomic_load_n(&status->successful, __ATOMIC_RELAXED));
        SAMPLE_BARE(sink, &reload_success_time,
                    nsec_to_seconds(__atomic_load_n(&status->success_wall, __ATOMIC_RELAXED)));
        if (status->landlock)
                SAMPLE(sink, &sandbox_info, 1, {"landlock", status->landlock},
                       {"seccomp", status->seccomp ? "true" : "false"});
}

void exporter_samples_add(struct sample_sink *sink, uint64_t duplicates)
{
        SAMPLE(sink, &build_info, 1, {"version", RUNBOOK_VERSION});
        SAMPLE_BARE(sink, &duplicate_series, (double)duplicates);
        metrics_process(sink);
}

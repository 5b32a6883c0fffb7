/* SPDX-License-Identifier: Apache-2.0 */
/* What every check tells besides its own samples: did it work, when, how long; and who is asking. */
#include "exporter/check/samples.h"

static const struct metric_family success = {
        "runbook_check_success", METRIC_GAUGE, NULL,
        "Whether the last run of the check succeeded and the present one is not overdue."};
static const struct metric_family duration = {"runbook_check_duration_seconds", METRIC_GAUGE, "seconds",
                                              "How long the last finished run of the check took."};
static const struct metric_family run_duration = {
        "runbook_check_run_duration_seconds", METRIC_HISTOGRAM, "seconds",
        "How long the finished runs of the check took, since the exporter has known it as it is."};
static const struct metric_family last_run = {
        "runbook_check_last_run_timestamp_seconds", METRIC_GAUGE, "seconds",
        "When the last finished run of the check began, which its samples are from; 0: never."};
static const struct metric_family last_success = {
        "runbook_check_last_success_timestamp_seconds", METRIC_GAUGE, "seconds",
        "When the last successful run of the check began; 0: never."};
static const struct metric_family info = {"runbook_check_info", METRIC_INFO, NULL,
                                          "The check's kind and its title for people."};
static const struct metric_family dropped = {
        "runbook_check_dropped_series", METRIC_GAUGE, NULL,
        "Series of the last finished run that were left out because of the check's max_series."};
static const struct metric_family threshold_limit = {
        "runbook_check_threshold", METRIC_GAUGE, NULL,
        "The limit of a condition under the check's warn or fail, in the unit of what it is compared with."};
static const struct metric_family beyond = {
        "runbook_check_series_beyond_threshold", METRIC_GAUGE, NULL,
        "How many series of the last finished run are beyond a threshold of the level."};
static const struct metric_family build_info = {"runbook_exporter_build_info", METRIC_INFO, NULL,
                                                "The version of this exporter."};
static const struct metric_family duplicate_series = {
        "runbook_exporter_duplicate_series_total", METRIC_COUNTER, NULL,
        "Series that were left out of pages because the same series was there already."};

static const struct metric_family reload_successful = {
        "runbook_exporter_config_last_reload_successful", METRIC_GAUGE, NULL,
        "Whether the last attempt to read the configuration was successful."};
static const struct metric_family reload_success_time = {
        "runbook_exporter_config_last_reload_success_timestamp_seconds", METRIC_GAUGE, "seconds",
        "When the configuration was last read successfully."};

static const struct metric_family sandbox_info = {
        "runbook_exporter_sandbox_info", METRIC_INFO, NULL,
        "What the exporter has given up: by which version of Landlock, and by a seccomp filter."};

#define OF_EVERY_CHECK                                                                                   \
        &success, &duration, &run_duration, &last_run, &last_success, &info, &dropped, &threshold_limit, \
                &beyond

const struct metric_family *const about_check_families[] = {OF_EVERY_CHECK, NULL};
const struct metric_family *const about_families[] = {
        OF_EVERY_CHECK, &build_info, &duplicate_series, &reload_successful, &reload_success_time,
        &sandbox_info,  NULL};

/* Classic buckets stand beside the native ones for who has none: few, as every check has all of them. */
static const double duration_bounds[] = {0.005, 0.025, 0.1, 0.5, 2.5, 10};

int about_durations_init(struct histogram *histogram)
{
        return histogram_init_native(histogram, duration_bounds, N_ELEMENTS(duration_bounds));
}

void about_durations(struct sample_sink *sink, const struct histogram *histogram)
{
        sample_add_histogram(sink, &run_duration, histogram, NULL, 0);
}

void about_process(struct sample_sink *sink, const struct process_status *status)
{
        SAMPLE_BARE(sink, &reload_successful, __atomic_load_n(&status->successful, __ATOMIC_RELAXED));
        SAMPLE_BARE(sink, &reload_success_time,
                    nsec_to_seconds(__atomic_load_n(&status->success_wall, __ATOMIC_RELAXED)));
        if (status->landlock)
                SAMPLE(sink, &sandbox_info, 1, {"landlock", status->landlock},
                       {"seccomp", status->seccomp ? "true" : "false"});
}

/* The limits beside the values; only of checks that have some. */
static void about_thresholds(struct sample_sink *sink, const struct check_state *state,
                             const struct label *name)
{
        const struct thresholds *thresholds = &state->check->thresholds;
        size_t of_level[THRESHOLD_LEVELS] = {0};

        for (size_t i = 0; i < thresholds->count; i++) {
                const struct threshold *threshold = &thresholds->items[i];

                of_level[threshold->level]++;
                SAMPLE(sink, &threshold_limit, threshold->limit, *name,
                       {"level", threshold_levels[threshold->level]}, {"expression", threshold->expression},
                       {"comparison", threshold->comparison});
        }
        for (size_t level = 0; level < THRESHOLD_LEVELS && state->result; level++)
                if (of_level[level] > 0)
                        SAMPLE(sink, &beyond, (double)state->result->beyond[level], *name,
                               {"level", threshold_levels[level]});
}

void about_check(struct sample_sink *sink, const struct check_state *state)
{
        const struct check_result *result = state->result;
        const struct label name = {"check", state->check->name};

        sample_add(sink, &success, state->success, &name, 1);
        sample_add(sink, &duration, result ? nsec_to_seconds(result->duration) : 0, &name, 1);
        sample_add(sink, &last_run, result ? nsec_to_seconds(result->started_wall) : 0, &name, 1);
        sample_add(sink, &last_success, nsec_to_seconds(state->last_success_wall), &name, 1);
        sample_add(sink, &dropped, result ? (double)result->samples.dropped : 0, &name, 1);
        about_thresholds(sink, state, &name);
        SAMPLE(sink, &info, 1, name, {"kind", state->check->kind->name}, {"title", state->check->title});
}

void about_exporter(struct sample_sink *sink, uint64_t duplicates)
{
        SAMPLE(sink, &build_info, 1, {"version", RUNBOOK_VERSION});
        SAMPLE_BARE(sink, &duplicate_series, (double)duplicates);
        metrics_process(sink);
}

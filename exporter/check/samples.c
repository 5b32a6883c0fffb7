/* SPDX-License-Identifier: Apache-2.0 */
/* What every check tells besides its own samples: did it work, when, how long, how it stands to its
 * thresholds. */
#include "exporter/check/samples.h"

#define FAMILIES(X)                                                                                         \
        X(success, GAUGE, "runbook_check_success", NULL,                                                    \
          "Whether the last run of the check succeeded and the present one is not overdue.")                \
        X(duration, GAUGE, "runbook_check_duration_seconds", "seconds",                                     \
          "How long the last finished run of the check took.")                                              \
        X(run_duration, HISTOGRAM, "runbook_check_run_duration_seconds", "seconds",                         \
          "How long the finished runs of the check took, since the exporter has known it as it is.")        \
        X(last_run, GAUGE, "runbook_check_last_run_timestamp_seconds", "seconds",                           \
          "When the last finished run of the check began, which its samples are from; 0: never.")           \
        X(last_success, GAUGE, "runbook_check_last_success_timestamp_seconds", "seconds",                   \
          "When the last successful run of the check began; 0: never.")                                     \
        X(info, INFO, "runbook_check_info", NULL, "The check's kind and its title for people.")             \
        X(needs, GAUGE, "runbook_check_needs", NULL,                                                        \
          "1 for each check that the check needs, by its `needs:` in the file.")                            \
        X(dropped, GAUGE, "runbook_check_dropped_series", NULL,                                             \
          "Series of the last finished run that are on no page because of the check's max_series: they "    \
          "were "                                                                                           \
          "judged all the same.")                                                                           \
        X(standing, GAUGE, "runbook_check_standing", NULL,                                                  \
          "How the check stands: 1 for one of pass, warn, fail, unknown and not_set_up, 0 for the others.") \
        X(conditions_unknown, GAUGE, "runbook_check_conditions_unknown", NULL,                              \
          "Conditions under the check's warn and fail, and metrics of the operator's, that the last "       \
          "finished run "                                                                                   \
          "measured nothing of, or no number.")                                                             \
        X(items_skipped, GAUGE, "runbook_check_items_skipped", NULL,                                        \
          "Items that the last finished run could not measure beside the others, by the reason: "           \
          "unreadable, malformed, not_utf8, unknown_unit, duplicate, beyond_limit, reserved, missing. A "   \
          "reason "                                                                                         \
          "of which there are none is not there; the log names the items.")                                 \
        X(threshold_limit, GAUGE, "runbook_check_threshold", NULL,                                          \
          "The limit of a condition under the check's warn or fail, in the unit of what it is compared "    \
          "with.")                                                                                          \
        X(beyond, GAUGE, "runbook_check_series_beyond_threshold", NULL,                                     \
          "How many series of the last finished run are beyond a threshold of the level.")

FAMILIES(DEFINE_FAMILY)
const struct metric_family *const check_sample_families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

/* Classic buckets stand beside the native ones for who has none: few, as every check has all of them. */
static const double duration_bounds[] = {0.005, 0.025, 0.1, 0.5, 2.5, 10};

int check_durations_init(struct histogram *histogram)
{
        return histogram_init_native(histogram, duration_bounds, N_ELEMENTS(duration_bounds));
}

void check_durations_add(struct sample_sink *sink, const struct histogram *histogram)
{
        sample_add_histogram(sink, &run_duration, histogram, NULL, 0);
}

/* The limits beside the values; only of checks that have some. */
static void add_thresholds(struct sample_sink *sink, const struct check_state *state,
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
                        SAMPLE(sink, &beyond, (double)state->result->verdict.beyond[level], *name,
                               {"level", threshold_levels[level]});
}

/* What could not be measured; only where there is something. */
static void add_skipped(struct sample_sink *sink, const struct check_result *result, const struct label *name)
{
        for (size_t reason = 0; reason < SKIP_REASONS; reason++)
                if (result->skipped.of[reason].count > 0)
                        SAMPLE(sink, &items_skipped, (double)result->skipped.of[reason].count, *name,
                               {"reason", skip_reasons[reason]});
}

static void add_samples(struct sample_sink *sink, const struct check_state *state)
{
        const struct check_result *result = state->result;
        const struct label name = {"check", state->check->name};
        sample_add(sink, &success, state->success, &name, 1);
        sample_add(sink, &duration, result ? nsec_to_seconds(result->duration) : 0, &name, 1);
        sample_add(sink, &last_run, result ? nsec_to_seconds(result->started_wall) : 0, &name, 1);
        sample_add(sink, &last_success, nsec_to_seconds(state->last_success_wall), &name, 1);
        sample_add(sink, &dropped, (double)check_state_cut(state), &name, 1);
        for (enum standing i = 0; i < STANDINGS; i++)
                SAMPLE(sink, &standing, check_state_standing(state) == i, name,
                       {"standing", standing_styles[i].word});
        sample_add(sink, &conditions_unknown, result ? (double)verdict_count_unknown(&result->verdict) : 0,
                   &name, 1);
        if (result)
                add_skipped(sink, result, &name);
        add_thresholds(sink, state, &name);
        for (size_t i = 0; i < state->check->needs.count; i++)
                SAMPLE(sink, &needs, 1, name, {"needs", state->check->needs.items[i]});
        SAMPLE(sink, &info, 1, name, {"kind", state->check->kind->name}, {"title", state->check->title});
}

/* The set is of many checks: each has its labels in its turn. */
void check_samples_add(struct sample_sink *sink, const struct check_state *state)
{
        sink->set->fixed = state->check->labels;
        sink->set->fixed_count = state->check->label_count;
        add_samples(sink, state);
        sink->set->fixed = NULL;
        sink->set->fixed_count = 0;
}

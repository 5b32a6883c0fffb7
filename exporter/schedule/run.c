/* SPDX-License-Identifier: Apache-2.0 */
/* One run of one check: begun by whoever asks, carried out on a worker's thread, told to whoever waits. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "exporter/check/samples.h"
#include "exporter/check/targets.h"
#include "exporter/history/history.h"
#include "exporter/schedule/internal.h"
#include "exporter/schedule/memory.h"
#include "runbook/log.h"

/* A run answers by its deadline; this is how much later its thread may come to say so. */
#define OVERDUE_GRACE (250 * NSEC_PER_MSEC)

/* By the lock. */
static void set_overdue_at(struct scheduled_check *scheduled, nsec started)
{
        scheduled->overdue_at = started + scheduled->check->timeout + OVERDUE_GRACE;
}

void run_report(const struct scheduled_check *scheduled, int code, const char *reason, bool complained)
{
        const struct check *check = scheduled->check;
        _cleanup_text_ struct text shown = {0};
        if (code >= 0 && !complained)
                return;
        check_target_put(&shown, check->probe_target);
        const char *target = check->probe_target ? text_string(&shown) : NULL; /* the pair is left out */
        if (code < 0)
                log_event(complained ? LOG_DEBUG : LOG_WARN, "Check failed", "check", check->name, "kind",
                          check->kind->name, "reason", reason, "target", target, NULL);
        else
                log_event(LOG_INFO, "Check succeeds again", "check", check->name, "kind", check->kind->name,
                          "target", target, NULL);
}

/* Logs what the run skipped, unless the one before it skipped the same; its end, too. Without the lock. */
static void report_skipped(const struct check *check, const struct check_result *previous,
                           const struct check_result *result)
{
        static const struct skipped_items none = {0};
        const struct skipped_items *before = previous ? &previous->skipped : &none;
        _cleanup_text_ struct text shown = {0};
        check_target_put(&shown, check->probe_target);
        const char *target = check->probe_target ? text_string(&shown) : NULL;
        for (enum skip_reason reason = 0; reason < SKIP_REASONS; reason++) {
                const char *items = skipped_items_text(&result->skipped, reason);
                char count[24];
                if (strcmp(items, skipped_items_text(before, reason)) == 0)
                        continue;
                snprintf(count, sizeof(count), "%" PRIu64, result->skipped.of[reason].count);
                if (*items)
                        log_event(LOG_WARN, "Items of the check were skipped", "check", check->name, "reason",
                                  skip_reasons[reason], "count", count, "items", items, "target", target,
                                  NULL);
                else if (result->code >= 0) /* a run that failed may not have come to them */
                        log_event(LOG_INFO, "Items of the check are no longer skipped", "check", check->name,
                                  "reason", skip_reasons[reason], "target", target, NULL);
        }
}

/* Says once that series are on no page, and once that all are again. */
static void report_cut(const struct check *check, const struct check_result *previous,
                       const struct check_result *result)
{
        uint64_t before = previous ? previous->verdict.cut : 0;
        char count[24], most[24];
        if ((before > 0) == (result->verdict.cut > 0) || result->code < 0)
                return;
        snprintf(count, sizeof(count), "%" PRIu64, result->verdict.cut);
        snprintf(most, sizeof(most), "%" PRId64, check->max_series);
        if (before == 0)
                log_event(LOG_WARN, "Series of the check are judged, but on no page", "check", check->name,
                          "series", count, "max_series", most, NULL);
        else
                log_event(LOG_INFO, "All series of the check are on the page again", "check", check->name,
                          NULL);
}

/* Whether a run of the check has succeeded once, this one among them; on the thread of the run. */
static bool learn_success(const struct scheduled_check *scheduled, const struct check_result *result)
{
        const struct check *check = scheduled->check;
        _cleanup_error_ struct error error = {0};
        if (scheduled->known || (result->code < 0 && !result->not_set_up))
                return scheduled->known;
        bool remembered = memory_has_success(check);
        if (result->code < 0 || remembered)
                return remembered;
        if (memory_put_success(check, &error) < 0)
                log_event(LOG_WARN, "It is not remembered over restarts that the check has succeeded",
                          "check", check->name, "reason", error_text(&error), NULL);
        return true;
}

/* Notes how the check stands after the run, and has it written where that is news. */
static void note_history(const struct scheduled_check *scheduled, struct check_result *result, bool known)
{
        const struct check_state state = {
                .check = scheduled->check, .result = result, .success = result->code >= 0, .known = known};
        history_note(scheduled->check->history, &state, result->started_wall);
}

static void write_history(const struct check *check)
{
        _cleanup_error_ struct error error = {0};
        bool news;
        int r = history_box_save(check->history, &news, &error);
        if (r < 0 && news)
                log_event(LOG_WARN, "The history of the checks could not be written", "reason",
                          error_text(&error), NULL);
        else if (news)
                log_event(LOG_INFO, "The history of the checks is written again", NULL);
}

/*
 * Takes over the result of the present run. Only a success may be remembered for `cache:`; after a failure
 * the next scrape looks again. Answers whether a failure had been logged before.
 */
static bool take_result(struct scheduled_check *scheduled, struct check_result *result, nsec started)
{
        struct succession *succession = scheduled->succession;
        struct check_result *previous = NULL;
        bool complained, known = learn_success(scheduled, result);
        {
                WITH_LOCK(succession);
                previous = scheduled->result;
                scheduled->known = known;
                scheduled->result = check_result_ref(result);
                scheduled->running = scheduled->late = scheduled->overdue = false;
                if (result->code >= 0) {
                        scheduled->last_success_wall = result->started_wall;
                        scheduled->due = started + scheduled->check->cache;
                } else {
                        scheduled->due = INT64_MIN;
                }
                complained = scheduled->complained;
                scheduled->complained = result->code < 0;
                generation_advance_for(scheduled);
        }
        note_history(scheduled, result, known);
        report_skipped(scheduled->check, previous, result);
        report_cut(scheduled->check, previous, result);
        check_result_unref(previous);
        return complained;
}

/* Puts down a failure; the samples of before it stay, as the contract of run() says. */
static void take_failure(struct check_result *result, int code, const struct error *error)
{
        result->code = code;
        free(result->reason);
        result->reason =
                strdup(error_text(error)); /* NULL is shown as no reason; there is no memory for more */
        result->meaning = error->meaning;
        result->not_set_up = error->not_set_up;
}

/* The end of a run, after which the check may be gone. */
static void unpin_check(struct scheduled_check *scheduled)
{
        struct succession *succession = scheduled->succession;
        bool orphaned;
        {
                WITH_LOCK(succession);
                orphaned = --scheduled->pins == 0 && scheduled->schedules == 0;
        }
        if (orphaned)
                succession_sweep(succession, false);
}

/* What has a label of the check's own names, a program's say, keeps its value, and that is told. */
static void report_shadowed(struct sample_set *set)
{
        for (uint64_t i = 0; i < set->shadowed; i++)
                check_skip(&(struct sample_sink){set}, SKIP_RESERVED,
                           "the label %s of the check, which a series has itself", set->shadowed_name);
}

/* One run, on a worker thread. Its result was made when it was started, so that nothing can fail here. */
static void run_check(void *context)
{
        struct scheduled_check *scheduled = context;
        struct check_result *result;
        const struct check *check = scheduled->check;
        struct succession *succession = scheduled->succession;
        _cleanup_error_ struct error error = {0};
        nsec started = clock_monotonic();
        char timeout[DURATION_TEXT_MAX];
        { /* its time counts from here, should it have waited for a thread */
                WITH_LOCK(succession);
                set_overdue_at(scheduled, started);
                scheduled->overdue = false;
                result = TAKE_PTR(scheduled->pending);
        }
        const struct deadline deadline = {.at = started + check->timeout, .trace = result->trace};
        trace_step(deadline, "the run begins; its timeout is %s", duration_format(check->timeout, timeout));
        result->started_wall = clock_wall();
        result->code = check->kind->run(scheduled->set->states[scheduled->index], deadline,
                                        &(struct sample_sink){&result->samples}, &error);
        result->duration = clock_monotonic() - started;
        report_shadowed(&result->samples);
        check_skip_invalid(&(struct sample_sink){&result->samples});
        check_skip_repeated(&(struct sample_sink){&result->samples});
        if (result->code >= 0 && result->samples.error < 0)
                result->code = error_set(&error, ENOMEM, "out of memory while its samples were kept");
        if (result->code < 0)
                take_failure(result, result->code, &error);
        if (result->samples.error < 0)
                sample_set_clear(&result->samples); /* half of them would be a lie, and would fail the page */
        verdict_judge(&result->verdict, &result->samples, own_families_of(scheduled), result->started_wall);
        histogram_observe(&scheduled->durations, nsec_to_seconds(result->duration));
        check_durations_add(&(struct sample_sink){&result->durations}, &scheduled->durations);
        if (result->durations.error < 0)
                sample_set_clear(&result->durations);

        bool complained = take_result(scheduled, result, started);
        run_report(scheduled, result->code, result->reason, complained);
        check_result_unref(result);
        succession_notify(succession);
        write_history(check); /* behind what somebody waits for */
        unpin_check(scheduled);
}

/* What is kept of a run is judged; what of it stands on a page is decided then. */
static size_t most_samples(const struct check *check)
{
        size_t most = (size_t)check->max_series;
        return most > JUDGED_SERIES_MAX ? most : JUDGED_SERIES_MAX;
}

bool run_begin(struct schedule *schedule, struct scheduled_check *scheduled, struct trace *trace)
{
        struct check_result *result = calloc(1, sizeof(*result));
        if (result)
                result->references = 1;
        if (!result || verdict_init(&result->verdict, scheduled->check, own_families_of(scheduled)) < 0) {
                check_result_unref(result);
                trace_free(trace);
                return false;
        }
        result->trace = trace;
        result->samples.skipped = &result->skipped;
        result->samples.limit = most_samples(scheduled->check);
        result->samples.common = scheduled->labels;
        result->samples.common_count = N_ELEMENTS(scheduled->labels);
        result->samples.fixed = result->durations.fixed = scheduled->check->labels;
        result->samples.fixed_count = result->durations.fixed_count = scheduled->check->label_count;
        result->durations.common = scheduled->labels;
        result->durations.common_count = N_ELEMENTS(scheduled->labels);
        scheduled->pending = result;
        scheduled->running = true;
        scheduled->late = scheduled->overdue = false;
        set_overdue_at(scheduled, clock_monotonic());
        if (scheduled->overdue_at < schedule->next_overdue)
                schedule->next_overdue = scheduled->overdue_at;
        scheduled->pins++;
        scheduled->number++;
        return true;
}

/* What began and got no thread is due as before; by the lock. Its result, of which there will be nothing. */
static struct check_result *take_result_back(struct scheduled_check *scheduled)
{
        scheduled->running = false;
        return TAKE_PTR(scheduled->pending);
}

void run_launch(struct scheduled_check *begun)
{
        while (begun) {
                struct scheduled_check *scheduled = begun;
                struct check_result *result;
                struct succession *succession = scheduled->succession;
                begun = scheduled->next_launched; /* once it is launched, it may be gone */
                if (workers_run(succession->workers, run_check, scheduled) >= 0)
                        continue;
                {
                        WITH_LOCK(succession);
                        result = take_result_back(scheduled);
                }
                check_result_unref(result);
                succession_notify(succession);
                unpin_check(scheduled);
        }
}

bool run_launch_locked(struct scheduled_check *scheduled)
{
        if (workers_run(scheduled->succession->workers, run_check, scheduled) >= 0)
                return true;
        scheduled->pins--;
        check_result_unref(take_result_back(scheduled));
        return false;
}

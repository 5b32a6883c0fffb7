/* SPDX-License-Identifier: Apache-2.0 */
/* Starts runs on worker threads and keeps their results. */
#include "exporter/schedule/internal.h"

#include <errno.h>

#include "exporter/check/samples.h"
#include "exporter/check/targets.h"
#include "runbook/log.h"
#include "runbook/trace.h"

/* A run answers by its deadline; this is how much later its thread may come to say so. */
#define OVERDUE_GRACE (250 * NSEC_PER_MSEC)

/* By the lock. */
static void set_overdue_at(struct entry *entry, nsec started)
{
        entry->overdue_at = started + entry->check->timeout + OVERDUE_GRACE;
}

/* Says what has changed for the better or the worse, once. */
static void report(const struct entry *entry, int code, const char *reason, bool complained)
{
        const struct check *check = entry->check;
        _cleanup_text_ struct text shown = {0};

        if (code >= 0 && !complained)
                return;
        check_target_put(&shown, check->target);
        const char *target = check->target ? text_string(&shown) : NULL; /* the pair is left out */
        if (code < 0)
                log_event(complained ? LOG_DEBUG : LOG_WARN, "Check failed", "check", check->name, "kind",
                          check->kind->name, "reason", reason, "target", target, NULL);
        else
                log_event(LOG_INFO, "Check succeeds again", "check", check->name, "kind", check->kind->name,
                          "target", target, NULL);
}

/*
 * Takes over the result of the present run. Only a success may be remembered for `cache:`; after a failure
 * the next scrape looks again. Answers whether a failure had been logged before.
 */
static bool finish(struct entry *entry, struct check_result *result, nsec started)
{
        struct hub *hub = entry->hub;
        struct check_result *previous = NULL;
        bool complained;

        {
                WITH_LOCK(hub);
                previous = entry->result;
                entry->result = check_result_ref(result);
                entry->running = entry->late = entry->overdue = false;
                if (result->code >= 0) {
                        entry->last_success_wall = result->started_wall;
                        entry->due = started + entry->check->cache;
                } else {
                        entry->due = INT64_MIN;
                }
                complained = entry->complained;
                entry->complained = result->code < 0;
                rise_for(hub, entry);
        }
        check_result_unref(previous);
        return complained;
}

/* Puts down a failure; the samples of before it stay, as the contract of run() says. */
static void take_failure(struct check_result *result, int code, const char *reason)
{
        result->code = code;
        free(result->reason);
        result->reason = strdup(reason); /* NULL is shown as no reason; there is no memory for more */
}

static void tell(struct hub *hub)
{
        pthread_mutex_lock(&hub->listeners_lock);
        for (const struct schedule *schedule = hub->listeners; schedule; schedule = schedule->next_listener)
                schedule->changed(schedule->context);
        pthread_mutex_unlock(&hub->listeners_lock);
}

/* The end of a run, after which the entry may be gone. */
static void unpin(struct entry *entry)
{
        struct hub *hub = entry->hub;
        bool orphaned;

        {
                WITH_LOCK(hub);
                orphaned = --entry->pins == 0 && entry->schedules == 0;
        }
        if (orphaned)
                hub_sweep(hub, false);
}

/* One run, on a worker thread. Its result was made when it was started, so that nothing can fail here. */
static void run_check(void *context)
{
        struct entry *entry = context;
        struct check_result *result;
        const struct check *check = entry->check;
        struct hub *hub = entry->hub;
        _cleanup_error_ struct error error = {0};
        nsec started = clock_monotonic();
        char timeout[DURATION_TEXT_MAX];

        { /* its time counts from here, should it have waited for a thread */
                WITH_LOCK(hub);
                set_overdue_at(entry, started);
                entry->overdue = false;
                result = TAKE_PTR(entry->pending);
        }
        const struct deadline deadline = {.at = started + check->timeout, .trace = result->trace};
        trace_step(deadline, "the run begins; its timeout is %s", duration_format(check->timeout, timeout));
        result->started_wall = clock_wall();
        result->code = check->kind->run(entry->set->states[entry->index], deadline,
                                        &(struct sample_sink){&result->samples}, &error);
        result->duration = clock_monotonic() - started;
        if (result->code < 0)
                take_failure(result, result->code, error_text(&error));
        else if (result->samples.error < 0)
                take_failure(result, -ENOMEM, "out of memory while its samples were kept");
        if (result->samples.error < 0)
                sample_set_clear(&result->samples); /* half of them would be a lie, and would fail the page */
        for (enum threshold_level level = 0; level < THRESHOLD_LEVELS; level++)
                result->beyond[level] = thresholds_judge(&check->thresholds, level, &result->samples,
                                                         result->started_wall, NULL, NULL);
        histogram_observe(&entry->durations, nsec_to_seconds(result->duration));
        check_durations_add(&(struct sample_sink){&result->durations}, &entry->durations);
        if (result->durations.error < 0)
                sample_set_clear(&result->durations);

        bool complained = finish(entry, result, started);
        report(entry, result->code, result->reason, complained);
        check_result_unref(result);
        tell(hub);
        unpin(entry);
}

/* Puts down that a run begins, with its trace (NULL: none), which it takes; by the lock. False when there is
 * no memory for its result. */
static bool begin(struct schedule *schedule, struct entry *entry, struct trace *trace)
{
        struct check_result *result = calloc(1, sizeof(*result));

        if (!result) {
                trace_free(trace);
                return false;
        }
        result->references = 1;
        result->trace = trace;
        result->samples.limit = (size_t)entry->check->max_series;
        result->samples.common = entry->labels;
        result->samples.common_count = N_ELEMENTS(entry->labels);
        result->durations.common = entry->labels;
        result->durations.common_count = N_ELEMENTS(entry->labels);
        entry->pending = result;
        entry->running = true;
        entry->late = entry->overdue = false;
        set_overdue_at(entry, clock_monotonic());
        if (entry->overdue_at < schedule->next_overdue)
                schedule->next_overdue = entry->overdue_at;
        entry->pins++;
        entry->number++;
        return true;
}

/* What began and got no thread is due as before; by the lock. Its result, of which there will be nothing. */
static struct check_result *take_back(struct entry *entry)
{
        entry->running = false;
        return TAKE_PTR(entry->pending);
}

/* Hands the runs that began to the workers; without the lock, which each of them takes first of all. */
static void launch(struct entry *begun)
{
        while (begun) {
                struct entry *entry = begun;
                struct check_result *result;
                struct hub *hub = entry->hub;

                begun = entry->next_launched; /* once it is launched, it may be gone */
                if (workers_run(hub->workers, run_check, entry) >= 0)
                        continue;
                {
                        WITH_LOCK(hub);
                        result = take_back(entry);
                }
                check_result_unref(result);
                tell(hub);
                unpin(entry);
        }
}

size_t schedule_start(struct schedule *schedule, const bool *selected, struct check_run *ret_runs)
{
        struct entry *begun = NULL, **end = &begun;
        nsec now = clock_monotonic();
        size_t count = 0;

        {
                WITH_LOCK(schedule->hub);
                for (size_t i = 0; i < schedule->count; i++) {
                        struct entry *entry = schedule->entries[i];

                        if (!is_selected(schedule, selected, i))
                                continue;
                        if (!entry->running && now >= entry->due && begin(schedule, entry, NULL)) {
                                *end = entry;
                                end = &entry->next_launched;
                        }
                        if (entry->running && !entry->late && !entry->overdue)
                                ret_runs[count++] = (struct check_run){(uint32_t)i, entry->number};
                }
                *end = NULL;
        }
        launch(begun);
        return count;
}

struct check_result *schedule_trace(struct schedule *schedule, size_t check, struct check_run *ret_run)
{
        struct entry *entry = schedule->entries[check];
        struct trace *trace = trace_new();
        WITH_LOCK(schedule->hub);

        if (!trace || entry->running) {
                trace_free(trace);
                return NULL;
        }
        if (!begin(schedule, entry, trace))
                return NULL;
        if (workers_run(schedule->hub->workers, run_check, entry) < 0) {
                entry->pins--;
                check_result_unref(take_back(entry));
                return NULL;
        }
        *ret_run = (struct check_run){(uint32_t)check, entry->number};
        return check_result_ref(entry->pending); /* its thread takes it by the lock */
}

bool schedule_finished(struct schedule *schedule, struct check_run run)
{
        const struct entry *entry = schedule->entries[run.check];
        WITH_LOCK(schedule->hub);

        return !entry->running || entry->number != run.number;
}

bool schedule_ended(struct schedule *schedule, struct check_run run)
{
        const struct entry *entry = schedule->entries[run.check];
        WITH_LOCK(schedule->hub);

        return !entry->running || entry->overdue || entry->number != run.number;
}

void schedule_mark_late(struct schedule *schedule, struct check_run run)
{
        struct entry *entry = schedule->entries[run.check];
        WITH_LOCK(schedule->hub);

        if (entry->running && entry->number == run.number)
                entry->late = true;
}

/* Marks the run of one entry when its time is over; true when that is news for the log. */
static bool mark_overdue(struct schedule *schedule, struct entry *entry)
{
        WITH_LOCK(schedule->hub);

        if (!entry->running || entry->overdue)
                return false;
        if (clock_monotonic() < entry->overdue_at) {
                if (entry->overdue_at < schedule->next_overdue)
                        schedule->next_overdue = entry->overdue_at;
                return false;
        }
        bool news = !entry->complained;
        entry->overdue = entry->complained = true;
        rise_for(schedule->hub, entry);
        return news;
}

nsec schedule_expire(struct schedule *schedule)
{
        {
                WITH_LOCK(schedule->hub);
                if (clock_monotonic() < schedule->next_overdue)
                        return schedule->next_overdue;
                schedule->next_overdue = INT64_MAX; /* found anew below */
        }
        for (size_t i = 0; i < schedule->count; i++)
                if (mark_overdue(schedule, schedule->entries[i]))
                        report(schedule->entries[i], -ETIMEDOUT, CHECK_OVERDUE, false);
        WITH_LOCK(schedule->hub);
        return schedule->next_overdue;
}

uint64_t schedule_generation(const struct schedule *schedule)
{
        return __atomic_load_n(&schedule->hub->generation, __ATOMIC_ACQUIRE);
}

size_t schedule_states(struct schedule *schedule, const bool *selected, struct check_state *ret_states,
                       uint64_t *ret_generation, nsec *ret_fresh_until)
{
        nsec fresh_until = INT64_MAX;
        size_t count = 0;
        WITH_LOCK(schedule->hub);

        for (size_t i = 0; i < schedule->count; i++) {
                const struct entry *entry = schedule->entries[i];

                if (!is_selected(schedule, selected, i))
                        continue;
                ret_states[count++] = (struct check_state){
                        .check = entry->check,
                        .result = check_result_ref(entry->result),
                        .last_success_wall = entry->last_success_wall,
                        .running = entry->running,
                        .overdue = entry->overdue,
                        .success = entry->result && entry->result->code >= 0 && !entry->overdue,
                };
                if (!entry->running && entry->due < fresh_until)
                        fresh_until = entry->due;
                if (entry->running && !entry->late && !entry->overdue)
                        fresh_until = INT64_MIN;
        }
        if (ret_generation)
                *ret_generation = schedule->hub->generation;
        if (ret_fresh_until)
                *ret_fresh_until = fresh_until;
        return count;
}

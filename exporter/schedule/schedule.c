/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule: its checks, those of the schedule before that go on, and how they stand. */
#include "exporter/schedule/schedule.h"

#include <errno.h>
#include <string.h>

#include "exporter/history/history.h"
#include "exporter/schedule/internal.h"

/* How often anybody may have a run whose check has no `cache:`. */
static const nsec LEAST_TRACE_AGE = NSEC_PER_SEC;

/* The same check in `previous` (NULL: none), when its definition is the same. */
static struct scheduled_check *find_unchanged(const struct schedule *previous, const struct check *check)
{
        for (size_t i = 0; previous && i < previous->count; i++) {
                const struct check *old = previous->checks[i]->check;
                if (check->definition && old->definition && strcmp(old->name, check->name) == 0 &&
                    string_equal(old->probe_target, check->probe_target))
                        return strcmp(old->definition, check->definition) == 0 ? previous->checks[i] : NULL;
        }
        return NULL;
}

static int fill_schedule(struct schedule *schedule, const struct schedule *previous, struct check_set *set,
                         struct error *error)
{
        for (size_t i = 0; i < check_set_size(set); i++) {
                struct scheduled_check *scheduled = find_unchanged(previous, &set->checks[i]);
                if (!scheduled) {
                        scheduled = succession_add(schedule->succession, set, i);
                        if (!scheduled)
                                return error_oom(error);
                        schedule->fresh++;
                } else {
                        check_set_close(set, i);
                }
                WITH_LOCK(schedule->succession);
                scheduled->schedules++;
                schedule->checks[schedule->count++] = scheduled;
        }
        return 0;
}

static int make_schedule(struct succession *succession, const struct schedule *previous,
                         struct check_set *set, void (*changed)(void *context), void *context,
                         struct schedule **ret, struct error *error)
{
        struct schedule *schedule =
                calloc(1, sizeof(*schedule) + check_set_size(set) * sizeof(struct scheduled_check *));
        if (!schedule) {
                if (!previous)
                        succession_free(succession);
                return error_oom(error);
        }
        schedule->succession = succession;
        schedule->changed = changed;
        schedule->context = context;
        schedule->next_overdue = previous ? INT64_MIN : INT64_MAX; /* looks at once at what is running */
        succession_add_listener(schedule);
        int r = fill_schedule(schedule, previous, set, error);
        if (r < 0) {
                schedule_free(schedule);
                return r;
        }
        WITH_LOCK(succession);
        generation_advance(succession);
        *ret = schedule;
        return 0;
}

int schedule_new(struct check_set *set, struct workers *workers, void (*changed)(void *context),
                 void *context, struct schedule **ret, struct error *error)
{
        struct succession *succession = succession_new(workers);
        if (!succession)
                return error_oom(error);
        return make_schedule(succession, NULL, set, changed, context, ret, error);
}

int schedule_succeed(struct schedule *previous, struct check_set *set, void (*changed)(void *context),
                     void *context, struct schedule **ret, struct error *error)
{
        return make_schedule(previous->succession, previous, set, changed, context, ret, error);
}

size_t schedule_count(const struct schedule *schedule)
{
        return schedule->count;
}

size_t schedule_fresh(const struct schedule *schedule)
{
        return schedule->fresh;
}

const struct metric_family *const *schedule_own_families(const struct schedule *schedule, size_t check)
{
        return own_families_of(schedule->checks[check]);
}

void schedule_advance_generation(struct schedule *schedule)
{
        WITH_LOCK(schedule->succession);
        generation_advance(schedule->succession);
}

struct schedule *schedule_free(struct schedule *schedule)
{
        if (!schedule)
                return NULL;
        struct succession *succession = schedule->succession;
        {
                WITH_LOCK(succession);
                for (size_t i = 0; i < schedule->count; i++)
                        schedule->checks[i]->schedules--;
        }
        bool last = succession_remove_listener(schedule);
        free(schedule);
        succession_sweep(succession, last);
        return last ? (void)succession_free(succession), NULL : NULL;
}

size_t schedule_start(struct schedule *schedule, const bool *selected, struct check_run *ret_runs)
{
        struct scheduled_check *begun = NULL, **end = &begun;
        nsec now = clock_monotonic();
        size_t count = 0;
        {
                WITH_LOCK(schedule->succession);
                for (size_t i = 0; i < schedule->count; i++) {
                        struct scheduled_check *scheduled = schedule->checks[i];
                        if (!is_selected(schedule, selected, i))
                                continue;
                        if (!scheduled->running && now >= scheduled->due &&
                            run_begin(schedule, scheduled, NULL)) {
                                *end = scheduled;
                                end = &scheduled->next_launched;
                        }
                        if (scheduled->running && !scheduled->late && !scheduled->overdue)
                                ret_runs[count++] = (struct check_run){(uint32_t)i, scheduled->number};
                }
                *end = NULL;
        }
        run_launch(begun);
        return count;
}

void schedule_start_new(struct schedule *schedule)
{
        _cleanup_free_ bool *selected = calloc(schedule->count + 1, sizeof(*selected));
        _cleanup_free_ struct check_run *runs = calloc(schedule->count + 1, sizeof(*runs));
        if (!selected || !runs)
                return;
        {
                WITH_LOCK(schedule->succession);
                for (size_t i = 0; i < schedule->count; i++)
                        selected[i] =
                                schedule->checks[i]->number == 0 && !schedule->checks[i]->check->probe_target;
        }
        (void)schedule_start(schedule, selected, runs);
}

/* By the lock. */
static bool begin_traced(struct schedule *schedule, struct scheduled_check *scheduled, nsec now)
{
        struct trace *trace = scheduled->running ? NULL : trace_new();
        if (!trace || !run_begin(schedule, scheduled, trace) || !run_launch_locked(scheduled))
                return false;
        check_result_unref(scheduled->traced);
        scheduled->traced = check_result_ref(scheduled->pending); /* its thread takes it by the lock */
        scheduled->traced_at = now;
        scheduled->traced_number = scheduled->number;
        return true;
}

struct check_result *schedule_trace(struct schedule *schedule, size_t check, bool at_will,
                                    struct check_run *ret_run, nsec *ret_age)
{
        struct scheduled_check *scheduled = schedule->checks[check];
        nsec now = clock_monotonic(), cache = scheduled->check->cache;
        WITH_LOCK(schedule->succession);

        bool again = at_will || !scheduled->traced ||
                     now - scheduled->traced_at >= (cache > LEAST_TRACE_AGE ? cache : LEAST_TRACE_AGE);
        if (again && !begin_traced(schedule, scheduled, now))
                return NULL;
        *ret_run = (struct check_run){(uint32_t)check, scheduled->traced_number};
        *ret_age = now - scheduled->traced_at;
        return check_result_ref(scheduled->traced);
}

bool schedule_finished(struct schedule *schedule, struct check_run run)
{
        const struct scheduled_check *scheduled = schedule->checks[run.check];
        WITH_LOCK(schedule->succession);

        return !scheduled->running || scheduled->number != run.number;
}

bool schedule_ended(struct schedule *schedule, struct check_run run)
{
        const struct scheduled_check *scheduled = schedule->checks[run.check];
        WITH_LOCK(schedule->succession);

        return !scheduled->running || scheduled->overdue || scheduled->number != run.number;
}

void schedule_mark_late(struct schedule *schedule, struct check_run run)
{
        struct scheduled_check *scheduled = schedule->checks[run.check];
        WITH_LOCK(schedule->succession);

        if (scheduled->running && scheduled->number == run.number)
                scheduled->late = true;
}

/* Marks the run of one check when its time is over; true when that is news for the log. */
static bool mark_overdue(struct schedule *schedule, struct scheduled_check *scheduled)
{
        WITH_LOCK(schedule->succession);

        if (!scheduled->running || scheduled->overdue)
                return false;
        if (clock_monotonic() < scheduled->overdue_at) {
                if (scheduled->overdue_at < schedule->next_overdue)
                        schedule->next_overdue = scheduled->overdue_at;
                return false;
        }
        bool news = !scheduled->complained;
        scheduled->overdue = scheduled->complained = true;
        generation_advance_for(scheduled);
        const struct check_state state = {.check = scheduled->check,
                                          .result = scheduled->result,
                                          .overdue = true,
                                          .known = scheduled->known};
        history_note(scheduled->check->history, &state, clock_wall());
        return news;
}

nsec schedule_expire(struct schedule *schedule)
{
        {
                WITH_LOCK(schedule->succession);
                if (clock_monotonic() < schedule->next_overdue)
                        return schedule->next_overdue;
                schedule->next_overdue = INT64_MAX; /* found anew below */
        }
        for (size_t i = 0; i < schedule->count; i++)
                if (mark_overdue(schedule, schedule->checks[i]))
                        run_report(schedule->checks[i], -ETIMEDOUT, CHECK_OVERDUE, false);
        WITH_LOCK(schedule->succession);
        return schedule->next_overdue;
}

uint64_t schedule_generation(const struct schedule *schedule)
{
        return __atomic_load_n(&schedule->succession->generation, __ATOMIC_ACQUIRE);
}

size_t schedule_states(struct schedule *schedule, const bool *selected, struct check_state *ret_states,
                       uint64_t *ret_generation, nsec *ret_fresh_until)
{
        nsec fresh_until = INT64_MAX;
        size_t count = 0;
        WITH_LOCK(schedule->succession);

        for (size_t i = 0; i < schedule->count; i++) {
                const struct scheduled_check *scheduled = schedule->checks[i];
                if (!is_selected(schedule, selected, i))
                        continue;
                ret_states[count++] = (struct check_state){
                        .check = scheduled->check,
                        .result = check_result_ref(scheduled->result),
                        .last_success_wall = scheduled->last_success_wall,
                        .running = scheduled->running,
                        .overdue = scheduled->overdue,
                        .known = scheduled->known,
                        .success = scheduled->result && scheduled->result->code >= 0 && !scheduled->overdue,
                };
                if (!scheduled->running && scheduled->due < fresh_until)
                        fresh_until = scheduled->due;
                if (scheduled->running && !scheduled->late && !scheduled->overdue)
                        fresh_until = INT64_MIN;
        }
        if (ret_generation)
                *ret_generation = schedule->succession->generation;
        if (ret_fresh_until)
                *ret_fresh_until = fresh_until;
        return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Starts runs on worker threads and keeps their results. */
#include "exporter/schedule.h"

#include <errno.h>
#include <pthread.h>

#include "exporter/about.h"
#include "runbook/log.h"

/* A run answers by its deadline; this is how much later its thread may come to say so. */
#define OVERDUE_GRACE (250 * NSEC_PER_MSEC)

#define NOT_YET "has not run yet"
#define OVERDUE "still running after its timeout"

/* One check with all it has measured. It outlives the reading of the file that it came with, while unchanged.
 */
struct entry {
        struct hub *hub;
        struct check_set *set; /* a reference, for `check` and the state */
        size_t index;          /* in the set */
        const struct check *check;
        struct label labels[1]; /* check="<name>", on each of its samples */
        struct histogram
                durations; /* of its finished runs; by the run alone, of which there is one at a time */

        /* Below: by the hub's lock. */
        struct entry *previous, *next; /* of all in the hub */
        unsigned schedules, pins;      /* that have it; runs that have not let go of it */
        struct check_result *result;
        struct check_result *pending; /* of a run that has not got its thread yet */
        nsec last_success_wall;
        nsec due;        /* CLOCK_MONOTONIC: not started before */
        nsec overdue_at; /* of the present run */
        uint64_t number; /* of the present or last run; 0: there was none */
        bool running, late, overdue;
        bool complained; /* its failure was logged */
};

/* What the schedules of one exporter share: its entries, and the lock over them. */
struct hub {
        pthread_mutex_t lock;
        struct workers *workers;
        uint64_t generation; /* read without the lock */
        struct entry *entries;

        /* Taken before every lock of those that are told, and never under the other one. */
        pthread_mutex_t listeners_lock;
        struct schedule *listeners;
};

struct schedule {
        struct hub *hub;
        struct schedule *next_listener; /* by the hub's listeners_lock */
        void (*changed)(void *context);
        void *context;
        nsec next_overdue; /* by the hub's lock: no run is overdue before; INT64_MAX: none is running */
        size_t count, fresh;
        struct entry *entries[];
};

static inline void unlock_p(pthread_mutex_t **lock)
{
        pthread_mutex_unlock(*lock);
}

#define WITH_LOCK(hub)                                                       \
        _cleanup_(unlock_p) pthread_mutex_t *locked _unused_ = &(hub)->lock; \
        pthread_mutex_lock(locked)

struct check_result *check_result_ref(struct check_result *result)
{
        if (result)
                __atomic_add_fetch(&result->references, 1, __ATOMIC_RELAXED);
        return result;
}

struct check_result *check_result_unref(struct check_result *result)
{
        if (!result || __atomic_sub_fetch(&result->references, 1, __ATOMIC_ACQ_REL) > 0)
                return NULL;
        sample_set_release(&result->samples);
        sample_set_release(&result->durations);
        free(result->reason);
        free(result);
        return NULL;
}

const char *check_state_reason(const struct check_state *state)
{
        if (state->overdue)
                return OVERDUE;
        if (!state->result)
                return state->running ? "is running for the first time" : NOT_YET;
        return state->result->reason ? state->result->reason : "";
}

void check_state_release(struct check_state *state)
{
        state->result = check_result_unref(state->result);
}

static struct hub *hub_free(struct hub *hub)
{
        pthread_mutex_destroy(&hub->lock);
        pthread_mutex_destroy(&hub->listeners_lock);
        free(hub);
        return NULL;
}

static struct hub *hub_new(struct workers *workers)
{
        struct hub *hub = calloc(1, sizeof(*hub));

        if (!hub)
                return NULL;
        pthread_mutex_init(&hub->lock, NULL);
        pthread_mutex_init(&hub->listeners_lock, NULL);
        hub->workers = workers;
        hub->generation = 1;
        return hub;
}

/* By the lock. */
static void rise(struct hub *hub)
{
        __atomic_add_fetch(&hub->generation, 1, __ATOMIC_RELEASE);
}

static struct entry *entry_new(struct hub *hub, struct check_set *set, size_t index)
{
        struct entry *entry = calloc(1, sizeof(*entry));

        if (!entry)
                return NULL;
        *entry = (struct entry){
                .hub = hub,
                .set = check_set_ref(set),
                .index = index,
                .check = &set->checks[index],
                .labels = {{"check", set->checks[index].name}},
                .due = INT64_MIN,
        };
        if (about_durations_init(&entry->durations) < 0) {
                check_set_free(entry->set);
                free(entry);
                return NULL;
        }
        return entry;
}

/* By the lock, for an entry that is in the hub. */
static void hub_remove(struct entry *entry)
{
        if (entry->previous)
                entry->previous->next = entry->next;
        else
                entry->hub->entries = entry->next;
        if (entry->next)
                entry->next->previous = entry->previous;
}

/* By the lock. */
static void hub_add(struct entry *entry)
{
        entry->next = entry->hub->entries;
        if (entry->next)
                entry->next->previous = entry;
        entry->hub->entries = entry;
}

/* Without the lock: closing a state may take its time. */
static void entry_free(struct entry *entry)
{
        check_result_unref(entry->result);
        check_result_unref(entry->pending);
        histogram_release(&entry->durations);
        check_set_close(entry->set, entry->index);
        check_set_free(entry->set);
        free(entry);
}

/* Frees what is no longer in any schedule and not running either, or is the last of all. */
static void hub_sweep(struct hub *hub, bool all)
{
        struct entry *gone = NULL;

        {
                WITH_LOCK(hub);
                for (struct entry *entry = hub->entries, *next; entry; entry = next) {
                        next = entry->next;
                        if (!all && (entry->schedules > 0 || entry->pins > 0))
                                continue;
                        hub_remove(entry);
                        entry->next = gone;
                        gone = entry;
                }
        }
        while (gone) {
                struct entry *next = gone->next;

                entry_free(gone);
                gone = next;
        }
}

/* The entry of the same check in `previous` (NULL: none). */
static struct entry *find_unchanged(const struct schedule *previous, const struct check *check)
{
        for (size_t i = 0; previous && i < previous->count; i++) {
                const struct check *old = previous->entries[i]->check;

                if (check->definition && old->definition && strcmp(old->name, check->name) == 0)
                        return strcmp(old->definition, check->definition) == 0 ? previous->entries[i] : NULL;
        }
        return NULL;
}

static int fill(struct schedule *schedule, const struct schedule *previous, struct check_set *set,
                struct error *error)
{
        for (size_t i = 0; i < set->count; i++) {
                struct entry *entry = find_unchanged(previous, &set->checks[i]);

                if (!entry) {
                        entry = entry_new(schedule->hub, set, i);
                        if (!entry)
                                return error_oom(error);
                        WITH_LOCK(schedule->hub);
                        hub_add(entry);
                        schedule->fresh++;
                } else {
                        check_set_close(set, i);
                }
                WITH_LOCK(schedule->hub);
                entry->schedules++;
                schedule->entries[schedule->count++] = entry;
        }
        return 0;
}

static void listen_to(struct schedule *schedule)
{
        struct hub *hub = schedule->hub;

        pthread_mutex_lock(&hub->listeners_lock);
        schedule->next_listener = hub->listeners;
        hub->listeners = schedule;
        pthread_mutex_unlock(&hub->listeners_lock);
}

/* True when it was the last one. */
static bool listen_no_more(struct schedule *schedule)
{
        struct hub *hub = schedule->hub;

        pthread_mutex_lock(&hub->listeners_lock);
        for (struct schedule **at = &hub->listeners; *at; at = &(*at)->next_listener)
                if (*at == schedule) {
                        *at = schedule->next_listener;
                        break;
                }
        bool last = !hub->listeners;
        pthread_mutex_unlock(&hub->listeners_lock);
        return last;
}

static int make(struct hub *hub, const struct schedule *previous, struct check_set *set,
                void (*changed)(void *context), void *context, struct schedule **ret, struct error *error)
{
        struct schedule *schedule = calloc(1, sizeof(*schedule) + set->count * sizeof(struct entry *));

        if (!schedule) {
                if (!previous)
                        hub_free(hub);
                return error_oom(error);
        }
        schedule->hub = hub;
        schedule->changed = changed;
        schedule->context = context;
        schedule->next_overdue = previous ? INT64_MIN : INT64_MAX; /* looks at once at what is running */
        listen_to(schedule);
        int r = fill(schedule, previous, set, error);
        if (r < 0) {
                schedule_free(schedule);
                return r;
        }
        WITH_LOCK(hub);
        rise(hub);
        *ret = schedule;
        return 0;
}

int schedule_new(struct check_set *set, struct workers *workers, void (*changed)(void *context),
                 void *context, struct schedule **ret, struct error *error)
{
        struct hub *hub = hub_new(workers);

        if (!hub)
                return error_oom(error);
        return make(hub, NULL, set, changed, context, ret, error);
}

int schedule_succeed(struct schedule *previous, struct check_set *set, void (*changed)(void *context),
                     void *context, struct schedule **ret, struct error *error)
{
        return make(previous->hub, previous, set, changed, context, ret, error);
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
        const struct entry *entry = schedule->entries[check];
        const struct check_kind *kind = entry->check->kind;

        return kind->own_families ? kind->own_families(entry->set->states[entry->index]) : NULL;
}

void schedule_touch(struct schedule *schedule)
{
        WITH_LOCK(schedule->hub);
        rise(schedule->hub);
}

struct schedule *schedule_free(struct schedule *schedule)
{
        if (!schedule)
                return NULL;
        struct hub *hub = schedule->hub;
        {
                WITH_LOCK(hub);
                for (size_t i = 0; i < schedule->count; i++)
                        schedule->entries[i]->schedules--;
        }
        bool last = listen_no_more(schedule);
        free(schedule);
        hub_sweep(hub, last);
        return last ? (void)hub_free(hub), NULL : NULL;
}

/* By the lock. */
static void set_overdue_at(struct entry *entry, nsec started)
{
        entry->overdue_at = started + entry->check->timeout + OVERDUE_GRACE;
}

/* Says what has changed for the better or the worse, once. */
static void report(const struct entry *entry, int code, const char *reason, bool complained)
{
        if (code < 0)
                log_event(complained ? LOG_DEBUG : LOG_WARN, "Check failed", "check", entry->check->name,
                          "kind", entry->check->kind->name, "reason", reason, NULL);
        else if (complained)
                log_event(LOG_INFO, "Check succeeds again", "check", entry->check->name, "kind",
                          entry->check->kind->name, NULL);
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
                rise(hub);
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

        { /* its time counts from here, should it have waited for a thread */
                WITH_LOCK(hub);
                set_overdue_at(entry, started);
                entry->overdue = false;
                result = TAKE_PTR(entry->pending);
        }
        result->started_wall = clock_wall();
        result->code = check->kind->run(entry->set->states[entry->index],
                                        (struct deadline){started + check->timeout},
                                        &(struct sample_sink){&result->samples}, &error);
        result->duration = clock_monotonic() - started;
        if (result->code < 0)
                take_failure(result, result->code, error_text(&error));
        else if (result->samples.error < 0)
                take_failure(result, -ENOMEM, "out of memory while its samples were kept");
        if (result->samples.error < 0)
                sample_set_clear(&result->samples); /* half of them would be a lie, and would fail the page */
        histogram_observe(&entry->durations, nsec_to_seconds(result->duration));
        about_durations(&(struct sample_sink){&result->durations}, &entry->durations);
        if (result->durations.error < 0)
                sample_set_clear(&result->durations);

        bool complained = finish(entry, result, started);
        report(entry, result->code, result->reason, complained);
        check_result_unref(result);
        tell(hub);
        unpin(entry);
}

/* Hands a run to the workers; by the lock. False when there is no memory or no thread for it. */
static bool launch(struct entry *entry, nsec now)
{
        struct check_result *result = calloc(1, sizeof(*result));

        if (!result)
                return false;
        result->references = 1;
        result->samples.limit = (size_t)entry->check->max_series;
        result->samples.common = entry->labels;
        result->samples.common_count = N_ELEMENTS(entry->labels);
        result->durations.common = entry->labels;
        result->durations.common_count = N_ELEMENTS(entry->labels);
        if (workers_run(entry->hub->workers, run_check, entry) < 0) {
                check_result_unref(result);
                return false;
        }
        entry->pending = result;
        entry->running = true;
        entry->late = entry->overdue = false;
        set_overdue_at(entry, now);
        entry->pins++;
        entry->number++;
        return true;
}

size_t schedule_start(struct schedule *schedule, const bool *selected, struct check_run *ret_runs)
{
        nsec now = clock_monotonic();
        size_t count = 0;
        WITH_LOCK(schedule->hub);

        for (size_t i = 0; i < schedule->count; i++) {
                struct entry *entry = schedule->entries[i];

                if (selected && !selected[i])
                        continue;
                if (!entry->running && now >= entry->due && launch(entry, now) &&
                    entry->overdue_at < schedule->next_overdue)
                        schedule->next_overdue = entry->overdue_at;
                if (entry->running && !entry->late && !entry->overdue)
                        ret_runs[count++] = (struct check_run){(uint32_t)i, entry->number};
        }
        return count;
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
        rise(schedule->hub);
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
                        report(schedule->entries[i], -ETIMEDOUT, OVERDUE, false);
        WITH_LOCK(schedule->hub);
        return schedule->next_overdue;
}

uint64_t schedule_generation(const struct schedule *schedule)
{
        return __atomic_load_n(&schedule->hub->generation, __ATOMIC_ACQUIRE);
}

void schedule_states(struct schedule *schedule, struct check_state *ret_states, uint64_t *ret_generation,
                     nsec *ret_fresh_until)
{
        nsec fresh_until = INT64_MAX;
        WITH_LOCK(schedule->hub);

        for (size_t i = 0; i < schedule->count; i++) {
                const struct entry *entry = schedule->entries[i];

                ret_states[i] = (struct check_state){
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
}

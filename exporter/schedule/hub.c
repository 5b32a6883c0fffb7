/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a schedule, and which of them go on when the file was read again. */
#include <string.h>

#include "exporter/check/samples.h"
#include "exporter/schedule/internal.h"

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
        if (check_durations_init(&entry->durations) < 0) {
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

void hub_sweep(struct hub *hub, bool all)
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

                if (check->definition && old->definition && strcmp(old->name, check->name) == 0 &&
                    string_equal(old->target, check->target))
                        return strcmp(old->definition, check->definition) == 0 ? previous->entries[i] : NULL;
        }
        return NULL;
}

static int fill(struct schedule *schedule, const struct schedule *previous, struct check_set *set,
                struct error *error)
{
        for (size_t i = 0; i < check_set_size(set); i++) {
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
        struct schedule *schedule =
                calloc(1, sizeof(*schedule) + check_set_size(set) * sizeof(struct entry *));

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

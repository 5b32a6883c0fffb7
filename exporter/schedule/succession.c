/* SPDX-License-Identifier: Apache-2.0 */
/* The checks that go on from one reading of the file to the next, and who hears of them. */
#include "exporter/check/samples.h"
#include "exporter/schedule/internal.h"

struct succession *succession_free(struct succession *succession)
{
        pthread_mutex_destroy(&succession->lock);
        pthread_mutex_destroy(&succession->listeners_lock);
        free(succession);
        return NULL;
}

struct succession *succession_new(struct workers *workers)
{
        struct succession *succession = calloc(1, sizeof(*succession));
        if (!succession)
                return NULL;
        pthread_mutex_init(&succession->lock, NULL);
        pthread_mutex_init(&succession->listeners_lock, NULL);
        succession->workers = workers;
        succession->generation = 1;
        return succession;
}

static struct scheduled_check *scheduled_check_new(struct succession *succession, struct check_set *set,
                                                   size_t index)
{
        struct scheduled_check *scheduled = calloc(1, sizeof(*scheduled));
        if (!scheduled)
                return NULL;
        *scheduled = (struct scheduled_check){
                .succession = succession,
                .set = check_set_ref(set),
                .index = index,
                .check = &set->checks[index],
                .labels = {{"check", set->checks[index].name}},
                .due = INT64_MIN,
        };
        if (check_durations_init(&scheduled->durations) < 0) {
                check_set_free(scheduled->set);
                free(scheduled);
                return NULL;
        }
        return scheduled;
}

/* By the lock, for a check that is in it. */
static void remove_check(struct scheduled_check *scheduled)
{
        if (scheduled->previous)
                scheduled->previous->next = scheduled->next;
        else
                scheduled->succession->checks = scheduled->next;
        if (scheduled->next)
                scheduled->next->previous = scheduled->previous;
}

struct scheduled_check *succession_add(struct succession *succession, struct check_set *set, size_t index)
{
        struct scheduled_check *scheduled = scheduled_check_new(succession, set, index);
        if (!scheduled)
                return NULL;
        WITH_LOCK(succession);
        scheduled->next = succession->checks;
        if (scheduled->next)
                scheduled->next->previous = scheduled;
        succession->checks = scheduled;
        return scheduled;
}

/* Without the lock: closing a state may take its time. */
static void scheduled_check_free(struct scheduled_check *scheduled)
{
        check_result_unref(scheduled->result);
        check_result_unref(scheduled->pending);
        check_result_unref(scheduled->traced);
        histogram_release(&scheduled->durations);
        check_set_close(scheduled->set, scheduled->index);
        check_set_free(scheduled->set);
        free(scheduled);
}

void succession_sweep(struct succession *succession, bool all)
{
        struct scheduled_check *gone = NULL;
        {
                WITH_LOCK(succession);
                for (struct scheduled_check *scheduled = succession->checks, *next; scheduled;
                     scheduled = next) {
                        next = scheduled->next;
                        if (!all && (scheduled->schedules > 0 || scheduled->pins > 0))
                                continue;
                        remove_check(scheduled);
                        scheduled->next = gone;
                        gone = scheduled;
                }
        }
        while (gone) {
                struct scheduled_check *next = gone->next;
                scheduled_check_free(gone);
                gone = next;
        }
}

void succession_add_listener(struct schedule *schedule)
{
        struct succession *succession = schedule->succession;
        pthread_mutex_lock(&succession->listeners_lock);
        schedule->next_listener = succession->listeners;
        succession->listeners = schedule;
        pthread_mutex_unlock(&succession->listeners_lock);
}

bool succession_remove_listener(struct schedule *schedule)
{
        struct succession *succession = schedule->succession;
        pthread_mutex_lock(&succession->listeners_lock);
        for (struct schedule **at = &succession->listeners; *at; at = &(*at)->next_listener)
                if (*at == schedule) {
                        *at = schedule->next_listener;
                        break;
                }
        bool last = !succession->listeners;
        pthread_mutex_unlock(&succession->listeners_lock);
        return last;
}

void succession_notify(struct succession *succession)
{
        pthread_mutex_lock(&succession->listeners_lock);
        for (const struct schedule *schedule = succession->listeners; schedule;
             schedule = schedule->next_listener)
                schedule->changed(schedule->context);
        pthread_mutex_unlock(&succession->listeners_lock);
}

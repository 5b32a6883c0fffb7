/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of the checks: which are due, which are running, and what each one's last run measured.
 *
 * There are no timers here: a check runs once when it is new, and then because a scrape asks for it and its
 * samples are older than its `cache:` allows. Whoever asks while it runs gets that same run. A run that
 * outlasts its timeout is *overdue*: it counts as failed and nobody waits for it any more, but it is still
 * running, so it is not started again. Every function may be called by any thread; none waits for a check.
 *
 * The room is here so that pages and commands ask how checks stand without knowing threads, and so that a
 * reload does not lose what was measured. It uses exporter/history, exporter/check, lib/base and lib/metrics,
 * and knows no kind.
 */
#ifndef EXPORTER_SCHEDULE_SCHEDULE_H
#define EXPORTER_SCHEDULE_SCHEDULE_H

#include "exporter/check/result.h"
#include "runbook/workers.h"

/* One run of one check that somebody waits for. */
struct check_run {
        uint32_t check; /* its index in the set */
        uint64_t number;
};

struct schedule;

/*
 * `set` and `workers` are borrowed. `changed` is called without any lock, on the thread of the run that has
 * ended; it must not block.
 */
int schedule_new(struct check_set *set, struct workers *workers, void (*changed)(void *context),
                 void *context, struct schedule **ret, struct error *error);

/*
 * The schedule of the checks after the file was read again. A check with the same definition goes on: with
 * its state, its last result, and the run that it is in. Both schedules may be used until `previous` is
 * freed; what only `previous` has is closed then, or when its last run has ended.
 */
int schedule_succeed(struct schedule *previous, struct check_set *set, void (*changed)(void *context),
                     void *context, struct schedule **ret, struct error *error);

/* How many checks there are, those of other targets among them: the room that arrays of them need. */
size_t schedule_count(const struct schedule *schedule);

/* How many of the checks are not those of the schedule before. */
size_t schedule_fresh(const struct schedule *schedule);

/* The generation advances although no check says anything else: what a reload came to is on the pages, too.
 */
void schedule_advance_generation(struct schedule *schedule);

/* The last of them only once no run is left: workers_stop() answered 0. Takes NULL. */
struct schedule *schedule_free(struct schedule *schedule);

/*
 * Starts every due check among `selected` (one bool a check; NULL: all but those of other targets).
 * `ret_runs` takes the runs to wait for, old and new, and has room for every check; the number of them is
 * returned. Runs that are late are not among them.
 */
size_t schedule_start(struct schedule *schedule, const bool *selected, struct check_run *ret_runs);

/*
 * Starts every check that has never run, but for those of other targets: there is something to show before
 * anybody has asked. Nobody waits for these runs; who asks meanwhile gets the same ones. Without memory
 * nothing is started.
 */
void schedule_start_new(struct schedule *schedule);

/*
 * A run of one check that tells its steps: a reference to its result, of which only the trace may be looked
 * at until schedule_finished(), and how long ago it began. With `at_will` it is started now, due or not.
 * Without, it is the last one of these, running or ended, unless that began longer ago than the check's
 * `cache:`, or a second, allows: so it is nobody's to make the target work for nothing. NULL while another
 * run of the check is under way, or when there is no memory or thread for it.
 */
struct check_result *schedule_trace(struct schedule *schedule, size_t check, bool at_will,
                                    struct check_run *ret_run, nsec *ret_age);

/* True once the run has ended. */
bool schedule_finished(struct schedule *schedule, struct check_run run);

/* True when nobody needs to wait for this run: it has ended, or is overdue. */
bool schedule_ended(struct schedule *schedule, struct check_run run);

/* A scrape had to go without this run: later scrapes do not wait for it either. */
void schedule_mark_late(struct schedule *schedule, struct check_run run);

/* Marks what has outlasted its timeout; the instant when it should be called again (INT64_MAX: no run). */
nsec schedule_expire(struct schedule *schedule);

/* The metrics that the operator defined for a check, closed by NULL; NULL: none. By its index in the set. */
const struct metric_family *const *schedule_own_families(const struct schedule *schedule, size_t check);

/* Advances whenever what the checks say has changed, but for those of other targets. Takes no lock. */
uint64_t schedule_generation(const struct schedule *schedule);

/*
 * Fills `ret_states` (room for every check) with how the selected ones (as above) stand at one moment, and
 * tells the generation and until when none of them is due or waited for (INT64_MIN: one is now). The number
 * of states is returned; check_state_release() each.
 */
size_t schedule_states(struct schedule *schedule, const bool *selected, struct check_state *ret_states,
                       uint64_t *ret_generation, nsec *ret_fresh_until);

#endif

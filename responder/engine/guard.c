/* SPDX-License-Identifier: Apache-2.0 */
/* What may hold an incident back: kill switch, person, lock, cooldown, limits, breaker, storm. The first that
 * does is named. */
#include "responder/engine/guard.h"
#include "responder/incident/question.h"
#include "responder/people/people.h"
#include "runbook/assert.h"

#include <stdio.h>

static int check_paused(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_human(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_maintenance(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_lock(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_cooldown(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_limit(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_limit_all(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_freshness(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_breaker(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_storm(const struct guard_question *, struct guard_verdict *, struct error *);

/* In the order they are asked. 1: holds it back; 0: lets it through. */
static const struct guard {
        const char *name;
        bool once;  /* not asked again of an incident that has begun */
        bool asks;  /* a person decides; not asked again once one has: a deadline is nobody */
        bool tells; /* a person is told at once that it holds something back */
        int (*check)(const struct guard_question *, struct guard_verdict *, struct error *);
} guards[] = {
        {.name = "paused", .check = check_paused, .tells = true},
        {.name = PEOPLE_GUARD, .check = check_human},
        {.name = "maintenance", .check = check_maintenance},
        {.name = "lock", .check = check_lock},
        {.name = "cooldown", .check = check_cooldown, .once = true},
        {.name = "limit", .check = check_limit, .once = true, .tells = true},
        {.name = "limit_all", .check = check_limit_all, .once = true},
        {.name = FRESHNESS_GUARD, .check = check_freshness, .once = true, .tells = true},
        {.name = "breaker", .check = check_breaker, .once = true, .asks = true},
        {.name = "storm", .check = check_storm, .once = true, .asks = true},
};

const char *guard_name(size_t index)
{
        return index < N_ELEMENTS(guards) ? guards[index].name : NULL;
}

bool guard_holds_lock(const struct incident *incident)
{
        if (incident->state == INCIDENT_RUNNING || incident->state == INCIDENT_VERIFYING)
                return true;
        for (size_t i = 0; i < incident->step_count; i++)
                if (incident->steps[i].status == STEP_UNDOING)
                        return true;
        return false;
}

const struct incident *guard_lock_holder(const struct lock_holders *holders, int64_t incident,
                                         const char *lock)
{
        assert_that(lock, "a lock has a name");
        for (size_t i = 0; i < holders->count; i++)
                if (holders->items[i]->id != incident && string_equal(holders->items[i]->lock, lock))
                        return holders->items[i];
        return NULL;
}

/* Whether a person has taken it, or another one under its lock, since it was said that it may go on. */
static bool is_kept(const struct incident *incident, const struct lock_holders *holders)
{
        for (size_t i = 0; i < holders->taken_count; i++) {
                const struct incident *taken = holders->taken[i];
                if (taken->hands_steady > incident->freed_steady &&
                    (taken->id == incident->id || string_equal(taken->lock, incident->lock)))
                        return true;
        }
        return false;
}

bool guard_may_be_over(const struct incident *incident, const struct lock_holders *holders, bool paused,
                       bool maintained, nsec wall)
{
        assert_that(incident->state == INCIDENT_HELD, "what is held has a guard");
        if (string_equal(incident->guard, "paused"))
                return !paused;
        if (people_keep(incident))
                return !is_kept(incident, holders);
        if (string_equal(incident->guard, "maintenance"))
                return !maintained;
        if (string_equal(incident->guard, "lock"))
                return !guard_lock_holder(holders, incident->id, incident->lock);
        return incident->guard_until != 0 && incident->guard_until <= wall;
}

static int check_paused(const struct guard_question *question, struct guard_verdict *verdict,
                        struct error *error _unused_)
{
        (void)verdict;
        return question->paused ? 1 : 0;
}

/* Who was seen at it is looked for anew by whoever begins it, once the time is over for which that holds; or
 * when the wall clock was set back, since nobody is seen for longer than a window. */
static bool is_held_by_sight(const struct guard_question *question, const struct people_question *who,
                             nsec *ret_left)
{
        const struct incident *incident = question->incident;
        *ret_left = incident->guard_until - world_wall(question->world);
        return incident->state == INCIDENT_HELD && string_equal(incident->guard, PEOPLE_GUARD) &&
               *ret_left > 0 && *ret_left <= question->now - people_seen_after(who) &&
               incident->freed_steady <= incident->entered_steady;
}

static int check_human(const struct guard_question *question, struct guard_verdict *verdict,
                       struct error *error)
{
        const struct people_question who = {question->journal,     question->world,    question->set,
                                            question->remediation, question->incident, question->lock};
        struct people_hold hold = {0};
        nsec left = 0;
        int r = people_ask(&who, &hold, error);
        if (r == 0 && is_held_by_sight(question, &who, &left)) {
                verdict->until = question->now + left;
                verdict->own = true;
                return 1;
        }
        if (r <= 0)
                return r;
        verdict->until = hold.until;
        verdict->tells = hold.tells;
        verdict->own = true;
        memcpy(verdict->reason, hold.reason, sizeof(hold.reason));
        return 1;
}

static int check_maintenance(const struct guard_question *question, struct guard_verdict *verdict,
                             struct error *error _unused_)
{
        if (!question->maintained)
                return 0;
        verdict->until = question->maintained_until > question->now ? question->maintained_until : 0;
        return 1;
}

static int check_lock(const struct guard_question *question, struct guard_verdict *verdict,
                      struct error *error _unused_)
{
        const struct incident *holder =
                guard_lock_holder(question->holders, question->incident->id, question->lock);
        if (!holder)
                return 0;
        snprintf(verdict->holder, sizeof(verdict->holder), "%s", holder->number ? holder->number : "");
        return 1;
}

/* What it was begun with does not say how long a guard holds. */
static const struct remediation *in_the_file(const struct guard_question *question)
{
        const struct remediation *file =
                question->incident->running_at == 0
                        ? NULL
                        : remediation_find(question->set, question->remediation->name);
        return file ? file : question->remediation;
}

static int check_cooldown(const struct guard_question *question, struct guard_verdict *verdict,
                          struct error *error)
{
        const struct remediation *remediation = in_the_file(question);
        if (remediation->cooldown <= 0)
                return 0;
        nsec ended = 0;
        int r = journal_last_run_beside(question->journal, question->lock, question->incident->id, &ended,
                                        error);
        if (r < 0)
                return r;
        if (ended == 0 || ended + remediation->cooldown <= question->now)
                return 0;
        verdict->until = ended + remediation->cooldown;
        return 1;
}

/* As many runs have begun within the time that ends now as may; of any remediation when it is NULL. A run
 * that began exactly that time ago is out of it. */
static int check_rate(const struct guard_question *question, const char *remediation, const struct rate *rate,
                      struct guard_verdict *verdict, struct error *error)
{
        nsec began = 0;
        if (rate->count <= 0)
                return 0;
        int r = journal_nth_run(question->journal, remediation, question->lock, rate->count,
                                question->now - rate->period, &began, error);
        if (r < 0 || began == 0)
                return r;
        verdict->until = began + rate->period;
        return 1;
}

static int check_limit(const struct guard_question *question, struct guard_verdict *verdict,
                       struct error *error)
{
        return check_rate(question, question->remediation->name, &question->remediation->limit, verdict,
                          error);
}

/* Who is about to begin counts as begun: of two at once one passes. Whether they do is soon known; a person
 * is told of what is certain. */
static int check_limit_all(const struct guard_question *question, struct guard_verdict *verdict,
                           struct error *error)
{
        const struct rate *all = &question->set->limit_all;
        const int64_t left = all->count - (int64_t)question->beginning;
        nsec began = 0, full = 0;
        if (all->count <= 0 || question->remediation->urgent || !remediation_changes(question->remediation))
                return 0;
        const struct journal_runs runs = {.after = question->now - all->period,
                                          .beside = question->incident->id};
        int r = journal_nth_begun(question->journal, &runs, all->count, &full, error);
        if (r >= 0 && full == 0 && left > 0)
                r = journal_nth_begun(question->journal, &runs, left, &began, error);
        if (r < 0 || (full == 0 && began == 0 && left > 0))
                return r;
        char within[DURATION_TEXT_MAX];
        verdict->until = full == 0 ? 0 : full + all->period;
        verdict->tells = full != 0;
        snprintf(verdict->reason, sizeof(verdict->reason),
                 full != 0 ? "something was done %lld times within %s, by whatever remediation"
                           : "with what is about to begin it would be done more than %lld times within %s",
                 (long long)all->count, duration_format(all->period, within));
        return 1;
}

/* What Prometheus does not know it can neither have meant nor verify. */
static int check_freshness(const struct guard_question *question, struct guard_verdict *verdict,
                           struct error *error _unused_)
{
        const struct freshness *data = &question->freshness;
        const struct remediation *remediation = in_the_file(question);
        const nsec within = remediation->fresh_within;
        char age[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];
        if (within <= 0 || remediation->urgent)
                return 0;
        verdict->unasked = data->asked_at == 0;
        if (!verdict->unasked && !*data->why && data->age <= within)
                return 0;
        if (*data->why)
                snprintf(verdict->reason, sizeof(verdict->reason),
                         "nobody can tell how old Prometheus' data are: %s", data->why);
        else if (!verdict->unasked)
                snprintf(verdict->reason, sizeof(verdict->reason),
                         "Prometheus' newest data are %s old, and %s is the most",
                         duration_format(data->age, age), duration_format(within, most));
        return 1;
}

static int check_breaker(const struct guard_question *question, struct guard_verdict *verdict,
                         struct error *error)
{
        const struct rate *breaker = &question->set->breaker;
        if (question->remediation->urgent || !remediation_changes(question->remediation))
                return 0;
        int r = check_rate(question, NULL, breaker, verdict, error);
        if (r <= 0)
                return r;
        char within[DURATION_TEXT_MAX];
        duration_format(breaker->period, within);
        snprintf(verdict->reason, sizeof(verdict->reason),
                 "breaker: something was done under the lock %.100s %lld times within %s", question->lock,
                 (long long)breaker->count, within);
        return 1;
}

static bool was_acted_on(const struct acted_locks *acted, const char *lock)
{
        for (size_t i = 0; i < acted->count; i++)
                if (string_equal(acted->items[i], lock))
                        return true;
        return false;
}

int guard_note_acted(struct acted_locks *acted, const char *lock, struct error *error)
{
        if (acted->count >= acted->space || was_acted_on(acted, lock))
                return 0;
        char *copy = strdup(lock);
        if (!copy)
                return error_oom(error);
        acted->items[acted->count++] = copy;
        return 0;
}

static int check_storm(const struct guard_question *question, struct guard_verdict *verdict,
                       struct error *error _unused_)
{
        const struct acted_locks *acted = question->acted;
        const struct rate *storm = &question->set->storm;
        if (question->remediation->urgent || !remediation_changes(question->remediation) ||
            storm->count <= 0 || (int64_t)acted->count < storm->count || was_acted_on(acted, question->lock))
                return 0;
        char within[DURATION_TEXT_MAX];
        duration_format(storm->period, within);
        snprintf(verdict->reason, sizeof(verdict->reason),
                 "storm: something is done under %zu other locks within %s, and the next would be %.100s",
                 acted->count, within, question->lock);
        return 1;
}

/* It has begun; but not when it has yielded to a person before its first step: others may have run since. */
static bool is_counted(const struct incident *incident)
{
        bool begun = incident->step_count == 0;
        for (size_t i = 0; i < incident->step_count; i++)
                begun |= incident->steps[i].status != STEP_WAITING;
        return incident->running_at != 0 && begun;
}

int guard_ask(size_t index, const struct guard_question *question, struct guard_verdict *ret,
              struct error *error)
{
        assert_that(index < N_ELEMENTS(guards), "there is such a guard");
        const struct guard *guard = &guards[index];
        if ((guard->once && is_counted(question->incident)) ||
            (guard->asks && question_is_answered(question->incident)))
                return 0;
        struct guard_verdict verdict = {0};
        int r = guard->check(question, &verdict, error);
        if (r <= 0)
                return error_prefix(error, r, "guard %s", guard->name);
        assert_that(verdict.until == 0 || verdict.until > question->now,
                    "who is held until a time is held until one to come");
        verdict.guard = guard->name;
        verdict.asks = guard->asks;
        verdict.tells = verdict.tells || guard->tells;
        *ret = verdict;
        return 1;
}

int guard_check(const struct guard_question *question, struct guard_verdict *ret, struct error *error)
{
        assert_that(question->journal && question->world && question->remediation && question->incident &&
                            question->holders && question->lock && question->set && question->acted,
                    "every guard has all that it asks about");
        for (size_t i = 0; i < N_ELEMENTS(guards); i++) {
                int r = guard_ask(i, question, ret, error);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        *ret = (struct guard_verdict){0};
        return 0;
}

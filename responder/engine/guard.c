/* SPDX-License-Identifier: Apache-2.0 */
/* What may hold an incident back: kill switch, lock, cooldown, limit. The first that does is named. */
#include "responder/engine/guard.h"
#include "runbook/assert.h"

#include <stdio.h>

static int check_paused(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_lock(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_cooldown(const struct guard_question *, struct guard_verdict *, struct error *);
static int check_limit(const struct guard_question *, struct guard_verdict *, struct error *);

/* In the order they are asked. 1: holds it back; 0: lets it through. */
static const struct guard {
        const char *name;
        bool once; /* not asked again of an incident that has begun */
        int (*check)(const struct guard_question *, struct guard_verdict *, struct error *);
} guards[] = {
        {"paused", false, check_paused},
        {"lock", false, check_lock},
        {"cooldown", true, check_cooldown},
        {"limit", true, check_limit},
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

static int check_paused(const struct guard_question *question, struct guard_verdict *verdict,
                        struct error *error _unused_)
{
        (void)verdict;
        return question->paused ? 1 : 0;
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

static int check_cooldown(const struct guard_question *question, struct guard_verdict *verdict,
                          struct error *error)
{
        const struct remediation *remediation = question->remediation;
        if (remediation->cooldown <= 0)
                return 0;
        nsec ended = 0;
        int r = journal_last_run(question->journal, question->lock, &ended, error);
        if (r < 0)
                return r;
        if (ended == 0 || ended + remediation->cooldown <= question->now)
                return 0;
        verdict->until = ended + remediation->cooldown;
        return 1;
}

/* As many runs have begun within the time that ends now as may; of any remediation when it is NULL. A run
 * that began exactly that time ago is out of it. */
static int check_rate(const struct guard_question *question, const char *remediation, int64_t count,
                      nsec period, struct guard_verdict *verdict, struct error *error)
{
        nsec began = 0;
        int r = journal_nth_run(question->journal, remediation, question->lock, count, question->now - period,
                                &began, error);
        if (r < 0 || began == 0)
                return r;
        verdict->until = began + period;
        return 1;
}

static int check_limit(const struct guard_question *question, struct guard_verdict *verdict,
                       struct error *error)
{
        const struct remediation *remediation = question->remediation;
        if (remediation->limit_count <= 0)
                return 0;
        return check_rate(question, remediation->name, remediation->limit_count, remediation->limit_period,
                          verdict, error);
}

int guard_check(const struct guard_question *question, struct guard_verdict *ret, struct error *error)
{
        assert_that(question->journal && question->remediation && question->incident && question->holders &&
                            question->lock,
                    "every guard has all that it asks about");
        for (size_t i = 0; i < N_ELEMENTS(guards); i++) {
                if (guards[i].once && question->incident->running_at != 0)
                        continue;
                struct guard_verdict verdict = {0};
                int r = guards[i].check(question, &verdict, error);
                if (r < 0)
                        return error_prefix(error, r, "guard %s", guards[i].name);
                if (r > 0) {
                        assert_that(verdict.until == 0 || verdict.until > question->now,
                                    "who is held until a time is held until one to come");
                        verdict.guard = guards[i].name;
                        *ret = verdict;
                        return 0;
                }
        }
        *ret = (struct guard_verdict){0};
        return 0;
}

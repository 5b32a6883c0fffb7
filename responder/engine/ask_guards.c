/* SPDX-License-Identifier: Apache-2.0 */
/* What each guard would say of an alert that comes now: all of them are asked, and nothing follows. */
#include <errno.h>
#include <stdio.h>

#include "responder/engine/internal.h"

static int find_holders(const struct incident_list *active, struct lock_holders *ret, struct error *error)
{
        ret->items = calloc(active->count + 1, sizeof(struct incident *));
        if (!ret->items)
                return error_oom(error);
        for (size_t i = 0; i < active->count; i++)
                if (guard_holds_lock(&active->items[i]))
                        ret->items[ret->count++] = &active->items[i];
        return 0;
}

static int ask_all(const struct guard_question *question, nsec wall, struct guards_say *ret,
                   struct error *error)
{
        for (size_t i = 0; guard_name(i) && i < N_ELEMENTS(ret->items); i++) {
                struct guard_verdict verdict = {0};
                int r = guard_ask(i, question, &verdict, error);
                if (r < 0)
                        return r;
                struct guard_says *says = &ret->items[ret->count++];
                *says = (struct guard_says){.guard = guard_name(i), .holds = r > 0};
                if (verdict.until > 0)
                        says->until = wall + (verdict.until - question->now);
                memcpy(says->reason, verdict.reason, sizeof(says->reason));
                memcpy(says->holder, verdict.holder, sizeof(says->holder));
        }
        return 0;
}

/* Fills `question` with what the journal has; both lists are to be released whatever it returns. */
static int ask_journal(const struct incident_parts *parts, struct guard_question *question,
                       struct incident_list *active, struct lock_holders *holders, struct acted_locks *acted,
                       struct error *error)
{
        nsec since = 0;
        question->now = journal_steady(parts->journal);
        struct maintenance_shown maintenance = {0};
        int r = journal_paused(parts->journal, &question->paused, &since, error);
        if (r >= 0)
                r = maintenance_show(parts->journal, &maintenance, error);
        question->maintained = maintenance.holds;
        if (maintenance.until > 0)
                question->maintained_until = question->now + maintenance.until - world_wall(parts->world);
        maintenance_shown_release(&maintenance);
        if (r >= 0)
                r = journal_active(parts->journal, active, error);
        if (r >= 0)
                r = find_holders(active, holders, error);
        if (r >= 0)
                r = acted_gather(parts, holders, question->now, acted, error);
        return r;
}

int engine_ask_guards(struct engine *engine, const char *remediation, const struct alert *alert,
                      struct guards_say *ret, struct error *error)
{
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(engine);
        const struct remediation *found = remediation_find(parts.set, remediation);
        const struct incident none = {.id = 0};
        struct guards_say says = {0};
        struct incident_list active = {0};
        struct lock_holders holders = {0};
        struct acted_locks acted = {0};
        if (!found)
                return error_set(error, ENOENT, "there is no remediation %s", remediation);
        int r = remediation_lock(found, alert, "INC-0000-0000", &says.lock, error);
        struct guard_question question = {
                .journal = parts.journal,
                .world = parts.world,
                .remediation = found,
                .incident = &none,
                .lock = says.lock,
                .holders = &holders,
                .set = parts.set,
                .acted = &acted,
        };
        if (r >= 0)
                r = ask_journal(&parts, &question, &active, &holders, &acted, error);
        if (r >= 0)
                r = ask_all(&question, world_wall(parts.world), &says, error);
        acted_release(&acted);
        free(holders.items);
        incident_list_release(&active);
        if (r < 0)
                free(says.lock);
        else
                *ret = says;
        return r;
}

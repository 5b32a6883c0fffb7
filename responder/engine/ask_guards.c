/* SPDX-License-Identifier: Apache-2.0 */
/* What each guard would say of an alert that comes now: all of them are asked, and nothing follows. */
#include <errno.h>
#include <stdlib.h>

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

/* So old an answer still says how it is now; nobody is asked for this. */
#define STILL_KNOWN (60 * NSEC_PER_SEC)

static struct freshness last_freshness(struct engine *engine)
{
        pthread_mutex_lock(&engine->lock);
        struct freshness data = engine->freshness;
        pthread_mutex_unlock(&engine->lock);
        return world_monotonic(engine->machine) - data.asked_at <= STILL_KNOWN ? data : (struct freshness){0};
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
                *says = (struct guard_says){
                        .guard = guard_name(i), .holds = r > 0 && !verdict.unasked, .asks = verdict.asks};
                if (verdict.until > 0)
                        says->until = wall + (verdict.until - question->now);
                memcpy(says->reason, verdict.reason, sizeof(says->reason));
                if (verdict.unasked)
                        snprintf(says->reason, sizeof(says->reason),
                                 "Prometheus is asked when it is to begin");
                memcpy(says->holder, verdict.holder, sizeof(says->holder));
        }
        return 0;
}

/* What all guards look at, as it was at one moment. */
struct guards_asked {
        struct incident_parts parts;
        struct guard_question question;
        struct incident_list active;
        struct lock_holders holders;
        struct acted_locks acted;
};

/* What the journal has of it. */
static int ask_journal(struct guards_asked *asked, struct error *error)
{
        const struct incident_parts *parts = &asked->parts;
        struct guard_question *question = &asked->question;
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
                r = journal_active(parts->journal, &asked->active, error);
        if (r >= 0)
                r = find_holders(&asked->active, &asked->holders, error);
        if (r >= 0)
                r = acted_gather(parts, &asked->holders, question->now, &asked->acted, error);
        return r;
}

int guards_asked_new(struct engine *engine, struct guards_asked **ret, struct error *error)
{
        struct guards_asked *asked = calloc(1, sizeof(*asked));
        if (!asked)
                return error_oom(error);
        asked->parts = engine_parts(engine);
        asked->question = (struct guard_question){
                .journal = asked->parts.journal,
                .world = asked->parts.world,
                .holders = &asked->holders,
                .set = asked->parts.set,
                .acted = &asked->acted,
                .freshness = last_freshness(engine),
        };
        int r = ask_journal(asked, error);
        if (r < 0)
                guards_asked_free(asked);
        else
                *ret = asked;
        return r;
}

struct guards_asked *guards_asked_free(struct guards_asked *asked)
{
        if (!asked)
                return NULL;
        acted_release(&asked->acted);
        free(asked->holders.items);
        incident_list_release(&asked->active);
        parts_release(&asked->parts);
        free(asked);
        return NULL;
}

int guards_ask(const struct guards_asked *asked, const char *remediation, const struct alert *alert,
               struct guards_say *ret, struct error *error)
{
        assert_that(asked && remediation && alert, "guards are asked about an alert of a remediation");
        const struct remediation *found = remediation_find(asked->parts.set, remediation);
        const struct incident none = {.id = 0};
        struct guards_say says = {0};
        if (!found)
                return error_set(error, ENOENT, "there is no remediation %s", remediation);
        int r = remediation_lock(found, alert, "INC-0000-0000", &says.lock, error);
        if (r < 0)
                return r;
        struct guard_question question = asked->question;
        question.remediation = found;
        question.incident = &none;
        question.lock = says.lock;
        r = ask_all(&question, world_wall(asked->parts.world), &says, error);
        if (r < 0)
                free(says.lock);
        else
                *ret = says;
        return r;
}

static void note_label(void *context, const char *name, const char *value)
{
        json_put(context, name, cJSON_CreateString(value));
}

int guards_ask_any(const struct guards_asked *asked, const struct remediation *remediation,
                   struct guards_say *ret, struct error *error)
{
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        cJSON *labels = cJSON_CreateObject();
        struct alert alert = {0};
        note_label(labels, "alertname", "any");
        matchers_each_value(&remediation->match, note_label, labels);
        json_put(json, "labels", labels);
        int r = alert_from_labels(json, world_wall(asked->parts.world), &alert, error);
        if (r < 0)
                return r;
        r = guards_ask(asked, remediation->name, &alert, ret, error);
        alert_release(&alert);
        return r;
}

int engine_ask_guards(struct engine *engine, const char *remediation, const struct alert *alert,
                      struct guards_say *ret, struct error *error)
{
        struct guards_asked *asked = NULL;
        int r = guards_asked_new(engine, &asked, error);
        if (r >= 0)
                r = guards_ask(asked, remediation, alert, ret, error);
        guards_asked_free(asked);
        return r;
}

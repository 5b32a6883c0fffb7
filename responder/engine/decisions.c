/* SPDX-License-Identifier: Apache-2.0 */
/* What a person decides about an incident: journaled with who it was, then the engine looks again. */
#include <errno.h>

#include "responder/engine/internal.h"

#define TRIES 5

/* True when the decision may be taken in this state; otherwise `wants` says in which it could. */
struct decision {
        const char *event;
        const char *wants;
        bool (*allowed)(const struct engine *engine, const struct incident *incident);
        void (*decide)(const struct incident *incident, struct journal_entry *entry);
};

static bool awaits(_unused_ const struct engine *engine, const struct incident *incident)
{
        return incident->state == INCIDENT_AWAITING_APPROVAL;
}

static bool not_ended(_unused_ const struct engine *engine, const struct incident *incident)
{
        return incident->state >= INCIDENT_RECEIVED && incident->state <= INCIDENT_VERIFYING;
}

static bool undoable(const struct engine *engine, const struct incident *incident)
{
        const struct remediation *remediation = remediation_find(engine->options.set, incident->remediation);
        if (incident->ended_at == 0 || !walk_fits(remediation, incident))
                return false;
        for (size_t i = 0; i < incident->step_count; i++) {
                enum step_status status = incident->steps[i].status;
                if (remediation->steps[i].action->undo &&
                    (status == STEP_DONE || status == STEP_FAILED || status == STEP_INTERRUPTED ||
                     status == STEP_UNDO_FAILED || status == STEP_UNDOING))
                        return true;
        }
        return false;
}

static void decide_approve(_unused_ const struct incident *incident, struct journal_entry *entry)
{
        entry->approve = true;
}

static void decide_deny(_unused_ const struct incident *incident, struct journal_entry *entry)
{
        entry->state = INCIDENT_DENIED;
}

/* What waits is cancelled at once, what runs at the end of its step. */
static void decide_cancel(const struct incident *incident, struct journal_entry *entry)
{
        if (incident->state == INCIDENT_RUNNING || incident->state == INCIDENT_VERIFYING)
                entry->request_cancel = true;
        else
                entry->state = INCIDENT_CANCELLED;
}

static void decide_undo(_unused_ const struct incident *incident, struct journal_entry *entry)
{
        entry->request_undo = true;
}

static const struct decision approval = {"approved", "awaiting approval", awaits, decide_approve};
static const struct decision denial = {"denied", "awaiting approval", awaits, decide_deny};
static const struct decision cancellation = {"cancelled", "under way", not_ended, decide_cancel};
static const struct decision undo = {"undo asked for", "ended with a step that can be undone", undoable,
                                     decide_undo};

static int decide(struct engine *engine, const struct decision *decision, const char *number,
                  const char *actor, const char *reason, struct error *error)
{
        struct journal *journal = engine->options.journal;
        int r = -ESTALE;
        /* The incident may move on between the look and the write: then it is looked at again. */
        for (unsigned i = 0; i < TRIES && r == -ESTALE; i++) {
                struct incident incident = {0};
                r = journal_find(journal, number, &incident, error);
                if (r < 0)
                        return r;
                _cleanup_json_ cJSON *detail = reason && *reason ? reason_detail(reason, NULL) : NULL;
                struct journal_entry entry = {.incident = incident.id,
                                              .actor = actor && *actor ? actor : "person",
                                              .event = decision->event,
                                              .expect = incident.state,
                                              .detail = detail};
                bool allowed = decision->allowed(engine, &incident);
                if (allowed) {
                        decision->decide(&incident, &entry);
                        r = journal_write(journal, &entry, error);
                        if (r >= 0 && entry.state != INCIDENT_UNCHANGED)
                                meters_incident_ended(engine->options.meters, incident.remediation,
                                                      entry.state);
                } else {
                        r = error_set(error, ESTALE, "%s is %s, and not %s", number,
                                      incident_state_name(incident.state), decision->wants);
                }
                incident_release(&incident);
                if (!allowed)
                        return r;
        }
        if (r >= 0)
                engine_wake(engine);
        return r;
}

int engine_approve(struct engine *engine, const char *number, const char *actor, struct error *error)
{
        return decide(engine, &approval, number, actor, NULL, error);
}

int engine_deny(struct engine *engine, const char *number, const char *actor, const char *reason,
                struct error *error)
{
        return decide(engine, &denial, number, actor, reason, error);
}

int engine_cancel(struct engine *engine, const char *number, const char *actor, struct error *error)
{
        return decide(engine, &cancellation, number, actor, NULL, error);
}

int engine_undo(struct engine *engine, const char *number, const char *actor, struct error *error)
{
        return decide(engine, &undo, number, actor, NULL, error);
}

int engine_pause(struct engine *engine, bool paused, const char *actor, const char *reason,
                 struct error *error)
{
        int r = journal_set_paused(engine->options.journal, paused, actor && *actor ? actor : "person",
                                   reason, error);
        if (r >= 0)
                engine_wake(engine);
        return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a person decides about an incident: journaled with who it was, then the engine looks again. */
#include <errno.h>

#include "responder/engine/internal.h"
#include "responder/incident/question.h"
#include "responder/people/people.h"
#include "runbook/log.h"

#define TRIES 5

static bool is_awaiting(const struct remediation_set *set _unused_, const struct incident *incident)
{
        return incident->state == INCIDENT_AWAITING_APPROVAL;
}

static bool is_under_way(const struct remediation_set *set _unused_, const struct incident *incident)
{
        return incident->state >= INCIDENT_RECEIVED && incident->state <= INCIDENT_VERIFYING;
}

/* Whether it can be undone depends on its actions alone, which the journal names. */
static bool is_undoable(const struct remediation_set *set, const struct incident *incident)
{
        const struct remediation *remediation = remediation_find(set, incident->remediation);
        if (incident->ended_at == 0 || (!incident->definition && !incident_fits(incident, remediation)))
                return false;
        return incident_may_be_undone(incident);
}

/* Somebody has taken it, or was seen at what it acts upon. */
static bool is_left_to_people(const struct remediation_set *set _unused_, const struct incident *incident)
{
        return incident->taken ||
               (incident->state == INCIDENT_HELD && string_equal(incident->guard, PEOPLE_GUARD));
}

static bool is_undelivered(const struct remediation_set *set _unused_, const struct incident *incident)
{
        return incident->undelivered;
}

static bool is_readable(const struct remediation_set *set _unused_, const struct incident *incident _unused_)
{
        return true;
}

/* One row for each decision: when it may be taken, and what it does, which is either a request or a new
 * state. */
static const struct {
        const char *event;
        const char *wants; /* "…, and not <wants>" */
        bool (*may)(const struct remediation_set *set, const struct incident *incident);
        enum incident_state to;                           /* INCIDENT_UNCHANGED: a request */
        bool request_cancel, request_undo, hears, resend; /* it has heard what is owed to a person */
        enum hands hands;
} decisions[] = {
        [DECISION_APPROVE] = {"approved", "awaiting approval", is_awaiting},
        [DECISION_DENY] = {"denied", "awaiting approval", is_awaiting, .to = INCIDENT_DENIED},
        [DECISION_CANCEL] = {"cancelled", "under way", is_under_way, .to = INCIDENT_CANCELLED,
                             .request_cancel = true},
        [DECISION_UNDO] = {"undo asked for", "ended with a step that can be undone", is_undoable,
                           .request_undo = true},
        [DECISION_ACK] = {"acknowledged", "readable", is_readable, .hears = true, .hands = HANDS_SEEN},
        [DECISION_TAKE] = {"taken", "under way", is_under_way, .hears = true, .hands = HANDS_TAKEN},
        [DECISION_GIVE_BACK] = {"given back", "in a person's hands", is_left_to_people, .hands = HANDS_FREED},
        [DECISION_RESEND] = {"to be sent again", "one of which nobody has received a message", is_undelivered,
                             .resend = true},
};
tables_agree(decisions, DECISION_COUNT);

/* What a worker has in its hands is asked to end; what waits is changed at once. */
static bool is_in_hands(const struct incident *incident)
{
        return incident->state == INCIDENT_RUNNING || incident->state == INCIDENT_VERIFYING;
}

/* A decision in the making. */
struct deciding {
        enum decision decision;
        const char *number, *actor, *plan; /* `plan`: what is agreed to; NULL: whatever is asked */
        const cJSON *detail;
        bool enough; /* what was asked is answered; of who was the first of two it is not */
};

/* What is agreed to is written down with who it was, unless it has moved on since it was read. */
static int approve_once(const struct incident_parts *parts, struct deciding *deciding,
                        const struct incident *incident, struct error *error)
{
        _cleanup_json_ cJSON *asked = NULL;
        bool enough = false;
        if (incident->approved)
                return error_set(error, EALREADY, "%s is approved already", incident->number);
        int r = question_agree(incident, deciding->actor, deciding->plan, &asked, &enough, error);
        if (r < 0)
                return r;
        const struct journal_entry agreed = {
                .incident = incident->id,
                .actor = deciding->actor,
                .event = enough ? "approved" : "agreed",
                .expect = incident->state,
                .approve = enough,
                .hands = enough ? HANDS_FREED : HANDS_UNCHANGED,
                .asked = asked,
                .expect_asked = incident->asked,
                .detail = deciding->detail,
        };
        r = journal_write(parts->journal, &agreed, error);
        deciding->enough = enough;
        return r;
}

static int decide_once(const struct incident_parts *parts, struct deciding *deciding,
                       const struct incident *incident, struct error *error)
{
        enum decision decision = deciding->decision;
        const char *actor = deciding->actor;
        const cJSON *detail = deciding->detail;
        if (decision == DECISION_APPROVE)
                return approve_once(parts, deciding, incident, error);
        enum incident_state to = decisions[decision].to;
        if (to != INCIDENT_UNCHANGED && !is_in_hands(incident)) {
                const struct incident_change change = {
                        .to = to, .event = decisions[decision].event, .actor = actor, .detail = detail};
                return incident_enter(parts, incident, &change, error);
        }
        const struct journal_entry request = {
                .incident = incident->id,
                .actor = actor,
                .event = decisions[decision].event,
                .expect = incident->state,
                .request_cancel = decisions[decision].request_cancel,
                .request_undo = decisions[decision].request_undo,
                .hands = decisions[decision].hands,
                .request_resend = decisions[decision].resend,
                .told = decisions[decision].hears && *incident->owes ? incident->owes : NULL,
                .owes = decisions[decision].hears && incident_is_kept_open(parts, incident) ? OWES_TAKEN
                                                                                            : NULL,
                .told_of = string_equal(incident->owes, OWES_HELD) ? incident->guard : "",
                .detail = detail,
        };
        return journal_write(parts->journal, &request, error);
}

static void log_decision(const char *event, const char *number, const char *actor, const char *reason)
{
        log_event(LOG_INFO, "Decided by a person", "decision", event, "by", actor, "reason",
                  reason && *reason ? reason : NULL, "incident", number, NULL);
}

static int decide(struct engine *engine, struct deciding *deciding, const char *reason, struct error *error)
{
        enum decision decision = deciding->decision;
        const char *number = deciding->number, *actor = deciding->actor;
        assert_that(decision < DECISION_COUNT && number && actor && *actor,
                    "a decision is one of these, about an incident, and somebody's");
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(engine);
        _cleanup_json_ cJSON *detail = reason && *reason ? reason_detail(reason, NULL) : NULL;
        int r = -ESTALE;
        deciding->detail = detail;
        deciding->enough = true;
        /* The incident may move on between the look and the write: then it is looked at again. */
        for (unsigned i = 0; i < TRIES && r == -ESTALE; i++) {
                struct incident incident = {0};
                r = journal_find(parts.journal, number, &incident, error);
                if (r < 0)
                        return r;
                bool may = !incident.unreadable && decisions[decision].may(parts.set, &incident);
                r = may ? decide_once(&parts, deciding, &incident, error)
                        : error_set(error, ESTALE, "%s is %s, and not %s", number,
                                    incident_state_text(&incident), decisions[decision].wants);
                incident_release(&incident);
                if (!may)
                        return r;
        }
        if (r < 0)
                return r;
        log_decision(deciding->enough ? decisions[decision].event : "agreed", number, actor, reason);
        engine_wake(engine);
        return 0;
}

int engine_decide(struct engine *engine, enum decision decision, const char *number, const char *actor,
                  const char *reason, struct error *error)
{
        struct deciding deciding = {.decision = decision, .number = number, .actor = actor};
        return decide(engine, &deciding, reason, error);
}

int engine_approve(struct engine *engine, const char *number, const char *actor, const char *reason,
                   const char *plan, struct error *error)
{
        struct deciding deciding = {
                .decision = DECISION_APPROVE, .number = number, .actor = actor, .plan = plan};
        return decide(engine, &deciding, reason, error);
}

int engine_pause(struct engine *engine, bool paused, const char *actor, const char *reason,
                 struct error *error)
{
        assert_that(actor && *actor, "somebody pulls the kill switch");
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(engine);
        int r = journal_set_paused(parts.journal, paused, actor, reason, error);
        if (r < 0)
                return r;
        log_decision(paused ? "paused" : "resumed", NULL, actor, reason);
        engine_wake(engine);
        return 0;
}

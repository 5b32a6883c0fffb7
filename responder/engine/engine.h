/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine carries incidents from alert to end: match, guard, plan, run, verify, settle or undo, escalate.
 *
 * It looks at what the journal says is active, whenever it is woken or a time has come, and gives each
 * incident that something can be done about to a worker, which carries it one stage on (responder/incident).
 * All its knowledge is in the journal: after a crash it goes on from there. It knows no clock and no thread
 * but those of its world.
 *
 * responder/engine is the room that decides when: who may begin (guards), who is to be looked at, and what a
 * person decides. It uses responder/incident, responder/journal, responder/world, responder/remediation,
 * responder/alert, the configuration of responder/targets, lib/base, lib/config and lib/metrics.
 */
#ifndef RESPONDER_ENGINE_ENGINE_H
#define RESPONDER_ENGINE_ENGINE_H

#include "responder/incident/parts.h"

struct engine;

/*
 * A thread of its own looks, until engine_stop(). The caller's hold on the parts is the engine's from then
 * on, also when this fails; engine_new() and engine_adopt() have it likewise.
 */
int engine_start(const struct incident_parts *parts, struct engine **ret, struct error *error);

/*
 * Lets running steps finish until the deadline, then returns; what is unfinished goes on after the next
 * start. NULL; or the engine itself when a step hangs: then nothing that was given to it may be freed any
 * more. Takes NULL.
 */
struct engine *engine_stop(struct engine *engine, struct deadline deadline);

/*
 * For who has no threads to give away: an engine that looks only when asked to, at everything once; the next
 * look has to be at `*ret_next` (monotonic) at the latest. engine_stop() ends it as well.
 */
int engine_new(const struct incident_parts *parts, struct engine **ret, struct error *error);
int engine_look(struct engine *engine, nsec *ret_next, struct error *error);

/* How long it looks nowhere at most, should a wake-up be missed: a minute, unless said otherwise. For who
 * knows that none is. Before the first look. */
void engine_rest_at_most(struct engine *engine, nsec most);

/*
 * From the next look on it goes by these, which have another edition and are otherwise the same; what is
 * under way ends by that of before. Any thread; never blocks.
 */
void engine_adopt(struct engine *engine, const struct incident_parts *parts);

/* The parts of now, held for the caller: parts_release(). Any thread. */
struct incident_parts engine_parts(struct engine *engine);

/* No further step is begun, from now on; engine_stop() says it, too. Any thread. */
void engine_hold_still(struct engine *engine);

/* Something has changed: look again soon (within 20 ms; calls are gathered). Any thread; never blocks. */
void engine_wake(struct engine *engine);

/* What a person may decide about an incident. */
enum decision {
        DECISION_APPROVE,   /* what awaits approval may run */
        DECISION_DENY,      /* it may not */
        DECISION_CANCEL,    /* what waits ends at once, what runs at the end of its step */
        DECISION_UNDO,      /* what has ended is put back, as far as it can be */
        DECISION_ACK,       /* somebody is at it: what was still to be told of it is not called out again */
        DECISION_TAKE,      /* a person has it in hand, and all under its lock: nothing is begun until it is
                               given back */
        DECISION_GIVE_BACK, /* the machine may go on with it, whoever was seen at it until now */
        DECISION_RESEND,    /* what nobody has received of it is sent again */
        DECISION_COUNT,
};

/*
 * Journaled with who took it, and why (`reason` may be NULL); then the engine looks. -ENOENT: no such
 * incident; -ESTALE: it is not in a state for that, and the sentence says in which it is.
 */
int engine_decide(struct engine *engine, enum decision decision, const char *number, const char *actor,
                  const char *reason, struct error *error);

/*
 * Somebody agrees to what is asked about: to `plan`, by its first figures, where he says so (NULL: to
 * whatever it is). Where two are needed the first one's is written down, and it goes on waiting. Errors as
 * above; -EALREADY: he has, or whoever has shown the same; -ESTALE also when another plan is asked about by
 * now.
 */
int engine_approve(struct engine *engine, const char *number, const char *actor, const char *reason,
                   const char *plan, struct error *error);

/* What each guard would say now of an alert that sets a remediation off. */
struct guard_says {
        const char *guard;
        bool holds, asks;             /* asks: a person decides, and else it holds */
        nsec until;                   /* wall; 0: until something changes */
        char reason[256], holder[32]; /* "" when there is none; as of struct guard_verdict */
};
struct guards_say {
        char *lock; /* free() it */
        struct guard_says items[16];
        size_t count;
};

/* -ENOENT: there is no such remediation; -EINVAL: its lock cannot be bound. Any thread. */
int engine_ask_guards(struct engine *engine, const char *remediation, const struct alert *alert,
                      struct guards_say *ret, struct error *error);

/* The same of several, for which the journal is looked at once. guards_asked_free() takes NULL. */
struct guards_asked;
int guards_asked_new(struct engine *engine, struct guards_asked **ret, struct error *error);
int guards_ask(const struct guards_asked *asked, const char *remediation, const struct alert *alert,
               struct guards_say *ret, struct error *error);
/* Of an alert that has what the remediation's `match` makes sure of, and nothing else. -EINVAL also when its
 * lock is by more than that: only an alert can tell. */
int guards_ask_any(const struct guards_asked *asked, const struct remediation *remediation,
                   struct guards_say *ret, struct error *error);
struct guards_asked *guards_asked_free(struct guards_asked *asked);

/*
 * A maintenance, begun by hand for so long, or (0) ended, whatever began it: while it holds nothing is begun,
 * as while it is paused, and Alertmanager silences what the file says. Another one takes its place. -ESTALE:
 * there is none to end.
 */
int engine_set_maintenance(struct engine *engine, nsec duration, const char *actor, const char *reason,
                           struct error *error);

/* What is known of it; maintenance_shown_release(). Any thread. */
struct maintenance_shown {
        bool holds, silenced; /* `silenced`: Alertmanager has been told */
        nsec since, until;    /* wall; 0: not known */
        char *by, *reason;    /* NULL: not said */
};
int maintenance_show(struct journal *journal, struct maintenance_shown *ret, struct error *error);
void maintenance_shown_release(struct maintenance_shown *shown);

/* What is to be said of no incident and its receiver has not received, as letters without a number: it is
 * tried again until it is heard. letter_list_release(). Any thread. */
struct letter_list;
int engine_unheard(struct engine *engine, struct letter_list *ret, struct error *error);

/* The kill switch. */
int engine_pause(struct engine *engine, bool paused, const char *actor, const char *reason,
                 struct error *error);

#endif

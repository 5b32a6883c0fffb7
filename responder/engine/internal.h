/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine share: what it is doing about which incident, and what one look works with. */
#ifndef RESPONDER_ENGINE_INTERNAL_H
#define RESPONDER_ENGINE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "responder/engine/engine.h"
#include "responder/engine/guard.h"
#include "responder/engine/lease.h"
#include "responder/engine/view.h"
#include "responder/incident/stages/stages.h"
#include "runbook/assert.h"

/* What is remembered of an incident that a worker has carried; all of it may be lost in a crash. */
struct engine_slot {
        struct engine *engine;
        int64_t incident;
        bool busy;     /* a worker has it; guarded by the engine's lock, like `look_at` */
        bool was_busy; /* as it was when this look began: then the worker's end brings another look */
        bool seen;     /* in this look */
        bool runs;     /* its worker is of WORLD_RUNS, and it has not ended */
        bool asks;     /* its worker begins it by asking a person; of the engine's thread */
        nsec look_at;  /* monotonic: not before; 0: when something changes */
        char *lock;    /* what its worker holds */
        bool aside_logged, aside_told; /* that it cannot be read */

        /* Of the worker while it is busy, else of the engine's thread. */
        incident_stage *stage;
        struct incident_parts parts; /* held while it is busy */
        struct incident_run run;
};

/* What keeps the engine from acting, and whether a person has heard of it. */
struct outage {
        char *reason; /* NULL: nothing does */
        unsigned failures;
        bool told; /* a person has heard that it is so */
        enum outage_call { CALL_BEGAN, CALL_OVER, CALL_INCIDENT, CALL_EPISODE } called_of;
        int64_t called_id;      /* of the incident, or the episode, that is set aside */
        char *words;            /* of whom `calling` says that there is one, else of the engine's thread */
        struct backoff backoff; /* likewise */
        struct incident_parts lent; /* to who calls */
        atomic_bool calling, heard;
};

/* What the daemon itself has to say, of no incident. */
enum unheard {
        UNHEARD_UNMATCHED, /* alerts that no remediation is for */
        UNHEARD_OUTAGE,    /* it cannot act, or something was set aside */
        UNHEARD_COUNT
};

struct turns;

/* "dry run " and a digest; see match.c. */
enum { MATCHED_WITH_MAX = DIGEST_TEXT_MAX + 16 };

struct engine {
        struct occupied *occupied;    /* of all parts that come */
        struct incident_parts parts;  /* its thread changes them, under the lock */
        struct incident_parts coming; /* for the next look; guarded by the lock */
        bool adopting;                /* there are any; likewise */
        const struct world *machine;
        pthread_t thread, looker; /* the looker calls itself so */
        bool threaded;
        nsec rest; /* longest sleep, should a wake-up ever be missed */
        atomic_bool stopping;
        pthread_mutex_t lock;

        /* Of the engine's thread. */
        struct engine_slot **slots; /* by the ids of their incidents */
        size_t slot_count;
        struct incident_list active; /* as of the last look: what has not changed is not read again */
        char (*matched_with)[MATCHED_WITH_MAX]; /* of each remediation; NULL: not known yet */
        nsec reconcile_at;                      /* monotonic */
        nsec prune_at;                          /* likewise; 0: not known yet */
        atomic_bool reconciling;                /* a worker is asking Alertmanager, by `asking` */
        struct incident_parts asking;
        struct alert_view view;           /* the last that was asked for: standing.c */
        nsec view_taken_at;               /* monotonic */
        struct freshness freshness;       /* as of that view; its thread changes it, under the lock */
        bool viewing;                     /* a worker is asking the neighbours, by `viewing_by` */
        bool viewing_before;              /* those of another edition: what it comes back with is not taken */
        struct incident_parts viewing_by; /* lent */
        struct alert_view next_view;      /* what it has come back with; guarded by the lock */
        struct outage outage;
        atomic_bool unanswered;      /* there may be alerts without a remediation that are to be told */
        struct leases leases;        /* that hold pages back; of its thread alone, but for what is posted */
        struct backoff tell_backoff; /* of them; the worker's while it is `telling` */
        atomic_bool telling;         /* a worker tells of them */
        atomic_bool silencing;       /* a worker sets or ends silences, by `silencing_by` */
        struct incident_parts silencing_by;
        struct backoff silence_backoff;       /* the worker's while it is `silencing` */
        struct incident_parts telling_by;     /* lent to who tells */
        struct letter letters[UNHEARD_COUNT]; /* by the lock; without `since`: there is none */
};

/* unheard.c: a message of the daemon itself was not received, and why; it was, or is moot. Any thread. */
void unheard_note(struct engine *engine, enum unheard about, const char *receiver, const char *what,
                  const struct error *why);
void unheard_forget(struct engine *engine, enum unheard about);

/* On the engine's thread, if there is one: what is its own nobody else touches. */
static inline bool is_looking(const struct engine *engine)
{
        return !engine->threaded || pthread_equal(engine->looker, pthread_self());
}

/* adopt.c: the parts that are coming become the engine's own. */
void engine_take_over(struct engine *engine);
/* Has a worker do work(engine) by the parts of now, which it gives back by parts_release(lent). */
int engine_lend(struct engine *engine, struct incident_parts *lent, enum world_pool pool, const char *whose,
                void (*work)(void *engine));

/* slots.c */
struct engine_slot *slot_find(const struct engine *engine, int64_t incident); /* NULL: none */
struct engine_slot *slot_claim(struct engine *engine,
                               int64_t incident); /* finds or makes it; NULL: out of memory */
void slots_begin(struct engine *engine);          /* before the journal is read */
void slots_mark(struct engine *engine);
void slots_sweep(struct engine *engine); /* frees those that nothing was seen of */
void slots_free(struct engine *engine);

/* What one look works with. */
struct look {
        struct engine *engine;
        struct lock_holders holders; /* among engine->active; with room for all of these */
        struct acted_locks acted;
        size_t beginning;    /* so many that change something are begun by a worker now */
        struct turns *turns; /* turns.c */
        char **held; /* "remediation guard" of which somebody is being told; owned, with room for as many */
        size_t held_count;
        bool paused;
        bool maintained;              /* a maintenance holds */
        nsec maintained_until;        /* steady; 0: not known */
        nsec now, wall;               /* monotonic; wall, for people alone */
        nsec steady;                  /* by which guards and expiry measure */
        nsec next;                    /* monotonic: when the next look has to be at the latest */
        const struct incident *aside; /* among engine->active: one that cannot be read, of which nobody has
                                         heard; NULL: none */
        struct episode episode_aside; /* likewise, among what is to be matched; id 0: none */
};

static inline void look_again_at(struct look *look, nsec when)
{
        if (when < look->next)
                look->next = when;
}

/* gather.c: who has a lock, so that no incident has to ask every other one. */
int look_gather(struct look *look, struct error *error);
void look_note(struct look *look, const struct incident *incident); /* a worker has it from now on */

/* Those that one guard holds back of one remediation are told together, by the oldest of them. True when an
 * older one does so; else it is the one. */
bool look_is_told_with(struct look *look, const struct incident *incident);
void look_release(struct look *look);

/* The locks under which something was changed within a storm's time, or is about to be; acted_release(). Any
 * thread. */
int acted_gather(const struct incident_parts *parts, const struct lock_holders *holders, nsec steady,
                 struct acted_locks *acted, struct error *error);
void acted_release(struct acted_locks *acted);

/*
 * turns.c: whose turn it is. Whoever waits is looked at after all who do not, the urgent first (by the label
 * `severity`), then the oldest; of one remediation so many run at once as its threads are, and none waits for
 * another remediation's. So a look at ten thousand that wait does little more than to count them.
 */
int turns_take(struct look *look, struct error *error);
void turns_release(struct look *look);
#define TURN_RANKS 5
unsigned turn_rank(const struct look *look, size_t index); /* of engine->active; 0 goes first */
bool turn_has_come(const struct look *look, const char *remediation);
void turn_begins(struct look *look, const char *remediation);

/* Whether one more of this remediation may be written down as held in this look; when not, in the next. */
bool turn_may_be_held(struct look *look, const char *remediation);

/* What holds one back holds back every other of its remediation and lock. NULL: nothing that is known yet. */
const struct guard_verdict *turn_recall(const struct look *look, const char *remediation, const char *lock);
int turn_remember(struct look *look, const char *remediation, const char *lock,
                  const struct guard_verdict *verdict, struct error *error);

/* held.c. Somebody is to hear of it, and nothing of that kind is under way: another worker's work, for it may
 * take long. What the incident waits for does not wait for this. */
int look_tell_owed(struct look *look, struct incident *incident, const struct remediation *remediation,
                   struct error *error);

/* unanswered.c: it awaits an answer, or has awaited it for long enough. */
int look_unanswered(struct look *look, struct incident *incident, const struct remediation *remediation,
                    struct error *error);

/* All guards, asked once in a look of those that are alike; and what follows when one does hold it. */
int look_check_guards(struct look *look, const struct guard_question *question, struct guard_verdict *ret,
                      struct error *error);
int look_hold(struct look *look, struct incident *incident, const struct remediation *remediation,
              const char *lock, const struct guard_verdict *verdict, struct error *error);

/* What held it holds it no more, and it waits for something else: its turn, or what a neighbour says. */
int look_release_held(struct look *look, const struct incident *incident, const char *lock,
                      struct error *error);
/* Whether the kill switch, the lock or the time by which it is held is over, so that it must not be shown as
 * that any more, whatever it waits for. */
bool look_outlives_guard(struct look *look, const struct incident *incident);
/* Whether it is worth while to ask what holds it, though its turn has not come. */
bool look_may_be_released(struct look *look, const struct incident *incident);

/* match.c: opens incidents for the episodes that remediations are for. */
int match_episodes(struct look *look, struct error *error);

/* dispatch.c: gives an incident to a worker, who carries it on by `stage`. Takes it over out of the list. */
int engine_dispatch(struct look *look, struct incident *incident, const struct remediation *remediation,
                    enum world_pool pool, incident_stage *stage, const char *lock, struct error *error);

/* climb.c: whether the next one of its chain is called now, which takes the incident over. */
int look_climb(struct look *look, struct incident *incident, const struct remediation *remediation,
               bool *ret_called, struct error *error);

/* maintenance.c: whether it is, which begins and ends by the file's hours; and its silences, where they are
 * not as they should be. */
int engine_maintain(struct look *look, struct error *error);

/* prune.c: lets go of what the journal need not keep, when it is time. */
void engine_prune(struct look *look);

/* outage.c: how the journal stands, which is tried when it is not fine; and what is told of that, or of a
 * look that went wrong (`looked` < 0). */
enum journal_standing outage_ask(struct look *look, struct error *ret_why);
void outage_note(struct look *look, enum journal_standing standing, const struct error *why, int looked,
                 const struct error *error);
void outage_release(struct outage *outage);

/* unmatched.c: tells of alerts that no remediation is for, where somebody is to know. */
void engine_tell_unmatched(struct look *look);
/*
 * standing.c: how alerts stand by now. What the neighbours have to be asked for is not known at first (false,
 * 0): their answer brings another look.
 */
void standing_begin(struct look *look); /* takes over what a worker has come back with */
void standing_free(struct engine *engine);

/* Whether what has waited may begin; when not, it is held, or its episode was closed, or that is not known
 * before the neighbours have answered (`ret_asked` is false). */
int standing_lets_begin(struct look *look, struct incident *incident, const char *lock, bool *ret,
                        bool *ret_asked, struct error *error);

/* Whether an alert that is told to be over is (`ret_asked` is false before the neighbours have answered); and
 * what waits for it held, when nobody can tell. */
int standing_is_over(struct look *look, const struct incident *incident, bool *ret, bool *ret_asked,
                     struct error *error);
int standing_hold_end(struct look *look, const struct incident *incident, struct error *error);

/* Whether the alert of what was healed fires all the same, as somebody says who heard of it after `since`
 * (steady). */
int standing_still_fires(struct look *look, struct incident *incident, nsec since, bool *ret,
                         struct error *error);

/* Held because its alert is silenced, inhibited or muted: that is no waiting in vain. */
bool standing_is_quiet(const struct incident *incident);
bool standing_holds(const struct incident *incident); /* for that, or because nothing is known */

/* How old Prometheus' data are, as far as it has been asked lately; and what follows while it has not: it is
 * asked, and its answer brings another look. */
struct freshness standing_freshness(const struct look *look);
void standing_ask_freshness(struct look *look);
void standing_ask_again(struct look *look, const char *guard);                 /* of what is held by it */
bool standing_may_be_over(struct look *look, const struct incident *incident); /* by news of this look */

/* enter.c: changes the state on the engine's own thread; that somebody else was faster only means looking
 * again. */
int look_enter(struct look *look, const struct incident *incident, const struct incident_change *change,
               struct error *error);

/* reconcile.c: asks Alertmanager, when it is time, for alerts that fell silent. */
void engine_reconcile(struct look *look);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An incident and its owner: the one place where its state changes, and what a worker has of it.
 *
 * responder/incident carries an incident from alert to end. Its stages (stages/stages.h) are what a worker
 * does between two commits to the journal; its ways from state to state are the table of transitions.c. It is
 * here so that the life of an incident is told in one place, whoever looks at it. It uses responder/journal,
 * the world through responder/world, responder/remediation, responder/alert, the configuration of
 * responder/targets, lib/base, lib/config and lib/metrics, and nothing of the engine that gives it to
 * workers.
 */
#ifndef RESPONDER_INCIDENT_RUN_H
#define RESPONDER_INCIDENT_RUN_H

#include <stdatomic.h>

#include "responder/incident/parts.h"
#include "responder/incident/verify.h"

/* What is tried again since its failure may pass; see patience.h. */
enum patience_for { PATIENCE_NONE, PATIENCE_START, PATIENCE_TURN, PATIENCE_PLAN, PATIENCE_RUN };

struct patience {
        enum patience_for what;
        size_t step; /* from 1; 0: all of them */
        nsec until;  /* monotonic: then it is given up */
        nsec free;   /* monotonic: from then on it may be tried, and is not; 0: it is being tried */
        nsec wait;   /* between the last two tries */
        unsigned tries;
};

/* When to try again to reach somebody who could not be. */
struct backoff {
        nsec wait; /* doubles; 0: the last try was heard, or there was none */
        nsec at;   /* monotonic: not before */
};

/* An incident in a worker's hands, from one commit to the next. What is not in the journal may be lost in a
 * crash. */
struct incident_run {
        const struct incident_parts *parts;
        const atomic_bool *stopping; /* the daemon ends: no further step is begun */
        const struct remediation
                *remediation;      /* fits the incident step by step; NULL when none does any more */
        struct incident incident;  /* as last read; replaced whole, but for its number and alert */
        struct remediation *begun; /* what the incident was begun with, from the journal; owned; NULL: not
                                      read yet */
        struct step_run step;      /* the one step that is being planned, run or undone */
        const char *lock;          /* the bound lock that it was started under */
        char *asks;                /* of who is started: why a person is asked first; NULL: no guard asks */
        size_t level;              /* of whom is called now: 0: the first; else it is `calls`, who is owned */
        char *calls;
        nsec look_again; /* monotonic: 0: when something changes */

        /* From one stage to the next. */
        bool watching; /* `watch` is set up */
        struct verify_watch watch;
        struct verify_values values; /* of these looks; its list is owned */
        cJSON *before;               /* what was measured before, as `values.list`; owned; NULL: not known */
        struct backoff backoff;      /* of whoever is called, but for a chain's: */
        struct backoff tries[ESCALATION_LEVELS_MOST];
        struct patience patience;
        bool unheard;        /* its timeline says that nobody was reached, */
        bool unheard_refuse; /* since he refused */
        bool doubted;        /* its timeline says that the end of its alert is not believed */
        bool unseen;         /* the log says that whether a person is at it cannot be known */
};

/* True when the remediation still has the steps that the incident was opened with. */
bool incident_fits(const struct incident *incident, const struct remediation *remediation);

/* Whether some step has, or may have, done what its action can undo. */
bool incident_may_be_undone(const struct incident *incident);

/*
 * What the incident runs, out of the journal: read into `run->begun` when it is not there yet. For who has
 * begun with a definition, whatever the file says; -EBADMSG when this program cannot read it.
 */
int run_restore(struct incident_run *run, const struct incident *incident, struct error *error);

/*
 * From here on the incident goes by the journal alone (`run->remediation` is `run->begun`). One that a
 * version of before has begun, which kept no definition, is given that of the file as it is now, and its
 * timeline says so.
 */
int run_take_up(struct incident_run *run, struct error *error);

/*
 * Whether all its alerts are over, by what was told: where there is a Prometheus that is asked, too, and no
 * end is believed that it does not have. Of what has begun; resolved.c.
 */
int run_is_resolved(struct incident_run *run, bool *ret, struct error *error);

/* What the file no longer has as the incident was begun with, in a sentence; NULL: nothing; free() it. */
int run_differs(const struct incident_run *run, char **ret, struct error *error);

/* Whether whoever hears of it keeps it open until it is told that it is over. */
bool incident_is_kept_open(const struct incident_parts *parts, const struct incident *incident);

/* How long ago the alert began; the incident, when the alert does not say. Never negative. */
nsec incident_age(const struct world *world, const struct incident *incident);

/* What ran is left to a person who is at it: whoever is on call hears of it each time. */
#define EVENT_YIELDED "yielded"

/* A change of state, and what is written in the same commit. */
struct incident_change {
        enum incident_state to;
        const char *event;                   /* a row of transitions.c */
        const char *actor;                   /* NULL: "engine" */
        const cJSON *detail;                 /* may be NULL */
        const char *guard;                   /* with INCIDENT_HELD */
        nsec guard_until;                    /* wall; 0: until something changes */
        bool tells;                          /* likewise: a person is to hear of it */
        const char *lock;                    /* to record the bound lock; NULL: unchanged */
        const cJSON *definition;             /* likewise */
        const cJSON *asked;                  /* likewise: what a person is asked about */
        size_t step;                         /* from 1; 0: no step is concerned */
        enum step_status step_status;        /* of that step; STEP_WAITING: unchanged */
        const struct journal_letter *letter; /* of that step: what nobody has received; NULL: nothing */
        nsec valid_until; /* monotonic: -ECANCELED, and nothing written, after it; 0: at any time */
};

/* Until when what is decided now may be begun (monotonic): after that it is asked anew. */
nsec run_decided_until(const struct incident_run *run);

/*
 * The only way to change a state: writes the change, and whether a person is to hear of it, counts it, logs
 * it. -ESTALE: the incident is no longer as `incident` has it, nothing was written. -EPROTO: there is no such
 * way; then the incident is lost and goes to a person, as a failed one does. Any thread.
 */
int incident_enter(const struct incident_parts *parts, const struct incident *incident,
                   const struct incident_change *change, struct error *error);

/* The same of an incident in a worker's hands, tried until it is written (see run_write()), and read anew. */
int run_enter(struct incident_run *run, const struct incident_change *change, struct error *error);

/*
 * Writes an event that changes no state (incident and actor are filled in) and reads the incident anew. What
 * has happened must be in the journal: so a write that fails is tried again every second, until the daemon
 * ends. -ESTALE: somebody else was faster, nothing was written.
 */
int run_write(struct incident_run *run, struct journal_entry *entry, struct error *error);

/* Writes without reading anew, so that what a running step borrowed of the incident stays where it is. */
int run_put(struct incident_run *run, struct journal_entry *entry, struct error *error);

/* Reads the incident anew. Its number and its alert stay where they are. */
int run_refresh(struct incident_run *run, struct error *error);

/* What failed without stopping the rest, in a sentence; NULL: nothing did; free() it. Of an incident whose
 * steps are over, and have not failed. */
char *run_passed_over(const struct incident_run *run);

/* A line of the log about the incident; `reason` may be NULL. */
void run_warn(const struct incident_run *run, const char *message, const char *reason);

/* {"reason": …}, with the other members that `take` holds (may be NULL); NULL when out of memory. */
cJSON *reason_detail(const char *reason, cJSON *take);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of every action, and what a step is given when it plans, runs or is undone.
 *
 * responder/remediation reads remediations.yml (remediation.h) and says what an action is. It stands below
 * the actions, so that none of them knows another one, and below what carries incidents, which speaks of
 * steps alone. It uses responder/alert, responder/targets, lib/base and lib/config, and the actions by their
 * table.
 *
 * A new action is one file in responder/actions that defines a `const struct action`, and one line in
 * actions.c.
 *
 * Order of a step's life, each arrow a durable commit to the journal:
 *
 *     plan() reads only ─► run() acts, reports progress() ─► outcome ─► (verified) settle(), or undo()
 *
 * After a crash between plan and outcome the engine asks resume(), where there is one; else it runs the step
 * again when it is `repeatable`; else it marks the step interrupted and calls a person.
 */
#ifndef RESPONDER_REMEDIATION_ACTION_H
#define RESPONDER_REMEDIATION_ACTION_H

#include "responder/alert/alert.h"
#include "responder/targets/targets.h"
#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/error.h"
#include "runbook/json.h"

enum effect { EFFECT_READ_ONLY, EFFECT_REVERSIBLE, EFFECT_IRREVERSIBLE, EFFECT_COUNT };

struct step_run {
        void *config; /* the structure of action->fields, labels already bound; actions only read it */
        const struct alert *alert;
        const char *incident; /* "INC-2026-0001"; "INC-0000-0000" for the plan command */
        nsec opened_at;  /* wall: of the incident, which tells it from its like in another journal; 0: none */
        size_t position; /* of the step in its remediation, from 1 */
        struct targets *targets;
        struct deadline deadline;
        const cJSON *plan;     /* what plan() wrote; NULL in plan() */
        const cJSON *progress; /* what progress() was last told, also before a crash; may be NULL */
        const cJSON *outcome;  /* what run() wrote; in undo() and settle() */
        /* Of an action that `tells`, in run(): what is known of the incident; NULL: nothing beside its words.
         */
        const struct message *about;

        /* Writes `state` down durably before going on; call it before each change that resume() must know of.
         */
        int (*write_progress)(struct step_run *run, const cJSON *state, struct error *error);
        void *engine; /* private */
};

/* What resume() found. */
enum resumption {
        RESUME_DONE,    /* the step had its whole effect; *ret_outcome is set */
        RESUME_AGAIN,   /* it had no effect, or may safely run again */
        RESUME_UNKNOWN, /* cannot be told: a person has to look */
};

/* Somebody who was seen at what a step acts upon. */
struct sighting {
        nsec since, last; /* wall: first and last seen */
        char words[160];  /* "somebody was seen with docker exec (psql) in orders-db-1"; one line */
};

/* When this responder itself was acting: wall. */
struct own_time {
        nsec from, until;
};

/* How people are looked for: who was last seen before `after`, or has been there since before `freed` (wall;
 * 0: never), does not matter; nor is what was done by Docker in one of our own times a person's. */
struct people_asked {
        nsec now, after, freed;
        const struct own_time *own;
        size_t own_count;
};

struct action {
        const char *name; /* the key in remediations.yml: "docker.restart" */
        const char *help; /* one sentence for the reference page */
        const struct config_field *fields;
        size_t config_size;
        enum effect effect;
        bool tells;      /* says what the others did: runs also when the rest is skipped, once anything
                            was changed */
        bool repeatable; /* may run again after a crash midway, without asking */
        nsec timeout;    /* of run(), when the step gives none; 0: 60 s */
        /* Of a plan, what it is by: members, each with those of its items where it is a list of objects
         * ("containers name image_id"), closed by NULL. What is none of these may move on while a person is
         * asked; NULL: nothing but the summary may. */
        const char *const *counts;
        enum target_kind target; /* what of the file's targets it acts upon */
        const char *target_key;  /* the argument that names it; NULL: there is but one */
        unsigned docker_access; /* enum docker_access: which calls of the Engine's it makes, undo and settling
                                   included; of TARGET_DOCKER alone */

        /* Checks at load what the table cannot say, complaining about `node`. May be NULL. */
        void (*check)(const void *config, const struct target_set *targets, struct config_node *node);

        /*
         * Finds out, by reading only, what run() would do now: an object with at least "summary" (a sentence
         * for a person) and "targets" (a number: how many things it would touch). An empty selection is
         * -ESRCH.
         */
        int (*plan)(struct step_run *run, cJSON **ret_plan, struct error *error);

        /*
         * Whether a person is, or was lately, at what run() would act upon, found out by reading only: 1, the
         * last of them; 0: nobody. An error: that is not known, which is neither. May be NULL: there is
         * nobody to be seen.
         */
        int (*people)(struct step_run *run, const struct people_asked *asked, struct sighting *ret,
                      struct error *error);

        /* Acts as planned, by the deadline. The outcome is an object with at least "summary". */
        int (*run)(struct step_run *run, cJSON **ret_outcome, struct error *error);

        /* May be NULL. A failure to find out is RESUME_UNKNOWN with `error` set. */
        enum resumption (*resume)(struct step_run *run, cJSON **ret_outcome, struct error *error);

        /* The inverse, from run->plan, run->progress and run->outcome (NULL when the step failed midway). May
         * be NULL: then there is none. Repeatable. */
        int (*undo)(struct step_run *run, cJSON **ret_outcome, struct error *error);

        /* The incident has ended: lets go of what was kept for undo(). Repeatable; may be NULL. -EBUSY when
         * somebody else has taken that over: it stays, and a person is told. Other failures are tried again.
         */
        int (*settle)(struct step_run *run, struct error *error);

        /* Of what acts upon something that is none of the file's targets: what that is called
         * ("localhost:6379"), and whether it answers, found out by reading only; `said` is given what it has
         * to say. Both, or NULL: there is no such thing. */
        const char *(*probed)(const void *config);
        int (*probe)(const void *config, struct deadline deadline, struct text *said, struct error *error);

        /* Whether the target, which answers, would let the step do what it does, found out by reading only:
         * for `doctor`. On failure `advice` may be given what to do about it. NULL: nobody is asked. */
        int (*rights)(const void *config, struct targets *targets, struct deadline deadline,
                      struct text *advice, struct error *error);
};

/* The actions there are, closed by NULL, and one of them by name (NULL: no such). */
extern const struct action *const actions[];
const struct action *action_find(const char *name);

/* Whether there is one of that name, and what it does can be undone. */
bool action_undoes(const char *name);

/* Whether it changes anything; so does, for all that is known, one that there is no more. */
bool action_changes(const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* remediations.yml: which alerts set off which steps, under which guards, and how it is known that they
 * helped. */
#ifndef RESPONDER_REMEDIATION_REMEDIATION_H
#define RESPONDER_REMEDIATION_REMEDIATION_H

#include "responder/alert/match.h"
#include "responder/remediation/action.h"
#include "responder/remediation/approval.h"
#include "responder/remediation/escalation.h"
#include "responder/remediation/maintenance.h"
#include "responder/targets/targets.h"

enum on_failure {
        ON_FAILURE_ESCALATE,
        ON_FAILURE_UNDO,
        ON_FAILURE_CONTINUE,
        ON_FAILURE_STOP,
        ON_FAILURE_COUNT
};
/* Of whom the file says nothing: how long a person who was seen at something keeps it. */
#define HUMAN_WINDOW (15 * 60 * NSEC_PER_SEC)

/* Prometheus looks back for so long: what is older it no longer has at hand. */
#define FRESH_MOST (5 * 60 * NSEC_PER_SEC)

/* Of whom the file says nothing (any more). */
#define STILL_FIRING_AFTER (15 * 60 * NSEC_PER_SEC)

enum undo_when { UNDO_NEVER, UNDO_WHEN_RESOLVED, UNDO_WHEN_COUNT };

struct step {
        const struct action *action;
        void *config;   /* as read: labels not yet bound, unless it is `bound` */
        int undo;       /* enum undo_when; `undo: when_resolved` beside the action */
        nsec timeout;   /* `timeout:` beside the action, or the action's own */
        int64_t max;    /* `max:` most targets it may touch; 0: no limit given */
        int on_failure; /* of this step; default the remediation's */
        /* Whether the rest depends on it: 1, or 0 for what only accompanies the cure. `on_failure: continue`
         * is another word for the latter: a step has both, or neither. */
        int essential;
        bool bound;    /* it was restored from a definition */
        cJSON *target; /* then: what it acts upon, as that was defined; NULL: nothing of the file's */
        char *unbound; /* then: which label was missing, of one that is not essential; NULL: none */
};

struct verification {
        char *query,
                *check; /* exactly one is set; both NULL: no verification, the incident is done when run */
        nsec hold_for;  /* `for:` must hold this long */
        nsec within;
        nsec every; /* default 5s */
};

struct remediation {
        char *name;
        struct matchers match;
        nsec cooldown;            /* after the end of the last run under the same lock; 0: none */
        struct rate limit;        /* `limit: 3 per 1d`, of it under the same lock */
        char *lock;               /* pattern with ${labels.x}; NULL: the remediation's own name */
        struct approval approval; /* whether a person must agree */
        bool dry_run; /* it is planned, and nothing is run; so is what is trusted to observe alone */
        int trust;    /* enum trust */
        bool urgent;  /* neither the breaker nor a storm asks a person first, nor do others' runs hold it */
        nsec human_window; /* so long after a person was seen at it nothing is begun; 0: that is not asked */
        nsec fresh_within; /* nothing is begun unless Prometheus' newest data are so young; 0: not asked */
        nsec expire;       /* held or awaiting longer than this: expired; default 1h */
        nsec still_firing; /* `still_firing:` healed so long ago, and the alert fires: not healed; 0: never */
        struct step *steps;
        size_t step_count;
        struct verification verify;
        nsec page_after; /* `page_after:` so long after it was opened nothing holds its page back; 0: nothing
                            ever does */
        int on_failure;
        char *escalate_to;                   /* receiver; default the file's `escalate_to`; "nobody": none */
        const struct escalation *escalation; /* the file's; NULL: it has an `escalate_to` of its own, or is
                                                `bound` */
        struct config_strings tell; /* ends that are told although they need nobody; default the file's */
        char *at_stake;             /* pattern; what is so while it has not helped; NULL: not said */
        bool bound; /* restored from a definition (definition.h): nothing in it is bound any more */
        bool says;  /* `bound`, and so are `tell` and `at_stake`; else the file has them */
};

struct remediation_set {
        struct target_set targets;
        struct rate limit_all; /* runs of whatever remediation, under whatever lock */
        struct rate breaker;   /* runs under one lock, of whatever remediation, before a person is asked */
        struct rate storm;     /* locks under which something runs, likewise */
        struct hours *hours;   /* in which people are there; NULL: not said */
        nsec human_window;     /* as of a remediation that does not say */
        nsec fresh_within;     /* likewise */
        bool asks_freshness;   /* some remediation does */
        struct maintenance_plan maintenance;
        struct config_strings human_signs; /* families of actions whose targets are looked at for people */
        struct remediation *remediations;
        size_t count;
        char *escalate_to, *unmatched_to, *external_url; /* NULL: not given */
        struct escalation escalation;
        struct config_strings tell;
        char *doubts; /* what will most likely go wrong, a `file:line:column: sentence` a line; NULL: nothing
                       */
        struct config *config; /* only while it is read */
};

/* The keys at the top that are no targets, of a remediation, and beside a step's action; for the reference
 * page. */
extern const struct config_field top_fields[], remediation_fields[], step_fields[], verify_fields[];

/* Whether an `escalate_to:` calls none: it says so, or (NULL) there is none. */
bool receiver_is_nobody(const char *receiver);

/* By whom an alert with these labels is answered for: the levels, NULL when there is but one receiver; and
 * the first of them, or that one. */
const struct escalation_chain *remediation_chain(const struct remediation *remediation,
                                                 const struct config_map *labels);
const char *remediation_receiver(const struct remediation *remediation, const struct config_map *labels);

/* Whether an end ("healed") is told, of those that need nobody. `remediation` may be NULL. */
bool remediation_tells(const struct remediation *remediation, const char *end);

/* Loads all of it. On failure -EINVAL, and `error` holds every complaint, one a line. */
int remediation_set_load(const char *path, struct remediation_set **ret, struct error *error);
struct remediation_set *remediation_set_free(struct remediation_set *set);
const struct remediation *remediation_find(const struct remediation_set *set, const char *name);

/* One that is of no set; takes NULL. */
struct remediation *remediation_free(struct remediation *remediation);

/*
 * Whether it answers to an alert with these labels: its matchers match, and it is not the twin that is for a
 * person or holds that back (ALERT_LABEL_STAGE), but where a matcher asks about that label itself.
 */
bool remediation_asks_about_stage(const struct remediation *remediation);
bool remediation_answers(const struct remediation *remediation, const struct config_map *labels);

/* Whether people are looked for at what an action of its family acts upon. */
bool remediation_set_sees(const struct remediation_set *set, const struct action *action);

/* Whether any of its steps changes something. */
bool remediation_changes(const struct remediation *remediation);

/* The lock of an incident of it; free() it. -EINVAL when it would be empty: that locks nothing. */
int remediation_lock(const struct remediation *remediation, const struct alert *alert, const char *incident,
                     char **ret, struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that waits: while an incident runs, the page of its alert is held back, and by nothing else.
 *
 * Alerts may come as twins of one expression (ALERT_LABEL_STAGE): one for the responder, one for a person. As
 * long as the responder is at it, it posts to every Alertmanager a third of the same labels, `acting`, which
 * inhibits the person's. That is a lease: it lasts for two minutes and is renewed every 30 seconds by the
 * look of the engine's thread, and by nobody else. So whatever keeps that thread from looking, or an incident
 * from getting on, lets the page come; nobody has to do anything for it.
 *
 * All of it may be lost in a crash: what holds is what the Alertmanagers have, and it ends by itself.
 */
#ifndef RESPONDER_ENGINE_LEASE_H
#define RESPONDER_ENGINE_LEASE_H

#include <stdatomic.h>

#include "responder/incident/parts.h"

struct engine;
struct look;

#define LEASE_AFTER_HEALED (5 * 60 * NSEC_PER_SEC) /* by then its alert is resolved, or it was not healed */

/* What decides about the page of one alert. */
struct lease_question {
        enum incident_state state; /* of an incident that it is a part of */
        bool starting;             /* a worker begins it, and asks nobody */
        bool open;                 /* nobody has told the alert's end */
        bool paged; /* some incident of the alert leaves it to a person: journal_episode_paged() */
        bool paused;
        nsec now;        /* steady; likewise: */
        nsec opened;     /* the alert's first incident was */
        nsec entered;    /* this one came to its state */
        nsec page_after; /* of its remediation; 0: its page is never held back */
        nsec lasts;      /* most; `page_lease` */
};

/* How long the page is held back from now on, at most as long as one lasts; 0: it is not. */
nsec lease_due(const struct lease_question *question);

struct lease {
        char key[DIGEST_TEXT_MAX]; /* alert_key_of_labels() of what is posted */
        cJSON *labels;
        char *summary;
        nsec until;  /* monotonic; when it has ended, that instant */
        nsec kept;   /* likewise: until then the Alertmanagers may still have it */
        bool wanted; /* by this look */
};

/* One Alertmanager, and what it was told. */
struct lease_post {
        struct engine *engine;
        size_t member;
        uint64_t told;    /* which version of all leases; 0: none */
        nsec at;          /* monotonic: when it was given that, or not before when it is given the next */
        atomic_bool busy; /* a worker has what follows */
        atomic_bool failed;
        bool failing; /* that was logged */
        struct incident_parts parts;
        struct page_lease *leases;
        size_t count;
};

struct leases {
        struct lease *items;
        size_t count;
        uint64_t version; /* rises with what is to be told */
        bool changed;     /* since it rose last */
        nsec risen_at;    /* monotonic */
        uint64_t seen;    /* what the incidents looked like when this was last made */
        nsec made_at;     /* monotonic; 0: never */
        bool refused;     /* that a label is none of `twin_labels` was logged */
        struct lease_post posts[ALERTMANAGERS_MOST];
};

/* Decides about all active incidents, as this look has read them, and has whoever is to hear of it told. */
int leases_look(struct look *look, struct error *error);
void leases_release(struct leases *leases);

/* lease_post.c: whoever has not heard yet is told; and what a worker was to tell is freed. */
void leases_post(struct look *look);
void lease_post_release(struct lease_post *post);

#endif

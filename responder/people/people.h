/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a person is at what an incident would act upon: then the machine yields.
 *
 * responder/people knows by which signs a person is seen (one row each in `people_signs`), and weighs them
 * for one incident, before it begins and between its steps. What was said to the responder itself stands in
 * the journal, so that a restart keeps it. A sign that cannot be read is not known: that holds nothing, and
 * is told where targets are. The room uses responder/journal, responder/world, responder/remediation and what
 * these use.
 */
#ifndef RESPONDER_PEOPLE_PEOPLE_H
#define RESPONDER_PEOPLE_PEOPLE_H

#include "responder/journal/journal.h"
#include "responder/remediation/remediation.h"

/* One sign: its name, how it is watched, and how it is said of somebody. The last has no name. */
struct people_sign {
        const char *name, *watched, *said;
};
extern const struct people_sign people_signs[];

struct people_question {
        struct journal *journal;
        const struct world *world;
        const struct remediation_set *set;
        const struct remediation *remediation; /* by whose steps it acts */
        const struct incident *incident;
        const char *lock; /* the bound one */
};

/* Why an incident is left to a person. */
struct people_hold {
        nsec until;       /* steady; 0: until it is given back */
        bool tells;       /* nobody has told the responder: so whoever is on call hears of it */
        char reason[256]; /* "ada has taken INC-2026-0007 since 03:02:11Z" */
};

/* 1: a person is at it, and `ret` says who; 0: nobody was seen within the window of its remediation. */
int people_ask(const struct people_question *question, struct people_hold *ret, struct error *error);

/* The family of an action, up to its dot: "docker."; and the most of its own times that are asked for. */
enum { PEOPLE_OWN_TIMES_MOST = 256 };

/*
 * How people are to be looked for at what one step acts upon, with `own` as room for PEOPLE_OWN_TIMES_MOST of
 * our own times. 1; 0: they are not to be looked for at all.
 */
int people_prepare(const struct people_question *question, const struct action *action, struct own_time *own,
                   struct people_asked *ret, struct error *error);

/* What follows from somebody who was seen so; false: nothing. */
bool people_judge(const struct people_question *question, const struct people_asked *asked,
                  const struct sighting *seen, struct people_hold *ret);

/* Who was seen at it before this steady time does not matter any more. */
nsec people_seen_after(const struct people_question *question);

/* What its guard is called, and what tells the timeline of an incident by whom it was last held. */
#define PEOPLE_GUARD "human"
#define PEOPLE_SEEN "seen"

/* Who was last seen, in words, "" when nobody was; free() it. */
int people_last(struct journal *journal, int64_t incident, char **ret, struct error *error);

/* Held until somebody gives it back: that is no waiting in vain. */
static inline bool people_keep(const struct incident *incident)
{
        return incident->taken || (incident->state == INCIDENT_HELD && incident->guard_until == 0 &&
                                   string_equal(incident->guard, PEOPLE_GUARD));
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may go where: from one state of an incident to another, by an event.
 *
 * The journal refuses whatever the table has not, whoever asks; so no mistake above it can make a healed
 * incident run again. The table itself is a seam: it belongs to what carries incidents and is filled by
 * responder/incident/transitions.c. docs/responder.md's picture is printed from it.
 */
#ifndef RESPONDER_JOURNAL_TRANSITION_H
#define RESPONDER_JOURNAL_TRANSITION_H

#include "responder/journal/incident.h"

struct transition {
        enum incident_state from; /* INCIDENT_UNCHANGED: there was no incident yet */
        enum incident_state to;
        const char *event; /* as the timeline has it */
        bool ends;         /* nothing more is to be done but what tidies up; pending requests are dropped */
};

/* Closed by a row without an event. */
extern const struct transition transitions[];

/* The row for this way; NULL when there is none. */
const struct transition *transition_find(enum incident_state from, enum incident_state to, const char *event);

#endif

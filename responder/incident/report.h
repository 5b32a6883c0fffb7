/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person is told of an incident: what is wrong, what was done, what is still so, and what to do next.
 *
 * Composed of what the journal has of the incident, at the moment of the call: the same facts for every
 * format, of which each takes what it can show. Everything that others have said is cut to a length here;
 * how it is kept from being taken for markup is the format's own.
 */
#ifndef RESPONDER_INCIDENT_REPORT_H
#define RESPONDER_INCIDENT_REPORT_H

#include "responder/incident/run.h"

/* The facts of a report. */
enum report_part {
        REPORT_ALERT,   /* its labels */
        REPORT_SUMMARY, /* its annotations: summary or description, runbook or runbook_url */
        REPORT_RUNBOOK,
        REPORT_STEPS, /* a line each: what is planned, and what came of it */
        REPORT_UNTIL, /* how long it waits */
        REPORT_STILL, /* what is so now, a line each */
        REPORT_NEXT,  /* commands, a line each */
        REPORT_PART_COUNT,
};

/* To its page, its runbook, the check on the exporter's page, and where the alert is from. */
enum { REPORT_LINKS_MOST = 4 };

struct report {
        struct message message; /* points to what follows; what of it is empty is left out */
        char *text, *key;
        char *link; /* NULL: nobody has said where this responder is reached */
        struct message_link links[REPORT_LINKS_MOST];
        size_t link_count;
        cJSON *details;
        struct message_part parts[REPORT_PART_COUNT];
        size_t part_count;
        char *owned[REPORT_PART_COUNT];
};

/*
 * "INC-2026-0001 high_latency: <what>: <reason>", with all that is known, and what that is to its reader.
 * `reason` may be NULL. -ENOMEM is the only failure; then there is nothing to release. Any thread that has
 * the incident in its hands.
 */
int report_make(const struct incident_run *run, enum message_mood mood, const char *what, const char *reason,
                struct report *ret, struct error *error);
void report_release(struct report *report);

/* "https://runbook.example/incidents/INC-2026-0001", its page, and a command that posts to it ("undo") or to
 * the daemon ("/-/resume"); NULL: nobody has said where it is reached, or out of memory. free() it. */
char *report_link(const struct incident_parts *parts, const char *number);

#endif

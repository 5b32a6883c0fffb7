/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calling a person: by which receiver, and until it was heard.
 *
 * A call is owed from a commit to the journal on, and until another one: an incident that is lost ends once a
 * person was reached, what has expired likewise, a step that needs a person stays unsettled, and everything
 * else stands in the incident's `owes`. So a restart or a receiver that is dead loses none, and nobody is
 * told twice, unless the daemon dies between hearing that it was heard and writing that down; the incident's
 * number and state are in each message.
 */
#ifndef RESPONDER_INCIDENT_ESCALATE_H
#define RESPONDER_INCIDENT_ESCALATE_H

#include "responder/incident/run.h"

/* The receiver of the incident's remediation, else the file's; NULL: nobody is to be called. */
const char *escalation_receiver(const struct incident_run *run);

/*
 * One message to one receiver, within 10 s; counted. After a failure `backoff` (may be NULL) has when to try
 * again: the wait doubles up to a minute, give or take a quarter of it, and is never shorter than the
 * receiver asked for. Whoever owns the backoff calls.
 */
int call_receiver(const struct incident_parts *parts, const char *receiver, const struct message *message,
                  struct backoff *backoff, struct error *error);

/*
 * "INC-2026-0001 high_latency: <what>: <reason>" to escalation_receiver(), with the report of it. When nobody
 * could be reached, `run->backoff` and `look_again` are set to the next try, and -EAGAIN returned.
 */
int call_until_heard(struct incident_run *run, enum message_mood mood, const char *what, const char *reason,
                     struct error *error);

/* Whoever is there for what belongs to no remediation; NULL: nobody. */
const char *call_receiver_of_last_resort(const struct remediation_set *set);

/*
 * A word to call_receiver_of_last_resort(), out of memory alone: for when there is no journal to write to or
 * read from. 0 also when the file says that nobody is to be called. `backoff` as in call_receiver(). Any
 * thread that may wait for 10 s.
 */
int call_without_journal(const struct incident_parts *parts, const struct message *message,
                         struct backoff *backoff, struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of those who are called one after the other about one incident, as its journal has it:
 *
 *     [{"to": "oncall", "after": "0s", "told_at": "2026-01-01T03:00:00Z"},
 *      {"to": "lead", "after": "15m", "in_hours": true, "failed": "HTTP 500"}, …]
 *
 * It begins with the question, with the end that needs a person, or when the first of them cannot be reached;
 * from then on it is what it was, whatever becomes of the file. The first is told as if there were no others.
 */
#ifndef RESPONDER_INCIDENT_CHAIN_H
#define RESPONDER_INCIDENT_CHAIN_H

#include "responder/incident/run.h"

/* As it stands above; NULL where there is none. cJSON_Delete() it. */
int chain_read(const struct incident *incident, cJSON **ret, struct error *error);

/* The next one who is due, or will be. */
struct chain_next {
        size_t level; /* from 1: the second one; 0: nobody is left but perhaps the first */
        char *to;     /* owned */
        nsec at;      /* steady */
        bool in_hours;
};
enum { CHAIN_NEXT_MOST = ESCALATION_LEVELS_MOST };

/* All who are not told yet, but for the first; how many goes to `*ret_count`. What cannot be read is empty.
 */
int chain_left(const struct incident *incident, struct chain_next ret[static CHAIN_NEXT_MOST],
               size_t *ret_count, struct error *error);
void chain_left_release(struct chain_next *left, size_t count);

/* What a change of state does to it goes into the entry; `*ret_owned` is what the entry borrows then. */
int chain_change(const struct incident_parts *parts, const struct incident *incident, const char *receiver,
                 const struct incident_change *change, struct journal_entry *entry, cJSON **ret_owned,
                 struct error *error);

/* Likewise that one of them was told, or (`failed`) could not be. Nothing where there is no such level. */
int chain_mark(const struct incident_parts *parts, const struct incident *incident, size_t level,
               const char *failed, struct journal_entry *entry, cJSON **ret_owned, struct error *error);

/* It begins with a call about an incident that goes on firing, which nobody has received. */
int chain_begin_unheard(const struct incident_parts *parts, const struct incident *incident,
                        const char *receiver, const char *failed, struct journal_entry *entry,
                        cJSON **ret_owned, struct error *error);

/* Whether it was written down already that this one could not be reached. */
bool chain_has_failed(const struct incident *incident, size_t level);

/* Those after the first who were told, and who keep it open until they are told that it is over: by name, as
 * the file has them. */
int chain_keepers(const struct incident_parts *parts, const struct incident *incident,
                  const char *ret[static CHAIN_NEXT_MOST], size_t *ret_count, struct error *error);

/* "oncall was told at 03:02, lead could not be reached (HTTP 500)"; free() it. */
int chain_say(const struct incident *incident, char **ret, struct error *error);

#endif

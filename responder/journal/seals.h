/* SPDX-License-Identifier: Apache-2.0 */
/* Seals of what decides, and the head; of this folder alone. See seals.c, and sealed.h for what they cover.
 */
#ifndef RESPONDER_JOURNAL_SEALS_H
#define RESPONDER_JOURNAL_SEALS_H

#include "responder/journal/journal.h"

struct journal_chain;
struct journal_connection;
struct mac_memory;

/* Lets a connection make seals; `memory` is for one that asks for the same rows again and again, NULL of one
 * that goes over them all; `sum` is where changes of seals go, NULL of one that only reads. */
int seals_attach(struct journal_connection *connection, const struct journal_key *key,
                 struct mac_memory *memory, unsigned char *sum, struct error *error);

/*
 * For the writer, before anybody writes, in a transaction: checks what was found, or seals it as it is when
 * the key says so, and from then on seals whatever is written. `whole`: the sum of all seals is added up now.
 * `ret_taken` stays as it was, or is why it had to be taken as it is; free() it. -EUCLEAN: the head or the
 * schema does not fit; -EKEYREJECTED: another key sealed it; -ENOKEY: none did.
 */
int seals_begin(struct journal *journal, const struct journal_key *key, bool whole, char **ret_taken,
                struct error *error);

/* In each transaction that has changed the timeline or a seal. */
int seals_write_head(struct journal *journal, struct error *error);

/* -EUCLEAN: it, its alert or a step of it is not what was journaled. 0 on a connection without the key. */
int seals_check_incident(struct journal_connection *connection, int64_t incident, struct error *error);
int seals_check_episode(struct journal_connection *connection, int64_t episode, struct error *error);

/* Since when the kill switch is on (wall); 0: it is off. When somebody else has set it, it is on. */
int seals_read_pause(struct journal_connection *connection, nsec *ret_since, struct error *error);

/* Likewise since when a maintenance holds. */
int seals_read_maintenance(struct journal_connection *connection, nsec *ret_since, struct error *error);

/* That no row is missing, too many, or as it was before; `end` is what the timeline ends with. One
 * transaction. */
int seals_check_sum(struct journal_connection *connection, const struct journal_chain *end,
                    struct error *error);

/* The same, and each row by its seal. A journal of before has none: seals_there() is 0. */
int seals_verify(struct journal_connection *connection, const struct journal_chain *end, struct error *error);
int seals_there(struct journal_connection *connection, struct error *error);

#endif

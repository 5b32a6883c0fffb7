/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that nobody has received, as they are kept and read. */
#ifndef RESPONDER_JOURNAL_LETTERS_H
#define RESPONDER_JOURNAL_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "runbook/clock.h"
#include "runbook/error.h"

struct journal;

/*
 * A message that nobody has received: of a step that has failed, which is not tried again by itself, or the
 * call that is owed, which is, until it is heard. One of each step and one of the call, kept until it is
 * delivered, or moot, or the incident is pruned.
 */
struct journal_letter {
        const char *receiver, *what, *reason; /* whom, of what, and what came instead of an answer */
        bool refused;                         /* waiting alone will hardly help */
};

/* As it is read. */
struct letter {
        int64_t incident;
        char *number; /* "": of no incident */
        size_t step;  /* from 1; 0: the call */
        char *receiver, *what, *reason;
        bool refused;
        bool asked; /* a person wants it tried again, and that was not yet */
        nsec since; /* wall */
};
struct letter_list {
        struct letter *items;
        size_t count;
};
/* Zero afterwards. */
void letter_release(struct letter *letter);
void letter_list_release(struct letter_list *list);

/* Those of one incident, or (0) of all, oldest incident first, at most `limit`. */
int journal_letters(struct journal *journal, int64_t incident, size_t limit, struct letter_list *ret,
                    struct error *error);

/* Calls each(context, receiver, how many) for every receiver that has not received something. */
int journal_count_letters(struct journal *journal,
                          void (*each)(void *context, const char *receiver, size_t letters), void *context,
                          struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the responder gives up, by --sandbox: it starts no program, and writes into three places alone, those
 * of the journal, of the evidence and of the tokens. What it changes is behind sockets, which stay.
 *
 * It reads what it can read: secrets and certificates are named by a file that may be read again.
 */
#ifndef RESPONDER_ENCLOSURE_H
#define RESPONDER_ENCLOSURE_H

#include "runbook/sandbox.h"

struct enclosure {
        struct sandbox sandbox;
        char *evidence; /* the directory that remediations.yml named at the start */
};

/* Borrowed; NULL tokens, or key: none are made. */
struct enclosure_places {
        const char *journal;
        const char *tokens;
        const char *new_key;          /* the file of the journal's key, at the start that makes it */
        const char *const *addresses; /* where it will listen, closed by NULL */
};

/* Where remediations.yml would have evidence lie. Before anything is made: the error of who reads the file.
 */
int enclosure_read(struct enclosure *enclosure, const char *config_file, struct error *error);

/*
 * Makes the directories that are not there, as later it could not, and enters the sandbox. Before the first
 * thread; sockets are opened afterwards, and enclosure_seal() follows.
 */
int enclosure_enter(struct enclosure *enclosure, const struct enclosure_places *places, struct error *error);

/* Once the sockets listen: no further ones, and no modes and owners of files are changed any more. */
int enclosure_seal(const struct enclosure *enclosure, struct error *error);

/* -EPERM when evidence would lie where nothing can be written any more. */
int enclosure_admit(const struct enclosure *enclosure, const char *evidence, struct error *error);

void enclosure_release(struct enclosure *enclosure);

#endif

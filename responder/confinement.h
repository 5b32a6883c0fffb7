/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the responder gives up, by --sandbox: it starts no program, and writes into three places alone, those
 * of the journal, of the evidence and of the tokens. What it changes is behind sockets, which stay.
 *
 * It reads what it can read: secrets and certificates are named by a file that may be read again.
 */
#ifndef RESPONDER_CONFINEMENT_H
#define RESPONDER_CONFINEMENT_H

#include "runbook/sandbox.h"

struct confinement {
        struct sandbox sandbox;
        char *evidence; /* the directory that remediations.yml named at the start */
};

/* Borrowed; NULL tokens: none are made. */
struct confinement_places {
        const char *config_file; /* remediations.yml, which says where evidence lies */
        const char *journal;
        const char *tokens;
        const char *const *addresses; /* where it will listen, closed by NULL */
};

/*
 * Makes the directories that are not there, as later it could not, and enters the sandbox. Before the first
 * thread; sockets are opened afterwards, and confinement_seal() follows. The error of who reads the file.
 */
int confinement_enter(struct confinement *confinement, const struct confinement_places *places,
                      struct error *error);

/* Once the sockets listen: no further ones, and no modes and owners of files are changed any more. */
int confinement_seal(const struct confinement *confinement, struct error *error);

/* -EPERM when evidence would lie where nothing can be written any more. */
int confinement_admit(const struct confinement *confinement, const char *evidence, struct error *error);

void confinement_release(struct confinement *confinement);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of remediations.yml: each with its remediations, its targets, and the world they are a part of. */
#ifndef RESPONDER_EDITION_H
#define RESPONDER_EDITION_H

#include "responder/incident/parts.h"
#include "responder/production.h"

/*
 * Reads the file, whole or not at all: -EINVAL with every mistake. Fills world, set and edition of `parts`,
 * which the caller holds from then on: parts_release(). `production` outlives it.
 */
int edition_load(const char *path, struct production *production, struct incident_parts *parts,
                 struct error *error);

/* Lets go of one that nobody has worked by yet, there and then. */
void edition_drop(struct incident_parts *parts);

#endif

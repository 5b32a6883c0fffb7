/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an incident's evidence lies, and how much room there is for more of it.
 *
 * A directory is an incident's when ".incident" in it says so: its number, and when it was opened, by which
 * it is told from the same number of another journal. Where that has its directory already, ours is called
 * "INC-2026-0001.<when it was opened>". One that says nothing, but is not empty, is somebody else's.
 */
#ifndef RESPONDER_ACTIONS_SHARED_EVIDENCE_PLACE_H
#define RESPONDER_ACTIONS_SHARED_EVIDENCE_PLACE_H

#include "responder/actions/shared/evidence.h"
#include "runbook/text.h"

#define EVIDENCE_SUMS "SHA256SUMS"

/* No '/', not hidden, not the list itself. */
bool evidence_plain_name(const char *name);

/* Opens the incident's directory, and makes it where `make` says so; else -ENOENT. `ret_path` ends with '/'.
 */
int evidence_place_open(const struct evidence_place *place, bool make, int *ret, char **ret_path,
                        struct error *error);

/* All of the list of a directory; nothing when there is none. */
int evidence_read_sums(int directory, struct text *sums, struct error *error);

/*
 * How many bytes may be added to the incident's directory (`fd`) by what the bounds leave: -EDQUOT names the
 * bound that is reached, -ENOSPC that the disk is too full.
 */
int evidence_room_left(const struct evidence_place *place, int fd, uint64_t *ret, struct error *error);

/* -ENOSPC when the disk of `fd` has no more than what is to be kept free. */
int evidence_check_free(const struct evidence_place *place, int fd, uint64_t *ret_free, struct error *error);

/*
 * Puts another incident's file of the same content in under `name`, as a hard link: 1. 0: there is none, or
 * none that still is what was sealed, or it cannot be linked.
 */
int evidence_link_twin(const struct evidence_place *place, int fd, const char *name, const char *sum,
                       uint64_t size);

/* The digest and the size of an open file. */
int evidence_sum(int fd, char ret_sum[static DIGEST_TEXT_MAX], uint64_t *ret_size, struct error *error);

#endif

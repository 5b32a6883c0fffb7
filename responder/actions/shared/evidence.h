/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence: files under <directory>/<incident>/, written once, sealed by their SHA-256 in SHA256SUMS beside
 * them (the format of sha256sum -c). Directories are 0700, files 0400. A file is complete under its name or
 * absent. There is a bound for each incident, one for all together, and some of the disk is left to others,
 * the journal first of all. What an incident before has saved already, to the byte, is kept once, under both
 * names.
 */
#ifndef RESPONDER_ACTIONS_SHARED_EVIDENCE_H
#define RESPONDER_ACTIONS_SHARED_EVIDENCE_H

#include "runbook/clock.h"
#include "runbook/digest.h"
#include "runbook/error.h"

/* Whose evidence it is, and its bounds in bytes. */
struct evidence_place {
        const char *directory; /* of all of it */
        const char *incident;  /* its number */
        nsec opened_at;        /* wall; with the number what no other incident of any journal has */
        int64_t per_incident, total, keep_free;
};

struct evidence_file;

/* Begins `name` (no '/', not hidden) for an incident; the place's strings are borrowed until it is sealed or
 * discarded. -EEXIST when it is sealed already; -EDQUOT when a bound is reached, -ENOSPC when the disk is
 * full. */
int evidence_create(const struct evidence_place *place, const char *name, struct evidence_file **ret,
                    struct error *error);
/* How many bytes it may still take. */
uint64_t evidence_room(const struct evidence_file *file);
/* All of it or nothing; -EDQUOT beyond the room, -ENOSPC. */
int evidence_write(struct evidence_file *file, const void *data, size_t length, struct error *error);

/* Syncs, renames into place, appends to SHA256SUMS (replacing it atomically), frees. `ret_sum`: 64 hex
 * digits. */
int evidence_seal(struct evidence_file *file, char ret_sum[static DIGEST_TEXT_MAX], char **ret_path,
                  uint64_t *ret_size, struct error *error);

/* Removes what was begun; takes NULL. */
struct evidence_file *evidence_discard(struct evidence_file *file);
DEFINE_CLEANUP(struct evidence_file *, evidence_discard);
#define _cleanup_evidence_ _cleanup_(evidence_discard_p)

/* A file that is sealed already, read again and held against its seal: -ENOENT, or -EUCLEAN when it is not
 * what was sealed. */
int evidence_find(const struct evidence_place *place, const char *name, char ret_sum[static DIGEST_TEXT_MAX],
                  char **ret_path, uint64_t *ret_size, struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of the key that seals the journal. It proves nothing against who can read it: so it may lie
 * elsewhere than the journal, and what systemd hands over as `journal.key` goes before.
 */
#ifndef RESPONDER_JOURNAL_KEY_H
#define RESPONDER_JOURNAL_KEY_H

#include "responder/journal/journal.h"

struct key_file {
        struct journal_key key;
        char *path;
        char *beside; /* where one that was just made lies until it is settled; NULL: it is under its name */
};

/*
 * `given` NULL: "journal.key" beside the journal. One that is not there is made, beside its name: a start
 * that dies before the journal is sealed by it finds it again as a new one. -EINVAL: shorter than 32 bytes.
 */
int key_make(const char *journal, const char *given, struct key_file *ret, struct error *error);

/* None is made: `path` is NULL when there is none, and nobody has named one. */
int key_find(const char *journal, const char *given, struct key_file *ret, struct error *error);

/* Under its name, once the journal is sealed by it. */
int key_settle(struct key_file *file, struct error *error);
void key_release(struct key_file *file);

#endif

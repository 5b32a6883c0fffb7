/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a file is a backup that can be read, as far as its beginning and its end tell: damage within the
 * data of a dump, an RDB or a plain tar is seen by restoring them alone.
 */
#ifndef EXPORTER_KINDS_FILES_BACKUP_FORMAT_H
#define EXPORTER_KINDS_FILES_BACKUP_FORMAT_H

#include "runbook/clock.h"
#include "runbook/error.h"

enum backup_form { BACKUP_ANY, BACKUP_POSTGRES, BACKUP_REDIS, BACKUP_TAR, BACKUP_GZIP, BACKUP_FORMS };
extern const char *const backup_forms[];

/*
 * 0: it is of that form. -EBADMSG, with the reason: it is not, which stays so as long as the file is the
 * same. Anything else: it could not be looked at. `pg_restore` is the path of that program.
 */
int backup_check(enum backup_form form, const char *path, const char *pg_restore, struct deadline deadline,
                 struct error *error);

#endif

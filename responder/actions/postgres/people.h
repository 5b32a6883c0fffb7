/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a session of psql or pgAdmin on a database. */
#ifndef RESPONDER_ACTIONS_POSTGRES_PEOPLE_H
#define RESPONDER_ACTIONS_POSTGRES_PEOPLE_H

#include "responder/remediation/action.h"

/* As an action's people(), by `pg_stat_activity`, over the standing connection to one of the file's
 * databases. */
int postgres_people(struct step_run *run, const char *database, const struct people_asked *asked,
                    struct sighting *ret, struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a run share: measure.c takes the turn, databases.c goes round, groups_run.c asks. */
#ifndef EXPORTER_KINDS_POSTGRES_RUN_H
#define EXPORTER_KINDS_POSTGRES_RUN_H

#include "exporter/kinds/postgres/measure.h"

/* How a group fared, in all databases. */
enum outcome { NOT_MEASURED, MEASURED, FAILED };

struct run {
        struct postgres_connection *connection;
        const struct postgres_plan *plan;
        struct deadline deadline;
        struct sample_sink *sink;
        enum outcome *outcomes; /* of each group, and of the query behind them */
        const char *database;   /* the one that is asked, as a label; NULL: without one */
        bool monitor;           /* whether the role sees what others do */
        char *role;             /* its name, quoted; owned */
};

/* Whether a failure concerns one statement alone: the session goes on, or can be replaced. */
bool run_is_of_one(int r);

/* Takes the failure of one statement, under a name, into the reasons; passes others on. */
int run_take_reason(int r, const char *name, struct text *reasons, struct error *error);

/* How long the next statement may take. */
nsec run_share(const struct run *run);

/* Asks the role's rights, which some groups need. */
int run_ask_for_role(struct run *run, struct error *error);

/*
 * Runs the groups that tell of a database, and the query, or else those that tell of the server. What one is
 * refused goes to the reasons; any other failure ends it.
 */
int run_groups(struct run *run, bool by_database, struct text *reasons, struct error *error);

/* Runs the groups of databases in each that is chosen, one after the other, each in an equal part of the
 * time. One that refuses costs itself. */
int run_databases(struct run *run, struct text *reasons, struct error *error);

#endif

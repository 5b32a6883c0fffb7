/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a session of psql or pgAdmin on a database. */
#include "responder/actions/postgres/people.h"

#include <stdio.h>
#include <stdlib.h>

#include "responder/actions/postgres/common.h"
#include "runbook/text.h"

#define NAME_MOST 40

/*
 * Whoever was the last to do something, as long ago as the server's own clock says; who is in a transaction
 * does so still. What a role may not see of another one's session is NULL: then it is there now. Of those who
 * have been there since $1 seconds ago or longer it is known already.
 */
static const char sessions[] =
        "SELECT * FROM (SELECT usename, application_name, datname,"
        " extract(epoch FROM clock_timestamp() - backend_start) AS age,"
        " CASE WHEN state = 'idle' THEN extract(epoch FROM clock_timestamp() - state_change) END AS idle"
        " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND (application_name = 'psql' OR application_name LIKE 'pgAdmin %')) s"
        " WHERE age IS NULL OR age < $1::float8"
        " ORDER BY idle NULLS FIRST LIMIT 1";

static void put_name(struct text *text, const PGresult *result, int column)
{
        text_put_line(text, PQgetvalue(result, 0, column), NAME_MOST);
}

static nsec ago(const PGresult *result, int column)
{
        return PQgetisnull(result, 0, column) ? 0
                                              : seconds_to_nsec(strtod(PQgetvalue(result, 0, column), NULL));
}

static void describe(const PGresult *result, nsec now, struct sighting *ret)
{
        _cleanup_text_ struct text words = {0};
        put_name(&words, result, 0);
        text_puts(&words, " was seen with ");
        put_name(&words, result, 1);
        text_puts(&words, " on ");
        put_name(&words, result, 2);
        *ret = (struct sighting){.since = now - ago(result, 3), .last = now - ago(result, 4)};
        snprintf(ret->words, sizeof(ret->words), "%s", text_string(&words));
}

int postgres_people(struct step_run *run, const char *database, const struct people_asked *asked,
                    struct sighting *ret, struct error *error)
{
        _cleanup_lease_ struct lease lease = {0};
        _cleanup_result_ PGresult *result = NULL;
        char since[32];
        snprintf(since, sizeof(since), "%.3f", nsec_to_seconds(asked->now - asked->freed));
        const char *const parameters[] = {since};
        int r = lease_take(&lease, run, database, run->deadline, error);
        if (r >= 0)
                r = postgres_query(lease.postgres, sessions, parameters, 1, run->deadline, &result, error);
        if (r < 0)
                return r;
        if (PQntuples(result) == 0)
                return 0;
        describe(result, asked->now, ret);
        return 1;
}

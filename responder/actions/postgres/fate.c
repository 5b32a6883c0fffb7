/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a transaction whose COMMIT was never answered: the server is asked by the transaction's id.
 */
#include "responder/actions/postgres/fate.h"

#include <errno.h>

#include "runbook/wait.h"

/* Longer than the server waits for a client that says nothing within a transaction. */
#define RESOLVE_TIME (20 * NSEC_PER_SEC)
#define LOOK_EVERY (100 * NSEC_PER_MSEC)

/*
 * Which life of the server it is: its start, and that of its checkpointer, which a crash of the server
 * renews too (not seen without pg_monitor).
 */
#define SERVER_LIFE                                                        \
        "concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()),"   \
        " (SELECT extract(epoch FROM backend_start) FROM pg_stat_activity" \
        " WHERE backend_type = 'checkpointer'))"

/* txid_*: PostgreSQL 12 knows no other name for these, and later versions know this one still. */
int fate_note(struct step_run *run, struct postgres *postgres, cJSON **ret_progress, struct error *error)
{
        _cleanup_result_ PGresult *result = NULL;
        int r = postgres_query(postgres, "SELECT txid_current()::text, " SERVER_LIFE, NULL, 0, run->deadline,
                               &result, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *progress = cJSON_CreateObject();
        if (json_put(progress, "transaction", json_text(PQgetvalue(result, 0, 0))) < 0 ||
            json_put(progress, "server", json_text(PQgetvalue(result, 0, 1))) < 0)
                return error_oom(error);
        r = run->write_progress(run, progress, error);
        if (r >= 0)
                *ret_progress = TAKE_PTR(progress);
        return r;
}

/* One look at what became of a transaction. Connects anew when need be. */
static enum fate ask_fate(struct step_run *run, struct postgres *postgres, const cJSON *progress,
                          fate_in_doubt *in_doubt, struct deadline deadline, struct error *error)
{
        const char *id = json_string(progress, "transaction"), *life = json_string(progress, "server");
        _cleanup_result_ PGresult *result = NULL;
        int r = postgres_query(postgres, "SELECT txid_status($1::bigint), " SERVER_LIFE, &id, 1, deadline,
                               &result, error);
        /* 22023: "transaction ID is in the future": a server that crashed before has never written it. */
        if (r == -EREMOTEIO && strcmp(postgres_sqlstate(postgres), "22023") == 0)
                return FATE_ABORTED;
        if (r < 0)
                return FATE_UNKNOWN;
        const char *status = PQgetisnull(result, 0, 0) ? "forgotten" : PQgetvalue(result, 0, 0);
        if (strcmp(status, "in progress") == 0)
                return FATE_RUNNING;
        if (strcmp(status, "aborted") == 0)
                return FATE_ABORTED;
        if (strcmp(status, "committed") == 0)
                return life && strcmp(PQgetvalue(result, 0, 1), life) == 0
                               ? FATE_COMMITTED
                               : in_doubt(run, postgres, deadline, error);
        error_set(error, EUCLEAN, "the server does not remember transaction %s any more", id);
        return FATE_UNKNOWN;
}

enum fate fate_find(struct step_run *run, struct postgres *postgres, const cJSON *progress,
                    fate_in_doubt *in_doubt, struct error *error)
{
        struct deadline deadline = deadline_in(RESOLVE_TIME);
        for (;;) {
                enum fate fate = ask_fate(run, postgres, progress, in_doubt, deadline, error);
                if (fate == FATE_COMMITTED || fate == FATE_ABORTED)
                        return fate;
                if (fate == FATE_UNKNOWN && postgres_connected(postgres))
                        return fate;
                if (!pause_for(LOOK_EVERY, deadline)) {
                        if (fate == FATE_RUNNING)
                                error_set(error, ETIMEDOUT, "the transaction is in progress still");
                        return FATE_UNKNOWN;
                }
        }
}

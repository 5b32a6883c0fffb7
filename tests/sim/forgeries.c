/* SPDX-License-Identifier: Apache-2.0 */
/* The chain holds, and shows whatever somebody else changes. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/claims.h"

/* A change of one row that is there. Texts are made here, as the eye tells its queries apart by address. */
#define FORGERY(table, keys, change)                                                                       \
        {                                                                                                  \
                "SELECT count(*) FROM " table,                                                             \
                        "UPDATE " table " SET " change " WHERE (" keys ") IN (SELECT " keys " FROM kept)", \
                        "SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM " table ")",        \
                        "REPLACE INTO " table " SELECT * FROM kept; DROP TABLE kept",                      \
                        "CREATE TEMP TABLE kept AS SELECT * FROM " table " ORDER BY " keys                 \
                        " LIMIT 1 OFFSET ",                                                                \
        }
static const struct {
        const char *count, *change, *changed, *restore, *keep;
} forgeries[] = {
        FORGERY("timeline", "id", "at = at + 1"),
        FORGERY("timeline", "id", "incident = incident + 1"),
        FORGERY("timeline", "id", "step = step + 1"),
        FORGERY("timeline", "id", "actor = 'x' || substr(actor, 2)"),
        FORGERY("timeline", "id", "event = 'X' || substr(event, 2)"),
        FORGERY("timeline", "id", "state = state || 'x'"),
        FORGERY("timeline", "id", "detail = coalesce(detail, '') || ' '"),
        FORGERY("timeline", "id", "hash = CAST(x'00' || substr(hash, 2) AS BLOB)"),
        FORGERY("timeline", "id", "hash = CAST(substr(hash, 1, 31) || x'00' AS BLOB)"),
        FORGERY("incidents", "id", "approved = NOT approved"),
        FORGERY("incidents", "id", "lock = lock || 'x'"),
        FORGERY("incidents", "id", "remediation = remediation || 'x'"),
        FORGERY("incidents", "id", "definition = coalesce(definition, '') || ' '"),
        FORGERY("incidents", "id", "alert = alert || ' '"),
        FORGERY("incidents", "id", "undo_requested = NOT undo_requested"),
        FORGERY("incidents", "id", "ended_steady = ended_steady + 1"),
        FORGERY("steps", "incident, position",
                "status = CASE status WHEN 'done' THEN 'waiting' ELSE 'done' END"),
        FORGERY("steps", "incident, position", "plan = coalesce(plan, '') || ' '"),
        FORGERY("steps", "incident, position", "outcome = coalesce(outcome, '') || ' '"),
        FORGERY("steps", "incident, position", "settled = NOT settled"),
        FORGERY("letters", "incident, part", "asked = NOT asked"),
        FORGERY("letters", "incident, part", "receiver = receiver || 'x'"),
        FORGERY("episodes", "id", "closed_at = coalesce(closed_at, 0) + 1"),
        FORGERY("episodes", "id", "alert = alert || ' '"),
        FORGERY("episodes", "id", "matched = NOT matched"),
        FORGERY("meta", "key", "value = coalesce(value, 0) + 1"),
        FORGERY("steady", "id", "steady = steady + 1"),
        FORGERY("seals", "of, id, part", "seal = zeroblob(32)"),
        FORGERY("head", "id", "rows = rows + 1"),
};

static bool holds(struct sim *sim, char **ret_why)
{
        _cleanup_error_ struct error error = {0};
        uint64_t rows = 0;
        int r = journal_verify(sim->journal, &rows, &error);
        *ret_why = strdup(error_text(&error));
        return r >= 0;
}

/* Behind the journal's back; and put back again. */
static void claim_it_shows(struct sim *sim)
{
        size_t which = (size_t)rng_below(&sim->rng, N_ELEMENTS(forgeries));
        int64_t rows = claims_number(forgeries[which].count, "");
        if (rows <= 0)
                return;
        int64_t row = (int64_t)rng_below(&sim->rng, (uint64_t)rows);
        _cleanup_free_ char *why = NULL;
        _cleanup_free_ char *change =
                text_format("%s%lld; %s", forgeries[which].keep, (long long)row, forgeries[which].change);
        if (!claims_execute(change))
                return;
        if (claims_number(forgeries[which].changed, "") > 0 && holds(sim, &why))
                sim_fail(sim, "the chain holds although somebody has changed it: %s", change);
        claims_execute(forgeries[which].restore);
}

void claim_chain(struct sim *sim)
{
        _cleanup_free_ char *why = NULL;
        if (!holds(sim, &why))
                sim_fail(sim, "the chain does not hold: %s", why);
        if (!sim->failed)
                claim_it_shows(sim);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody has said that he is at it: the next one is called, and hears who was told before. */
#include "responder/incident/chain.h"
#include "responder/incident/escalate.h"
#include "responder/incident/stages/stages.h"
#include "runbook/assert.h"
#include "runbook/text.h"

static const char *words_of(const struct incident *incident)
{
        return incident->state == INCIDENT_AWAITING_APPROVAL ? "still awaits approval"
                                                             : "still needs a person";
}

/* For how long, who has not answered, and what it is about. */
static int make_reason(const struct incident_run *run, char **ret, struct error *error)
{
        const struct incident *incident = &run->incident;
        char since[DURATION_TEXT_MAX];
        _cleanup_free_ char *told = NULL, *why = NULL;
        nsec waited = journal_steady(run->parts->journal) - incident->climbing_steady;
        int r = chain_say(incident, &told, error);
        if (r >= 0)
                r = journal_last_reason(run->parts->journal, incident->id, &why, error);
        if (r < 0)
                return r;
        *ret = text_format("nobody has said for %s that he is at it: %s%s%s",
                           duration_format(waited / NSEC_PER_SEC * NSEC_PER_SEC, since), told,
                           why && *why ? "; " : "", why && *why ? why : "");
        return *ret ? 0 : error_oom(error);
}

static int write_told(struct incident_run *run, const char *what, struct error *error)
{
        _cleanup_json_ cJSON *detail = cJSON_CreateObject(), *chain = NULL;
        struct journal_entry told = {.event = "the next one was told", .detail = detail};
        if (json_put(detail, "what", cJSON_CreateString(what)) < 0 ||
            json_put(detail, "to", cJSON_CreateString(escalation_receiver(run))) < 0 ||
            json_put(detail, "level", cJSON_CreateNumber((double)run->level + 1)) < 0)
                return error_oom(error);
        int r = chain_mark(run->parts, &run->incident, run->level, NULL, &told, &chain, error);
        return r < 0 ? r : run_write(run, &told, error);
}

int stage_climb(struct incident_run *run, struct error *error)
{
        assert_that(run->level > 0 && run->calls, "the first one is called by whatever has happened");
        assert_that(!run->parts->dry_run, "a dry run tells nobody");
        const char *what = words_of(&run->incident);
        _cleanup_free_ char *reason = NULL;
        /* Whoever has said meanwhile that he is at it wants nobody else woken. */
        int r = run_refresh(run, error);
        if (r < 0 || !incident_climbs(&run->incident))
                return r;
        r = make_reason(run, &reason, error);
        if (r >= 0 && escalation_receiver(run))
                r = call_until_heard(run,
                                     run->incident.state == INCIDENT_AWAITING_APPROVAL ? MESSAGE_WAITS
                                                                                       : MESSAGE_TROUBLE,
                                     what, reason, error);
        /* Only this call waits until it is tried again; what the first one is owed has its own time. */
        nsec now = world_monotonic(run->parts->world);
        run->look_again = run->backoff.at > now ? run->backoff.at : now;
        return r < 0 || !escalation_receiver(run) ? r : write_told(run, what, error);
}

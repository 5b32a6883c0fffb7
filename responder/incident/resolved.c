/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the alert of what runs is over, before the rest of its steps is skipped for that. */
#include "responder/incident/run.h"
#include "runbook/assert.h"

#define ASK_TIMEOUT (5 * NSEC_PER_SEC)

/* Why the end of all its alerts is not believed; NULL: it is. */
static int doubt(struct incident_run *run, const char **ret, struct error *error)
{
        const struct world *world = run->parts->world;
        _cleanup_json_ cJSON *firing = NULL;
        struct episode_list episodes = {0};
        if (world->firing(world->context, world_deadline(world, ASK_TIMEOUT), &firing, NULL) < 0) {
                *ret = "Prometheus, which would know, cannot be asked";
                return 0;
        }
        *ret = NULL;
        int r = journal_episodes_of(run->parts->journal, run->incident.id, &episodes, error);
        for (size_t i = 0; r >= 0 && i < episodes.count; i++)
                if (!episodes.items[i].unreadable && alert_is_among(&episodes.items[i].alert, firing))
                        *ret = "Prometheus says that it fires";
        episode_list_release(&episodes);
        return r;
}

/* Once in this life of the daemon. */
static int tell_doubt(struct incident_run *run, const char *why, struct error *error)
{
        if (run->doubted)
                return 0;
        _cleanup_free_ char *reason = text_format("it is told to be resolved, but %s", why);
        _cleanup_json_ cJSON *detail = reason ? reason_detail(reason, NULL) : NULL;
        if (!detail)
                return error_oom(error);
        run->doubted = true;
        struct journal_entry entry = {
                .event = "end not believed", .expect = run->incident.state, .detail = detail};
        return run_write(run, &entry, error);
}

int run_is_resolved(struct incident_run *run, bool *ret, struct error *error)
{
        assert_that(run->incident.running_at != 0, "what waits is judged by the engine");
        const char *url = run->parts->set->targets.prometheus_url, *why = NULL;
        *ret = !run->incident.episode_open;
        if (!*ret || !url || !*url)
                return 0;
        int r = doubt(run, &why, error);
        if (r < 0 || !why)
                return r;
        *ret = false;
        return tell_doubt(run, why, error);
}

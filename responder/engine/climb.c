/* SPDX-License-Identifier: Apache-2.0 */
/* When the next one of a chain is to be called. */
#include "responder/engine/internal.h"
#include "responder/incident/chain.h"

/* When this one may be called, as far as hours and the last try go (monotonic); `now` or before: at once. */
static nsec may_call_at(struct look *look, const struct incident *incident, const struct chain_next *next)
{
        const struct hours *hours = look->engine->parts.set->hours;
        const struct engine_slot *slot = slot_find(look->engine, incident->id);
        nsec at = slot ? slot->run.tries[next->level].at : 0;
        if (look->steady < next->at)
                return look->now + (next->at - look->steady);
        if (next->in_hours && hours && !hours_contain(hours, look->wall)) {
                nsec begins = hours_change(hours, look->wall);
                return look->now + (begins > look->wall ? begins - look->wall : look->engine->rest);
        }
        return at;
}

static int call(struct look *look, struct incident *incident, const struct remediation *remediation,
                struct chain_next *next, struct error *error)
{
        struct engine_slot *slot = slot_claim(look->engine, incident->id);
        if (!slot)
                return error_oom(error);
        free(slot->run.calls);
        slot->run.calls = TAKE_PTR(next->to);
        slot->run.level = next->level;
        return engine_dispatch(look, incident, remediation, WORLD_CALLS, stage_climb,
                               guard_holds_lock(incident) ? incident->lock : "", error);
}

int look_climb(struct look *look, struct incident *incident, const struct remediation *remediation,
               bool *ret_called, struct error *error)
{
        *ret_called = false;
        if (!incident_climbs(incident) || look->engine->parts.dry_run)
                return 0;
        if (incident->climbs_at > look->steady) {
                if (incident->climbs_at < INT64_MAX)
                        look_again_at(look, look->now + (incident->climbs_at - look->steady));
                return 0;
        }
        struct chain_next left[CHAIN_NEXT_MOST];
        size_t count = 0;
        int r = chain_left(incident, left, &count, error);
        incident->climbs_at = count > 0 ? left[0].at : INT64_MAX;
        for (size_t i = 0; i < count && r >= 0 && !*ret_called; i++) {
                nsec at = may_call_at(look, incident, &left[i]);
                *ret_called = at <= look->now;
                if (*ret_called)
                        r = call(look, incident, remediation, &left[i], error);
                else
                        look_again_at(look, at);
        }
        chain_left_release(left, count);
        return r;
}

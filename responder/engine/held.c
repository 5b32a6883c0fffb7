/* SPDX-License-Identifier: Apache-2.0 */
/* What holds an incident back, until when, who hears of it, and when nothing does any more. */
#include <stdlib.h>

#include "responder/engine/internal.h"
#include "responder/people/people.h"

int look_tell_owed(struct look *look, struct incident *incident, const struct remediation *remediation,
                   struct error *error)
{
        if (!*incident->owes || look->engine->parts.dry_run)
                return 0;
        if (string_equal(incident->owes, OWES_HELD) && look_is_told_with(look, incident))
                return 0;
        /* Its alert is looked at by others, and its end writes to the incident. */
        if (string_equal(incident->owes, OWES_OVER) && incident->episode_open)
                return 0;
        const struct engine_slot *slot = slot_find(look->engine, incident->id);
        nsec when = slot ? slot->run.backoff.at : 0;
        if (when <= look->now)
                return engine_dispatch(look, incident, remediation, WORLD_CALLS, stage_tell, "", error);
        look_again_at(look, when);
        return 0;
}

/* Whether a person hears at once that it is held: it may be for long, or for longer than it may wait. */
static bool tells_hold(const struct incident *incident, const struct remediation *remediation,
                       const struct guard_verdict *verdict)
{
        /* That time does not count. */
        bool too_long = !string_equal(verdict->guard, "maintenance") && verdict->until != 0 &&
                        verdict->until >= incident->waiting_steady + remediation->expire;
        return verdict->tells || too_long;
}

int look_hold(struct look *look, struct incident *incident, const struct remediation *remediation,
              const char *lock, const struct guard_verdict *verdict, struct error *error)
{
        assert_that(verdict->guard && !verdict->unasked, "who is held has a guard, which knows why");
        standing_ask_again(look, verdict->guard);
        nsec left = verdict->until != 0 ? verdict->until - look->steady : 0;
        nsec until = verdict->until != 0 ? look->wall + left : 0;
        if (left > 0)
                look_again_at(look, look->now + left);
        /* Who is seen again and again is written down once in a window. */
        bool same = llabs(incident->guard_until - until) < NSEC_PER_SEC ||
                    (verdict->own && until != 0 && incident->guard_until > look->wall);
        if (incident->state == INCIDENT_HELD && string_equal(incident->guard, verdict->guard) && same) {
                if (incident->guard_until > look->wall)
                        look_again_at(look, look->now + (incident->guard_until - look->wall));
                return look_tell_owed(look, incident, remediation, error);
        }
        if (!turn_may_be_held(look, incident->remediation))
                return 0;
        char time[TIME_TEXT_MAX];
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        if (detail) {
                json_put(detail, "guard", cJSON_CreateString(verdict->guard));
                if (*verdict->reason)
                        json_put(detail, "reason", cJSON_CreateString(verdict->reason));
                if (verdict->own)
                        json_put(detail, PEOPLE_SEEN, cJSON_CreateString(verdict->reason));
                if (*verdict->holder)
                        json_put(detail, "holder", cJSON_CreateString(verdict->holder));
                if (until != 0)
                        json_put(detail, "until", cJSON_CreateString(time_format(until, time)));
        }
        const struct incident_change held = {
                .to = INCIDENT_HELD,
                .event = "held",
                .guard = verdict->guard,
                .guard_until = until,
                .tells = tells_hold(incident, remediation, verdict),
                .lock = lock,
                .detail = detail,
        };
        return look_enter(look, incident, &held, error);
}

int look_release_held(struct look *look, const struct incident *incident, const char *lock,
                      struct error *error)
{
        const struct incident_change released = {.to = INCIDENT_RECEIVED, .event = "released", .lock = lock};
        return turn_may_be_held(look, incident->remediation) ? look_enter(look, incident, &released, error)
                                                             : 0;
}

bool look_outlives_guard(struct look *look, const struct incident *incident)
{
        if (incident->state != INCIDENT_HELD)
                return false;
        if (incident->guard_until > look->wall)
                look_again_at(look, look->now + (incident->guard_until - look->wall));
        return guard_may_be_over(incident, &look->holders, look->paused, look->maintained, look->wall);
}

bool look_may_be_released(struct look *look, const struct incident *incident)
{
        return incident->state == INCIDENT_HELD &&
               (standing_may_be_over(look, incident) || look_outlives_guard(look, incident));
}

/* Who has begun already, or was approved, is asked less: nothing of it is true for the others. */
int look_check_guards(struct look *look, const struct guard_question *question, struct guard_verdict *ret,
                      struct error *error)
{
        const char *name = question->remediation->name;
        bool fresh = question->incident->running_at == 0 && !question->incident->approved;
        const struct guard_verdict *known = fresh ? turn_recall(look, name, question->lock) : NULL;
        if (known) {
                *ret = *known;
                return 0;
        }
        int r = guard_check(question, ret, error);
        return r < 0 || !fresh || !ret->guard || ret->asks || ret->own
                       ? r
                       : turn_remember(look, name, question->lock, ret, error);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maintenance: nothing is begun while it holds, and Alertmanager silences what the file says.
 *
 * What is known of it lies in the journal, from its begin until its silences are gone: {"hand", "since",
 * "until" (wall, ms), "steady" (until then, of one by hand), "by", "reason", "silenced", "over"}. One by hand
 * ends by steady time; one of the file by its hours, which are the wall's.
 */
#include <errno.h>
#include <inttypes.h>

#include "responder/engine/internal.h"
#include "runbook/log.h"

#define SILENCE_TIMEOUT (20 * NSEC_PER_SEC)
#define SILENCE_AGAIN (15 * NSEC_PER_SEC)
#define MARK_MOST 200

/* What one look, or one decision, knows of it. */
struct known {
        bool holds;
        char *text;   /* as the journal has it */
        cJSON *state; /* NULL: there is none, or it cannot be read */
};

static void known_release(struct known *known)
{
        free(known->text);
        cJSON_Delete(known->state);
}

static int read_known(struct journal *journal, struct known *ret, struct error *error)
{
        int r = journal_maintenance(journal, &ret->holds, &ret->text, error);
        if (r < 0 || !*ret->text)
                return r;
        /* What cannot be read holds, until a person ends it. */
        (void)json_parse(ret->text, strlen(ret->text), &ret->state, NULL);
        return 0;
}

static nsec time_of(const cJSON *state, const char *key)
{
        return (nsec)json_number(state, key, 0) * NSEC_PER_MSEC;
}

static cJSON *time_json(nsec at)
{
        const nsec milliseconds = at / NSEC_PER_MSEC;
        return cJSON_CreateNumber((double)milliseconds);
}

int maintenance_show(struct journal *journal, struct maintenance_shown *ret, struct error *error)
{
        _cleanup_(known_release) struct known known = {0};
        int r = read_known(journal, &known, error);
        if (r < 0)
                return r;
        const char *by = json_string(known.state, "by"), *reason = json_string(known.state, "reason");
        struct maintenance_shown shown = {
                .holds = known.holds,
                .silenced = json_bool(known.state, "silenced", false),
                .since = time_of(known.state, "since"),
                .until = time_of(known.state, "until"),
                .by = by ? strdup(by) : NULL,
                .reason = reason ? strdup(reason) : NULL,
        };
        if ((by && !shown.by) || (reason && !shown.reason)) {
                maintenance_shown_release(&shown);
                return error_oom(error);
        }
        *ret = shown;
        return 0;
}

void maintenance_shown_release(struct maintenance_shown *shown)
{
        free(shown->by);
        free(shown->reason);
        *shown = (struct maintenance_shown){0};
}

/* `steady` 0: it is of the file's hours. */
static int begin(const struct incident_parts *parts, const char *expect, nsec until, nsec steady,
                 const char *actor, const char *reason, struct error *error)
{
        nsec now = world_wall(parts->world);
        char time[TIME_TEXT_MAX];
        _cleanup_json_ cJSON *state = cJSON_CreateObject(), *detail = cJSON_CreateObject();
        if (json_put(state, "hand", cJSON_CreateBool(steady != 0)) < 0 ||
            json_put(state, "since", time_json(now)) < 0 || json_put(state, "until", time_json(until)) < 0 ||
            json_put(state, "steady", time_json(steady)) < 0 ||
            json_put(state, "by", cJSON_CreateString(actor)) < 0 ||
            json_put(state, "reason", json_text(reason)) < 0 ||
            (until != 0 && json_put(detail, "until", cJSON_CreateString(time_format(until, time))) < 0) ||
            (reason && json_put(detail, "reason", cJSON_CreateString(reason)) < 0))
                return error_oom(error);
        const struct journal_maintenance maintenance = {.holds = true,
                                                        .state = state,
                                                        .expect = expect,
                                                        .actor = actor,
                                                        .event = "maintenance begun",
                                                        .detail = detail};
        int r = journal_set_maintenance(parts->journal, &maintenance, error);
        if (r >= 0)
                log_event(LOG_INFO, "Maintenance begins: nothing is begun", "by", actor, "until",
                          until != 0 ? time_format(until, time) : NULL, "reason", reason, NULL);
        return r;
}

/* Its silences are still to be ended. */
static int end(const struct incident_parts *parts, const struct known *known, const char *actor,
               const char *reason, struct error *error)
{
        _cleanup_json_ cJSON *state =
                known->state ? cJSON_Duplicate(known->state, true) : cJSON_CreateObject();
        _cleanup_json_ cJSON *detail = reason && *reason ? reason_detail(reason, NULL) : NULL;
        cJSON_DeleteItemFromObjectCaseSensitive(state, "over");
        if (json_put(state, "over", cJSON_CreateTrue()) < 0)
                return error_oom(error);
        const struct journal_maintenance maintenance = {.state = state,
                                                        .expect = known->text,
                                                        .actor = actor,
                                                        .event = "maintenance ended",
                                                        .detail = detail};
        int r = journal_set_maintenance(parts->journal, &maintenance, error);
        if (r >= 0)
                log_event(LOG_INFO, "Maintenance is over", "by", actor, "reason", reason, NULL);
        return r;
}

int engine_set_maintenance(struct engine *engine, nsec duration, const char *actor, const char *reason,
                           struct error *error)
{
        assert_that(actor && *actor && duration >= 0, "somebody begins it for so long, or ends it");
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(engine);
        _cleanup_(known_release) struct known known = {0};
        int r = 0;
        if (duration > 0) {
                r = begin(&parts, NULL, world_wall(parts.world) + duration,
                          journal_steady(parts.journal) + duration, actor, reason && *reason ? reason : NULL,
                          error);
        } else {
                r = read_known(parts.journal, &known, error);
                if (r >= 0 && !known.holds)
                        r = error_set(error, ESTALE, "there is no maintenance that could be ended");
                if (r >= 0)
                        r = end(&parts, &known, actor, reason, error);
        }
        if (r >= 0)
                engine_wake(engine);
        return r;
}

/* "runbook_responder on ops1", by which its silences are known from those of others. */
static char *mark_of(const struct incident_parts *parts)
{
        return text_format("runbook_responder%s%.100s: maintenance", parts->host ? " on " : "",
                           parts->host ? parts->host : "");
}

static int add_silence(cJSON *list, const struct matchers *match, const char *mark, const char *name,
                       const cJSON *state, struct error *error)
{
        char since[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
        const char *reason = json_string(state, "reason"), *by = json_string(state, "by");
        time_format(time_of(state, "since"), since);
        time_format(time_of(state, "until"), until);
        _cleanup_free_ char *comment = text_format("%s since %s, %.100s%s%.300s", mark, since, name,
                                                   reason ? ": " : "", reason ? reason : "");
        cJSON *silence = cJSON_CreateObject();
        if (!comment || json_append(list, silence) < 0 ||
            json_put(silence, "matchers", matchers_to_json(match)) < 0 ||
            json_put(silence, "startsAt", cJSON_CreateString(since)) < 0 ||
            json_put(silence, "endsAt", cJSON_CreateString(until)) < 0 ||
            json_put(silence, "createdBy",
                     cJSON_CreateString(by && !string_equal(by, "engine") ? by : "runbook_responder")) < 0 ||
            json_put(silence, "comment", cJSON_CreateString(comment)) < 0)
                return error_oom(error);
        return 0;
}

/* What Alertmanager is to silence as long as it holds: nothing, once it is over. */
static int make_wanted(const struct incident_parts *parts, const struct known *known, const char *mark,
                       cJSON **ret, struct error *error)
{
        const struct remediation_set *set = parts->set;
        const struct matchers *match = &set->maintenance.match;
        _cleanup_json_ cJSON *list = cJSON_CreateArray();
        int r = list ? 0 : error_oom(error);
        bool any = known->holds && set->maintenance.silences && time_of(known->state, "until") != 0;
        if (r >= 0 && any && match->count > 0)
                r = add_silence(list, match, mark, "all that it is to silence", known->state, error);
        for (size_t i = 0; r >= 0 && any && match->count == 0 && i < set->count; i++)
                r = add_silence(list, &set->remediations[i].match, mark, set->remediations[i].name,
                                known->state, error);
        if (r >= 0)
                *ret = TAKE_PTR(list);
        return r;
}

/* Of one that the file has begun, and a person has ended: these hours are not begun again. */
static bool was_ended(const struct known *known, nsec wall)
{
        return !known->holds && json_bool(known->state, "over", false) &&
               !json_bool(known->state, "hand", false) && wall < time_of(known->state, "until");
}

/* That it is done is written down: of what is over nothing is to be known any more. */
static int note_silenced(const struct incident_parts *parts, const struct known *known, int count,
                         struct error *error)
{
        bool kept = known->holds || was_ended(known, world_wall(parts->world));
        _cleanup_json_ cJSON *state = kept ? cJSON_Duplicate(known->state, true) : NULL;
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        cJSON_DeleteItemFromObjectCaseSensitive(state, "silenced");
        if ((kept && json_put(state, known->holds ? "silenced" : "cleared", cJSON_CreateTrue()) < 0) ||
            json_put(detail, "silences", cJSON_CreateNumber(count)) < 0)
                return error_oom(error);
        const struct journal_maintenance maintenance = {.holds = known->holds,
                                                        .state = state,
                                                        .expect = known->text,
                                                        .actor = "engine",
                                                        .event = known->holds ? "silences set"
                                                                              : "silences ended",
                                                        .detail = detail};
        int r = journal_set_maintenance(parts->journal, &maintenance, error);
        return r == -ESTALE ? 0 : r;
}

static int silence(const struct incident_parts *parts, struct error *error)
{
        _cleanup_(known_release) struct known known = {0};
        _cleanup_free_ char *mark = mark_of(parts);
        _cleanup_json_ cJSON *wanted = NULL;
        const struct world *world = parts->world;
        int r = mark ? read_known(parts->journal, &known, error) : error_oom(error);
        if (r < 0 || !known.state)
                return r;
        r = make_wanted(parts, &known, mark, &wanted, error);
        if (r >= 0)
                r = world->silence(world->context, mark, wanted, world_deadline(world, SILENCE_TIMEOUT),
                                   error);
        return r < 0 ? r : note_silenced(parts, &known, cJSON_GetArraySize(wanted), error);
}

/* On a worker. */
static void silence_all(void *context)
{
        struct engine *engine = context;
        struct incident_parts *parts = &engine->silencing_by;
        _cleanup_error_ struct error error = {0};
        engine->silence_backoff = (struct backoff){0};
        if (silence(parts, &error) < 0) {
                log_event(LOG_WARN, "Cannot tell Alertmanager what to silence in a maintenance", "error",
                          error_text(&error), NULL);
                engine->silence_backoff.at = world_monotonic(parts->world) + SILENCE_AGAIN;
        }
        parts_release(parts);
        atomic_store(&engine->silencing, false);
        engine_wake(engine);
}

/* Silences are set, or gone, as it should be; else a worker sees to it. */
static void see_to_silences(struct look *look, const struct known *known)
{
        struct engine *engine = look->engine;
        const struct target_set *targets = &engine->parts.set->targets;
        bool done = !known->state || json_bool(known->state, known->holds ? "silenced" : "cleared", false);
        if (done || engine->parts.dry_run || !targets->alertmanager_url || !*targets->alertmanager_url ||
            atomic_load(&engine->silencing))
                return;
        if (look->now < engine->silence_backoff.at) {
                look_again_at(look, engine->silence_backoff.at);
                return;
        }
        atomic_store(&engine->silencing, true);
        if (engine_lend(engine, &engine->silencing_by, WORLD_ASKS, NULL, silence_all) < 0)
                atomic_store(&engine->silencing, false);
}

static int begin_or_end(struct look *look, const struct known *known, bool *ret_changed, struct error *error)
{
        const struct incident_parts *parts = &look->engine->parts;
        const struct maintenance_plan *plan = &parts->set->maintenance;
        bool within = plan->hours && hours_contain(plan->hours, look->wall);
        nsec change = plan->hours ? hours_change(plan->hours, look->wall) : 0;
        bool by_hand = json_bool(known->state, "hand", false);
        nsec steady = time_of(known->state, "steady");
        if (change != 0)
                look_again_at(look, look->now + (change - look->wall));
        if (known->holds && by_hand && look->steady < steady)
                look_again_at(look, look->now + (steady - look->steady));
        *ret_changed = true;
        if (known->holds && known->state && by_hand && look->steady >= steady)
                return end(parts, known, "engine", "its time is over", error);
        if (known->holds && known->state && !by_hand && !within)
                return end(parts, known, "engine", "its hours are over", error);
        if (!known->holds && within && !was_ended(known, look->wall))
                return begin(parts, known->text, change, 0, "engine", plan->reason, error);
        *ret_changed = false;
        return 0;
}

int engine_maintain(struct look *look, struct error *error)
{
        struct journal *journal = look->engine->parts.journal;
        _cleanup_(known_release) struct known known = {0};
        bool changed = false;
        int r = read_known(journal, &known, error);
        if (r >= 0)
                r = begin_or_end(look, &known, &changed, error);
        if (r == -ESTALE)
                r = 0; /* somebody was faster: the next look sees it */
        if (r >= 0 && changed) {
                look_again_at(look, look->now);
                known_release(&known);
                known = (struct known){0};
                r = read_known(journal, &known, error);
        }
        if (r < 0)
                return r;
        look->maintained = known.holds;
        nsec until = time_of(known.state, json_bool(known.state, "hand", false) ? "steady" : "until");
        look->maintained_until = until == 0                              ? 0
                                 : json_bool(known.state, "hand", false) ? until
                                                                         : look->steady + until - look->wall;
        see_to_silences(look, &known);
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents as the API shows them. */
#include "responder/report/written.h"

#define MEMBERS_MOST 500

cJSON *wall_json(nsec wall)
{
        char text[TIME_TEXT_MAX];
        return wall == 0 ? cJSON_CreateNull() : cJSON_CreateString(time_format(wall, text));
}

static void put_text(cJSON *object, const char *key, const char *text)
{
        json_put(object, key, cJSON_CreateString(text ? text : ""));
}

static void put_time(cJSON *object, const char *key, nsec wall)
{
        json_put(object, key, wall_json(wall));
}

static void put_bool(cJSON *object, const char *key, bool truth)
{
        json_put(object, key, cJSON_CreateBool(truth));
}

static void put_or_null(cJSON *object, const char *key, const cJSON *json)
{
        json_put(object, key, json ? cJSON_Duplicate(json, true) : cJSON_CreateNull());
}

static cJSON *step_json(const struct step_record *record)
{
        cJSON *step = cJSON_CreateObject();
        json_put(step, "position", cJSON_CreateNumber((double)record->position));
        put_text(step, "action", record->action);
        put_text(step, "status", step_status_name(record->status));
        put_time(step, "started_at", record->started_at);
        put_time(step, "finished_at", record->finished_at);
        put_bool(step, "settled", record->settled);
        put_or_null(step, "plan", record->plan);
        put_or_null(step, "progress", record->progress);
        put_or_null(step, "outcome", record->outcome);
        return step;
}

/* What a person was asked about, and who has agreed. */
static cJSON *question_json(const struct incident *incident)
{
        _cleanup_json_ cJSON *asked = NULL;
        const cJSON *one;
        if (!incident->asked || !*incident->asked ||
            json_parse(incident->asked, strlen(incident->asked), &asked, NULL) < 0)
                return cJSON_CreateNull();
        cJSON *json = cJSON_CreateObject(), *agreed = cJSON_CreateArray();
        put_text(json, "plan", json_string(asked, "plan"));
        json_put(json, "people", cJSON_CreateNumber(json_number(asked, "people", 1)));
        json_put(json, "agreed", agreed);
        cJSON_ArrayForEach(one, json_get(asked, "agreed", NULL))
        {
                (void)json_append(agreed, json_text(json_string(one, "actor")));
        }
        return json;
}

/* Whom it calls after whom, and who was told; null: there is but one, or nobody was needed. */
static cJSON *chain_json(const struct incident *incident)
{
        cJSON *chain = NULL;
        if (incident->chain && *incident->chain)
                (void)json_parse(incident->chain, strlen(incident->chain), &chain, NULL);
        return chain ? chain : cJSON_CreateNull();
}

cJSON *incident_json(const struct incident *incident, bool whole, cJSON *timeline)
{
        cJSON *json = cJSON_CreateObject();
        put_text(json, "number", incident->number);
        put_text(json, "remediation", incident->remediation);
        put_text(json, "state", incident_state_text(incident));
        if (incident->unreadable)
                put_text(json, "reason", incident->unreadable);
        put_text(json, "guard", incident->guard);
        put_time(json, "guard_until", incident->guard_until);
        put_text(json, "lock", incident->lock);
        put_text(json, "owes", incident->owes);
        json_put(json, "chain", chain_json(incident));
        put_bool(json, "climbing", incident_climbs(incident));
        put_text(json, "hands", incident->hands);
        put_bool(json, "taken", incident->taken);
        put_bool(json, "approved", incident->approved);
        json_put(json, "asked", question_json(incident));
        put_bool(json, "cancel_requested", incident->cancel_requested);
        put_bool(json, "undo_requested", incident->undo_requested);
        put_bool(json, "undelivered", incident->undelivered);
        put_bool(json, "episode_open", incident->episode_open);
        put_time(json, "opened_at", incident->opened_at);
        put_time(json, "running_at", incident->running_at);
        put_time(json, "ended_at", incident->ended_at);
        put_time(json, "updated_at", incident->updated_at);
        json_put(json, "alert", alert_to_json(&incident->alert));
        if (!whole)
                return json;

        cJSON *steps = cJSON_CreateArray();
        for (size_t i = 0; steps && i < incident->step_count; i++)
                cJSON_AddItemToArray(steps, step_json(&incident->steps[i]));
        json_put(json, "steps", steps);
        json_put(json, "timeline", timeline);
        return json;
}

int incident_whole(struct journal *journal, const char *number, cJSON **ret, struct error *error)
{
        struct incident incident = {0};
        cJSON *timeline = NULL;
        _cleanup_json_ cJSON *members = NULL;
        int r = journal_find(journal, number, &incident, error);
        if (r < 0)
                return r;
        r = journal_timeline(journal, incident.id, &timeline, error);
        if (r >= 0)
                r = journal_members(journal, incident.id, MEMBERS_MOST, &members, error);
        cJSON *whole = r >= 0 ? incident_json(&incident, true, timeline) : NULL;
        if (r < 0)
                cJSON_Delete(timeline);
        else if (!whole || json_put(whole, "members", TAKE_PTR(members)) < 0)
                r = error_oom(error);
        incident_release(&incident);
        if (r < 0) {
                cJSON_Delete(whole);
                return r;
        }
        *ret = whole;
        return 0;
}

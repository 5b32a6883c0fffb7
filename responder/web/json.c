/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents as the API shows them. */
#include "responder/web/internal.h"

/* A wall time as text; null when there is none yet. */
static cJSON *time_json(nsec wall)
{
        char text[TIME_TEXT_MAX];
        return wall == 0 ? cJSON_CreateNull() : cJSON_CreateString(time_format(wall, text));
}

static cJSON *or_null(const cJSON *json)
{
        return json ? cJSON_Duplicate(json, true) : cJSON_CreateNull();
}

static cJSON *text_json(const char *text)
{
        return cJSON_CreateString(text ? text : "");
}

static cJSON *step_json(const struct step_record *record)
{
        cJSON *step = cJSON_CreateObject();
        if (!step)
                return NULL;
        json_put(step, "position", cJSON_CreateNumber((double)record->position));
        json_put(step, "action", text_json(record->action));
        json_put(step, "status", text_json(step_status_name(record->status)));
        json_put(step, "started_at", time_json(record->started_at));
        json_put(step, "finished_at", time_json(record->finished_at));
        json_put(step, "settled", cJSON_CreateBool(record->settled));
        json_put(step, "plan", or_null(record->plan));
        json_put(step, "progress", or_null(record->progress));
        json_put(step, "outcome", or_null(record->outcome));
        return step;
}

cJSON *api_incident(const struct incident *incident, bool whole, cJSON *timeline)
{
        cJSON *json = cJSON_CreateObject();
        if (!json) {
                cJSON_Delete(timeline);
                return NULL;
        }
        json_put(json, "number", text_json(incident->number));
        json_put(json, "remediation", text_json(incident->remediation));
        json_put(json, "state", text_json(incident_state_name(incident->state)));
        json_put(json, "guard", text_json(incident->guard));
        json_put(json, "guard_until", time_json(incident->guard_until));
        json_put(json, "lock", text_json(incident->lock));
        json_put(json, "approved", cJSON_CreateBool(incident->approved));
        json_put(json, "cancel_requested", cJSON_CreateBool(incident->cancel_requested));
        json_put(json, "undo_requested", cJSON_CreateBool(incident->undo_requested));
        json_put(json, "episode_open", cJSON_CreateBool(incident->episode_open));
        json_put(json, "opened_at", time_json(incident->opened_at));
        json_put(json, "running_at", time_json(incident->running_at));
        json_put(json, "ended_at", time_json(incident->ended_at));
        json_put(json, "updated_at", time_json(incident->updated_at));
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Calling a person: what they are told of an incident, and by which receiver. */
#include "responder/incident/escalate.h"

#include "runbook/log.h"

#define CALL_TIMEOUT (10 * NSEC_PER_SEC)

const char *call_receiver(const struct walk *walk)
{
        return walk->remediation ? walk->remediation->escalate_to : walk->options->set->escalate_to;
}

int call_reason(const struct walk *walk, char **ret, struct error *error)
{
        _cleanup_json_ cJSON *timeline = NULL;
        int r = journal_timeline(walk->options->journal, walk->incident.id, &timeline, error);
        if (r < 0)
                return r;
        const char *reason = "";
        const cJSON *row;
        cJSON_ArrayForEach(row, timeline)
        {
                const char *one = json_string(json_get(row, "detail", NULL), "reason");
                if (one)
                        reason = one;
        }
        char *copy = strdup(reason);
        if (!copy)
                return error_oom(error);
        *ret = copy;
        return 0;
}

static cJSON *labels_object(const struct config_map *labels)
{
        cJSON *object = cJSON_CreateObject();
        for (size_t i = 0; object && i < labels->count; i++)
                cJSON_AddStringToObject(object, labels->keys[i], labels->values[i]);
        return object;
}

static cJSON *steps_array(const struct incident *incident)
{
        cJSON *array = cJSON_CreateArray();
        for (size_t i = 0; array && i < incident->step_count; i++) {
                const struct step_record *record = &incident->steps[i];
                cJSON *item = cJSON_CreateObject();
                cJSON_AddNumberToObject(item, "step", (double)record->position);
                cJSON_AddStringToObject(item, "action", record->action);
                cJSON_AddStringToObject(item, "status", step_status_name(record->status));
                const char *summary = json_string(record->outcome, "summary");
                if (summary)
                        cJSON_AddStringToObject(item, "summary", summary);
                cJSON_AddItemToArray(array, item);
        }
        return array;
}

int call_person(const struct walk *walk, const char *what, const char *reason, struct error *error)
{
        const struct incident *incident = &walk->incident;
        const char *receiver = call_receiver(walk);
        _cleanup_free_ char *text = text_format("%s %s: %s%s%s", incident->number, incident->remediation,
                                                what, reason && *reason ? ": " : "", reason ? reason : "");
        _cleanup_json_ cJSON *details = cJSON_CreateObject();
        if (!text || !details)
                return error_oom(error);
        json_put(details, "reason", cJSON_CreateString(reason ? reason : ""));
        json_put(details, "labels", labels_object(&incident->alert.labels));
        json_put(details, "steps", steps_array(incident));

        const struct message message = {
                .text = text,
                .incident = incident->number,
                .remediation = incident->remediation,
                .state = incident_state_name(incident->state),
                .details = details,
        };
        int r = targets_notify(walk->options->targets, receiver, &message, deadline_in(CALL_TIMEOUT), error);
        meters_notification(walk->options->meters, receiver, r >= 0);
        return r;
}

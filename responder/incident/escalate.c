/* SPDX-License-Identifier: Apache-2.0 */
/* Calling a person: what they are told of an incident, and by which receiver. */
#include "responder/incident/escalate.h"
#include "runbook/assert.h"

#include <errno.h>

#define CALL_TIMEOUT (10 * NSEC_PER_SEC)
#define BACKOFF_FIRST NSEC_PER_SEC
#define BACKOFF_MOST (60 * NSEC_PER_SEC)

const char *escalation_receiver(const struct incident_run *run)
{
        const struct remediation_set *set = run->parts->set;
        if (!run->remediation)
                return set->escalate_to;
        const char *receiver = run->remediation->escalate_to;
        /* What was begun may name one that the file no longer has: somebody is to hear of it all the same. */
        return receiver && !target_set_receiver(&set->targets, receiver) ? set->escalate_to : receiver;
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

static int call_person(const struct incident_run *run, const char *what, const char *reason,
                       struct error *error)
{
        assert_that(escalation_receiver(run) && what, "there is somebody to call, about something");
        const struct world *world = run->parts->world;
        const struct incident *incident = &run->incident;
        const char *receiver = escalation_receiver(run);
        _cleanup_free_ char *text = text_format("%s %s: %s%s%s", incident->number, incident->remediation,
                                                what, reason && *reason ? ": " : "", reason ? reason : "");
        _cleanup_json_ cJSON *details = cJSON_CreateObject();
        if (!text || !details)
                return error_oom(error);
        json_put(details, "reason", cJSON_CreateString(reason ? reason : ""));
        json_put(details, "labels", labels_object(&incident->alert.labels));
        json_put(details, "steps", steps_array(incident));
        _cleanup_free_ char *failures = run_passed_over(run);
        if (failures)
                json_put(details, "failed", cJSON_CreateString(failures));

        const struct message message = {
                .text = text,
                .incident = incident->number,
                .remediation = incident->remediation,
                .state = incident_state_name(incident->state),
                .details = details,
        };
        int r = world->notify(world->context, receiver, &message, world_deadline(world, CALL_TIMEOUT), error);
        meters_notification(run->parts->meters, receiver, r >= 0);
        return r;
}

int call_until_heard(struct incident_run *run, const char *what, const char *reason, struct error *error)
{
        if (call_person(run, what, reason, error) >= 0) {
                run->backoff = 0;
                return 0;
        }
        run->backoff = run->backoff == 0 ? BACKOFF_FIRST : run->backoff * 2;
        if (run->backoff > BACKOFF_MOST)
                run->backoff = BACKOFF_MOST;
        run->look_again = world_monotonic(run->parts->world) + run->backoff;
        return error_prefix(error, -EAGAIN, "nobody was reached");
}

void call_for_approval(const struct incident_run *run)
{
        if (!escalation_receiver(run))
                return;
        _cleanup_free_ char *reason = NULL;
        _cleanup_error_ struct error why = {0};
        if (journal_last_reason(run->parts->journal, run->incident.id, &reason, &why) < 0 ||
            call_person(run, "awaits approval", reason, &why) < 0)
                run_warn(run, "Cannot tell anyone that approval is awaited", error_text(&why));
}

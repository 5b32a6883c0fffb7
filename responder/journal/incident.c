/* SPDX-License-Identifier: Apache-2.0 */
/* The names of states, and releasing what an incident owns. */
#include "responder/journal/incident.h"

#include <errno.h>

#include "runbook/text.h"

static const char *const state_names[] = {
        [INCIDENT_UNCHANGED] = "unchanged",
        [INCIDENT_RECEIVED] = "received",
        [INCIDENT_HELD] = "held",
        [INCIDENT_AWAITING_APPROVAL] = "awaiting_approval",
        [INCIDENT_RUNNING] = "running",
        [INCIDENT_VERIFYING] = "verifying",
        [INCIDENT_FAILED] = "failed",
        [INCIDENT_NOT_HEALED] = "not_healed",
        [INCIDENT_UNVERIFIED] = "unverified",
        [INCIDENT_HEALED] = "healed",
        [INCIDENT_DONE] = "done",
        [INCIDENT_ESCALATED] = "escalated",
        [INCIDENT_EXPIRED] = "expired",
        [INCIDENT_DENIED] = "denied",
        [INCIDENT_CANCELLED] = "cancelled",
        [INCIDENT_PLANNED] = "planned",
};
tables_agree(state_names, INCIDENT_STATE_COUNT);

static const char *const status_names[] = {
        [STEP_WAITING] = "waiting",   [STEP_STARTED] = "started",
        [STEP_PROGRESS] = "progress", [STEP_DONE] = "done",
        [STEP_FAILED] = "failed",     [STEP_INTERRUPTED] = "interrupted",
        [STEP_SKIPPED] = "skipped",   [STEP_UNDOING] = "undoing",
        [STEP_UNDONE] = "undone",     [STEP_UNDO_FAILED] = "undo_failed",
};
tables_agree(status_names, STEP_STATUS_COUNT);

static int find_name(const char *const *names, size_t first, size_t count, const char *name)
{
        for (size_t i = first; i < count; i++)
                if (string_equal(names[i], name))
                        return (int)i;
        return -EINVAL;
}

const char *incident_state_name(enum incident_state state)
{
        return state < INCIDENT_STATE_COUNT ? state_names[state] : "unknown";
}

const char *incident_state_text(const struct incident *incident)
{
        return incident->unreadable ? "unreadable" : incident_state_name(incident->state);
}

int incident_state_parse(const char *name, enum incident_state *ret)
{
        int found = find_name(state_names, INCIDENT_RECEIVED, INCIDENT_STATE_COUNT, name);
        if (found < 0)
                return found;
        *ret = (enum incident_state)found;
        return 0;
}

const char *step_status_name(enum step_status status)
{
        return status < STEP_STATUS_COUNT ? status_names[status] : "unknown";
}

int step_status_parse(const char *name, enum step_status *ret)
{
        int found = find_name(status_names, 0, STEP_STATUS_COUNT, name);
        if (found < 0)
                return found;
        *ret = (enum step_status)found;
        return 0;
}

bool incident_was_told_of(const struct incident *incident, const char *guard)
{
        size_t length = strlen(guard);
        for (const char *at = incident->told; at && *at; at += strcspn(at, " ") + 1)
                if (strncmp(at, guard, length) == 0 && at[length] == ' ')
                        return true;
        return false;
}

bool incident_climbs(const struct incident *incident)
{
        bool answered = incident->state == INCIDENT_AWAITING_APPROVAL && incident->approved;
        if (incident->climbing_steady == 0 || !incident->episode_open || answered)
                return false;
        return !*incident->hands || (!incident->taken && incident->hands_steady < incident->climbing_steady);
}

void incident_release(struct incident *incident)
{
        for (size_t i = 0; i < incident->step_count; i++) {
                struct step_record *step = &incident->steps[i];
                free(step->action);
                cJSON_Delete(step->plan);
                cJSON_Delete(step->progress);
                cJSON_Delete(step->outcome);
        }
        free(incident->steps);
        free(incident->number);
        free(incident->remediation);
        free(incident->lock);
        free(incident->guard);
        free(incident->owes);
        free(incident->told);
        free(incident->asked);
        free(incident->hands);
        free(incident->chain);
        free(incident->definition);
        free(incident->unreadable);
        alert_release(&incident->alert);
        *incident = (struct incident){0};
}

void incident_list_release(struct incident_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                incident_release(&list->items[i]);
        free(list->items);
        *list = (struct incident_list){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a rehearsal, out of its journal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "responder/rehearsal/internal.h"
#include "responder/remediation/definition.h"

static cJSON *wall_or_null(nsec wall)
{
        char text[TIME_TEXT_MAX];
        return wall != 0 ? json_text(time_format(wall, text)) : cJSON_CreateNull();
}

/* The last that holds it, of which the end is not known yet; NULL: none. */
static cJSON *open_hold(const cJSON *held)
{
        cJSON *last = cJSON_GetArrayItem(held, cJSON_GetArraySize(held) - 1);
        return last && cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(last, "until")) ? last : NULL;
}

static int end_hold(const cJSON *held, const char *at)
{
        cJSON *last = open_hold(held);
        if (!last)
                return 0;
        cJSON_DeleteItemFromObjectCaseSensitive(last, "until");
        return json_put(last, "until", json_text(at));
}

/* Of one row of the timeline: what begins or ends with it. */
static int read_row(const cJSON *row, cJSON *held, cJSON *asked)
{
        const char *event = json_string(row, "event"), *state = json_string(row, "state");
        const char *at = json_string(row, "at");
        const cJSON *detail = json_get(row, "detail", NULL);
        bool holds = string_equal(event, "held"), asks = string_equal(event, "awaiting approval");
        int r = holds || !string_equal(state, incident_state_name(INCIDENT_HELD)) ? end_hold(held, at) : 0;
        if (r < 0 || (!holds && !asks))
                return r;
        cJSON *item = cJSON_CreateObject();
        r = json_append(holds ? held : asked, item);
        if (r >= 0 && holds)
                r = json_put(item, "guard", json_text(json_string(detail, "guard")));
        if (r >= 0)
                r = json_put(item, "at", json_text(at));
        if (r >= 0 && holds)
                r = json_put(item, "until", cJSON_CreateNull());
        return r < 0 ? r : json_put(item, "reason", json_text(json_string(detail, "reason")));
}

static int put_timeline(struct rehearsal *rehearsal, const struct incident *incident, cJSON *json,
                        struct error *error)
{
        _cleanup_json_ cJSON *timeline = NULL;
        cJSON *held = cJSON_CreateArray(), *asked = cJSON_CreateArray();
        int r = json_put(json, "held", held) < 0 ? -ENOMEM : 0;
        if (json_put(json, "asked", asked) < 0 || r < 0)
                return error_oom(error);
        r = journal_timeline(rehearsal->journal, incident->id, &timeline, error);
        const cJSON *row;
        cJSON_ArrayForEach(row, timeline)
        {
                if (r >= 0 && read_row(row, held, asked) < 0)
                        r = error_oom(error);
        }
        return r;
}

/* The calls, by the numbers of their incidents and then in their order. */
struct numbered {
        const char *number;
        const cJSON *call;
        size_t order;
};
struct numbered_list {
        struct numbered *items;
        size_t count;
};

static int compare_numbers(const void *left, const void *right)
{
        const struct numbered *a = left, *b = right;
        int by_number = strcmp(a->number, b->number);
        return by_number != 0 ? by_number : (a->order > b->order) - (a->order < b->order);
}

static int number_calls(const struct rehearsal *rehearsal, struct numbered_list *ret, struct error *error)
{
        ret->items = calloc((size_t)cJSON_GetArraySize(rehearsal->calls) + 1, sizeof(*ret->items));
        if (!ret->items)
                return error_oom(error);
        const cJSON *call;
        cJSON_ArrayForEach(call, rehearsal->calls)
        {
                const char *number = json_string(call, "incident");
                ret->items[ret->count] = (struct numbered){number ? number : "", call, ret->count};
                ret->count++;
        }
        qsort(ret->items, ret->count, sizeof(*ret->items), compare_numbers);
        return 0;
}

/* The first of an incident, or where it would stand. */
static size_t find_first(const struct numbered_list *calls, const char *number)
{
        size_t low = 0, high = calls->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (strcmp(calls->items[middle].number, number) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static int put_calls(const struct numbered_list *calls, const char *number, cJSON *json, struct error *error)
{
        cJSON *called = cJSON_CreateArray();
        if (json_put(json, "called", called) < 0)
                return error_oom(error);
        for (size_t i = find_first(calls, number);
             i < calls->count && string_equal(calls->items[i].number, number); i++) {
                cJSON *copy = json_copy(calls->items[i].call);
                cJSON_DeleteItemFromObjectCaseSensitive(copy, "incident");
                if (json_append(called, copy) < 0)
                        return error_oom(error);
        }
        return 0;
}

static int put_steps(const struct incident *incident, cJSON *json, struct error *error)
{
        _cleanup_json_ cJSON *definition = NULL;
        cJSON *steps = cJSON_CreateArray();
        if (json_put(json, "steps", steps) < 0)
                return error_oom(error);
        int r = incident->definition ? definition_read(incident->definition, &definition, error) : 0;
        const cJSON *step;
        cJSON_ArrayForEach(step, json_get(definition, "steps", NULL))
        {
                cJSON *item = cJSON_CreateObject();
                const cJSON *arguments = json_get(step, "arguments", NULL);
                if (r >= 0 && (json_append(steps, item) < 0 ||
                               json_put(item, "action", json_text(json_string(step, "action"))) < 0 ||
                               (arguments && json_put(item, "arguments", json_copy(arguments)) < 0)))
                        r = error_oom(error);
        }
        return r;
}

static int tell(struct rehearsal *rehearsal, const struct incident *incident,
                const struct numbered_list *calls, cJSON *json, struct error *error)
{
        if (json_put(json, "incident", json_text(incident->number)) < 0 ||
            json_put(json, "remediation", json_text(incident->remediation)) < 0 ||
            json_put(json, "alert", alert_to_json(&incident->alert)) < 0 ||
            json_put(json, "opened_at", wall_or_null(incident->opened_at)) < 0 ||
            json_put(json, "acted_at", wall_or_null(incident->running_at)) < 0 ||
            json_put(json, "ended_at", wall_or_null(incident->ended_at)) < 0 ||
            json_put(json, "state", json_text(incident_state_text(incident))) < 0 ||
            json_put(json, "lock", json_text(incident->lock)) < 0)
                return error_oom(error);
        int r = put_timeline(rehearsal, incident, json, error);
        if (r >= 0)
                r = put_calls(calls, incident->number, json, error);
        return r < 0 ? r : put_steps(incident, json, error);
}

int rehearsal_outcomes(struct rehearsal *rehearsal, cJSON **ret, struct error *error)
{
        _cleanup_json_ cJSON *list = cJSON_CreateArray();
        struct numbered_list calls = {0};
        int64_t id = 0;
        int r = list ? number_calls(rehearsal, &calls, error) : error_oom(error);
        r = r < 0 ? r : 1;
        while (r > 0) {
                _cleanup_free_ char *number = NULL;
                struct incident incident = {0};
                cJSON *json = cJSON_CreateObject();
                r = journal_next_opened(rehearsal->journal, id, 0, 0, &id, &number, error);
                if (r > 0)
                        r = journal_find(rehearsal->journal, number, &incident, error) < 0 ? -EIO : 1;
                if (r > 0)
                        r = tell(rehearsal, &incident, &calls, json, error) < 0 ? -EIO : 1;
                incident_release(&incident);
                if (r > 0 && json_append(list, json) < 0)
                        r = error_oom(error);
                else if (r <= 0)
                        cJSON_Delete(json);
        }
        free(calls.items);
        if (r >= 0)
                *ret = TAKE_PTR(list);
        return r;
}

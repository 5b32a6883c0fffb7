/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that nobody has received: as JSON, and counted. */
#include "responder/web/internal.h"

#define DELIVERIES_MOST 1000

static cJSON *letter_json(const struct letter *letter)
{
        cJSON *json = cJSON_CreateObject();
        json_put(json, "incident", *letter->number ? cJSON_CreateString(letter->number) : cJSON_CreateNull());
        json_put(json, "step",
                 letter->step > 0 ? cJSON_CreateNumber((double)letter->step) : cJSON_CreateNull());
        json_put(json, "receiver", cJSON_CreateString(letter->receiver));
        json_put(json, "what", cJSON_CreateString(letter->what));
        json_put(json, "reason", cJSON_CreateString(letter->reason));
        json_put(json, "refused", cJSON_CreateBool(letter->refused));
        json_put(json, "tried_again", cJSON_CreateBool(letter->step == 0 || letter->asked));
        json_put(json, "since", wall_json(letter->since));
        return json;
}

static void put_letters(const struct letter_list *list, cJSON *array)
{
        for (size_t i = 0; i < list->count; i++)
                (void)json_append(array, letter_json(&list->items[i]));
}

int api_deliveries(struct api *api, struct http_exchange *exchange _unused_, cJSON **ret, struct error *error)
{
        struct letter_list list = {0}, own = {0};
        int r = journal_letters(api->options.parts.journal, 0, DELIVERIES_MOST, &list, error);
        if (r >= 0)
                r = engine_unheard(api->options.engine, &own, error);
        if (r >= 0) {
                cJSON *answer = cJSON_CreateObject(), *array = cJSON_CreateArray();
                put_letters(&own, array);
                put_letters(&list, array);
                json_put(answer, "deliveries", array);
                *ret = answer;
        }
        letter_list_release(&own);
        letter_list_release(&list);
        return r;
}

#define FAMILIES(X)                                                                                       \
        X(undelivered_family, GAUGE, "runbook_messages_undelivered", NULL,                                \
          "Messages that a receiver has not received: calls, which are tried again, and those of steps, " \
          "which a person may send again.")
FAMILIES(DEFINE_FAMILY)

struct counting {
        const struct target_set *set;
        size_t *counts; /* of each receiver of the file */
        struct sample_sink *sink;
};

static bool add(const struct counting *counting, const char *receiver, size_t letters)
{
        const struct receiver *receivers = counting->set->receivers.items;
        for (size_t i = 0; i < counting->set->receivers.count; i++)
                if (string_equal(receivers[i].name, receiver)) {
                        counting->counts[i] += letters;
                        return true;
                }
        return false;
}

static void count_receiver(void *context, const char *receiver, size_t letters)
{
        const struct counting *counting = context;
        /* Of one that the file does not have any more. */
        if (!add(counting, receiver, letters))
                SAMPLE(counting->sink, &undelivered_family, (double)letters, {"receiver", receiver});
}

void api_collect_deliveries(struct api *api, struct sample_sink *sink)
{
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(api->options.engine);
        const struct target_set *set = &parts.set->targets;
        const struct receiver *receivers = set->receivers.items;
        _cleanup_free_ size_t *counts = calloc(set->receivers.count + 1, sizeof(*counts));
        struct counting counting = {set, counts, sink};
        struct letter_list own = {0};
        if (!counts || engine_unheard(api->options.engine, &own, NULL) < 0)
                return;
        int r = journal_count_letters(parts.journal, count_receiver, &counting, NULL);
        for (size_t i = 0; i < own.count; i++)
                (void)add(&counting, own.items[i].receiver, 1);
        letter_list_release(&own);
        if (r < 0)
                return;
        for (size_t i = 0; i < set->receivers.count; i++)
                SAMPLE(sink, &undelivered_family, (double)counts[i], {"receiver", receivers[i].name});
}

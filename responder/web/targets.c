/* SPDX-License-Identifier: Apache-2.0 */
/* Whether it could act: how the targets stand, and the journal. */
#include "responder/web/internal.h"

static cJSON *standing_json(const struct target_standing *standing)
{
        cJSON *json = cJSON_CreateObject();
        json_put(json, "target", cJSON_CreateString(standing->name.kind));
        json_put(json, "name", json_text(*standing->name.name ? standing->name.name : NULL));
        json_put(json, "up", standing->up < 0 ? cJSON_CreateNull() : cJSON_CreateBool(standing->up));
        json_put(json, "asked_at", wall_json(standing->asked_at));
        json_put(json, "answered_at", wall_json(standing->up_at));
        json_put(json, "said", cJSON_CreateString(standing->said));
        return json;
}

static cJSON *journal_json(struct journal *journal)
{
        _cleanup_error_ struct error why = {0};
        bool fine = journal_standing(journal, NULL, &why) == JOURNAL_FINE;
        struct target_standing standing = {
                .name = {"journal", ""},
                .up = fine,
                .asked_at = clock_wall(),
                .said = (char *)(fine ? "it can be written to" : error_text(&why)),
        };
        standing.up_at = fine ? standing.asked_at : 0;
        return standing_json(&standing);
}

#define FAMILIES(X)                                                                                 \
        X(up_family, GAUGE, "runbook_responder_target_up", NULL,                                    \
          "Whether what remediations act on and ask answered when it was asked last; absent until " \
          "then.")                                                                                  \
        X(last_family, GAUGE, "runbook_responder_target_last_success_timestamp_seconds", "seconds", \
          "When it answered the last time.")
FAMILIES(DEFINE_FAMILY)

static int get_standings(struct api *api, struct incident_parts *ret_parts, struct target_standing **ret,
                         size_t *ret_count)
{
        const struct incident_parts parts = engine_parts(api->options.engine);
        *ret = NULL;
        *ret_count = 0;
        *ret_parts = parts;
        return parts.world->standings ? parts.world->standings(parts.world->context, ret, ret_count, NULL)
                                      : 0;
}

void api_collect_targets(struct api *api, struct sample_sink *sink)
{
        _cleanup_(parts_release) struct incident_parts parts = {0};
        struct target_standing *list;
        size_t count;
        get_standings(api, &parts, &list, &count);
        for (size_t i = 0; i < count; i++) {
                const struct target_standing *one = &list[i];
                if (one->up >= 0)
                        SAMPLE(sink, &up_family, one->up, {"target", one->name.kind},
                               {"name", one->name.name});
                if (one->up_at > 0)
                        SAMPLE(sink, &last_family, nsec_to_seconds(one->up_at), {"target", one->name.kind},
                               {"name", one->name.name});
        }
        target_standings_free(list, count);
}

size_t api_count_down(struct api *api)
{
        _cleanup_(parts_release) struct incident_parts parts = {0};
        struct target_standing *list;
        size_t count, down = 0;
        get_standings(api, &parts, &list, &count);
        for (size_t i = 0; i < count; i++)
                down += list[i].up == 0;
        target_standings_free(list, count);
        return down;
}

int api_targets(struct api *api, struct http_exchange *exchange _unused_, cJSON **ret,
                struct error *error _unused_)
{
        _cleanup_(parts_release) struct incident_parts parts = {0};
        struct target_standing *list;
        size_t count;
        get_standings(api, &parts, &list, &count);
        cJSON *answer = cJSON_CreateObject(), *array = cJSON_CreateArray();
        (void)json_append(array, journal_json(parts.journal));
        for (size_t i = 0; i < count; i++)
                (void)json_append(array, standing_json(&list[i]));
        json_put(answer, "targets", array);
        target_standings_free(list, count);
        *ret = answer;
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a look for unused things notes: what may go, and what stays and why. */
#include "responder/actions/docker/unused.h"

#define THINGS_MAX 500

int survey_add(cJSON *list, const char *id, const char *name, double bytes, struct error *error)
{
        /* The rest has its turn the next time. */
        if (cJSON_GetArraySize(list) >= THINGS_MAX)
                return 0;
        _cleanup_json_ cJSON *item = cJSON_CreateObject();
        if (json_put(item, "id", json_text(id)) < 0 || json_put(item, "name", json_text(name)) < 0 ||
            (bytes > 0 && json_put(item, "bytes", cJSON_CreateNumber(bytes)) < 0))
                return error_oom(error);
        return json_append(list, TAKE_PTR(item)) < 0 ? error_oom(error) : 0;
}

int survey_keep(struct survey *survey, const char *kind, const char *name, const char *why,
                struct error *error)
{
        if (cJSON_GetArraySize(survey->unused.kept) >= THINGS_MAX)
                return 0;
        _cleanup_json_ cJSON *item = cJSON_CreateObject();
        if (json_put(item, "kind", json_text(kind)) < 0 || json_put(item, "name", json_text(name)) < 0 ||
            json_put(item, "why", json_text(why)) < 0 || json_append(survey->unused.kept, TAKE_PTR(item)) < 0)
                return error_oom(error);
        return 0;
}

int survey_keep_young(struct survey *survey, const char *kind, const char *name, nsec used,
                      struct error *error)
{
        char ago[DURATION_TEXT_MAX];
        nsec since = survey->now > used ? (survey->now - used) / NSEC_PER_SEC * NSEC_PER_SEC : 0;
        _cleanup_free_ char *why =
                text_format("was used %s ago, which is less than older_than", duration_format(since, ago));
        return why ? survey_keep(survey, kind, name, why, error) : error_oom(error);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which metrics the checks of a file may have, for programs. */
#include "exporter/commands/families.h"

#include <errno.h>

#include "exporter/check/exporter_samples.h"
#include "exporter/check/samples.h"
#include "runbook/json.h"

static void add_names(cJSON *array, const struct metric_family *const *families)
{
        for (; families && *families; families++)
                (void)json_append(array, cJSON_CreateString((*families)->name));
}

static cJSON *check_json(const struct check *check, const void *state)
{
        cJSON *json = cJSON_CreateObject(), *metrics = cJSON_CreateArray();
        add_names(metrics, check->kind->families);
        if (check->kind->own_families)
                add_names(metrics, check->kind->own_families(state));
        json_put(json, "name", cJSON_CreateString(check->name));
        json_put(json, "kind", cJSON_CreateString(check->kind->name));
        json_put(json, "conditions", cJSON_CreateBool(check->thresholds.count > 0));
        json_put(json, "metrics", metrics);
        return json;
}

int families_print(const struct check_set *set, struct text *text)
{
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        cJSON *checks = cJSON_CreateArray(), *common = cJSON_CreateArray();
        for (size_t i = 0; i < set->count; i++)
                (void)json_append(checks, check_json(&set->checks[i], set->states[i]));
        add_names(common, check_sample_families);
        add_names(common, exporter_sample_families);
        json_put(json, "checks", checks);
        json_put(json, "every_check", common);
        _cleanup_free_ char *printed = json_print(json);
        if (!printed)
                return -ENOMEM;
        text_printf(text, "%s\n", printed);
        return text_error(text);
}

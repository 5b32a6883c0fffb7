/* SPDX-License-Identifier: Apache-2.0 */
/* Maintenance as the file has it; and hours, wherever they stand in it. */
#include "responder/remediation/maintenance.h"

#include <errno.h>

struct raw {
        struct config_strings hours, silence;
        bool silences;
        char *reason;
};

const struct config_field maintenance_fields[] = {
        {"hours", CONFIG_STRINGS, offsetof(struct raw, hours), .flags = CONFIG_NOT_EMPTY,
         .help = "when nothing is begun, each week, as \"Sun 02:00-04:00\", by the file's `time_zone`"},
        {"reason", CONFIG_STRING, offsetof(struct raw, reason), .flags = CONFIG_NOT_EMPTY,
         .help = "why, for whoever sees that nothing happens"},
        {"silences", CONFIG_BOOL, offsetof(struct raw, silences), .fallback = "true",
         .help = "whether the Alertmanager in `alertmanager_url` is to silence alerts meanwhile, also by "
                 "hand"},
        {"silence", CONFIG_STRINGS, offsetof(struct raw, silence), .flags = CONFIG_NOT_EMPTY,
         .help = "which: Alertmanager's matchers, all of which must match; what each remediation matches "
                 "when "
                 "absent"},
        {0},
};

int hours_read(struct config_node *node, const char *key, const struct config_strings *texts,
               const char *zone, struct hours **ret, struct error *error)
{
        _cleanup_error_ struct error why = {0};
        size_t wrong = 0;
        *ret = NULL;
        if (texts->count == 0)
                return 0;
        int r = hours_make((const char *const *)texts->items, texts->count, zone ? zone : "local", ret,
                           &wrong, &why);
        struct config_node *list = config_member(node, key);
        if (r == -ENOMEM)
                return error_oom(error);
        if (r < 0 && wrong == texts->count)
                config_complain(node, config_member(node, "time_zone") ? "time_zone" : key, "%s",
                                error_text(&why));
        else if (r < 0)
                config_complain(config_is_list(list) ? config_item(list, wrong) : list, NULL, "%s",
                                error_text(&why));
        return 0;
}

static void read_matchers(struct config_node *node, const struct config_strings *texts, struct matchers *ret)
{
        struct config_node *list = config_member(node, "silence");
        for (size_t i = 0; i < texts->count; i++) {
                _cleanup_error_ struct error error = {0};
                if (matchers_add(ret, texts->items[i], &error) < 0)
                        config_complain(config_is_list(list) ? config_item(list, i) : list, NULL, "%s",
                                        error_text(&error));
        }
        if (texts->count > 0 && matchers_match(ret, &(const struct config_map){0}))
                config_complain(
                        list, NULL,
                        "Alertmanager takes no silence that an alert without labels would match: add a "
                        "matcher such as alertname=~\".+\"");
}

int maintenance_read(struct config_node *node, const char *zone, struct maintenance_plan *ret,
                     struct error *error)
{
        struct raw raw = {.silences = true};
        *ret = (struct maintenance_plan){.silences = true};
        if (!node)
                return 0;
        config_read(node, maintenance_fields, &raw);
        ret->silences = raw.silences;
        ret->reason = TAKE_PTR(raw.reason);
        int r = hours_read(node, "hours", &raw.hours, zone, &ret->hours, error);
        if (ret->hours && hours_contain(ret->hours, clock_wall()) &&
            hours_change(ret->hours, clock_wall()) == 0)
                config_complain(node, "hours",
                                "it would always be maintenance, and nothing would ever be begun");
        if (!raw.silences && raw.silence.count > 0)
                config_complain(node, "silence", "contradicts `silences: false`");
        read_matchers(node, &raw.silence, &ret->match);
        config_release(maintenance_fields, &raw);
        return r;
}

void maintenance_release(struct maintenance_plan *plan)
{
        hours_free(plan->hours);
        free(plan->reason);
        matchers_release(&plan->match);
        *plan = (struct maintenance_plan){0};
}

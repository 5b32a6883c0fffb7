/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder targets`: whether what a responder that runs acts on and asks answers. */
#include "responder/commands/incidents.h"
#include "responder/commands/remote.h"
#include "responder/commands/show.h"
#include "responder/commands/table.h"

static const char *const titles[] = {"TARGET", "NAME", "STATE", "ANSWERED", "SAYS", NULL};

static bool is_down(const cJSON *target)
{
        return cJSON_IsFalse(json_get(target, "up", NULL));
}

static void put_row(struct table *table, const cJSON *target)
{
        _cleanup_text_ struct text answered = {0};
        const cJSON *up = json_get(target, "up", NULL);
        show_age(&answered, json_string(target, "answered_at"));
        table_cell(table, json_string(target, "target"));
        table_cell(table, json_string(target, "name"));
        table_cell(table, cJSON_IsBool(up) ? cJSON_IsTrue(up) ? "up" : "DOWN" : "not asked yet");
        table_cell(table, answered.length > 0 ? text_string(&answered) : "never");
        table_cell(table, json_string(target, "said"));
}

int command_targets(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_remote_ struct remote *remote = NULL;
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *answer = NULL;
        const cJSON *target;
        size_t down = 0;
        int r = remote_open(arguments, &remote, &error);
        if (r >= 0)
                r = remote_get(remote, "/api/v1/targets", "targets", &answer, &error);
        if (r < 0)
                return remote_complain(r, &error);
        const cJSON *targets = json_get(answer, "targets", NULL);
        cJSON_ArrayForEach(target, targets)
        {
                down += is_down(target);
        }
        table_put_list(titles, targets, put_row, &text);
        int printed = arguments->json ? remote_print_json(targets) : program_print(&text);
        return printed == EXIT_FINE && down > 0 ? EXIT_FAILED : printed;
}

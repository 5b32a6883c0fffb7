/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder remediations`: what a responder that runs may do, how far by itself, and what came of
 * it. */
#include "responder/commands/incidents.h"
#include "responder/commands/remote.h"
#include "responder/commands/table.h"

static const char *const titles[] = {"REMEDIATION", "BY ITSELF", "SO FAR", "STEPS", NULL};

static void put_row(struct table *table, const cJSON *remediation)
{
        _cleanup_text_ struct text steps = {0};
        const cJSON *step;
        cJSON_ArrayForEach(step, json_get(remediation, "steps", NULL))
        {
                text_printf(&steps, "%s%s", steps.length > 0 ? ", " : "", cJSON_GetStringValue(step));
        }
        table_cell(table, json_string(remediation, "remediation"));
        table_cell(table, json_string(remediation, "reach"));
        table_cell(table, json_string(json_get(remediation, "record", NULL), "sentence"));
        table_cell(table, text_string(&steps));
}

int command_remediations(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_remote_ struct remote *remote = NULL;
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *answer = NULL;
        int r = remote_open(arguments, &remote, &error);
        if (r >= 0)
                r = remote_get(remote, "/api/v1/remediations", "remediations", &answer, &error);
        if (r < 0)
                return remote_complain(r, &error);
        const cJSON *remediations = json_get(answer, "remediations", NULL);
        table_put_list(titles, remediations, put_row, &text);
        return arguments->json ? remote_print_json(remediations) : program_print(&text);
}

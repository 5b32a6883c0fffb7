/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder deliveries`: what nobody has received of a responder that runs. */
#include "responder/commands/incidents.h"
#include "responder/commands/remote.h"
#include "responder/commands/show.h"
#include "responder/commands/table.h"

static const char *const titles[] = {"INCIDENT", "RECEIVER", "SINCE", "STATE", "WHAT", "WHY NOT", NULL};

static void put_row(struct table *table, const cJSON *letter)
{
        _cleanup_text_ struct text since = {0};
        show_age(&since, json_string(letter, "since"));
        const char *incident = json_string(letter, "incident");
        table_cell(table, incident ? incident : "none");
        table_cell(table, json_string(letter, "receiver"));
        table_cell(table, text_string(&since));
        table_cell(table, json_bool(letter, "tried_again", false) ? "tried again" : "given up");
        table_cell(table, json_string(letter, "what"));
        table_cell(table, json_string(letter, "reason"));
}

int command_deliveries(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_remote_ struct remote *remote = NULL;
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *answer = NULL;
        int r = remote_open(arguments, &remote, &error);
        if (r >= 0)
                r = remote_get(remote, "/api/v1/deliveries", "deliveries", &answer, &error);
        if (r < 0)
                return remote_complain(r, &error);
        const cJSON *letters = json_get(answer, "deliveries", NULL);
        int count = cJSON_GetArraySize(letters);
        if (count > 0)
                table_put_list(titles, letters, put_row, &text);
        else
                text_puts(&text, "Everything was received.\n");
        int printed = arguments->json ? remote_print_json(letters) : program_print(&text);
        return printed == EXIT_FINE && count > 0 ? EXIT_FAILED : printed;
}

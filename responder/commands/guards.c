/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder guards`: what holds back each remediation of a responder that runs. */
#include "responder/commands/incidents.h"
#include "responder/commands/remote.h"
#include "responder/commands/show.h"
#include "responder/commands/table.h"

static const char *const titles[] = {"REMEDIATION", "GUARD", "SAYS", "UNTIL", "WHY", NULL};

static void put_cells(struct table *table, const char *remediation, const char *guard, const char *says,
                      const char *until, const char *why)
{
        table_cell(table, remediation);
        table_cell(table, guard);
        table_cell(table, says);
        table_cell(table, until);
        table_cell(table, why);
}

static void put_guard(struct table *table, const char *remediation, const cJSON *guard)
{
        _cleanup_text_ struct text until = {0}, why = {0};
        const char *holder = json_string(guard, "holder"), *reason = json_string(guard, "reason");
        show_time(&until, json_string(guard, "until"));
        if (holder)
                text_printf(&why, "%s has it%s", holder, reason ? "; " : "");
        if (reason)
                text_puts(&why, reason);
        put_cells(table, remediation, json_string(guard, "guard"),
                  json_bool(guard, "asks", false) ? "asks a person" : "holds", text_string(&until),
                  text_string(&why));
}

/* A line for each guard that does not let it through; or the one that all do, or that nobody knows. */
static void put_remediation(struct table *table, const cJSON *remediation)
{
        const char *name = json_string(remediation, "remediation"),
                   *why_not = json_string(remediation, "why_not_known");
        const cJSON *guard;
        size_t held = 0;
        cJSON_ArrayForEach(guard, json_get(remediation, "guards", NULL))
        {
                if (json_bool(guard, "holds", false))
                        put_guard(table, held++ > 0 ? "" : name, guard);
        }
        if (why_not)
                put_cells(table, name, "", "not known", "", why_not);
        else if (held == 0)
                put_cells(table, name, "", "nothing holds it", "", "");
}

int command_guards(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_remote_ struct remote *remote = NULL;
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *answer = NULL;
        int r = remote_open(arguments, &remote, &error);
        if (r >= 0)
                r = remote_get(remote, "/api/v1/guards", "remediations", &answer, &error);
        if (r < 0)
                return remote_complain(r, &error);
        const cJSON *remediations = json_get(answer, "remediations", NULL);
        table_put_list(titles, remediations, put_remediation, &text);
        return arguments->json ? remote_print_json(remediations) : program_print(&text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a person decides, told to a responder that runs. */
#include <errno.h>

#include "responder/commands/incidents.h"
#include "responder/commands/remote.h"
#include "responder/commands/show.h"
#include "runbook/http_client.h"

static int post(const struct responder_arguments *arguments, const char *path, const cJSON *more,
                const char *member, void (*put)(struct text *text, const cJSON *answer))
{
        _cleanup_error_ struct error error = {0};
        _cleanup_remote_ struct remote *remote = NULL;
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *answer = NULL;
        int r = remote_open(arguments, &remote, &error);
        if (r >= 0)
                r = remote_post(remote, path, more, member, &answer, &error);
        if (r < 0)
                return remote_complain(r, &error);
        if (arguments->json)
                return remote_print_json(answer);
        put(&text, answer);
        return program_print(&text);
}

/* The decision as the timeline has it, with who it was. */
static void put_decided(struct text *text, const cJSON *incident)
{
        const cJSON *event, *decided = NULL;
        static const char *const decisions[] = {
                "approved",     "denied", "cancelled", "undo asked for", "run by hand",
                "acknowledged", "agreed", "taken",     "given back",     "to be sent again"};
        cJSON_ArrayForEach(event, json_get(incident, "timeline", NULL))
        {
                for (size_t i = 0; i < N_ELEMENTS(decisions); i++)
                        if (string_equal(json_string(event, "event"), decisions[i]))
                                decided = event;
        }
        show_string(text, incident, "number");
        text_putc(text, ' ');
        show_string(text, incident, "remediation");
        text_puts(text, ": ");
        show_string(text, decided, "event");
        text_puts(text, " by ");
        show_string(text, decided, "actor");
        text_puts(text, "; it is now ");
        show_state(text, incident);
        if (string_equal(json_string(decided, "event"), "agreed"))
                text_puts(text, ": a second person has to agree");
        text_putc(text, '\n');
}

static int decide(const void *context, const char *decision)
{
        const struct responder_arguments *arguments = context;
        _cleanup_text_ struct text path = {0};
        _cleanup_error_ struct error error = {0};
        int r = remote_put_incident(&path, arguments->program.operand, decision, &error);
        if (r < 0)
                return remote_complain(r, &error);
        _cleanup_json_ cJSON *more = arguments->remote.plan ? cJSON_CreateObject() : NULL;
        if (more && json_put(more, "plan", cJSON_CreateString(arguments->remote.plan)) < 0)
                return remote_complain(-ENOMEM, &error);
        return post(arguments, text_string(&path), more, "number", put_decided);
}

int command_approve(const void *arguments)
{
        return decide(arguments, "approve");
}

int command_deny(const void *arguments)
{
        return decide(arguments, "deny");
}

int command_cancel(const void *arguments)
{
        return decide(arguments, "cancel");
}

int command_undo(const void *arguments)
{
        return decide(arguments, "undo");
}

int command_ack(const void *arguments)
{
        return decide(arguments, "ack");
}

int command_take(const void *arguments)
{
        return decide(arguments, "take");
}

int command_give_back(const void *arguments)
{
        return decide(arguments, "give-back");
}

int command_resend(const void *arguments)
{
        return decide(arguments, "resend");
}

int command_run(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text path = {0};
        _cleanup_json_ cJSON *labels = remote_labels(&arguments->labels, &error);
        if (!labels)
                return remote_complain(-EINVAL, &error);
        text_puts(&path, "/api/v1/remediations/");
        text_put_escaped(&path, arguments->program.operand);
        text_puts(&path, "/run");
        return post(arguments, text_string(&path), labels, "number", put_decided);
}

static void put_switch(struct text *text, const cJSON *status)
{
        if (!json_bool(status, "paused", false)) {
                text_puts(text, "Not paused: remediations are begun.\n");
                return;
        }
        text_puts(text, "Paused by ");
        show_string(text, status, "paused_by");
        text_puts(text, ": nothing is begun before it is resumed.\n");
}

int command_pause(const void *arguments)
{
        return post(arguments, "/-/pause", NULL, "paused", put_switch);
}

int command_resume(const void *arguments)
{
        return post(arguments, "/-/resume", NULL, "paused", put_switch);
}

static void put_maintenance(struct text *text, const cJSON *status)
{
        const cJSON *maintenance = json_get(status, "maintenance", NULL);
        if (!cJSON_IsObject(maintenance)) {
                text_puts(text, "No maintenance: remediations are begun.\n");
                return;
        }
        text_puts(text, "Maintenance by ");
        show_string(text, maintenance, "by");
        text_puts(text, " until ");
        show_time(text, json_string(maintenance, "until"));
        text_puts(text, ": nothing is begun before. To end it: runbook_responder maintenance --end\n");
}

int command_maintenance(const void *context)
{
        const struct responder_arguments *arguments = context;
        const struct remote_arguments *remote = &arguments->remote;
        _cleanup_error_ struct error error = {0};
        _cleanup_json_ cJSON *more = cJSON_CreateObject();
        if (!remote->lasts == !remote->ends)
                return remote_complain(
                        error_set(&error, EINVAL,
                                  "maintenance takes either --for=DURATION, to begin one, or --end"),
                        &error);
        if (remote->lasts && json_put(more, "for", cJSON_CreateString(remote->lasts)) < 0)
                return remote_complain(-ENOMEM, &error);
        return post(arguments, remote->ends ? "/-/maintenance/end" : "/-/maintenance", more, "maintenance",
                    put_maintenance);
}

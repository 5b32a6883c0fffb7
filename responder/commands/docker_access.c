/* SPDX-License-Identifier: Apache-2.0 */
#include "responder/commands/docker_access.h"

#include "responder/remediation/remediation.h"
#include "runbook/docker_access.h"
#include "runbook/program.h"

#define PROGRAM "runbook_responder"

/* What is asked of the Engine whatever the steps are: whether it answers. */
static const char whether_it_answers[] = "targets";

static void put_head(const char *path, struct text *text)
{
        text_printf(text,
                    "# Written by `runbook_responder docker-access` from the steps of %s: to be written anew "
                    "when they\n"
                    "# change. It takes calls from whoever reaches it, so let nobody but the responder.\n\n",
                    path);
}

/* Each action once, in the order of the table. */
static size_t find_needs(const struct remediation_set *set, struct docker_need *needs)
{
        size_t count = 0;
        if (set->targets.docker.host)
                needs[count++] = (struct docker_need){DOCKER_ACCESS_LOOK, whether_it_answers};
        for (size_t i = 0; actions[i]; i++) {
                bool used = false;
                for (size_t k = 0; k < set->count; k++)
                        for (size_t s = 0; s < set->remediations[k].step_count; s++)
                                used = used || set->remediations[k].steps[s].action == actions[i];
                if (used && actions[i]->docker_access)
                        needs[count++] = (struct docker_need){actions[i]->docker_access, actions[i]->name};
        }
        return count;
}

int command_docker_access(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        struct remediation_set *set = NULL;
        size_t kinds = 0;
        while (actions[kinds])
                kinds++;
        _cleanup_free_ struct docker_need *needs = calloc(kinds + 1, sizeof(*needs));
        int r = needs ? remediation_set_load(arguments->daemon.config_file, &set, &error) : error_oom(&error);
        if (r >= 0 && needs && set) {
                put_head(arguments->daemon.config_file, &text);
                r = docker_access_put(arguments->docker_listen, arguments->docker_engine, needs,
                                      find_needs(set, needs), &text, &error);
        }
        remediation_set_free(set);
        return r < 0 ? program_complain(PROGRAM, &error) : program_print(&text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter docker-access`: a proxy's configuration, out of the checks of the file. */
#include "runbook/docker_access.h"

#include "exporter/check/check.h"
#include "exporter/commands/commands.h"
#include "runbook/http_client.h"
#include "runbook/log.h"

static void put_head(const char *path, struct text *text)
{
        text_printf(text,
                    "# Written by `runbook_exporter docker-access` from the checks of %s: to be written anew "
                    "when they\n"
                    "# change. None of it changes anything; logs and environments of containers can be read "
                    "by it.\n\n",
                    path);
}

static size_t find_needs(const struct check_set *set, struct docker_need *needs)
{
        size_t count = 0;
        for (size_t i = 0; i < set->count; i++) {
                const struct check *check = &set->checks[i];
                unsigned access = check->kind->docker_access ? check->kind->docker_access(check->config) : 0;
                if (access)
                        needs[count++] = (struct docker_need){access, check->name};
        }
        return count;
}

int command_docker_access(const void *context)
{
        const struct exporter_arguments *arguments = context;
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        _cleanup_free_ struct docker_need *needs = NULL;
        log_setup("error", arguments->program.log_format, NULL);
        int r = http_client_global_init(&error);
        if (r >= 0)
                r = check_set_load(arguments->daemon.config_file, NULL, &set, &error);
        if (r >= 0 && !(needs = calloc(set->count + 1, sizeof(*needs))))
                r = error_oom(&error);
        if (r >= 0 && needs) {
                put_head(arguments->daemon.config_file, &text);
                r = docker_access_put(arguments->docker_listen, arguments->docker_engine, needs,
                                      find_needs(set, needs), &text, &error);
        }
        return r < 0 ? program_complain(NULL, &error) : program_print(&text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of actions. A new action is one file in actions/ and one line here. */
#include "responder/actions/shared/plan.h"

const struct action *const actions[] = {
        &action_docker_restart,
        &action_docker_set_env,
        &action_docker_logs,
        &action_docker_record,
        &action_docker_prune,
        &action_redis_flush,
        &action_postgres_execute,
        &action_postgres_terminate_queries,
        &action_host_memory,
        &action_notify,
        NULL,
};

const struct action *action_find(const char *name)
{
        for (size_t i = 0; actions[i]; i++)
                if (string_equal(actions[i]->name, name))
                        return actions[i];
        return NULL;
}

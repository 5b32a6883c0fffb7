/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of actions, in the order of the reference page. A new action `family.name` is a file
 * <family>/<name>.c that defines action_<family>_<name>, and that name here.
 */
#include "responder/remediation/action.h"

#define ACTIONS(X)                    \
        X(docker_restart)             \
        X(docker_set_env)             \
        X(docker_logs)                \
        X(docker_record)              \
        X(docker_prune)               \
        X(redis_flush)                \
        X(postgres_execute)           \
        X(postgres_terminate_queries) \
        X(host_memory)                \
        X(notify)

#define DECLARE(name) extern const struct action action_##name;
#define ADDRESS(name) &action_##name,

ACTIONS(DECLARE)
const struct action *const actions[] = {ACTIONS(ADDRESS) NULL};

const struct action *action_find(const char *name)
{
        for (size_t i = 0; actions[i]; i++)
                if (string_equal(actions[i]->name, name))
                        return actions[i];
        return NULL;
}

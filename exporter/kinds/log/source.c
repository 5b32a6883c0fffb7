/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources have in common: the names of their members, and gaps in what they read. */
#include "exporter/kinds/log/source.h"

LOG_SOURCE_FAMILIES(DEFINE_SHARED_FAMILY)

bool log_members_check(const struct config_strings *members, struct config_node *node, const char *key)
{
        for (size_t i = 0; i < members->count; i++)
                for (size_t k = 0; k < i; k++)
                        if (strcmp(members->items[i], members->items[k]) == 0) {
                                config_complain(node, key, "\"%s\" is there twice", members->items[i]);
                                return false;
                        }
        if (members->count > LOG_MEMBERS_MAX)
                config_complain(node, key, "at most %d", LOG_MEMBERS_MAX);
        return members->count <= LOG_MEMBERS_MAX;
}

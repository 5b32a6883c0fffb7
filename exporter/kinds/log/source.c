/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources have in common: the names of their members, and gaps in what they read. */
#include "exporter/kinds/log/source.h"

const struct metric_family log_family_gaps = {
        "runbook_log_gaps_total", METRIC_COUNTER, NULL,
        "How often what was read last was not in the journal, or in a container's log, any more: what came "
        "behind it may have been lost unread."};

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

/* SPDX-License-Identifier: Apache-2.0 */
/* `verify:`, how it is known that a remediation has helped. */
#include "responder/remediation/verification.h"

#include "runbook/promql.h"

const struct config_field verify_fields[] = {
        {"query", CONFIG_STRING, offsetof(struct verification, query),
         .flags = CONFIG_BIND_PROMQL | CONFIG_NOT_EMPTY,
         .help = "PromQL that holds once the remediation has helped, for every series of what it compares; "
                 "no data is no answer; checked when it is read"},
        {"check", CONFIG_STRING, offsetof(struct verification, check), .flags = CONFIG_NOT_EMPTY,
         .help = "or the name of an exporter's check that must succeed, and not fail by its conditions"},
        {"for", CONFIG_DURATION, offsetof(struct verification, hold_for), .fallback = "0",
         .help = "how long it must be seen to hold without a break"},
        {"within", CONFIG_DURATION, offsetof(struct verification, within), .fallback = "5m",
         .flags = CONFIG_POSITIVE,
         .help = "how long it may be seen not to, and how long there may be no answer"},
        {"every", CONFIG_DURATION, offsetof(struct verification, every), .fallback = "5s",
         .flags = CONFIG_POSITIVE, .help = "how often it is asked"},
        {0},
};

void verification_check(struct config_node *node, struct verification *verify,
                        const struct target_set *targets)
{
        struct config_node *place = config_member(node, "verify");
        null_when_empty(&verify->query);
        null_when_empty(&verify->check);
        if (!place)
                return;
        if (!verify->query == !verify->check)
                config_complain(node, "verify", "needs either a query or a check");
        if (verify->query && !(targets->prometheus_url && *targets->prometheus_url))
                config_complain(place, "query", "needs `prometheus_url` at the top of the file");
        if (verify->query)
                promql_check_member(place, "query", verify->query, 1U << PROMQL_VECTOR, true);
        if (verify->check && !(targets->exporter_url && *targets->exporter_url))
                config_complain(place, "check", "needs `exporter_url` at the top of the file");
        if (verify->within > 0 && verify->hold_for >= verify->within)
                config_complain(place, "for", "must be shorter than `within`");
        if (verify->within > 0 && verify->every > verify->within && config_member(place, "every"))
                config_complain(place, "every", "must not be longer than `within`");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Pages that are held back: what the Alertmanagers are told, and by which labels they tell alerts apart. */
#include <errno.h>

#include "responder/targets/internal.h"
#include "runbook/prometheus.h"

/*
 * Of Prometheus, its exporters and what most rules add. A label that neither twin has is equal in both, so a
 * name too many does no harm; one too few would hold back the page of an alert that nobody is at.
 */
static const char *const common_labels[] = {
        "alertname", "alertgroup",  "app",       "application", "check",    "cluster",  "component",
        "condition", "container",   "database",  "datacenter",  "datname",  "device",   "endpoint",
        "env",       "environment", "fstype",    "group",       "host",     "hostname", "id",
        "image",     "instance",    "interface", "job",         "key_name", "kind",     "mountpoint",
        "name",      "namespace",   "node",      "path",        "pod",      "port",     "priority",
        "project",   "queue",       "region",    "replica",     "route",    "schema",   "server",
        "service",   "severity",    "site",      "state",       "status",   "subject",  "table",
        "target",    "team",        "topic",     "type",        "user",     "version",  "zone",
};

const char *target_set_twin_label(const struct target_set *set, size_t index)
{
        if (set->twin_labels.count > 0)
                return index < set->twin_labels.count ? set->twin_labels.items[index] : NULL;
        return index < N_ELEMENTS(common_labels) ? common_labels[index] : NULL;
}

const char *target_set_alertmanager(const struct target_set *set, size_t member)
{
        if (!set->alertmanager_url || !*set->alertmanager_url || member > set->alertmanager_members.count)
                return NULL;
        return member == 0 ? set->alertmanager_url : set->alertmanager_members.items[member - 1];
}

int targets_lease(struct targets *targets, size_t member, const struct page_lease *leases, size_t count,
                  struct deadline deadline, struct error *error)
{
        const char *base = target_set_alertmanager(targets_set(targets), member);
        if (!base)
                return error_set(error, ENOTSUP, "there is no such Alertmanager in the configuration");
        _cleanup_http_client_ struct http_client *client = http_client_new();
        _cleanup_free_ struct alertmanager_posted *alerts = calloc(count + 1, sizeof(*alerts));
        if (!client || !alerts)
                return error_oom(error);
        /* The time is asked for after this: what lasts is counted from before it was, never longer. */
        nsec now = clock_monotonic();
        for (size_t i = 0; i < count; i++)
                alerts[i] = (struct alertmanager_posted){
                        .labels = leases[i].labels,
                        .summary = leases[i].summary,
                        .lasts = leases[i].until > now ? leases[i].until - now : 0,
                };
        return alertmanager_post(client, &(struct http_request){.deadline = deadline}, base, alerts, count,
                                 error);
}

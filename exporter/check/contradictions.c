/* SPDX-License-Identifier: Apache-2.0 */
/* One name is one metric, whichever check it comes from. */
#include <errno.h>

#include "exporter/check/exporter_samples.h"
#include "exporter/check/internal.h"
#include "exporter/check/samples.h"

/* A family that a page may show, and where the check stands that brings it in; -1: the exporter's own. */
struct claim {
        const struct metric_family *family;
        ssize_t check;
};

static int compare_claims(const void *a, const void *b)
{
        const struct claim *first = a, *second = b;
        int order = strcmp(first->family->name, second->family->name);
        return order ? order : (first->check > second->check) - (first->check < second->check);
}

static size_t put_claims(struct claim *claims, size_t count, const struct metric_family *const *families,
                         ssize_t check)
{
        for (size_t i = 0; families && families[i]; i++, count++)
                if (claims)
                        claims[count] = (struct claim){families[i], check};
        return count;
}

/* Lists all families; only counts them when `claims` is NULL. */
static size_t all_claims(const struct check_set *set, struct claim *claims)
{
        size_t count = put_claims(claims, 0, check_sample_families, -1);
        count = put_claims(claims, count, exporter_sample_families, -1);
        for (size_t i = 0; i < set->count; i++) {
                const struct check_kind *kind = set->checks[i].kind;
                if (!set->states[i])
                        continue;
                count = put_claims(claims, count, kind->families, (ssize_t)i);
                if (kind->own_families)
                        count = put_claims(claims, count, kind->own_families(set->states[i]), (ssize_t)i);
        }
        return count;
}

int check_set_find_contradictions(const struct check_set *set, struct config_node *list)
{
        size_t count = all_claims(set, NULL);
        _cleanup_free_ struct claim *claims = calloc(count + 1, sizeof(*claims));
        if (!claims)
                return -ENOMEM;
        all_claims(set, claims);
        qsort(claims, count, sizeof(*claims), compare_claims);
        for (size_t i = 1, first = 0; i < count; i++) {
                const struct metric_family *known = claims[first].family, *family = claims[i].family;
                if (strcmp(known->name, family->name) != 0) {
                        first = i;
                } else if (known->type != family->type || strcmp(known->help, family->help) != 0) {
                        size_t at = (size_t)claims[i].check;
                        ssize_t other = claims[first].check;
                        const struct check_kind *kind = set->checks[at].kind;
                        config_complain(config_item(list, at), kind ? kind->name : NULL,
                                        "the metric %s has another %s in %s%s%s", family->name,
                                        known->type != family->type ? "type" : "help",
                                        other < 0 ? "every check" : "check \"",
                                        other < 0 ? "" : set->checks[other].name, other < 0 ? "" : "\"");
                }
        }
        return 0;
}

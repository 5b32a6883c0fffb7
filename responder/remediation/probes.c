/* SPDX-License-Identifier: Apache-2.0 */
/* What steps act upon that is none of the file's targets. */
#include "responder/remediation/probes.h"

#include <stdlib.h>

static bool is_there(const struct target_probe *probes, size_t count, const char *kind, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (string_equal(probes[i].name.kind, kind) && string_equal(probes[i].name.name, name))
                        return true;
        return false;
}

static size_t add(const struct remediation *remediation, struct target_probe *probes, size_t count)
{
        for (size_t i = 0; i < remediation->step_count; i++) {
                const struct step *step = &remediation->steps[i];
                const struct action *action = step->action;
                if (!action->probe || is_there(probes, count, action->name, action->probed(step->config)))
                        continue;
                probes[count++] = (struct target_probe){
                        .name = {action->name, action->probed(step->config)},
                        .ask = action->probe,
                        .context = step->config,
                };
        }
        return count;
}

int remediation_probes(const struct remediation_set *set, struct target_probe **ret, size_t *ret_count,
                       struct error *error)
{
        size_t steps = 0, count = 0;
        for (size_t i = 0; i < set->count; i++)
                steps += set->remediations[i].step_count;
        struct target_probe *probes = calloc(steps + 1, sizeof(*probes));
        if (!probes)
                return error_oom(error);
        for (size_t i = 0; i < set->count; i++)
                count = add(&set->remediations[i], probes, count);
        *ret = probes;
        *ret_count = count;
        return 0;
}

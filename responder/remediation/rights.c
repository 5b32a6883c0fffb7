/* SPDX-License-Identifier: Apache-2.0 */
/* Whether each step would be let do what it does, asked beforehand. */
#include <errno.h>
#include <stdlib.h>

#include "responder/remediation/probes.h"

struct right {
        struct targets *targets;
        const struct step *step;
        char *name; /* "pool_exhausted, step 2 (postgres.terminate_queries)" */
};

struct rights_probes {
        size_t count;
        struct right items[];
};

static int ask(const void *context, struct deadline deadline, struct text *said, struct error *error)
{
        const struct right *right = context;
        const struct step *step = right->step;
        _cleanup_text_ struct text advice = {0};
        _cleanup_error_ struct error why = {0};
        int r = step->action->rights(step->config, right->targets, deadline, &advice, &why);
        if (r >= 0)
                text_puts(said, "it would be let do so");
        if (r >= 0)
                return PROBE_FINE;
        if (advice.length > 0)
                return error_set(error, EACCES, "%s (%s)", error_text(&why), text_string(&advice));
        text_printf(said, "cannot be told now: %s", error_text(&why));
        return PROBE_UNKNOWN;
}

int rights_probes_new(const struct remediation_set *set, struct targets *targets, struct rights_probes **ret,
                      struct error *error)
{
        size_t steps = 0;
        for (size_t i = 0; i < set->count; i++)
                steps += set->remediations[i].step_count;
        struct rights_probes *rights = calloc(1, sizeof(*rights) + steps * sizeof(rights->items[0]));
        if (!rights)
                return error_oom(error);
        for (size_t i = 0; i < set->count; i++) {
                const struct remediation *remediation = &set->remediations[i];
                for (size_t j = 0; j < remediation->step_count; j++) {
                        const struct step *step = &remediation->steps[j];
                        if (!step->action->rights)
                                continue;
                        char *name = text_format("%s, step %zu (%s)", remediation->name, j + 1,
                                                 step->action->name);
                        if (!name) {
                                rights_probes_free(rights);
                                return error_oom(error);
                        }
                        rights->items[rights->count++] = (struct right){targets, step, name};
                }
        }
        *ret = rights;
        return 0;
}

struct rights_probes *rights_probes_free(struct rights_probes *rights)
{
        for (size_t i = 0; rights && i < rights->count; i++)
                free(rights->items[i].name);
        free(rights);
        return NULL;
}

size_t rights_probes_count(const struct rights_probes *rights)
{
        return rights->count;
}

struct target_probe rights_probe_at(const struct rights_probes *rights, size_t index)
{
        const struct right *right = &rights->items[index];
        return (struct target_probe){
                .name = {"rights", right->name}, .ask = ask, .context = right, .of_rights = true};
}

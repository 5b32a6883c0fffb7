/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the checklist. */
#include "exporter/check/steps.h"

bool check_is_step(const struct check_set *set, size_t i)
{
        size_t steps = 0;
        for (size_t k = 0; k < set->count; k++)
                steps += set->checks[k].step > 0;
        return steps == 0 || set->checks[i].step > 0;
}

/* The next check after number `at` of the list, SIZE_MAX to begin with: by step, then by place in the file.
 */
static size_t check_after(const struct check_set *set, const bool *selected, size_t at)
{
        const struct check *checks = set->checks;
        int64_t after = at == SIZE_MAX ? 0 : checks[at].step;
        size_t best = SIZE_MAX;
        for (size_t i = 0; (at == SIZE_MAX || after > 0) && i < set->count; i++)
                if (selected[i] && checks[i].step > after &&
                    (best == SIZE_MAX || checks[i].step < checks[best].step))
                        best = i;
        if (best != SIZE_MAX)
                return best;
        for (size_t i = at == SIZE_MAX || after > 0 ? 0 : at + 1; i < set->count; i++)
                if (selected[i] && checks[i].step == 0)
                        return i;
        return SIZE_MAX;
}

size_t check_steps_order(const struct check_set *set, const bool *selected, size_t *ret_order)
{
        size_t count = 0;
        for (size_t i = check_after(set, selected, SIZE_MAX); i != SIZE_MAX;
             i = check_after(set, selected, i))
                ret_order[count++] = i;
        return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Effects, by how checks stand. */
#include "exporter/check/effects.h"

#include <errno.h>

/* What is not good about it may come from elsewhere. */
static bool may_be_effect(const struct check_state *state)
{
        static const bool may[] = {[STANDING_NOT_SET_UP] = false,
                                   [STANDING_PASS] = false,
                                   [STANDING_WARN] = true,
                                   [STANDING_FAIL] = true,
                                   [STANDING_UNKNOWN] = true};
        tables_agree(may, STANDINGS);
        return (state->result || state->overdue) && may[check_state_standing(state)];
}

int check_effects_find(const struct check_set *set, const struct check_state *states, size_t *ret_roots,
                       size_t *order, size_t count)
{
        _cleanup_free_ bool *fails = calloc(set->count + 1, sizeof(*fails));
        if (!fails)
                return -ENOMEM;
        for (size_t i = 0; i < set->count; i++)
                fails[i] = check_state_standing(&states[i]) == STANDING_FAIL;
        check_needs_find_roots(set, fails, ret_roots);
        for (size_t i = 0; i < set->count; i++)
                if (!may_be_effect(&states[i]))
                        ret_roots[i] = NO_ROOT;
        return check_needs_arrange(ret_roots, order, count);
}

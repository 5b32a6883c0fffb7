/* SPDX-License-Identifier: Apache-2.0 */
/* Values beside their limits. */
#include "exporter/check/nearest.h"

#include <string.h>

/* The series within a condition that is nearest to it. */
struct nearest {
        bool found;
        struct judgement judgement;
};

/* Nearer to a limit that is not to be passed upwards is what is larger. */
static bool is_nearer(const struct judgement *judgement, const struct judgement *than)
{
        bool upwards = judgement->threshold->comparison[0] == '>';
        return upwards ? judgement->value > than->value : judgement->value < than->value;
}

static void keep_nearest(const struct judgement *judgement, void *context)
{
        struct nearest *nearest = context;
        if (judgement->beyond || judgement->no_number ||
            (nearest->found && !is_nearer(judgement, &nearest->judgement)))
                return;
        nearest->judgement = *judgement;
        nearest->found = true;
}

bool nearest_find(const struct check_state *state, const struct threshold *threshold, struct judgement *ret)
{
        struct nearest nearest = {0};
        if (state->result && strchr("<>", threshold->comparison[0]))
                threshold_judge(threshold, &state->result->samples, state->result->started_wall, keep_nearest,
                                &nearest);
        if (nearest.found)
                *ret = nearest.judgement;
        return nearest.found;
}

const struct threshold *nearest_first(const struct thresholds *thresholds)
{
        for (size_t i = 0; i < thresholds->count; i++)
                if (strchr("<>", thresholds->items[i].comparison[0]))
                        return &thresholds->items[i];
        return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up the ways from one state of an incident to another. */
#include "responder/journal/transition.h"

const struct transition *transition_find(enum incident_state from, enum incident_state to, const char *event)
{
        for (const struct transition *one = transitions; one->event; one++)
                if (one->from == from && one->to == to && string_equal(one->event, event))
                        return one;
        return NULL;
}

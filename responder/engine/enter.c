/* SPDX-License-Identifier: Apache-2.0 */
/* A change of state on the engine's own thread. */
#include <errno.h>

#include "responder/engine/internal.h"

#define ASTRAY_AGAIN NSEC_PER_SEC

int look_enter(struct look *look, const struct incident *incident, const struct incident_change *change,
               struct error *error)
{
        int r = incident_enter(&look->engine->parts, incident, change, error);
        look_again_at(look, r == -EPROTO ? look->now + ASTRAY_AGAIN : look->now);
        return r == -ESTALE || r == -EPROTO ? 0 : r;
}

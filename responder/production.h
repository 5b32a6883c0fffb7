/* SPDX-License-Identifier: Apache-2.0 */
/* The world as it is: this machine's clocks, threads, neighbours and actions. Filled once, by main. */
#ifndef RESPONDER_PRODUCTION_H
#define RESPONDER_PRODUCTION_H

#include "responder/targets/targets.h"
#include "responder/world/world.h"

struct production;

/* `targets` are borrowed until production_free(). Starts no threads before there is work for them. */
int production_new(struct targets *targets, struct production **ret, struct error *error);

/* Of it, for as long as it lives. */
const struct world *production_world(const struct production *production);

/* After world->finish(), or when nothing was ever run by it; what still hangs then keeps its threads. Takes
 * NULL. */
struct production *production_free(struct production *production);

#endif

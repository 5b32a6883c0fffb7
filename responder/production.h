/* SPDX-License-Identifier: Apache-2.0 */
/* The world as it is: this machine's clocks and threads, made once by main, and places on it, each with the
 * neighbours and actions of one reading of the configuration. */
#ifndef RESPONDER_PRODUCTION_H
#define RESPONDER_PRODUCTION_H

#include "responder/targets/targets.h"
#include "responder/world/world.h"

struct production;
struct place;

/* Starts no threads before there is work for them. */
int production_new(struct production **ret, struct error *error);

/* Clocks and threads alone, for as long as it lives: nobody may be asked by it, and nothing done. */
const struct world *production_machine(const struct production *production);

/* `targets` are borrowed until place_free(), which takes NULL. */
int place_new(struct production *production, struct targets *targets, struct place **ret,
              struct error *error);

/* From now on its targets, and what `probes` are about, are asked whether they answer, and its world tells it
 * (standings). */
int place_watch(struct place *place, const struct target_probe *probes, size_t count, struct error *error);
const struct world *place_world(const struct place *place);
struct place *place_free(struct place *place);

/* After world->finish(), or when nothing was ever run by it; what still hangs then keeps its threads. Takes
 * NULL. */
struct production *production_free(struct production *production);

#endif

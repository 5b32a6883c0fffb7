/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the targets answer, known before anything depends on it.
 *
 * Each is asked at once and then every minute, for 5 s at most, in a lane of its own. What is asked changes
 * nothing, sends nothing to a receiver, and uses the standing connection of a database.
 */
#ifndef RESPONDER_TARGETS_WATCH_H
#define RESPONDER_TARGETS_WATCH_H

#include "responder/targets/targets.h"

struct watch;

/* The targets are borrowed, and outlive it, as does what the probes (copied) point to. */
int watch_new(struct targets *targets, const struct target_probe *probes, size_t probe_count,
              struct watch **ret, struct error *error);

/* Waits for what is being asked. Takes NULL. */
struct watch *watch_free(struct watch *watch);

/* How all of them stand, in the order of the file; target_standings_free(). Any thread; never waits for a
 * target. */
int watch_standings(struct watch *watch, struct target_standing **ret, size_t *ret_count,
                    struct error *error);

#endif

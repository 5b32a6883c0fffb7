/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is no mistake in remediations.yml, and will most likely go wrong at night: told when the file is read.
 *
 * A label that is bound and that no matcher makes sure of stops the remediation when an alert comes without
 * it; of two remediations that one alert sets off each does its own; two that change one service under
 * different locks do so at once; what no alert matches, or a cooldown holds for longer than `expire`, never
 * runs.
 */
#ifndef RESPONDER_REMEDIATION_DOUBTS_H
#define RESPONDER_REMEDIATION_DOUBTS_H

#include "responder/remediation/remediation.h"

/* Doubts about the remediation that `node` was read into, and that stands behind `count` others, which are
 * `before`. Mistakes in it may have been found; -ENOMEM is the only failure. */
int remediation_doubt(struct config_node *node, const struct remediation *remediation,
                      const struct remediation *before, size_t count, struct error *error);

#endif

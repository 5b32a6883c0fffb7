/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that need a world for its clocks alone: whatever else is asked of it crashes. */
#ifndef TESTS_HARNESS_WORLD_H
#define TESTS_HARNESS_WORLD_H

#include "responder/world/world.h"

extern const struct world clocks_only;

#endif

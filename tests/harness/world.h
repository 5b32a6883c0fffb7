/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that need a world for its clocks alone: whatever else is asked of it crashes. */
#ifndef TESTS_HARNESS_WORLD_H
#define TESTS_HARNESS_WORLD_H

#include "responder/journal/journal.h"
#include "responder/world/world.h"

extern const struct world clocks_only;

/* What their journals are sealed by; and the same, taking a journal as it is. */
extern const struct journal_key test_key, taking_key;

#endif

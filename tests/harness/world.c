/* SPDX-License-Identifier: Apache-2.0 */
/* This machine's clocks, and nothing else of the world. */
#include "tests/harness/world.h"

static nsec read_wall(void *context _unused_)
{
        return clock_wall();
}

static nsec read_monotonic(void *context _unused_)
{
        return clock_monotonic();
}

const struct world clocks_only = {.wall = read_wall, .monotonic = read_monotonic};

const struct journal_key test_key = {.bytes = "a key for tests alone"};
const struct journal_key taking_key = {.bytes = "a key for tests alone", .as_it_is = true};

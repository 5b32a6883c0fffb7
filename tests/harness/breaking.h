/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of contracts: what breaks one, in a process of its own. */
#ifndef TESTS_HARNESS_BREAKING_H
#define TESTS_HARNESS_BREAKING_H

#include "tests/harness/unit.h"

/* What act(argument) logs in a child that must be aborted; to be freed. `format`: logfmt, json. */
char *log_of_breaking(const char *format, void (*act)(void *argument), void *argument);

/*
 * Runs act(argument) in a child, which must log that the contract with this sentence does not hold, and
 * abort. The child has the calling thread alone. Fails the test otherwise.
 */
void must_break(const char *sentence, void (*act)(void *argument), void *argument);

#endif

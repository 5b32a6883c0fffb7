/* SPDX-License-Identifier: Apache-2.0 */
/* For the programs that pytest drives: where the real servers are, and peers that misbehave. */
#ifndef TESTS_HARNESS_DRIVERS_H
#define TESTS_HARNESS_DRIVERS_H

#include "tests/harness/unit.h"

#include "runbook/clock.h"

#define SOON deadline_in(20 * NSEC_PER_SEC) /* nothing here takes that long; it fails rather than hangs */

/* What test_clients.py says; the test fails when it does not. */
const char *given(const char *variable);

/* A TCP port of 127.0.0.1 that takes connections (the kernel does) and says nothing; close the descriptor. */
int silent_listener(int *ret_port);

/* A port where nobody listens. */
int closed_port(void);

/* A file with a secret; unlink() it. */
void write_secret(char path[static 32], const char *value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The shortest decimal that reads back as the same double. */
#ifndef RUNBOOK_SHORTEST_H
#define RUNBOOK_SHORTEST_H

#include <stddef.h>
#include <stdint.h>

enum { SHORTEST_SIZE = 48 };

/*
 * Writes a finite number and returns its length, 25 at most; no NUL is written. `to` has room for
 * SHORTEST_SIZE bytes, all of which may be overwritten. No decimal of fewer digits reads back as the same
 * double, and none of as many is nearer to it. Integers have no point; an exponent is used below 1e-4 and
 * from 1e16 on.
 */
size_t shortest_write(double value, char *to);

#endif

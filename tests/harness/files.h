/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a test makes for itself. */
#ifndef TESTS_HARNESS_FILES_H
#define TESTS_HARNESS_FILES_H

#include "tests/harness/unit.h"

/* Writes the file anew; the test fails when it cannot be. */
void write_file(const char *directory, const char *name, const void *content, size_t length);

/* The directory with all that is in it, also what was made read-only. */
void remove_directory(const char *directory);

#endif

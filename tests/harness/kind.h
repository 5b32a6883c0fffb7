/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of one kind: a check from its YAML, one run of it, and the page of what it measured. */
#ifndef TESTS_HARNESS_KIND_H
#define TESTS_HARNESS_KIND_H

#include "tests/harness/unit.h"

#include "exporter/check/check.h"

/* A set of one check, `a`, that is written as `yaml`, the mapping of its kind; check_set_free() it. NULL when
 * it has mistakes, which `ret_complaints`, to be freed, then holds; without one the test fails. */
struct check_set *load_check(const char *kind, const char *yaml, char **ret_complaints);
struct check_set *load_check_with(const char *kind, const char *yaml, const char *state_directory,
                                  char **ret_complaints);

/* The mistake is told with its place, which is in the first line. */
void assert_complaint(const char *kind, const char *yaml, const char *expected);

/* Runs the check once and gives what it said; the page in `ret_page`, to be freed, the reason of a failure in
 * `error`. */
int run_check(struct check_set *set, nsec timeout, char **ret_page, struct error *error);

/* The page has this whole line; has this piece nowhere. */
void assert_line(const char *page, const char *line);
void assert_nowhere(const char *page, const char *piece);

#endif

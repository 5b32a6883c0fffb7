/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the compiler: the steps that are written, and the characters that are read. */
#ifndef LIB_PATTERN_COMPILATION_H
#define LIB_PATTERN_COMPILATION_H

#include "lib/pattern/program.h"
#include "runbook/error.h"

enum { PATTERN_RANGES_MAX = 1024 };

/* One pass over the text of a pattern. What goes wrong is a sentence in `error`, and -EINVAL. */
struct compilation {
        const char *text, *at;
        struct pattern *pattern;
        struct error *error;
};

int pattern_too_large(struct compilation *compilation);

/* The program: another step; where the one at `place` leads to; room for a split before the piece that begins
 * at `start`. */
int pattern_append(struct compilation *compilation, enum pattern_operation operation, uint32_t value);
void pattern_aim(struct compilation *compilation, size_t place, size_t to, size_t also);
int pattern_insert_split(struct compilation *compilation, size_t start);

/* The piece from `start` on becomes `least` copies of it, and up to `most` (-1: any number): as many as there
 * can be, or as few. */
int pattern_repeat(struct compilation *compilation, size_t start, long least, long most, bool few);

/* One character, perhaps behind a backslash. */
int pattern_read_character(struct compilation *compilation, uint32_t *ret);

/* \d and its like at a backslash, [:alpha:] and its like at a bracket. 1: it was one, and its ranges are
 * there, for pattern_finish_class() to make a class of those from `start` on. */
int pattern_read_known(struct compilation *compilation);
int pattern_finish_class(struct compilation *compilation, size_t start, bool negated);

/* A class in brackets, whole. */
int pattern_read_brackets(struct compilation *compilation);

#endif

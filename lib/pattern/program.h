/* SPDX-License-Identifier: Apache-2.0 */
/* What a pattern is compiled to: steps whose jumps are relative, so that a piece of it can be moved and
 * copied. */
#ifndef LIB_PATTERN_PROGRAM_H
#define LIB_PATTERN_PROGRAM_H

#include "runbook/pattern.h"

enum { PATTERN_LIMIT = 2048 }; /* steps; bounds the time per character and the room for a set of places */

enum pattern_operation {
        PATTERN_CHARACTER, /* value: the code point */
        PATTERN_ANY,       /* any but a line break */
        PATTERN_CLASS,     /* value: the index of the class */
        PATTERN_SPLIT,     /* goes on at both, `to` and `also` */
        PATTERN_JUMP,      /* goes on at `to` */
        PATTERN_BEGIN,     /* only at the value's begin */
        PATTERN_END,       /* only at its end */
        PATTERN_SAVE,      /* a group begins or ends here; value: twice its number, and one more at its end */
        PATTERN_MATCH,     /* the pattern's end: matches at the value's end */
};

struct pattern_step {
        uint32_t value;
        int16_t to, also; /* relative to this step; `to` is preferred */
        uint8_t operation;
};

struct pattern_range {
        uint32_t first, last; /* code points */
};

struct pattern_class {
        size_t start, count; /* in the ranges */
        bool negated;
};

struct pattern {
        struct pattern_step *steps;
        struct pattern_range *ranges;
        struct pattern_class *classes;
        size_t step_count, range_count, class_count;
        char *group_names[PATTERN_GROUPS_MAX];
        size_t group_count;
};

static inline size_t pattern_target(size_t place, int16_t offset)
{
        return (size_t)((ptrdiff_t)place + offset);
}

/* Whether a step takes the character; one that is about places takes none. */
bool pattern_takes(const struct pattern *pattern, const struct pattern_step *step, uint32_t character);

/* The character at the front of a string that has not ended, and its length; invalid UTF-8 reads as U+FFFD,
 * a byte each, as in RE2. */
uint32_t pattern_character(const char *string, size_t *ret_length);

#endif

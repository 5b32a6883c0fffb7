/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a program as they are written: pieces of it are moved and copied. */
#include <errno.h>
#include <string.h>

#include "lib/pattern/compilation.h"

int pattern_too_large(struct compilation *compilation)
{
        return error_set(compilation->error, E2BIG, "the pattern '%s' is too large", compilation->text);
}

int pattern_append(struct compilation *compilation, enum pattern_operation operation, uint32_t value)
{
        struct pattern *pattern = compilation->pattern;
        if (pattern->step_count == PATTERN_LIMIT)
                return pattern_too_large(compilation);
        pattern->steps[pattern->step_count++] =
                (struct pattern_step){.operation = (uint8_t)operation, .value = value};
        return 0;
}

void pattern_aim(struct compilation *compilation, size_t place, size_t to, size_t also)
{
        struct pattern_step *step = &compilation->pattern->steps[place];
        step->to = (int16_t)((ptrdiff_t)to - (ptrdiff_t)place);
        step->also = (int16_t)((ptrdiff_t)also - (ptrdiff_t)place);
}

int pattern_insert_split(struct compilation *compilation, size_t start)
{
        struct pattern *pattern = compilation->pattern;
        size_t length = pattern->step_count - start;
        int r = pattern_append(compilation, PATTERN_SPLIT, 0);
        if (r < 0)
                return r;
        memmove(&pattern->steps[start + 1], &pattern->steps[start], length * sizeof(*pattern->steps));
        pattern->steps[start] = (struct pattern_step){.operation = PATTERN_SPLIT};
        return 0;
}

static int put_piece(struct compilation *compilation, const struct pattern_step *piece, size_t length)
{
        struct pattern *pattern = compilation->pattern;
        if (length > PATTERN_LIMIT - pattern->step_count)
                return pattern_too_large(compilation);
        if (length > 0)
                memcpy(&pattern->steps[pattern->step_count], piece, length * sizeof(*piece));
        pattern->step_count += length;
        return 0;
}

/* Once more at `on`, or past it. */
static void aim_choice(struct compilation *compilation, size_t place, size_t on, size_t past, bool few)
{
        pattern_aim(compilation, place, few ? past : on, few ? on : past);
}

static int repeat_star(struct compilation *compilation, size_t start, bool few)
{
        int r = pattern_insert_split(compilation, start);
        if (r >= 0)
                r = pattern_append(compilation, PATTERN_JUMP, 0);
        if (r < 0)
                return r;
        size_t end = compilation->pattern->step_count;
        aim_choice(compilation, start, start + 1, end, few);
        pattern_aim(compilation, end - 1, start, end - 1);
        return 0;
}

static int repeat_plus(struct compilation *compilation, size_t start, bool few)
{
        int r = pattern_append(compilation, PATTERN_SPLIT, 0);
        size_t end = compilation->pattern->step_count;
        if (r >= 0)
                aim_choice(compilation, end - 1, start, end, few);
        return r;
}

int pattern_repeat(struct compilation *compilation, size_t start, long least, long most, bool few)
{
        struct pattern *pattern = compilation->pattern;
        if (most < 0 && least == 0)
                return repeat_star(compilation, start, few);
        size_t length = pattern->step_count - start;
        _cleanup_free_ struct pattern_step *piece = calloc(length + 1, sizeof(*piece));
        if (!piece)
                return error_oom(compilation->error);
        memcpy(piece, &pattern->steps[start], length * sizeof(*piece));
        pattern->step_count = start;

        int r = 0;
        for (long i = 0; r >= 0 && i < least; i++)
                r = put_piece(compilation, piece, length);
        if (most < 0)
                return r < 0 ? r : repeat_plus(compilation, pattern->step_count - length, few);
        for (long left = most - least; r >= 0 && left > 0; left--) {
                size_t place = pattern->step_count;
                r = pattern_append(compilation, PATTERN_SPLIT, 0);
                if (r >= 0)
                        r = put_piece(compilation, piece, length);
                if (r >= 0 && (length + 1) * (size_t)left > PATTERN_LIMIT)
                        r = pattern_too_large(compilation);
                if (r >= 0)
                        aim_choice(compilation, place, place + 1, place + (length + 1) * (size_t)left, few);
        }
        return r;
}

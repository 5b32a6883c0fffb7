/* SPDX-License-Identifier: Apache-2.0 */
/* Matching: the set of places in the pattern that the value read so far may have led to. */
#include "runbook/pattern.h"

#include <string.h>

#include "lib/pattern/program.h"
#include "runbook/utf8.h"

uint32_t pattern_character(const char *string, size_t *ret_length)
{
        /* How many bits of the first byte belong to the character, by its length. */
        static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        size_t length = utf8_length(string);
        if (length == 0) {
                *ret_length = 1;
                return 0xfffd;
        }
        uint32_t character = (unsigned char)string[0] & masks[length];
        for (size_t i = 1; i < length; i++)
                character = character << 6 | ((unsigned char)string[i] & 0x3f);
        *ret_length = length;
        return character;
}

/* A set of places; those that were reached by jumps alone are in it, too. */
struct places {
        size_t count;
        uint16_t items[PATTERN_LIMIT];
        bool has[PATTERN_LIMIT];
};

static void places_add(struct places *places, size_t place)
{
        if (places->has[place])
                return;
        places->has[place] = true;
        places->items[places->count++] = (uint16_t)place;
}

static void places_clear(struct places *places)
{
        for (size_t i = 0; i < places->count; i++)
                places->has[places->items[i]] = false;
        places->count = 0;
}

static bool class_has(const struct pattern *pattern, size_t index, uint32_t character)
{
        const struct pattern_class *class = &pattern->classes[index];
        for (size_t i = class->start; i < class->start + class->count; i++)
                if (character >= pattern->ranges[i].first && character <= pattern->ranges[i].last)
                        return !class->negated;
        return class->negated;
}

bool pattern_takes(const struct pattern *pattern, const struct pattern_step *step, uint32_t character)
{
        switch ((enum pattern_operation)step->operation) {
        case PATTERN_CHARACTER: return character == step->value;
        case PATTERN_ANY: return character != '\n';
        case PATTERN_CLASS: return class_has(pattern, step->value, character);
        default: return false;
        }
}

/* Completes `now` by what its places lead to without a character; those that take `character` go to `next`.
 * True when the pattern's end is among them. */
static bool advance(const struct pattern *pattern, struct places *now, bool at_begin, bool at_end,
                    uint32_t character, struct places *next)
{
        bool ends = false;
        for (size_t i = 0; i < now->count; i++) { /* grows meanwhile */
                size_t place = now->items[i];
                const struct pattern_step *step = &pattern->steps[place];
                switch ((enum pattern_operation)step->operation) {
                case PATTERN_SPLIT: places_add(now, pattern_target(place, step->also)); /* fall through */
                case PATTERN_JUMP: places_add(now, pattern_target(place, step->to)); break;
                case PATTERN_BEGIN:
                        if (at_begin)
                                places_add(now, place + 1);
                        break;
                case PATTERN_END:
                        if (at_end)
                                places_add(now, place + 1);
                        break;
                case PATTERN_SAVE: places_add(now, place + 1); break;
                case PATTERN_MATCH: ends = true; break;
                default:
                        if (!at_end && pattern_takes(pattern, step, character))
                                places_add(next, place + 1);
                }
        }
        return ends;
}

bool pattern_matches(const struct pattern *pattern, const char *value)
{
        struct places sets[2];
        struct places *now = &sets[0], *next = &sets[1];
        memset(sets, 0, sizeof(sets));
        places_add(now, 0);
        for (const char *at = value; *at;) {
                size_t length;
                uint32_t character = pattern_character(at, &length);
                advance(pattern, now, at == value, false, character, next);
                if (next->count == 0)
                        return false;
                places_clear(now);
                struct places *swap = now;
                now = next;
                next = swap;
                at += length;
        }
        return advance(pattern, now, *value == '\0', true, 0, next);
}

bool pattern_found(const struct pattern *pattern, const char *value)
{
        struct places sets[2];
        struct places *now = &sets[0], *next = &sets[1];
        memset(sets, 0, sizeof(sets));
        for (const char *at = value; *at;) {
                size_t length;
                uint32_t character = pattern_character(at, &length);
                places_add(now, 0); /* it may begin here */
                if (advance(pattern, now, at == value, false, character, next))
                        return true;
                places_clear(now);
                struct places *swap = now;
                now = next;
                next = swap;
                at += length;
        }
        places_add(now, 0);
        return advance(pattern, now, *value == '\0', true, 0, next);
}

struct pattern *pattern_free(struct pattern *pattern)
{
        if (!pattern)
                return NULL;
        free(pattern->steps);
        free(pattern->ranges);
        free(pattern->classes);
        for (size_t i = 0; i < pattern->group_count; i++)
                free(pattern->group_names[i]);
        free(pattern);
        return NULL;
}

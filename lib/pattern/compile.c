/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling a pattern: one pass over its text, by recursive descent. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/pattern/program.h"
#include "runbook/pattern.h"

enum { TEXT_LIMIT = 1024, REPEAT_LIMIT = 1000, RANGE_LIMIT = 1024 };

#define LAST_CHARACTER ((uint32_t)0x10ffff)

/* RE2's classes are of ASCII, whatever the locale. In each list, ranges go up. */
static const struct {
        const char *name; /* one letter: after a backslash; the capital is its opposite */
        struct pattern_range ranges[4];
} classes[] = {
        {"d", {{'0', '9'}}},
        {"w", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
        {"s", {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}},
        {"[:alnum:]", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
        {"[:alpha:]", {{'A', 'Z'}, {'a', 'z'}}},
        {"[:blank:]", {{'\t', '\t'}, {' ', ' '}}},
        {"[:digit:]", {{'0', '9'}}},
        {"[:lower:]", {{'a', 'z'}}},
        {"[:punct:]", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
        {"[:space:]", {{'\t', '\r'}, {' ', ' '}}},
        {"[:upper:]", {{'A', 'Z'}}},
        {"[:word:]", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
        {"[:xdigit:]", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
};

static const struct {
        char letter, character;
} controls[] = {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'f', '\f'}, {'v', '\v'}};

struct compilation {
        const char *text, *at;
        struct pattern *pattern;
        struct error *error;
};

/* --- The program. --- */

static int too_large(struct compilation *compilation)
{
        return error_set(compilation->error, EINVAL, "the pattern '%s' is too large", compilation->text);
}

static int append(struct compilation *compilation, enum pattern_operation operation, uint32_t value)
{
        struct pattern *pattern = compilation->pattern;
        if (pattern->step_count == PATTERN_LIMIT)
                return too_large(compilation);
        pattern->steps[pattern->step_count++] =
                (struct pattern_step){.operation = (uint8_t)operation, .value = value};
        return 0;
}

static void aim(struct compilation *compilation, size_t place, size_t to, size_t also)
{
        struct pattern_step *step = &compilation->pattern->steps[place];
        step->to = (int16_t)((ptrdiff_t)to - (ptrdiff_t)place);
        step->also = (int16_t)((ptrdiff_t)also - (ptrdiff_t)place);
}

/* Makes room for a split before the piece that begins at `start`. */
static int insert_split(struct compilation *compilation, size_t start)
{
        struct pattern *pattern = compilation->pattern;
        size_t length = pattern->step_count - start;
        int r = append(compilation, PATTERN_SPLIT, 0);
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
                return too_large(compilation);
        if (length > 0)
                memcpy(&pattern->steps[pattern->step_count], piece, length * sizeof(*piece));
        pattern->step_count += length;
        return 0;
}

static int repeat_star(struct compilation *compilation, size_t start)
{
        int r = insert_split(compilation, start);
        if (r >= 0)
                r = append(compilation, PATTERN_JUMP, 0);
        if (r < 0)
                return r;
        size_t end = compilation->pattern->step_count;
        aim(compilation, start, start + 1, end);
        aim(compilation, end - 1, start, end - 1);
        return 0;
}

static int repeat_plus(struct compilation *compilation, size_t start)
{
        int r = append(compilation, PATTERN_SPLIT, 0);
        size_t end = compilation->pattern->step_count;
        if (r >= 0)
                aim(compilation, end - 1, start, end);
        return r;
}

/* The piece from `start` on becomes `least` copies of it, and up to `most` (-1: any number). */
static int repeat(struct compilation *compilation, size_t start, long least, long most)
{
        struct pattern *pattern = compilation->pattern;
        if (most < 0 && least == 0)
                return repeat_star(compilation, start);
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
                return r < 0 ? r : repeat_plus(compilation, pattern->step_count - length);
        for (long left = most - least; r >= 0 && left > 0; left--) {
                size_t place = pattern->step_count;
                r = append(compilation, PATTERN_SPLIT, 0);
                if (r >= 0)
                        r = put_piece(compilation, piece, length);
                if (r >= 0 && (length + 1) * (size_t)left > PATTERN_LIMIT)
                        r = too_large(compilation);
                if (r >= 0)
                        aim(compilation, place, place + 1, place + (length + 1) * (size_t)left);
        }
        return r;
}

/* --- Classes. --- */

static int add_range(struct compilation *compilation, uint32_t first, uint32_t last)
{
        struct pattern *pattern = compilation->pattern;
        if (pattern->range_count == RANGE_LIMIT)
                return too_large(compilation);
        pattern->ranges[pattern->range_count++] = (struct pattern_range){first, last};
        return 0;
}

/* A class of the table; `other`: what it does not hold. */
static int add_known(struct compilation *compilation, size_t known, bool other)
{
        uint32_t next = 0;
        int r = 0;
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(classes[known].ranges); i++) {
                const struct pattern_range *range = &classes[known].ranges[i];
                if (range->last == 0)
                        break;
                if (!other)
                        r = add_range(compilation, range->first, range->last);
                else if (range->first > next)
                        r = add_range(compilation, next, range->first - 1);
                next = range->last + 1;
        }
        return r >= 0 && other ? add_range(compilation, next, LAST_CHARACTER) : r;
}

/* \d and its like at a backslash, [:alpha:] and its like at a bracket. 1: it was one, and is read. */
static int read_known(struct compilation *compilation)
{
        const char *at = compilation->at;
        for (size_t i = 0; i < N_ELEMENTS(classes); i++) {
                const char *name = classes[i].name;
                bool letter = name[1] == '\0';
                if (letter ? at[0] != '\\' || !at[1] || tolower((unsigned char)at[1]) != name[0]
                           : strncmp(at, name, strlen(name)) != 0)
                        continue;
                compilation->at += letter ? 2 : strlen(name);
                int r = add_known(compilation, i, letter && at[1] != name[0]);
                return r < 0 ? r : 1;
        }
        return 0;
}

static int read_escaped(struct compilation *compilation, uint32_t *ret)
{
        char letter = compilation->at[1];
        for (size_t i = 0; i < N_ELEMENTS(controls); i++)
                if (letter == controls[i].letter) {
                        compilation->at += 2;
                        *ret = (unsigned char)controls[i].character;
                        return 0;
                }
        if (letter == '\0')
                return error_set(compilation->error, EINVAL, "the pattern '%s' ends with a backslash",
                                 compilation->text);
        if (!ispunct((unsigned char)letter))
                return error_set(compilation->error, EINVAL,
                                 "the pattern '%s' has '\\%c', which is not supported here",
                                 compilation->text, isprint((unsigned char)letter) ? letter : '?');
        compilation->at += 2;
        *ret = (unsigned char)letter;
        return 0;
}

static int read_character(struct compilation *compilation, uint32_t *ret)
{
        if (*compilation->at == '\\')
                return read_escaped(compilation, ret);
        size_t length;
        *ret = pattern_character(compilation->at, &length);
        compilation->at += length;
        return 0;
}

/* One character, or a range of them. */
static int read_range(struct compilation *compilation)
{
        uint32_t first, last;
        int r = read_character(compilation, &first);
        if (r < 0)
                return r;
        last = first;
        if (compilation->at[0] == '-' && compilation->at[1] && compilation->at[1] != ']') {
                compilation->at++;
                r = read_character(compilation, &last);
                if (r < 0)
                        return r;
        }
        if (last < first)
                return error_set(compilation->error, EINVAL,
                                 "the pattern '%s' has a range in brackets that goes down",
                                 compilation->text);
        return add_range(compilation, first, last);
}

static int finish_class(struct compilation *compilation, size_t start, bool negated)
{
        struct pattern *pattern = compilation->pattern;
        pattern->classes[pattern->class_count] = (struct pattern_class){
                .start = start, .count = pattern->range_count - start, .negated = negated};
        return append(compilation, PATTERN_CLASS, (uint32_t)pattern->class_count++);
}

static int read_brackets(struct compilation *compilation)
{
        size_t start = compilation->pattern->range_count;
        compilation->at++;
        bool negated = *compilation->at == '^';
        compilation->at += negated;
        /* A closing bracket in the first place is a character. */
        for (bool first = true; first || *compilation->at != ']'; first = false) {
                if (*compilation->at == '\0')
                        return error_set(compilation->error, EINVAL,
                                         "the pattern '%s' has a '[' without its ']'", compilation->text);
                int r = read_known(compilation);
                if (r == 0 && compilation->at[0] == '[' && compilation->at[1] == ':')
                        r = error_set(compilation->error, EINVAL,
                                      "the pattern '%s' has a class in '[:' that is not supported",
                                      compilation->text);
                if (r == 0)
                        r = read_range(compilation);
                if (r < 0)
                        return r;
        }
        compilation->at++;
        return finish_class(compilation, start, negated);
}

/* --- The grammar: alternatives of sequences of repeated atoms. --- */

static int read_alternatives(struct compilation *compilation);

static int read_group(struct compilation *compilation)
{
        const char *text = compilation->text;
        compilation->at++;
        if (compilation->at[0] == '?' && compilation->at[1] == ':')
                compilation->at += 2;
        else if (compilation->at[0] == '?')
                return error_set(compilation->error, EINVAL,
                                 "the pattern '%s' has a '(?' that is not supported: only '(?:' is; for "
                                 "either case, write [Aa]",
                                 text);
        int r = read_alternatives(compilation);
        if (r < 0)
                return r;
        if (*compilation->at != ')')
                return error_set(compilation->error, EINVAL, "the pattern '%s' has a '(' without its ')'",
                                 text);
        compilation->at++;
        return 0;
}

static int read_atom(struct compilation *compilation)
{
        static const struct {
                char character;
                enum pattern_operation operation;
        } signs[] = {{'.', PATTERN_ANY}, {'^', PATTERN_BEGIN}, {'$', PATTERN_END}};

        for (size_t i = 0; i < N_ELEMENTS(signs); i++)
                if (*compilation->at == signs[i].character) {
                        compilation->at++;
                        return append(compilation, signs[i].operation, 0);
                }
        if (*compilation->at == '(')
                return read_group(compilation);
        if (*compilation->at == '[')
                return read_brackets(compilation);
        if (*compilation->at == '\\') {
                size_t start = compilation->pattern->range_count;
                int r = read_known(compilation);
                if (r != 0)
                        return r < 0 ? r : finish_class(compilation, start, false);
        }
        uint32_t character;
        int r = read_character(compilation, &character);
        return r < 0 ? r : append(compilation, PATTERN_CHARACTER, character);
}

/* "{3}", "{3,}", "{3,5}": 1 and how far it goes; 0 when the brace is a character like any other. */
static int read_count(const char *at, long *ret_least, long *ret_most, const char **ret_end)
{
        char *end;
        if (at[0] != '{' || !isdigit((unsigned char)at[1]))
                return 0;
        *ret_least = *ret_most = strtol(at + 1, &end, 10);
        if (*end == ',') {
                *ret_most = -1;
                if (isdigit((unsigned char)*++end))
                        *ret_most = strtol(end, &end, 10);
        }
        if (*end != '}')
                return 0;
        *ret_end = end + 1;
        return 1;
}

/* How often the atom before may stand there. 1: there is a quantifier, and it is read. */
static int read_quantifier(struct compilation *compilation, long *ret_least, long *ret_most)
{
        const char *at = compilation->at, *end = at + 1;
        switch (*at) {
        case '*': *ret_least = 0, *ret_most = -1; break;
        case '+': *ret_least = 1, *ret_most = -1; break;
        case '?': *ret_least = 0, *ret_most = 1; break;
        default:
                if (!read_count(at, ret_least, ret_most, &end))
                        return 0;
        }
        if (*ret_least > REPEAT_LIMIT || *ret_most > REPEAT_LIMIT ||
            (*ret_most >= 0 && *ret_most < *ret_least))
                return error_set(compilation->error, EINVAL,
                                 "the pattern '%s' has a count in braces that is over %d, or goes down",
                                 compilation->text, REPEAT_LIMIT);
        compilation->at = end;
        return 1;
}

static int read_sequence(struct compilation *compilation)
{
        while (*compilation->at && *compilation->at != '|' && *compilation->at != ')') {
                size_t start = compilation->pattern->step_count;
                long least, most;
                int r = read_quantifier(compilation, &least, &most);
                if (r == 0)
                        r = read_atom(compilation);
                else if (r > 0)
                        r = error_set(compilation->error, EINVAL,
                                      "the pattern '%s' repeats what is not there, or repeats twice",
                                      compilation->text);
                if (r >= 0)
                        r = read_quantifier(compilation, &least, &most);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                /* As few or as many as possible: for whether the whole matches, that is the same. */
                compilation->at += *compilation->at == '?';
                r = repeat(compilation, start, least, most);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_alternatives(struct compilation *compilation)
{
        struct pattern *pattern = compilation->pattern;
        size_t start = pattern->step_count;
        int r = read_sequence(compilation);
        while (r >= 0 && *compilation->at == '|') {
                compilation->at++;
                r = insert_split(compilation, start);
                if (r >= 0)
                        r = append(compilation, PATTERN_JUMP, 0);
                size_t jump = pattern->step_count - 1;
                if (r >= 0)
                        r = read_sequence(compilation);
                if (r < 0)
                        return r;
                aim(compilation, start, start + 1, jump + 1);
                aim(compilation, jump, pattern->step_count, jump);
        }
        return r;
}

static int compile(struct compilation *compilation)
{
        struct pattern *pattern = compilation->pattern;
        if (strlen(compilation->text) > TEXT_LIMIT)
                return error_set(compilation->error, EINVAL, "a pattern may have at most %d bytes",
                                 TEXT_LIMIT);
        pattern->steps = calloc(PATTERN_LIMIT, sizeof(*pattern->steps));
        pattern->ranges = calloc(RANGE_LIMIT, sizeof(*pattern->ranges));
        pattern->classes = calloc(TEXT_LIMIT, sizeof(*pattern->classes));
        if (!pattern->steps || !pattern->ranges || !pattern->classes)
                return error_oom(compilation->error);
        int r = read_alternatives(compilation);
        if (r >= 0 && *compilation->at == ')')
                return error_set(compilation->error, EINVAL, "the pattern '%s' has a ')' without its '('",
                                 compilation->text);
        return r < 0 ? r : append(compilation, PATTERN_MATCH, 0);
}

/* Gives back what was allocated for the largest pattern there may be. */
static void *shrink(void *items, size_t count, size_t size)
{
        void *smaller = reallocarray(items, count ? count : 1, size);
        return smaller ? smaller : items;
}

int pattern_compile(const char *text, struct pattern **ret, struct error *error)
{
        struct pattern *pattern = calloc(1, sizeof(*pattern));
        if (!pattern)
                return error_oom(error);
        struct compilation compilation = {.text = text, .at = text, .pattern = pattern, .error = error};
        int r = compile(&compilation);
        if (r < 0) {
                pattern_free(pattern);
                return r;
        }
        pattern->steps = shrink(pattern->steps, pattern->step_count, sizeof(*pattern->steps));
        pattern->ranges = shrink(pattern->ranges, pattern->range_count, sizeof(*pattern->ranges));
        pattern->classes = shrink(pattern->classes, pattern->class_count, sizeof(*pattern->classes));
        *ret = pattern;
        return 0;
}

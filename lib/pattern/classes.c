/* SPDX-License-Identifier: Apache-2.0 */
/* Characters as a pattern writes them, and classes of them. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/pattern/compilation.h"

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

static int add_range(struct compilation *compilation, uint32_t first, uint32_t last)
{
        struct pattern *pattern = compilation->pattern;
        if (pattern->range_count == PATTERN_RANGES_MAX)
                return pattern_too_large(compilation);
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

int pattern_read_known(struct compilation *compilation)
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

/* What RE2 has behind a backslash: places, properties, characters by their number, quotes. */
static bool is_known_escape(const char *at)
{
        bool octal = at[0] == '0' || (at[0] > '0' && at[0] < '8' && at[1] >= '0' && at[1] < '8');
        return octal || (at[0] && strchr("AbBzQEpPax", at[0]));
}

/* Those that are not in the table, and their opposites: [:^alpha:]. */
static bool is_known_class(const char *at)
{
        static const char *const others[] = {"ascii", "cntrl", "graph", "print"};
        bool negated = at[2] == '^';
        const char *name = at + 2 + negated, *end = strstr(name, ":]");
        size_t length = end ? (size_t)(end - name) : 0;
        for (size_t i = 0; i < N_ELEMENTS(others); i++)
                if (length == strlen(others[i]) && strncmp(name, others[i], length) == 0)
                        return true;
        for (size_t i = 0; negated && i < N_ELEMENTS(classes); i++)
                if (strlen(classes[i].name) == length + strlen("[::]") &&
                    strncmp(name, classes[i].name + 2, length) == 0)
                        return true;
        return false;
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
                return error_set(compilation->error, is_known_escape(compilation->at + 1) ? ENOTSUP : EINVAL,
                                 "the pattern '%s' has '\\%c', which is not supported here",
                                 compilation->text, isprint((unsigned char)letter) ? letter : '?');
        compilation->at += 2;
        *ret = (unsigned char)letter;
        return 0;
}

int pattern_read_character(struct compilation *compilation, uint32_t *ret)
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
        int r = pattern_read_character(compilation, &first);
        if (r < 0)
                return r;
        last = first;
        if (compilation->at[0] == '-' && compilation->at[1] && compilation->at[1] != ']') {
                compilation->at++;
                r = pattern_read_character(compilation, &last);
                if (r < 0)
                        return r;
        }
        if (last < first)
                return error_set(compilation->error, EINVAL,
                                 "the pattern '%s' has a range in brackets that goes down",
                                 compilation->text);
        return add_range(compilation, first, last);
}

int pattern_finish_class(struct compilation *compilation, size_t start, bool negated)
{
        struct pattern *pattern = compilation->pattern;
        pattern->classes[pattern->class_count] = (struct pattern_class){
                .start = start, .count = pattern->range_count - start, .negated = negated};
        return pattern_append(compilation, PATTERN_CLASS, (uint32_t)pattern->class_count++);
}

int pattern_read_brackets(struct compilation *compilation)
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
                int r = pattern_read_known(compilation);
                if (r == 0 && compilation->at[0] == '[' && compilation->at[1] == ':')
                        r = error_set(compilation->error, is_known_class(compilation->at) ? ENOTSUP : EINVAL,
                                      "the pattern '%s' has a class in '[:' that is not supported",
                                      compilation->text);
                if (r == 0)
                        r = read_range(compilation);
                if (r < 0)
                        return r;
        }
        compilation->at++;
        return pattern_finish_class(compilation, start, negated);
}

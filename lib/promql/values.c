/* SPDX-License-Identifier: Apache-2.0 */
/* What numbers, durations and strings stand for, and which of them stand for nothing. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "lib/promql/internal.h"

enum { WORD_MAX_LENGTH = 400 }; /* a number that is longer has more digits than a double can tell */

/* The piece without the underscores that make long numbers readable; false when there are too many. */
static bool copy_digits(const struct promql_reader *reader, char word[static WORD_MAX_LENGTH])
{
        size_t length = 0;
        for (size_t i = 0; i < reader->now.length; i++) {
                char c = reader->text[reader->now.at + i];
                if (c == '_')
                        continue;
                if (length + 1 == WORD_MAX_LENGTH)
                        return false;
                word[length++] = c;
        }
        word[length] = '\0';
        return true;
}

/* As Go's strconv has it: a leading 0 is octal when it can be; 0x is a whole number of 63 bits. */
static bool parse_number(const char *word, double *ret)
{
        char *end;
        bool hexadecimal = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
        bool octal = word[0] == '0' && word[1] && word[strspn(word, "01234567")] == '\0';
        errno = 0;
        if (hexadecimal || octal) {
                long long whole = strtoll(word, &end, 0);
                *ret = (double)whole;
                if (hexadecimal || errno == 0)
                        return errno == 0 && *end == '\0' && (!hexadecimal || word[2]);
        }
        *ret = strtod(word, &end);
        return end != word && *end == '\0' && !isinf(*ret);
}

int promql_read_number(struct promql_reader *reader, double *ret)
{
        char word[WORD_MAX_LENGTH];
        double value;
        if (reader->now.token == TOKEN_WORD) { /* Inf and NaN */
                *ret = promql_is_word(reader, "nan") ? NAN : INFINITY;
                return promql_advance(reader);
        }
        if (!copy_digits(reader, word) || !parse_number(word, &value))
                return promql_refuse(reader, reader->now.at, "'%.*s' is no number that a double can hold",
                                     reader->now.length > 40 ? 40 : (int)reader->now.length,
                                     reader->text + reader->now.at);
        *ret = value;
        return promql_advance(reader);
}

int promql_read_duration(struct promql_reader *reader, double *ret)
{
        static const struct {
                const char *name;
                double seconds;
        } units[] = {{"y", 365 * 86400.0}, {"w", 7 * 86400.0}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1},
                     {"ms", 0.001}};
        const char *at = reader->text + reader->now.at, *end = at + reader->now.length;
        double total = 0;
        size_t next = 0;
        while (at < end) {
                char *unit;
                double count = (double)strtoull(at, &unit, 10);
                size_t length = strspn(unit, "smhdwy"), i = next;
                while (i < N_ELEMENTS(units) &&
                       (strlen(units[i].name) != length || strncmp(unit, units[i].name, length) != 0))
                        i++;
                if (i == N_ELEMENTS(units))
                        return promql_refuse(reader, reader->now.at,
                                             "in '%.*s' the units are not y, w, d, h, m, s, ms, each once "
                                             "and in this order",
                                             reader->now.length > 40 ? 40 : (int)reader->now.length,
                                             reader->text + reader->now.at);
                next = i + 1;
                total += count * units[i].seconds;
                at = unit + length;
        }
        if (total >= (double)INT64_MAX / 1e9)
                return promql_refuse(reader, reader->now.at, "a duration of more than 292 years is too long");
        if (total <= 0)
                return promql_refuse(reader, reader->now.at, "a duration must be more than 0");
        *ret = total;
        return promql_advance(reader);
}

static int digit_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : INT_MAX;
}

static void put_character(struct text *text, uint32_t character)
{
        static const unsigned char heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
        unsigned length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
        if (length == 1) {
                text_putc(text, (char)character);
                return;
        }
        text_putc(text, (char)(heads[length] | character >> 6 * (length - 1)));
        for (unsigned i = length - 1; i-- > 0;)
                text_putc(text, (char)(0x80 | (character >> 6 * i & 0x3f)));
}

/* How many digits of which base follow, and the highest that they may say: \101, \x41, \u0041, \U00000041. */
static const struct escape {
        char letter;
        int digits, base;
        uint32_t most;
} escapes[] = {{'x', 2, 16, 0xff}, {'u', 4, 16, 0x10ffff}, {'U', 8, 16, 0x10ffff}};

/* Behind the backslash, at `*at`; goes behind the escape. */
static int read_escape(struct promql_reader *reader, char quote, size_t *at, struct text *text)
{
        static const char letters[] = "abfnrtv\\", meant[] = "\a\b\f\n\r\t\v\\";
        struct escape escape = {.digits = 3, .base = 8, .most = 0xff};
        size_t begin = *at - 1;
        char c = reader->text[*at];
        const char *simple = c ? strchr(letters, c) : NULL;
        if (simple || c == quote) {
                text_putc(text, simple ? meant[simple - letters] : c);
                ++*at;
                return 0;
        }
        for (size_t i = 0; i < N_ELEMENTS(escapes); i++)
                if (c == escapes[i].letter)
                        escape = escapes[i];
        if (!escape.letter && (c < '0' || c > '7'))
                return promql_refuse(reader, begin,
                                     "a backslash before '%c' means nothing in a string; write \\\\ for a "
                                     "backslash",
                                     c >= ' ' && c < 127 ? c : '?');
        *at += escape.letter != 0;
        uint32_t value = 0;
        for (int i = 0; i < escape.digits; i++, ++*at) {
                int digit = digit_value(reader->text[*at]);
                if (digit >= escape.base)
                        return promql_refuse(reader, begin, "the escape in the string wants %d digits",
                                             escape.digits);
                value = value * (uint32_t)escape.base + (uint32_t)digit;
        }
        if (value > escape.most || (value >= 0xd800 && value < 0xe000))
                return promql_refuse(reader, begin, "the escape in the string is no character");
        if (escape.most == 0xff)
                text_putc(text, (char)value);
        else
                put_character(text, value);
        return 0;
}

int promql_read_string(struct promql_reader *reader, struct text *ret)
{
        size_t at = reader->now.at + 1, end = reader->now.at + reader->now.length - 1;
        char quote = reader->text[reader->now.at];
        int r = 0;
        while (r >= 0 && at < end) {
                if (reader->text[at] == '\\' && quote != '`') {
                        at++;
                        r = read_escape(reader, quote, &at, ret);
                } else {
                        text_putc(ret, reader->text[at++]);
                }
        }
        if (r >= 0 && text_error(ret) < 0)
                r = error_oom(reader->error);
        return r < 0 ? r : promql_advance(reader);
}

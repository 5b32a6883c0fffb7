/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of an expression. (prometheus.io/docs/prometheus/latest/querying/basics) */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/promql/internal.h"
#include "runbook/utf8.h"

enum { SHOWN = 40 }; /* bytes of a piece in a sentence */

/* The longer of two that begin alike comes first. */
static const char *const signs[] = {"==", "=~", "!=", "!~", "<=", ">=", "(", ")", "{", "}", "[", "]",
                                    ",",  "@",  "=",  "<",  ">",  "+",  "-", "*", "/", "%", "^"};

/* Of other languages. */
static const struct {
        const char *sign, *instead;
} foreign[] = {{"&&", "and"}, {"||", "or"}, {"!", "unless, or != for a value"}, {"$$", "it within quotes"}};

int promql_refuse(struct promql_reader *reader, size_t at, const char *format, ...)
{
        va_list args;
        _cleanup_text_ struct text sentence = {0};
        va_start(args, format);
        text_vprintf(&sentence, format, args);
        va_end(args);
        reader->fault = at;
        return error_set(reader->error, EINVAL, "%s", text_string(&sentence));
}

int promql_refuse_now(struct promql_reader *reader, const char *wanted)
{
        const struct promql_piece *now = &reader->now;
        if (now->token == TOKEN_END)
                return promql_refuse(reader, now->at, "it ends where %s should stand", wanted);
        _cleanup_free_ char *piece = strndup(reader->text + now->at, now->length);
        _cleanup_text_ struct text shown = {0};
        text_put_line(&shown, piece ? piece : "", SHOWN);
        return promql_refuse(reader, now->at, "'%s' stands where %s should stand%s", text_string(&shown),
                             wanted, promql_is(reader, "=") ? "; what is equal is told by ==" : "");
}

bool promql_is(const struct promql_reader *reader, const char *sign)
{
        const struct promql_piece *now = &reader->now;
        return now->token == TOKEN_SIGN && now->length == strlen(sign) &&
               strncmp(reader->text + now->at, sign, now->length) == 0;
}

bool promql_same_word(const struct promql_reader *reader, const struct promql_piece *piece, const char *word)
{
        return piece->token == TOKEN_WORD && piece->length == strlen(word) &&
               strncasecmp(reader->text + piece->at, word, piece->length) == 0;
}

bool promql_is_word(const struct promql_reader *reader, const char *word)
{
        return promql_same_word(reader, &reader->now, word);
}

static bool is_letter(char c)
{
        return isalpha((unsigned char)c) || c == '_';
}

static bool is_digit(char c)
{
        return isdigit((unsigned char)c);
}

static bool goes_on(char c)
{
        return is_letter(c) || is_digit(c);
}

/* White space and comments, which go to the end of their line. */
static void pass_blanks(struct promql_reader *reader)
{
        for (;;) {
                reader->at += strspn(reader->text + reader->at, " \t\n\r");
                if (reader->text[reader->at] != '#')
                        return;
                reader->at += strcspn(reader->text + reader->at, "\n");
        }
}

static int take(struct promql_reader *reader, enum promql_token token, size_t length)
{
        reader->now = (struct promql_piece){token, reader->at, length};
        reader->at += length;
        return 0;
}

/* How many characters of a number: 1, .5, 1e-3, 0x1f, 1_000. */
static size_t number_length(const char *text)
{
        bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
        const char *at = hexadecimal ? text + 2 : text;
        while (is_digit(*at) || *at == '_' || (hexadecimal && isxdigit((unsigned char)*at)))
                at++;
        if (*at == '.')
                at += 1 + strspn(at + 1, "0123456789_");
        if (!hexadecimal && (*at == 'e' || *at == 'E')) {
                at++;
                at += *at == '+' || *at == '-';
                at += strspn(at, "0123456789_");
        }
        return (size_t)(at - text);
}

/* A number with a unit, and on: 5m, 1h30m. */
static size_t duration_length(const char *text)
{
        const char *at = text;
        while (is_digit(*at)) {
                at += strspn(at, "0123456789");
                size_t unit = strspn(at, "smhdwy");
                if (unit == 0)
                        return 0;
                at += unit;
        }
        return goes_on(*at) ? 0 : (size_t)(at - text);
}

static int take_number(struct promql_reader *reader)
{
        const char *text = reader->text + reader->at;
        size_t number = number_length(text), duration = duration_length(text);
        if (duration > 0 && goes_on(text[number]))
                return take(reader, TOKEN_DURATION, duration);
        if (!goes_on(text[number]))
                return take(reader, TOKEN_NUMBER, number);
        size_t length = 0;
        while (goes_on(text[length]) || text[length] == '.')
                length++;
        return promql_refuse(reader, reader->at,
                             "'%.*s' is neither a number nor a duration such as 5m or 1h30m",
                             length > SHOWN ? SHOWN : (int)length, text);
}

/* From quote to quote; what the escapes say is read later, by whoever wants to know. */
static int take_string(struct promql_reader *reader)
{
        const char *text = reader->text + reader->at, *at = text + 1;
        while (*at && *at != *text && (*text == '`' || *at != '\n')) {
                bool escapes = *at == '\\' && *text != '`' && at[1] && at[1] != '\n';
                size_t length = utf8_length(at + escapes);
                if (length == 0)
                        return promql_refuse(reader, (size_t)(at - reader->text), "the string is not UTF-8");
                at += length + escapes;
        }
        if (*at != *text)
                return promql_refuse(reader, reader->at, "the string that begins here has no closing %c%s",
                                     *text, *text == '`' ? "" : " on its line");
        return take(reader, TOKEN_STRING, (size_t)(at + 1 - text));
}

static int take_sign(struct promql_reader *reader)
{
        const char *text = reader->text + reader->at;
        for (size_t i = 0; i < N_ELEMENTS(signs); i++) {
                if (!string_starts(text, signs[i]))
                        continue;
                if (*text == '[' && reader->in_brackets)
                        return promql_refuse(reader, reader->at, "a '[' stands within brackets");
                if (*text == '[' || *text == ']')
                        reader->in_brackets = *text == '[';
                return take(reader, TOKEN_SIGN, strlen(signs[i]));
        }
        for (size_t i = 0; i < N_ELEMENTS(foreign); i++)
                if (string_starts(text, foreign[i].sign))
                        return promql_refuse(reader, reader->at, "'%s' means nothing in PromQL; write %s",
                                             foreign[i].sign, foreign[i].instead);
        size_t length = utf8_length(text);
        if (length == 0 || iscntrl((unsigned char)*text))
                return promql_refuse(reader, reader->at, "a byte 0x%02x means nothing in PromQL",
                                     (unsigned char)*text);
        return promql_refuse(reader, reader->at, "'%.*s' means nothing in PromQL", (int)length, text);
}

int promql_advance(struct promql_reader *reader)
{
        pass_blanks(reader);
        const char *text = reader->text + reader->at;
        if (!*text)
                return take(reader, TOKEN_END, 0);
        if (*text == ':' && reader->in_brackets)
                return take(reader, TOKEN_COLON, 1);
        if (is_letter(*text) || *text == ':') {
                size_t length = 1;
                while (goes_on(text[length]) || (text[length] == ':' && !reader->in_brackets))
                        length++;
                return take(reader, TOKEN_WORD, length);
        }
        if (is_digit(*text) || (*text == '.' && is_digit(text[1])))
                return take_number(reader);
        if (*text == '"' || *text == '\'' || *text == '`')
                return take_string(reader);
        return take_sign(reader);
}

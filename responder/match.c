/* SPDX-License-Identifier: Apache-2.0 */
/* Matchers on labels, in Alertmanager's notation. */
#include "responder/match.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>

#include "runbook/text.h"

enum comparison { EQUAL, NOT_EQUAL, MATCHES, MATCHES_NOT };

/* The longer operators first, for "=" is the beginning of "=~". */
static const struct {
        const char *text;
        enum comparison comparison;
} operators[] = {{"=~", MATCHES}, {"!~", MATCHES_NOT}, {"!=", NOT_EQUAL}, {"=", EQUAL}};

struct matcher {
        char *name, *value;
        enum comparison comparison;
        regex_t regex; /* of MATCHES and MATCHES_NOT */
};

enum { PATTERN_LENGTH_LIMIT = 1024 };

static bool is_regex(enum comparison comparison)
{
        return comparison == MATCHES || comparison == MATCHES_NOT;
}

/* The classes that RE2 has and POSIX has under another name. */
static const struct {
        char letter;
        const char *class, *inside;
} classes[] = {
        {'d', "[0-9]", "0-9"},
        {'D', "[^0-9]", NULL},
        {'w', "[0-9A-Za-z_]", "0-9A-Za-z_"},
        {'W', "[^0-9A-Za-z_]", NULL},
        {'s', "[[:space:]]", "[:space:]"},
        {'S', "[^[:space:]]", NULL},
};

/* `\x` of RE2 as POSIX has it. What POSIX cannot say is refused rather than read differently. */
static int translate_escape(const char *pattern, char letter, bool in_brackets, struct text *posix,
                            struct error *error)
{
        for (size_t i = 0; i < N_ELEMENTS(classes); i++) {
                if (classes[i].letter != letter)
                        continue;
                const char *class = in_brackets ? classes[i].inside : classes[i].class;
                if (!class)
                        break;
                text_puts(posix, class);
                return 0;
        }
        if (letter == '\0' || isalnum((unsigned char)letter))
                return error_set(error, EINVAL,
                                 "the pattern '%s' has '\\%c'%s, which is not supported: write it out with a "
                                 "bracket expression such as [0-9]",
                                 pattern, letter ? letter : '?', in_brackets ? " in brackets" : "");
        if (in_brackets && strchr("]^-\\", letter))
                return error_set(
                        error, EINVAL,
                        "the pattern '%s' has '\\%c' in brackets, where a backslash is a character of "
                        "its own: put ']' first, '-' last",
                        pattern, letter);
        if (!in_brackets)
                text_putc(posix, '\\');
        text_putc(posix, letter);
        return 0;
}

/* The bracket expression at `at`, up to its closing bracket; gives the place behind it. */
static int translate_brackets(const char *pattern, const char *at, struct text *posix, const char **ret_end,
                              struct error *error)
{
        text_putc(posix, *at++);
        if (*at == '^')
                text_putc(posix, *at++);
        if (*at == ']')
                text_putc(posix, *at++);
        while (*at && *at != ']') {
                if (*at == '\\') {
                        int r = translate_escape(pattern, at[1], true, posix, error);
                        if (r < 0)
                                return r;
                        at += 2;
                } else if (at[0] == '[' && at[1] == ':') {
                        const char *end = strstr(at, ":]");
                        size_t length = end ? (size_t)(end + 2 - at) : strlen(at);
                        text_append(posix, at, length);
                        at += length;
                } else
                        text_putc(posix, *at++);
        }
        if (!*at)
                return error_set(error, EINVAL, "the pattern '%s' has a '[' without its ']'", pattern);
        text_putc(posix, *at++);
        *ret_end = at;
        return 0;
}

static bool is_repeat(char c)
{
        return c == '*' || c == '+' || c == '?' || c == '}';
}

static int translate(const char *pattern, struct text *posix, struct error *error)
{
        text_puts(posix, "^(");
        for (const char *at = pattern; *at;) {
                int r = 0;
                if (*at == '\\') {
                        r = translate_escape(pattern, at[1], false, posix, error);
                        at += 2;
                } else if (*at == '[')
                        r = translate_brackets(pattern, at, posix, &at, error);
                else if (string_starts(at, "(?:")) {
                        text_putc(posix, '(');
                        at += 3;
                } else if (string_starts(at, "(?"))
                        return error_set(error, EINVAL,
                                         "the pattern '%s' has a '(?' group, which is not supported",
                                         pattern);
                else if (at > pattern && is_repeat(at[-1]) && (at < pattern + 2 || at[-2] != '\\') &&
                         (*at == '?' || *at == '+' || *at == '*'))
                        return error_set(
                                error, EINVAL,
                                "the pattern '%s' has '%c%c', which is not supported: one of the two is "
                                "enough here",
                                pattern, at[-1], *at);
                else
                        text_putc(posix, *at++);
                if (r < 0)
                        return r;
        }
        text_puts(posix, ")$");
        return text_error(posix);
}

static int compile(struct matcher *matcher, struct error *error)
{
        _cleanup_text_ struct text posix = {0};
        if (strlen(matcher->value) > PATTERN_LENGTH_LIMIT)
                return error_set(error, EINVAL, "a pattern may have at most %d characters",
                                 PATTERN_LENGTH_LIMIT);
        int r = translate(matcher->value, &posix, error);
        if (r < 0)
                return r;
        int status = regcomp(&matcher->regex, text_string(&posix), REG_EXTENDED | REG_NOSUB);
        if (status == 0)
                return 0;
        char why[128];
        regerror(status, &matcher->regex, why, sizeof why);
        return error_set(error, EINVAL, "the pattern '%s' is not a regular expression: %s", matcher->value,
                         why);
}

static void matcher_release(struct matcher *matcher, bool compiled)
{
        if (compiled && is_regex(matcher->comparison))
                regfree(&matcher->regex);
        free(matcher->name);
        free(matcher->value);
}

/* `"a \"quoted\" value"` without its quotes; a bare word is taken as it is. */
static int unquote(const char *text, struct text *value, struct error *error)
{
        if (*text != '"') {
                if (strpbrk(text, "\"{},"))
                        return error_set(error, EINVAL, "the value %s is not one quoted string", text);
                text_puts(value, text);
                return text_error(value);
        }
        const char *at = text + 1;
        for (; *at && *at != '"'; at++) {
                if (at[0] == '\\' && (at[1] == '"' || at[1] == '\\'))
                        at++;
                else if (at[0] == '\\' && at[1] == 'n') {
                        text_putc(value, '\n');
                        at++;
                        continue;
                }
                text_putc(value, *at);
        }
        if (*at != '"' || at[1])
                return error_set(error, EINVAL, "the value %s is not one quoted string", text);
        return text_error(value);
}

static int parse_matcher(const char *text, struct matcher *matcher, struct error *error)
{
        static const char usage[] = "write it as name=\"value\", name!=\"value\", name=~\"pattern\" or "
                                    "name!~\"pattern\"";
        size_t length = 0;
        while (isalnum((unsigned char)text[length]) || text[length] == '_')
                length++;
        const char *at = text + length;
        while (*at == ' ')
                at++;

        size_t i = 0;
        while (i < N_ELEMENTS(operators) && !string_starts(at, operators[i].text))
                i++;
        if (length == 0 || isdigit((unsigned char)text[0]) || i == N_ELEMENTS(operators))
                return error_set(error, EINVAL, "'%s' is not a matcher: %s", text, usage);
        at += strlen(operators[i].text);
        while (*at == ' ')
                at++;

        _cleanup_text_ struct text value = {0};
        int r = unquote(at, &value, error);
        if (r < 0)
                return error_prefix(error, r, "'%s' is not a matcher", text);
        matcher->comparison = operators[i].comparison;
        matcher->name = strndup(text, length);
        matcher->value = text_take(&value);
        if (!matcher->name || !matcher->value)
                return error_oom(error);
        return is_regex(matcher->comparison) ? compile(matcher, error) : 0;
}

int matchers_add(struct matchers *matchers, const char *text, struct error *error)
{
        struct matcher matcher = {0};
        while (*text == ' ')
                text++;
        int r = parse_matcher(text, &matcher, error);
        if (r < 0) {
                matcher_release(&matcher, false);
                return r;
        }
        struct matcher *items = realloc(matchers->items, (matchers->count + 1) * sizeof(*items));
        if (!items) {
                matcher_release(&matcher, true);
                return error_oom(error);
        }
        matchers->items = items;
        items[matchers->count++] = matcher;
        return 0;
}

static const char *label_value(const struct config_map *labels, const char *name)
{
        for (size_t i = 0; i < labels->count; i++)
                if (string_equal(labels->keys[i], name))
                        return labels->values[i];
        return "";
}

static bool matches(const struct matcher *matcher, const char *value)
{
        switch (matcher->comparison) {
        case EQUAL: return string_equal(value, matcher->value);
        case NOT_EQUAL: return !string_equal(value, matcher->value);
        /* An error of regexec (out of memory) is never read as a verdict: neither operator then matches. */
        case MATCHES: return regexec(&matcher->regex, value, 0, NULL, 0) == 0;
        case MATCHES_NOT: return regexec(&matcher->regex, value, 0, NULL, 0) == REG_NOMATCH;
        }
        return false;
}

bool matchers_match(const struct matchers *matchers, const struct config_map *labels)
{
        for (size_t i = 0; i < matchers->count; i++)
                if (!matches(&matchers->items[i], label_value(labels, matchers->items[i].name)))
                        return false;
        return matchers->count > 0;
}

void matchers_release(struct matchers *matchers)
{
        for (size_t i = 0; i < matchers->count; i++)
                matcher_release(&matchers->items[i], true);
        free(matchers->items);
        *matchers = (struct matchers){0};
}

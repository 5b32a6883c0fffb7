/* SPDX-License-Identifier: Apache-2.0 */
/* `${labels.x}` in an operator's text: one walk over the pattern checks it, or checks and fills it in. */
#include "runbook/bind.h"

#include <ctype.h>
#include <errno.h>

#include "runbook/config.h"

enum { MAX_BOUND = 1024 * 1024 };

/* The scopes, and how a missing value of each is told. */
static const struct {
        const char *name, *missing;
} scopes[] = {
        {"labels", "the alert has no label"},
        {"annotations", "the alert has no annotation"},
        {"alert", "an alert has no"},
        {"incident", "an incident has no"},
};
tables_agree(scopes, BIND_SCOPES);

/* Where the walk is. In PromQL, also inside of which quotes, and what a value there would mean. */
struct walk {
        const char *at;
        enum bind_escape escape;
        char quote; /* 0 outside of quotes */
        bool regex; /* the string is an operand of =~ or !~ */
        bool comment;
        char before, last; /* the two last characters that were not white space, outside of quotes */
        const struct bindings *bindings; /* NULL: only check */
        struct text *text;
};

static size_t find_scope(const char *name, size_t length)
{
        size_t i = 0;
        while (i < N_ELEMENTS(scopes) &&
               (strlen(scopes[i].name) != length || strncmp(scopes[i].name, name, length) != 0))
                i++;
        return i;
}

static int refuse_scope(const char *name, size_t length, struct error *error)
{
        const char *names[N_ELEMENTS(scopes)];
        for (size_t i = 0; i < N_ELEMENTS(scopes); i++)
                names[i] = scopes[i].name;
        _cleanup_free_ char *word = strndup(name, length);
        if (!word)
                return error_oom(error);
        const char *nearest = words_nearest(names, N_ELEMENTS(names), word);
        if (nearest)
                return error_set(error, EINVAL, "'${%.40s.…}' is not known; did you mean '${%s.…}'?", word,
                                 nearest);
        return error_set(
                error, EINVAL,
                "'${%.40s…}' is not known; write ${labels.name}, ${annotations.name} or ${incident.id}"
                ", or $$ for a '$'",
                word);
}

static int check_place(const struct walk *walk, const char *reference, size_t length, struct error *error)
{
        int shown = length > 80 ? 80 : (int)length;
        if (walk->escape != BIND_PROMQL)
                return 0;
        if (walk->quote == 0)
                return error_set(error, EINVAL, "%.*s stands outside of quotes; write \"%.*s\"", shown,
                                 reference, shown, reference);
        if (walk->quote == '`')
                return error_set(error, EINVAL,
                                 "%.*s stands in backticks, where nothing can be escaped; use \"…\"", shown,
                                 reference);
        return 0;
}

/* RE2's special characters; the backslash before them is itself escaped for the string around it. */
static void put_promql(struct walk *walk, const char *value)
{
        for (; *value; value++) {
                char c = *value;
                if (walk->regex && strchr("\\.+*?()|[]{}^$", c))
                        text_puts(walk->text, "\\\\");
                if (c == '\\' || c == walk->quote)
                        text_putc(walk->text, '\\');
                if (c == '\n')
                        text_puts(walk->text, "\\n");
                else
                        text_putc(walk->text, c);
        }
}

/* Every character that means something in a pattern stands for itself, by a backslash before it. */
static void put_glob(struct walk *walk, const char *value)
{
        for (; *value; value++) {
                if (strchr("\\*?[]^-", *value))
                        text_putc(walk->text, '\\');
                text_putc(walk->text, *value);
        }
}

static int bind_value(struct walk *walk, size_t scope, const char *name, struct error *error)
{
        const char *value = walk->bindings->get(walk->bindings->context, scopes[scope].name, name);
        if (!value)
                return error_set(error, ENOKEY, "%s '%s'", scopes[scope].missing, name);
        if (walk->escape == BIND_GLOB && !*value)
                return error_set(error, ENOKEY, "%s '%s', and without it the pattern would match more",
                                 scopes[scope].missing, name);
        if (walk->escape == BIND_PROMQL)
                put_promql(walk, value);
        else if (walk->escape == BIND_GLOB)
                put_glob(walk, value);
        else
                text_puts(walk->text, value);
        return 0;
}

/* At "${": checks the reference, puts its value, goes behind it. */
static int walk_reference(struct walk *walk, struct error *error)
{
        const char *begin = walk->at, *inside = begin + 2;
        size_t length = strcspn(inside, "}${");
        if (inside[length] != '}')
                return error_set(error, EINVAL, "'%.40s' has no closing '}'; write $$ for a '$'", begin);

        const char *dot = memchr(inside, '.', length);
        size_t scope_length = dot ? (size_t)(dot - inside) : length;
        size_t scope = find_scope(inside, scope_length);
        if (scope == N_ELEMENTS(scopes))
                return refuse_scope(inside, scope_length, error);
        if (!dot || dot + 1 == inside + length)
                return error_set(error, EINVAL, "'${%s}' has no name; write ${%s.name}", scopes[scope].name,
                                 scopes[scope].name);
        _cleanup_free_ char *name = strndup(dot + 1, (size_t)(inside + length - dot - 1));
        if (!name)
                return error_oom(error);
        for (const char *c = name; *c; c++)
                if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c))
                        return error_set(error, EINVAL, "'${%s.%.40s}' holds white space; take it away",
                                         scopes[scope].name, name);

        int result = check_place(walk, begin, length + 3, error);
        if (result == 0 && walk->bindings)
                result = bind_value(walk, scope, name, error);
        walk->at = inside + length + 1;
        return result;
}

/* Follows PromQL's strings and comments, which end at a line break at the latest (but for backticks). */
static int follow_promql(struct walk *walk, struct error *error)
{
        char c = *walk->at;
        if (walk->comment) {
                walk->comment = c != '\n';
        } else if (walk->quote) {
                if (c == '\n' && walk->quote != '`')
                        return error_set(error, EINVAL, "a string is not closed at the end of its line");
                if (c == walk->quote)
                        walk->quote = 0;
        } else if (c == '"' || c == '\'' || c == '`') {
                walk->quote = c;
                walk->regex = walk->last == '~' && (walk->before == '=' || walk->before == '!');
                walk->last = 0;
        } else if (c == '#') {
                walk->comment = true;
        } else if (!isspace((unsigned char)c)) {
                walk->before = walk->last;
                walk->last = c;
        }
        return 0;
}

static void put_character(struct walk *walk, size_t length)
{
        if (walk->bindings)
                text_append(walk->text, walk->at, length);
        walk->at += length;
}

static int walk_pattern(struct walk *walk, struct error *error)
{
        while (*walk->at) {
                int result = 0;
                bool string = walk->escape == BIND_PROMQL && walk->quote && walk->quote != '`';
                bool escaped = (string || walk->escape == BIND_GLOB) && *walk->at == '\\' && walk->at[1];
                if (escaped && walk->at[1] == '$')
                        /* The backslash would take the first character of the value for its own. */
                        return error_set(error, EINVAL, "'\\$' is not an escape of %s; write $$ for a '$'",
                                         string ? "PromQL" : "a pattern");
                if (escaped)
                        put_character(walk, 2);
                else if (walk->at[0] == '$' && walk->at[1] == '{')
                        result = walk_reference(walk, error);
                else if (walk->at[0] == '$' && walk->at[1] == '$') {
                        walk->at++;
                        put_character(walk, 1);
                } else {
                        result = walk->escape == BIND_PROMQL ? follow_promql(walk, error) : 0;
                        put_character(walk, 1);
                }
                if (result < 0)
                        return result;
                if (walk->text && walk->text->length > MAX_BOUND)
                        return error_set(error, E2BIG, "is larger than 1 MiB with its values bound");
        }
        if (walk->quote)
                return error_set(error, EINVAL, "a string is not closed");
        return 0;
}

int bind_check(const char *pattern, enum bind_escape escape, struct error *error)
{
        struct walk walk = {.at = pattern, .escape = escape};
        return walk_pattern(&walk, error);
}

int bind_text(const char *pattern, const struct bindings *bindings, enum bind_escape escape, char **ret,
              struct error *error)
{
        _cleanup_text_ struct text text = {0};
        struct walk walk = {.at = pattern, .escape = escape, .bindings = bindings, .text = &text};
        int result = walk_pattern(&walk, error);
        if (result < 0)
                return result;
        char *bound = text_take(&text);
        if (!bound)
                return error_oom(error);
        *ret = bound;
        return 0;
}

const char *bind_next_name(const char *at, const char *scope, size_t *ret_length)
{
        for (at = strchr(at, '$'); at; at = strchr(at, '$')) {
                size_t length = strlen(scope);
                if (at[1] == '{' && string_starts(at + 2, scope) && at[2 + length] == '.') {
                        *ret_length = strcspn(at + 3 + length, "}");
                        return at + 3 + length;
                }
                at += at[1] == '$' ? 2 : 1; /* $$ is a '$', and begins nothing */
        }
        return NULL;
}

char *bind_fill(const char *pattern)
{
        char *filled = strdup(pattern);
        for (char *at = filled; at && *at; at++) {
                if (*at != '$')
                        continue;
                size_t length = at[1] == '{' ? strcspn(at, "}") : 0;
                if (length > 0 && at[length] == '}')
                        memset(at, 'x', length + 1);
                else if (at[1] == '$')
                        at++; /* $$ is a '$', and begins nothing */
        }
        return filled;
}

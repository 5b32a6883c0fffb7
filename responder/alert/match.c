/* SPDX-License-Identifier: Apache-2.0 */
/* Matchers on labels, in Alertmanager's notation. */
#include "responder/alert/match.h"

#include <ctype.h>
#include <errno.h>

#include "runbook/exposition.h"
#include "runbook/pattern.h"
#include "runbook/text.h"
#include "runbook/words.h"

enum comparison { EQUAL, NOT_EQUAL, MATCHES, MATCHES_NOT };

/* The longer operators first, for "=" is the beginning of "=~". */
static const struct {
        const char *text;
        enum comparison comparison;
} operators[] = {{"=~", MATCHES}, {"!~", MATCHES_NOT}, {"!=", NOT_EQUAL}, {"=", EQUAL}};
tables_agree(operators, MATCHES_NOT + 1);

struct matcher {
        char *name, *value;
        enum comparison comparison;
        struct pattern *pattern; /* of MATCHES and MATCHES_NOT */
};

static void matcher_release(struct matcher *matcher)
{
        pattern_free(matcher->pattern);
        free(matcher->name);
        free(matcher->value);
}

/* `"a \"quoted\" value"` without its quotes; a bare word is taken as it is. Spaces may follow. */
static int unquote_value(const char *text, struct text *value, struct error *error)
{
        bool fine;
        if (*text == '"') {
                /* A backslash stays before what it does not escape, as patterns are full of. */
                const char *end = quoted_read(text, text + strlen(text), ESCAPE_KEPT, value);
                fine = end && !end[strspn(end, " ")];
        } else {
                size_t length = strlen(text);
                while (length > 0 && text[length - 1] == ' ')
                        length--;
                text_append(value, text, length);
                fine = !strpbrk(text, "\"{},");
        }
        if (!fine)
                return error_set(error, EINVAL, "the value %s is not one quoted string", text);
        return text_error(value) < 0 ? error_oom(error) : 0;
}

static int parse_matcher(const char *text, struct matcher *matcher, struct error *error)
{
        static const char usage[] = "write it as name=\"value\", name!=\"value\", name=~\"pattern\" or "
                                    "name!~\"pattern\"";
        size_t length = label_name_length(text);
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
        int r = unquote_value(at, &value, error);
        if (r < 0)
                return error_prefix(error, r, "'%s' is not a matcher", text);
        matcher->comparison = operators[i].comparison;
        matcher->name = strndup(text, length);
        matcher->value = text_take(&value);
        if (!matcher->name || !matcher->value)
                return error_oom(error);
        if (matcher->comparison != MATCHES && matcher->comparison != MATCHES_NOT)
                return 0;
        r = pattern_compile(matcher->value, &matcher->pattern, error);
        return r == -ENOTSUP || r == -E2BIG ? -EINVAL : r; /* here that is a mistake like any other */
}

int matchers_add(struct matchers *matchers, const char *text, struct error *error)
{
        struct matcher matcher = {0};
        while (*text == ' ')
                text++;
        int r = parse_matcher(text, &matcher, error);
        if (r < 0) {
                matcher_release(&matcher);
                return r;
        }
        struct matcher *items = realloc(matchers->items, (matchers->count + 1) * sizeof(*items));
        if (!items) {
                matcher_release(&matcher);
                return error_oom(error);
        }
        matchers->items = items;
        items[matchers->count++] = matcher;
        return 0;
}

void matchers_print(const struct matchers *matchers, struct text *text)
{
        for (size_t i = 0; i < matchers->count; i++) {
                const struct matcher *matcher = &matchers->items[i];
                const char *operator= "";
                for (size_t k = 0; k < N_ELEMENTS(operators); k++)
                        if (operators[k].comparison == matcher->comparison)
                                operator= operators[k].text;
                text_printf(text, "%s%s", matcher->name, operator);
                text_put_json(text, matcher->value);
                text_putc(text, '\n');
        }
}

static bool matcher_matches(const struct matcher *matcher, const char *value)
{
        switch (matcher->comparison) {
        case EQUAL: return string_equal(value, matcher->value);
        case NOT_EQUAL: return !string_equal(value, matcher->value);
        case MATCHES: return pattern_matches(matcher->pattern, value);
        case MATCHES_NOT: return !pattern_matches(matcher->pattern, value);
        }
        return false;
}

bool matchers_match(const struct matchers *matchers, const struct config_map *labels)
{
        for (size_t i = 0; i < matchers->count; i++) {
                const char *value = config_map_get(labels, matchers->items[i].name);
                if (!matcher_matches(&matchers->items[i], value ? value : ""))
                        return false;
        }
        return matchers->count > 0;
}

bool matchers_may_match(const struct matchers *matchers, const struct config_map *known)
{
        for (size_t i = 0; i < matchers->count; i++) {
                const char *value = config_map_get(known, matchers->items[i].name);
                if (value && !matcher_matches(&matchers->items[i], value))
                        return false;
        }
        return matchers->count > 0;
}

static void put_missed(const struct matcher *matcher, const char *value, struct text *why)
{
        static const struct {
                const char *of_value, *of_none;
        } words[] = {[EQUAL] = {", not ", " (it must be "},
                     [NOT_EQUAL] = {", and must not be ", " (it must not be "},
                     [MATCHES] = {", which does not match ", " (it must match "},
                     [MATCHES_NOT] = {", and must not match ", " (it must not match "}};
        tables_agree(words, MATCHES_NOT + 1);
        if (value) {
                text_printf(why, "%s is ", matcher->name);
                text_put_json(why, value);
        } else {
                text_printf(why, "there is no label %s", matcher->name);
        }
        text_puts(why, value ? words[matcher->comparison].of_value : words[matcher->comparison].of_none);
        text_put_json(why, matcher->value);
        text_puts(why, value ? "" : ")");
}

size_t matchers_missed(const struct matchers *matchers, const struct config_map *labels, size_t most,
                       struct text *why)
{
        size_t missed = 0;
        for (size_t i = 0; i < matchers->count; i++) {
                const char *value = config_map_get(labels, matchers->items[i].name);
                if (matcher_matches(&matchers->items[i], value ? value : ""))
                        continue;
                if (missed++ >= most || !why)
                        continue;
                text_puts(why, missed > 1 ? "; " : "");
                put_missed(&matchers->items[i], value, why);
        }
        return missed;
}

void matchers_each_value(const struct matchers *matchers,
                         void (*each)(void *context, const char *name, const char *value), void *context)
{
        for (size_t i = 0; i < matchers->count; i++)
                if (matchers->items[i].comparison == EQUAL && *matchers->items[i].value)
                        each(context, matchers->items[i].name, matchers->items[i].value);
}

bool matchers_ensure(const struct matchers *matchers, const char *name)
{
        for (size_t i = 0; i < matchers->count; i++)
                if (string_equal(matchers->items[i].name, name) && !matcher_matches(&matchers->items[i], ""))
                        return true;
        return false;
}

size_t matchers_names(const struct matchers *matchers, const char **ret)
{
        for (size_t i = 0; i < matchers->count; i++)
                ret[i] = matchers->items[i].name;
        return matchers->count;
}

static bool label_matches(const struct matchers *matchers, const char *name, const char *value)
{
        for (size_t i = 0; i < matchers->count; i++)
                if (string_equal(matchers->items[i].name, name) &&
                    !matcher_matches(&matchers->items[i], value))
                        return false;
        return true;
}

/* One branch of a pattern, up to the next '|', as a word that it may take: what may be left out is. */
static const char *pattern_word(const char *at, struct text *word)
{
        for (; *at && *at != '|'; at++) {
                if (*at == '\\' && at[1])
                        text_putc(word, *++at == 'd' ? '0' : *at == 'w' ? 'x' : *at == 's' ? ' ' : *at);
                else if (*at == '[' && at[1]) {
                        text_putc(word, at[1]);
                        at += strcspn(at, "]");
                        if (!*at)
                                break;
                } else if ((*at == '*' || *at == '?') && word->length > 0)
                        word->data[--word->length] = '\0';
                else if (!strchr("()^$+*?", *at))
                        text_putc(word, *at == '.' ? 'x' : *at);
        }
        return *at ? at + 1 : NULL;
}

/* Appends name="value" when both sets take the value. 1, 0, -ENOMEM. */
static int try_value(const struct matchers *a, const struct matchers *b, const char *name, const char *value,
                     struct text *example)
{
        if (!label_matches(a, name, value) || !label_matches(b, name, value))
                return 0;
        if (*value) {
                text_printf(example, "%s%s=\"", example->length > 0 ? ", " : "", name);
                for (const char *at = value; *at; at++)
                        text_printf(example, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
                text_putc(example, '"');
        }
        return text_error(example) < 0 ? -ENOMEM : 1;
}

static int try_matcher(const struct matchers *a, const struct matchers *b, const struct matcher *matcher,
                       struct text *example)
{
        if (!matcher->pattern)
                return try_value(a, b, matcher->name, matcher->value, example);
        for (const char *at = matcher->value; at;) {
                _cleanup_text_ struct text word = {0};
                at = pattern_word(at, &word);
                if (text_error(&word) < 0)
                        return -ENOMEM;
                int r = try_value(a, b, matcher->name, text_string(&word), example);
                if (r != 0)
                        return r;
        }
        return 0;
}

/* A value of the label that both sets take. 1, 0, -ENOMEM. */
static int find_value(const struct matchers *a, const struct matchers *b, const char *name,
                      struct text *example)
{
        const struct matchers *const both[] = {a, b};
        int r = 0;
        for (size_t k = 0; k < N_ELEMENTS(both); k++)
                for (size_t i = 0; r == 0 && i < both[k]->count; i++)
                        if (string_equal(both[k]->items[i].name, name))
                                r = try_matcher(a, b, &both[k]->items[i], example);
        static const char *const others[] = {"", "x"};
        for (size_t i = 0; r == 0 && i < N_ELEMENTS(others); i++)
                r = try_value(a, b, name, others[i], example);
        return r;
}

/* Labels are independent of each other, so that one value of each will do. */
int matchers_overlap(const struct matchers *a, const struct matchers *b, struct text *example)
{
        const struct matchers *const both[] = {a, b};
        _cleanup_free_ const char **seen = calloc(a->count + b->count + 1, sizeof(*seen));
        size_t count = 0;
        if (!seen)
                return -ENOMEM;
        for (size_t k = 0; k < N_ELEMENTS(both); k++)
                for (size_t i = 0; i < both[k]->count; i++) {
                        const char *name = both[k]->items[i].name;
                        if (words_find(seen, count, name) >= 0)
                                continue;
                        seen[count++] = name;
                        int r = find_value(a, b, name, example);
                        if (r <= 0)
                                return r;
                }
        return 1;
}

const char *matchers_contradiction(const struct matchers *matchers)
{
        for (size_t i = 0; i < matchers->count; i++) {
                const struct matcher *matcher = &matchers->items[i];
                if (matcher->comparison == EQUAL && !label_matches(matchers, matcher->name, matcher->value))
                        return matcher->name;
        }
        return NULL;
}

void matchers_release(struct matchers *matchers)
{
        for (size_t i = 0; i < matchers->count; i++)
                matcher_release(&matchers->items[i]);
        free(matchers->items);
        *matchers = (struct matchers){0};
}

cJSON *matchers_to_json(const struct matchers *matchers)
{
        _cleanup_json_ cJSON *array = cJSON_CreateArray();
        for (size_t i = 0; i < matchers->count; i++) {
                const struct matcher *matcher = &matchers->items[i];
                enum comparison comparison = matcher->comparison;
                cJSON *item = cJSON_CreateObject();
                if (json_append(array, item) < 0 || json_put(item, "name", json_text(matcher->name)) < 0 ||
                    json_put(item, "value", json_text(matcher->value)) < 0 ||
                    json_put(item, "isRegex",
                             cJSON_CreateBool(comparison == MATCHES || comparison == MATCHES_NOT)) < 0 ||
                    json_put(item, "isEqual",
                             cJSON_CreateBool(comparison == EQUAL || comparison == MATCHES)) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What one scalar of a document means for a field: numbers, durations, sizes, words, strings. */
#include <ctype.h>
#include <errno.h>

#include "lib/config/tree.h"
#include "runbook/error.h"

static const struct {
        const char *name;
        int64_t bytes;
} size_units[] = {
        {"", 1},
        {"B", 1},
        {"kB", 1000},
        {"KB", 1000},
        {"MB", 1000 * 1000},
        {"GB", 1000 * 1000 * 1000},
        {"TB", (int64_t)1000 * 1000 * 1000 * 1000},
        {"KiB", 1 << 10},
        {"MiB", 1 << 20},
        {"GiB", 1 << 30},
        {"TiB", (int64_t)1 << 40},
};

static const char *const takes[] = {
        [CONFIG_STRING] = "a string",
        [CONFIG_BOOL] = "true or false",
        [CONFIG_INT] = "a whole number such as 10",
        [CONFIG_NUMBER] = "a number such as 0.5",
        [CONFIG_DURATION] = "a duration such as 30s, 5m or 1h30m",
        [CONFIG_SIZE] = "a size such as 512, 64KiB or 5MB",
        [CONFIG_ENUM] = "a word",
        [CONFIG_SECRET] = "a secret",
        [CONFIG_STRINGS] = "a list of strings",
        [CONFIG_MAP] = "a mapping of words to strings",
        [CONFIG_OBJECT] = "a mapping",
        [CONFIG_LIST] = "a list of mappings",
        [CONFIG_NODE] = "a value",
};
tables_agree(takes, CONFIG_TYPES);

const char *config_type_takes(enum config_type type)
{
        return takes[type];
}

static int refuse_value(const struct config_field *field, const char *text, struct error *error)
{
        return error_set(error, EINVAL, "takes %s, not '%s'", takes[field->type], config_shown(text).text);
}

static int check_range(const struct config_field *field, bool positive, struct error *error)
{
        if ((field->flags & CONFIG_POSITIVE) && !positive)
                return error_set(error, EINVAL, "must be more than zero");
        return 0;
}

static int parse_string(const struct config_field *field, const char *text, bool plain _unused_, void *at,
                        struct error *error)
{
        if ((field->flags & CONFIG_NOT_EMPTY) && !*text)
                return error_set(error, EINVAL, "must not be empty");
        char *copy = strdup(text);
        if (!copy)
                return error_oom(error);
        *(char **)at = copy;
        return 0;
}

static int parse_bool(const struct config_field *field, const char *text, bool plain, void *at,
                      struct error *error)
{
        /* YAML 1.1 knew these; 1.2 does not, and a reader of another file may well. */
        static const struct {
                const char *word, *means;
        } old[] = {{"yes", "true"}, {"on", "true"},   {"y", "true"},  {"1", "true"},
                   {"no", "false"}, {"off", "false"}, {"n", "false"}, {"0", "false"}};
        bool value = strcmp(text, "true") == 0;
        if (value || strcmp(text, "false") == 0) {
                if (!plain)
                        return error_set(error, EINVAL, "takes true or false without quotes");
                *(bool *)at = value;
                return 0;
        }
        const char *means = strcasecmp(text, "true") == 0    ? "true"
                            : strcasecmp(text, "false") == 0 ? "false"
                                                             : NULL;
        for (size_t i = 0; i < N_ELEMENTS(old) && !means; i++)
                if (strcasecmp(text, old[i].word) == 0)
                        means = old[i].means;
        if (means)
                return error_set(error, EINVAL, "takes true or false, not '%s'; write %s", text, means);
        return refuse_value(field, text, error);
}

/* Decimal, without leading zeros, which YAML 1.1 took for octal. -ERANGE when it does not fit. */
static int parse_int64(const char *text, const char **ret_end, int64_t *ret)
{
        bool negative = *text == '-';
        int64_t value = 0;
        text += *text == '-' || *text == '+';
        if (!isdigit((unsigned char)*text) || (text[0] == '0' && isdigit((unsigned char)text[1])))
                return -EINVAL;
        for (; isdigit((unsigned char)*text); text++) {
                int digit = *text - '0';
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, negative ? -digit : digit, &value))
                        return -ERANGE;
        }
        *ret_end = text;
        *ret = value;
        return 0;
}

static int parse_int(const struct config_field *field, const char *text, bool plain, void *at,
                     struct error *error)
{
        const char *end = "";
        int64_t value = 0;
        int result = parse_int64(text, &end, &value);
        if (result == -ERANGE)
                return error_set(error, EINVAL, "is too large a number: '%s'", config_shown(text).text);
        if (result < 0 || *end)
                return refuse_value(field, text, error);
        if (!plain)
                return error_set(error, EINVAL, "takes a whole number without quotes");
        result = check_range(field, value > 0, error);
        if (result == 0)
                *(int64_t *)at = value;
        return result;
}

/* JSON's grammar of numbers, so that nan, inf and hexadecimal stay out. */
static bool is_number(const char *text)
{
        text += *text == '-' || *text == '+';
        size_t whole = strspn(text, "0123456789");
        if (whole == 0 || (whole > 1 && *text == '0'))
                return false;
        text += whole;
        if (*text == '.') {
                size_t fraction = strspn(++text, "0123456789");
                if (fraction == 0)
                        return false;
                text += fraction;
        }
        if (*text == 'e' || *text == 'E') {
                text++;
                text += *text == '-' || *text == '+';
                size_t exponent = strspn(text, "0123456789");
                if (exponent == 0)
                        return false;
                text += exponent;
        }
        return *text == '\0';
}

static int parse_number(const struct config_field *field, const char *text, bool plain, void *at,
                        struct error *error)
{
        if (!is_number(text))
                return refuse_value(field, text, error);
        if (!plain)
                return error_set(error, EINVAL, "takes a number without quotes");
        double value = strtod(text, NULL);
        if (value - value != 0)
                return error_set(error, EINVAL, "is too large a number: '%s'", config_shown(text).text);
        int result = check_range(field, value > 0, error);
        if (result == 0)
                *(double *)at = value;
        return result;
}

static int parse_duration(const struct config_field *field, const char *text, bool plain _unused_, void *at,
                          struct error *error)
{
        nsec value;
        int result = duration_parse(text, &value, NULL);
        if (result == -ERANGE)
                return error_set(error, EINVAL, "is too long a duration: '%s'", config_shown(text).text);
        if (result < 0 && *text && strspn(text, "0123456789") == strlen(text))
                return error_set(error, EINVAL, "takes a duration with its unit: did you mean '%ss'?",
                                 config_shown(text).text);
        if (result < 0)
                return refuse_value(field, text, error);
        result = check_range(field, value > 0, error);
        if (result == 0)
                *(nsec *)at = value;
        return result;
}

static int parse_size(const struct config_field *field, const char *text, bool plain _unused_, void *at,
                      struct error *error)
{
        const char *end = text;
        int64_t value = 0;
        int result = *text == '-' || *text == '+' ? -EINVAL : parse_int64(text, &end, &value);
        if (result == -ERANGE)
                return error_set(error, EINVAL, "is too large a size: '%s'", config_shown(text).text);
        if (result < 0)
                return refuse_value(field, text, error);
        for (size_t i = 0; i < N_ELEMENTS(size_units); i++) {
                if (strcmp(end, size_units[i].name) != 0)
                        continue;
                if (__builtin_mul_overflow(value, size_units[i].bytes, &value))
                        return error_set(error, EINVAL, "is too large a size: '%s'", config_shown(text).text);
                result = check_range(field, value > 0, error);
                if (result == 0)
                        *(int64_t *)at = value;
                return result;
        }
        return refuse_value(field, text, error);
}

static int parse_enum(const struct config_field *field, const char *text, bool plain _unused_, void *at,
                      struct error *error)
{
        size_t count = words_count(field->choices);
        int found = words_find(field->choices, count, text);
        if (found >= 0) {
                *(int *)at = found;
                return 0;
        }
        _cleanup_text_ struct text words = {0};
        words_put(&words, field->choices, count, " or ");
        return error_set(error, EINVAL, "takes %s, not '%s'", text_string(&words), config_shown(text).text);
}

static int (*const parsers[])(const struct config_field *field, const char *text, bool plain, void *at,
                              struct error *error) = {
        [CONFIG_STRING] = parse_string,     [CONFIG_BOOL] = parse_bool,
        [CONFIG_INT] = parse_int,           [CONFIG_NUMBER] = parse_number,
        [CONFIG_DURATION] = parse_duration, [CONFIG_SIZE] = parse_size,
        [CONFIG_ENUM] = parse_enum,         [CONFIG_NODE] = NULL,
};
tables_agree(parsers, CONFIG_TYPES);

bool config_type_is_scalar(enum config_type type)
{
        return parsers[type] != NULL;
}

int config_scalar_parse(const struct config_field *field, const char *text, bool plain, void *at,
                        struct error *error)
{
        return parsers[field->type](field, text, plain, at, error);
}

int config_parse_word(enum config_type type, const char *word, void *at, struct error *error)
{
        return config_scalar_parse(&(const struct config_field){.type = type}, word, true, at, error);
}

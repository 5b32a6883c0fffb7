/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line flags from a table. */
#include "runbook/flags.h"

#include <errno.h>
#include <string.h>

#include "runbook/config.h"

static int add_string(const struct flag *flag, const char *value, struct error *error)
{
        struct flag_strings *strings = flag->target;
        if (strings->count == FLAG_STRINGS_MAX)
                return error_set(error, EINVAL, "--%s is given more than %d times", flag->name,
                                 FLAG_STRINGS_MAX);
        strings->items[strings->count++] = value;
        strings->items[strings->count] = NULL;
        return 0;
}

static int set_value(const struct flag *flag, const char *value, struct error *error)
{
        if (flag->type == FLAG_DURATION)
                return error_prefix(error, duration_parse(value, flag->target, error), "--%s", flag->name);
        if (flag->type == FLAG_STRING) {
                *(const char **)flag->target = value;
                return 0;
        }
        if (flag->type == FLAG_STRINGS)
                return add_string(flag, value, error);
        bool on = string_equal(value, "true");
        if (!on && !string_equal(value, "false"))
                return error_set(error, EINVAL, "--%s is a switch: write --%s or --no-%s, without a value",
                                 flag->name, flag->name, flag->name);
        *(bool *)flag->target = on;
        return 0;
}

static int set_default(const struct flag *flag, struct error *error)
{
        if (flag->type == FLAG_STRINGS)
                *(struct flag_strings *)flag->target = (struct flag_strings){0};
        if (flag->fallback)
                return set_value(flag, flag->fallback, error);
        if (flag->type == FLAG_STRING)
                *(const char **)flag->target = NULL;
        else if (flag->type == FLAG_SWITCH)
                *(bool *)flag->target = false;
        else
                *(nsec *)flag->target = 0;
        return 0;
}

static const struct flag *find_flag(const struct flag *flags, const char *name, size_t length)
{
        for (const struct flag *flag = flags; flag->name; flag++)
                if (strlen(flag->name) == length && strncmp(flag->name, name, length) == 0)
                        return flag;
        return NULL;
}

static int refuse_unknown(const struct flag *flags, const char *name, size_t length, struct error *error)
{
        size_t count = 0;
        while (flags[count].name)
                count++;
        _cleanup_free_ const char **names = calloc(count + 1, sizeof(*names));
        _cleanup_free_ char *word = strndup(name, length);
        if (!names || !word)
                return error_oom(error);
        for (size_t i = 0; i < count; i++)
                names[i] = flags[i].name;
        const char *nearest = words_nearest(names, count, word);
        if (nearest)
                return error_set(error, EINVAL, "unknown flag --%s; did you mean --%s?", word, nearest);
        return error_set(error, EINVAL, "unknown flag --%s; --help lists those there are", word);
}

/* That it is given, which may be said of most flags once. */
static int note_given(const struct flag *flags, const struct flag *flag, uint64_t *given, struct error *error)
{
        uint64_t bit = UINT64_C(1) << (flag - flags);
        bool again = (*given & bit) != 0;
        *given |= bit;
        if (again && flag->type != FLAG_STRINGS)
                return error_set(error, EINVAL, "--%s is given twice", flag->name);
        if (!again && flag->type == FLAG_STRINGS)
                *(struct flag_strings *)flag->target = (struct flag_strings){0}; /* not the default */
        return 0;
}

/* One flag at argv[*at], and its value when that stands by itself; *at goes to the last that was used. */
static int parse_one(const struct flag *flags, int argc, char **argv, int *at, uint64_t *given,
                     struct error *error)
{
        /* The Go flag package, which some Prometheus tools use, takes one dash as well as two. */
        const char *name = argv[*at] + (string_starts(argv[*at], "--") ? 2 : 1);
        if (string_equal(argv[*at], "-h"))
                name = "help";
        const char *equals = strchr(name, '=');
        size_t length = equals ? (size_t)(equals - name) : strlen(name);
        const struct flag *flag = find_flag(flags, name, length);
        if (!flag && length > 3 && string_starts(name, "no-")) {
                const struct flag *negated = find_flag(flags, name + 3, length - 3);
                if (negated && negated->type == FLAG_SWITCH) {
                        int r = note_given(flags, negated, given, error);
                        if (r < 0)
                                return r;
                        return equals ? error_set(error, EINVAL, "--no-%s takes no value", negated->name)
                                      : set_value(negated, "false", error);
                }
        }
        if (!flag)
                return refuse_unknown(flags, name, length, error);
        int r = note_given(flags, flag, given, error);
        if (r < 0)
                return r;
        if (equals)
                return set_value(flag, equals + 1, error);
        if (flag->type == FLAG_SWITCH)
                return set_value(flag, "true", error);
        if (*at + 1 == argc)
                return error_set(error, EINVAL, "--%s takes a value: --%s=%s", flag->name, flag->name,
                                 flag->value_name ? flag->value_name : "VALUE");
        *at += 1;
        return set_value(flag, argv[*at], error);
}

static void reverse(char **items, int from, int to)
{
        for (; from < --to; from++) {
                char *item = items[from];
                items[from] = items[to];
                items[to] = item;
        }
}

bool flags_given(const struct flag *flags, uint64_t given, const char *name)
{
        const struct flag *flag = find_flag(flags, name, strlen(name));
        return flag && (given >> (flag - flags) & 1);
}

bool flags_given_on(const struct flag *flags, uint64_t given, const char *name)
{
        const struct flag *flag = find_flag(flags, name, strlen(name));
        return flags_given(flags, given, name) && (flag->type != FLAG_SWITCH || *(const bool *)flag->target);
}

int flags_parse(const struct flag *flags, int argc, char **argv, char ***ret_arguments, int *ret_count,
                uint64_t *ret_given, struct error *error)
{
        uint64_t given = 0;
        int arguments = 0; /* those found so far stand at argv[at - arguments … at - 1] */
        bool only_arguments = false;
        for (const struct flag *flag = flags; flag->name; flag++) {
                int result = set_default(flag, error);
                if (result < 0)
                        return result;
        }
        int at = argc > 0 ? 1 : 0;
        while (at < argc) {
                int first = at;
                if (only_arguments || argv[at][0] != '-' || argv[at][1] == '\0') {
                        arguments++;
                        at++;
                        continue;
                }
                if (string_equal(argv[at], "--"))
                        only_arguments = true;
                else {
                        int result = parse_one(flags, argc, argv, &at, &given, error);
                        if (result < 0)
                                return result;
                }
                at++;
                /* Exchanges the arguments with the flag behind them; both keep their order. */
                reverse(argv, first - arguments, first);
                reverse(argv, first, at);
                reverse(argv, first - arguments, at);
        }
        *ret_arguments = argv + argc - arguments;
        *ret_count = arguments;
        *ret_given = given;
        return 0;
}

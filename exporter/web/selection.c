/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the checks and the families that a query names, before anything runs. */
#include "exporter/web/selection.h"

#include <errno.h>

#include "exporter/check/exporter_samples.h"
#include "exporter/check/samples.h"
#include "runbook/config.h"

/* The values of one parameter. */
struct values {
        char **strings; /* closed by NULL */
        size_t count;
        bool failed;
};

static void values_release(struct values *values)
{
        for (size_t i = 0; i < values->count; i++)
                free(values->strings[i]);
        free(values->strings);
}

static void take_value(void *context, const char *value)
{
        struct values *values = context;
        char **strings = reallocarray(values->strings, values->count + 2, sizeof(*strings));
        char *copy = strdup(value);
        if (strings)
                values->strings = strings;
        if (!strings || !copy) {
                values->failed = true;
                free(copy);
                return;
        }
        strings[values->count++] = copy;
        strings[values->count] = NULL;
}

void selection_release(struct selection *selection)
{
        for (char **name = selection->names; name && *name; name++)
                free(*name);
        free(selection->names);
        free(selection->checks);
        *selection = (struct selection){0};
}

int selection_find_check(const struct check_set *set, const char *name, size_t *ret, struct error *error)
{
        for (size_t i = 0; i < set->count; i++)
                if (strcmp(set->checks[i].name, name) == 0) {
                        *ret = i;
                        return 0;
                }
        _cleanup_free_ const char **names = calloc(set->count + 1, sizeof(*names));
        for (size_t i = 0; names && i < set->count; i++)
                names[i] = set->checks[i].name;
        return names ? words_unknown(names, set->count, name, "There is no check", error) : error_oom(error);
}

static int select_checks(const struct values *values, const struct check_set *set, bool *checks,
                         struct error *error)
{
        for (size_t v = 0; v < values->count; v++) {
                size_t i = 0;
                int r = selection_find_check(set, values->strings[v], &i, error);
                if (r < 0)
                        return r;
                checks[i] = true;
        }
        return 0;
}

static bool any_named(const struct metric_family *const *families, const char *const *names)
{
        for (; families && *families; families++)
                if (metrics_family_named(*families, names))
                        return true;
        return false;
}

/* Whether a run of the check can have one of the families. */
static bool emits(const struct check_set *set, const struct schedule *schedule, size_t check,
                  const char *const *names)
{
        const struct check_kind *kind = set->checks[check].kind;
        return any_named(check_sample_families, names) || any_named(kind->families, names) ||
               any_named(schedule_own_families(schedule, check), names);
}

/* Whether anybody has a family of this name; the process's own are known by their prefix. */
static bool name_known(const struct check_set *set, const struct schedule *schedule, const char *name)
{
        const char *const names[] = {name, NULL};
        if (string_starts(name, "process_") || any_named(check_sample_families, names) ||
            any_named(exporter_sample_families, names))
                return true;
        for (size_t i = 0; i < set->count; i++)
                if (emits(set, schedule, i, names))
                        return true;
        return false;
}

static void take_names(struct values *known, const struct metric_family *const *families)
{
        for (; *families; families++)
                take_value(known, (*families)->name);
}

static int complain_of_name(const char *name, const struct check_set *set, struct error *error)
{
        struct values known = {0};
        take_names(&known, check_sample_families);
        take_names(&known, exporter_sample_families);
        for (size_t i = 0; i < set->count; i++)
                take_names(&known, set->checks[i].kind->families);
        int r = known.failed ? error_oom(error)
                             : words_unknown((const char *const *)known.strings, known.count, name,
                                             "There is no metric", error);
        values_release(&known);
        return r;
}

/* One bool a check, those of other targets too. */
static int make_room(struct selection *selection, const struct check_set *set, bool selected,
                     struct error *error)
{
        if (selection->checks)
                return 0;
        selection->checks = calloc(check_set_size(set) + 1, sizeof(*selection->checks));
        if (!selection->checks)
                return error_oom(error);
        for (size_t i = 0; i < set->count; i++)
                selection->checks[i] = selected;
        return 0;
}

int selection_read_names(const struct http_exchange *exchange, const struct check_set *set,
                         const struct schedule *schedule, struct selection *selection, struct error *error)
{
        _cleanup_(values_release) struct values names = {0};
        http_query_each(exchange, "name[]", take_value, &names);
        if (names.failed)
                return error_oom(error);
        if (names.count == 0)
                return 0;
        int r = make_room(selection, set, true, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < names.count; i++)
                if (!name_known(set, schedule, names.strings[i]))
                        return complain_of_name(names.strings[i], set, error);
        for (size_t i = 0; i < check_set_size(set); i++)
                if (selection->checks[i] && !emits(set, schedule, i, (const char *const *)names.strings))
                        selection->checks[i] = false;
        selection->names = TAKE_PTR(names.strings);
        names.count = 0;
        return 0;
}

static void count_value(void *context, const char *value _unused_)
{
        (*(size_t *)context)++;
}

/* Of a parameter that is no list, "collect[]", the second value would be dropped. */
static int check_once(const struct http_exchange *exchange, const char *const *known, struct error *error)
{
        for (; *known; known++) {
                size_t count = 0;
                http_query_each(exchange, *known, count_value, &count);
                if (count > 1 && !string_ends(*known, "[]"))
                        return error_set(error, EINVAL, "The parameter \"%s\" is given twice.", *known);
        }
        return 0;
}

int selection_check_query(const struct http_exchange *exchange, const char *const *known, struct error *error)
{
        const char *unknown = http_query_unknown(exchange, known);
        _cleanup_text_ struct text words = {0};
        if (!unknown)
                return check_once(exchange, known, error);
        for (size_t i = 0; known[i]; i++)
                text_printf(&words, "%s%s", i == 0 ? "" : known[i + 1] ? ", " : " and ", known[i]);
        return error_set(error, EINVAL, "There is no parameter \"%.64s\" here: known are %s.", unknown,
                         text_string(&words));
}

int selection_read(const struct http_exchange *exchange, const struct check_set *set,
                   const struct schedule *schedule, struct selection *ret, struct error *error)
{
        _cleanup_(values_release) struct values collect = {0};
        _cleanup_(selection_release) struct selection selection = {0};
        static const char *const known[] = {"collect[]", "name[]", NULL};
        int r = selection_check_query(exchange, known, error);
        if (r < 0)
                return r;
        http_query_each(exchange, "collect[]", take_value, &collect);
        if (collect.failed)
                return error_oom(error);
        selection.own = collect.count == 0;
        if (collect.count > 0)
                r = make_room(&selection, set, false, error);
        if (r >= 0)
                r = select_checks(&collect, set, selection.checks, error);
        if (r >= 0)
                r = selection_read_names(exchange, set, schedule, &selection, error);
        if (r < 0)
                return r;
        *ret = selection;
        selection = (struct selection){0};
        return 0;
}

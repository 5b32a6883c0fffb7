/* SPDX-License-Identifier: Apache-2.0 */
/* What has come and gone, by what checks look at: their names, limits and texts are the operator's. */
#include "exporter/commands/difference.h"

#include <string.h>

/* By which options a check says what it looks at. A kind that is not here looks at the machine. */
static const struct {
        const char *kind;
        const char *options[2]; /* strings or lists of strings, at dotted paths */
} places[] = {
        {"http", {"url"}},
        {"redis", {"address"}},
        {"postgres", {"dsn", "query"}},
        {"docker", {"project"}},
        {"log", {"docker.project", "files"}},
        {"files", {"directories", "pattern"}},
        {"prometheus", {"url", "query"}},
        {"tls", {"address"}},
        {"s3", {"bucket"}},
        {"disk", {"mountpoints", "paths"}},
};

/* Another word for the same: an address is compared without the name that this machine has for itself. */
static void put_place(struct text *text, const char *value)
{
        for (; value && *value; value++) {
                if (string_starts(value, "localhost")) {
                        text_puts(text, "127.0.0.1");
                        value += strlen("localhost") - 1;
                } else {
                        text_putc(text, *value);
                }
        }
        text_putc(text, '\n');
}

static void put_option(struct text *text, const struct config_field *fields, const char *path,
                       const void *config)
{
        size_t length = strcspn(path, ".");
        for (; fields->name; fields++) {
                const void *at = (const char *)config + fields->offset;
                if (strlen(fields->name) != length || strncmp(fields->name, path, length) != 0)
                        continue;
                if (path[length] && fields->type == CONFIG_OBJECT)
                        put_option(text, fields->fields, path + length + 1, at);
                else if (fields->type == CONFIG_STRING)
                        put_place(text, *(char *const *)at);
                for (size_t i = 0;
                     fields->type == CONFIG_STRINGS && i < ((const struct config_strings *)at)->count; i++)
                        put_place(text, ((const struct config_strings *)at)->items[i]);
                return;
        }
}

static void put_what(struct text *text, const struct check *check)
{
        text_printf(text, "%s\n", check->kind->name);
        for (size_t i = 0; i < N_ELEMENTS(places); i++)
                for (size_t k = 0; string_equal(places[i].kind, check->kind->name) && k < 2; k++)
                        if (places[i].options[k])
                                put_option(text, check->kind->fields, places[i].options[k], check->config);
}

static bool is_same(const struct check *a, const struct check *b)
{
        _cleanup_text_ struct text what_a = {0}, what_b = {0};
        if (a->kind != b->kind)
                return false;
        put_what(&what_a, a);
        put_what(&what_b, b);
        return string_equal(a->name, b->name) || string_equal(text_string(&what_a), text_string(&what_b));
}

static const struct check *find_same(const struct check_set *set, const struct check *check)
{
        for (size_t i = 0; i < set->count; i++)
                if (is_same(&set->checks[i], check))
                        return &set->checks[i];
        return NULL;
}

static const struct check *find_name(const struct check_set *set, const char *name)
{
        for (size_t i = 0; i < set->count; i++)
                if (string_equal(set->checks[i].name, name))
                        return &set->checks[i];
        return NULL;
}

size_t difference_put(const struct proposals *proposals, const struct check_set *found,
                      const struct once *theirs, struct text *report)
{
        size_t come = 0, gone = 0;
        for (size_t i = 0; i < proposals->count; i++) {
                const struct proposal *one = &proposals->items[i];
                const struct check *check = one->dropped ? NULL : find_name(found, one->name);
                if (!check || find_same(theirs->set, check))
                        continue;
                text_printf(report, "%s\n", come++ ? "" : "New, as it may stand under `checks:`");
                init_put_check(one, report);
        }
        for (size_t i = 0; i < theirs->set->count; i++) {
                const struct check *check = theirs->states[i].check;
                const char *reason = check_state_reason(&theirs->states[i]);
                if (!*reason || find_same(found, check))
                        continue;
                text_printf(report, "%s%s: ", gone++ ? "" : "\nNot found any more:\n", check->name);
                text_put_line(report, reason, SIZE_MAX);
                text_putc(report, '\n');
        }
        text_printf(report, "%zu new, %zu gone\n", come, gone);
        return come + gone;
}

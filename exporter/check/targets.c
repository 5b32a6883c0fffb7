/* SPDX-License-Identifier: Apache-2.0 */
/* The entries that `targets:` makes of one. */
#include "exporter/check/targets.h"

#include <errno.h>

#define KEY "targets"

/* One target is a list of one. */
static struct config_node *find_target(struct config_node *entry, size_t i)
{
        struct config_node *list = config_member(entry, KEY);
        return config_scalar(list) ? (i == 0 ? list : NULL) : config_item(list, i);
}

size_t check_targets_count(struct config_node *entry)
{
        struct config_node *list = config_member(entry, KEY);
        size_t count = config_scalar(list) ? 1 : config_is_list(list) ? config_size(list) : 0;
        return count < CHECK_TARGETS_MAX ? count : CHECK_TARGETS_MAX;
}

size_t check_targets_of_all(struct config_node *list)
{
        size_t count = 0;
        for (size_t i = 0; i < config_size(list); i++)
                count += check_targets_count(config_item(list, i));
        return count;
}

/* Whether the check looks at what the field says: it is given, or has a default (or all of it is a mistake).
 */
static bool field_is_used(struct config_node *mapping, const struct check_kind *kind)
{
        const struct config_field *field = kind->fields;
        while (field->name && strcmp(field->name, kind->target_key) != 0)
                field++;
        return field->fallback || config_member(mapping, kind->target_key) || !config_is_mapping(mapping);
}

bool check_targets_possible(struct config_node *entry, const struct check_kind *kind)
{
        struct config_node *list = config_member(entry, KEY);
        if (!list)
                return false;
        if (!kind->target_key) {
                config_complain(list, NULL, "checks of the kind %s cannot be pointed elsewhere", kind->name);
                return false;
        }
        if (!field_is_used(config_member(entry, kind->name), kind)) {
                config_complain(list, NULL, "only a check with %s can be pointed elsewhere",
                                kind->target_key);
                return false;
        }
        if (config_is_mapping(list)) {
                config_complain(list, NULL, "a list of other values of %s is needed here", kind->target_key);
                return false;
        }
        if (config_size(list) > CHECK_TARGETS_MAX)
                config_complain(list, NULL, "at most %d", CHECK_TARGETS_MAX);
        return true;
}

static bool stands_before(struct config_node *entry, const char *target, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (string_equal(config_scalar(find_target(entry, k)), target))
                        return true;
        return false;
}

int check_targets_entry(struct config_node *entry, const struct check_kind *kind, size_t i,
                        struct config_node **ret, char **ret_target)
{
        struct config_node *node = find_target(entry, i);
        const char *target = config_scalar(node);
        if (!target || !*target) {
                config_complain(node, NULL, "a value of %s is needed here", kind->target_key);
                return 0;
        }
        if (stands_before(entry, target, i)) {
                config_complain(node, NULL, "this target stands there already");
                return 0;
        }
        struct config_node *mapping = config_with(config_member(entry, kind->name), kind->target_key, node);
        struct config_node *pointed = mapping ? config_with(entry, kind->name, mapping) : NULL;
        pointed = pointed ? config_with(pointed, KEY, NULL) : NULL;
        char *copy = strdup(target);
        if (!pointed || !copy) {
                /* The kind's value is no mapping: that was complained about when the check itself was read.
                 */
                bool fine = copy && !config_is_mapping(config_member(entry, kind->name));
                free(copy);
                return fine ? 0 : -ENOMEM;
        }
        *ret = pointed;
        *ret_target = copy;
        return 0;
}

void check_target_put(struct text *text, const char *target)
{
        const char *rest = target ? target : "", *scheme = strstr(rest, "://");
        if (scheme) {
                text_append(text, rest, (size_t)(scheme - rest) + strlen("://"));
                rest = scheme + strlen("://");
        }
        /* Where a password holds what ends an authority, it is no URL any more: the last @ it is. */
        const char *at = strrchr(rest, '@');
        if (at) {
                text_puts(text, "…");
                rest = at;
        }
        text_append(text, rest, strcspn(rest, "?#"));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Structures that were read by a table: copied with the labels of an alert bound in, and released. */
#include <errno.h>

#include "lib/config/tree.h"

/* The memory of each type; an object's lies in its own fields. */
static const size_t sizes[] = {
        [CONFIG_STRING] = sizeof(char *),
        [CONFIG_BOOL] = sizeof(bool),
        [CONFIG_INT] = sizeof(int64_t),
        [CONFIG_NUMBER] = sizeof(double),
        [CONFIG_DURATION] = sizeof(nsec),
        [CONFIG_SIZE] = sizeof(int64_t),
        [CONFIG_ENUM] = sizeof(int),
        [CONFIG_SECRET] = sizeof(struct secret),
        [CONFIG_STRINGS] = sizeof(struct config_strings),
        [CONFIG_MAP] = sizeof(struct config_map),
        [CONFIG_OBJECT] = 0,
        [CONFIG_LIST] = sizeof(struct config_list),
        [CONFIG_NODE] = sizeof(struct config_node *),
};
tables_agree(sizes, CONFIG_TYPES);

void config_zero(const struct config_field *fields, void *target)
{
        for (const struct config_field *field = fields; field->name; field++) {
                char *at = (char *)target + field->offset;
                if (field->type == CONFIG_OBJECT)
                        config_zero(field->fields, at);
                else
                        memset(at, 0, sizes[field->type]);
        }
}

static void free_strings(char **strings, size_t count)
{
        for (size_t i = 0; i < count; i++)
                free(strings[i]);
        free(strings);
}

static void *list_item(const struct config_list *list, const struct config_field *field, size_t i)
{
        return (char *)list->items + i * field->size;
}

static void release_field(const struct config_field *field, void *at)
{
        if (field->type == CONFIG_STRING)
                free(*(char **)at);
        else if (field->type == CONFIG_SECRET)
                secret_release(at);
        else if (field->type == CONFIG_STRINGS) {
                const struct config_strings *strings = at;
                free_strings(strings->items, strings->count);
        } else if (field->type == CONFIG_MAP) {
                const struct config_map *map = at;
                free_strings(map->keys, map->count);
                free_strings(map->values, map->count);
        } else if (field->type == CONFIG_OBJECT)
                config_release(field->fields, at);
        else if (field->type == CONFIG_LIST) {
                const struct config_list *list = at;
                for (size_t i = 0; i < list->count; i++)
                        config_release(field->fields, list_item(list, field, i));
                free(list->items);
        }
}

void config_release(const struct config_field *fields, void *target)
{
        for (const struct config_field *field = fields; field->name; field++)
                release_field(field, (char *)target + field->offset);
        config_zero(fields, target);
}

/* NULL stays NULL. */
static int copy_string(const char *source, char **ret, struct error *error)
{
        if (!source)
                return 0;
        *ret = strdup(source);
        return *ret ? 0 : error_oom(error);
}

static int bind_string(const struct config_field *field, const char *source, const struct bindings *bindings,
                       char **ret, struct error *error)
{
        if (!source || !bindings || !config_binds(field))
                return copy_string(source, ret, error);
        return error_prefix(error, bind_text(source, bindings, config_escape(field), ret, error), "'%s'",
                            field->name);
}

static int bind_strings(const struct config_field *field, char *const *source, size_t count,
                        const struct bindings *bindings, char ***ret, size_t *ret_count, struct error *error)
{
        *ret = calloc(count + 1, sizeof(**ret));
        if (!*ret)
                return error_oom(error);
        for (size_t i = 0; i < count; i++) {
                int result = bind_string(field, source[i], bindings, &(*ret)[i], error);
                if (result < 0)
                        return result;
                *ret_count = i + 1;
        }
        return 0;
}

static int bind_map(const struct config_field *field, const struct config_map *source,
                    const struct bindings *bindings, struct config_map *ret, struct error *error)
{
        size_t copied = 0;
        struct config_field unbound = *field;
        unbound.flags = 0;
        int result =
                bind_strings(&unbound, source->keys, source->count, bindings, &ret->keys, &copied, error);
        if (result == 0)
                result = bind_strings(field, source->values, source->count, bindings, &ret->values,
                                      &ret->count, error);
        if (result < 0) {
                free_strings(ret->keys, copied);
                free_strings(ret->values, ret->count);
                *ret = (struct config_map){0};
        }
        return result;
}

static int bind_table(const struct config_field *fields, const void *source, const struct bindings *bindings,
                      void *ret, struct error *error);

static int bind_list(const struct config_field *field, const struct config_list *source,
                     const struct bindings *bindings, struct config_list *ret, struct error *error)
{
        ret->items = calloc(source->count + 1, field->size);
        if (!ret->items)
                return error_oom(error);
        for (size_t i = 0; i < source->count; i++) {
                ret->count = i + 1;
                int result = bind_table(field->fields, list_item(source, field, i), bindings,
                                        list_item(ret, field, i), error);
                if (result < 0)
                        return result;
        }
        return 0;
}

static int bind_field(const struct config_field *field, const void *from, const struct bindings *bindings,
                      void *to, struct error *error)
{
        const struct secret *secret = from;
        const struct config_strings *strings = from;
        struct config_strings *bound = to;
        switch (field->type) {
        case CONFIG_STRING: return bind_string(field, *(char *const *)from, bindings, to, error);
        case CONFIG_SECRET:
                if (copy_string(secret->file, &((struct secret *)to)->file, error) < 0)
                        return -ENOMEM;
                return copy_string(secret->variable, &((struct secret *)to)->variable, error);
        case CONFIG_STRINGS:
                return bind_strings(field, strings->items, strings->count, bindings, &bound->items,
                                    &bound->count, error);
        case CONFIG_MAP: return bind_map(field, from, bindings, to, error);
        case CONFIG_OBJECT: return bind_table(field->fields, from, bindings, to, error);
        case CONFIG_LIST: return bind_list(field, from, bindings, to, error);
        default: memcpy(to, from, sizes[field->type]); return 0;
        }
}

static int bind_table(const struct config_field *fields, const void *source, const struct bindings *bindings,
                      void *ret, struct error *error)
{
        for (const struct config_field *field = fields; field->name; field++) {
                int result = bind_field(field, (const char *)source + field->offset, bindings,
                                        (char *)ret + field->offset, error);
                if (result < 0)
                        return result;
        }
        return 0;
}

int config_bind(const struct config_field *fields, const void *source, const struct bindings *bindings,
                void *ret, struct error *error)
{
        config_zero(fields, ret);
        int result = bind_table(fields, source, bindings, ret, error);
        if (result < 0)
                config_release(fields, ret);
        return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings read into structures by tables of fields; reading goes on after each mistake. */
#include <ctype.h>
#include <errno.h>

#include "lib/config/tree.h"
#include "runbook/error.h"

static bool read_table(struct config_node *node, const struct config_field *fields, void *target,
                       const char *const *known, const char *name);

static void *at_offset(void *target, const struct config_field *field)
{
        return (char *)target + field->offset;
}

static bool oom(struct config_node *node)
{
        config_complain(node, NULL, "out of memory");
        return false;
}

static const char *kind_of(const struct config_node *node)
{
        return node->kind == NODE_MAPPING ? "a mapping" : node->kind == NODE_LIST ? "a list" : "one value";
}

/* The keys by which a table is read: two for a secret. */
struct keys {
        const char **words;
        size_t count;
        char **made; /* those of the words that were put together here */
        size_t made_count;
};

static bool add_keys(struct keys *keys, const struct config_field *fields, const char *const *more)
{
        size_t count = 0, secrets = 0, added = 0;
        for (; fields[count].name; count++)
                secrets += fields[count].type == CONFIG_SECRET;
        while (more && more[added])
                added++;

        keys->words = calloc(count + secrets + added + 1, sizeof(*keys->words));
        keys->made = calloc(secrets + 1, sizeof(*keys->made));
        if (!keys->words || !keys->made)
                return false;
        for (const struct config_field *field = fields; field->name; field++) {
                if (field->type == CONFIG_SECRET) {
                        char *made = text_format("%s_file", field->name);
                        if (!made)
                                return false;
                        keys->made[keys->made_count++] = made;
                        keys->words[keys->count++] = made;
                }
                keys->words[keys->count++] = field->name;
        }
        for (size_t i = 0; i < added; i++)
                keys->words[keys->count++] = more[i];
        return true;
}

static void release_keys(struct keys *keys)
{
        for (size_t i = 0; i < keys->made_count; i++)
                free(keys->made[i]);
        free(keys->made);
        free(keys->words);
        *keys = (struct keys){0};
}

static bool complain_about_unknown_keys(struct config_node *node, const struct keys *keys, const char *name)
{
        bool fine = true;
        for (size_t i = 0; i < node->count; i++) {
                const struct config_node *key = node->pairs[i].key;
                if (words_find(keys->words, keys->count, key->text) >= 0)
                        continue;
                fine = false;
                const char *nearest = words_nearest(keys->words, keys->count, key->text);
                if (strcmp(key->text, "<<") == 0) {
                        config_complain_at(node->config, key->line, key->column,
                                           "merge keys ('<<') are not part of YAML 1.2; write the keys out");
                        continue;
                }
                _cleanup_text_ struct text known = {0};
                if (nearest)
                        text_printf(&known, "did you mean '%s'?", nearest);
                else if (keys->count == 0)
                        text_puts(&known, "none is known here");
                else {
                        text_puts(&known, "known here: ");
                        words_put(&known, keys->words, keys->count, ", ");
                }
                config_complain_at(node->config, key->line, key->column, "unknown key '%s'%s%s%s; %s",
                                   config_shown(key->text).text, name ? " in '" : "", name ? name : "",
                                   name ? "'" : "", text_string(&known));
        }
        return fine;
}

/* A string that is taken as it is would show `${labels.x}` to the world instead of the label. */
static bool check_binding(struct config_node *node, const struct config_field *field)
{
        static const char *const scopes[] = {"${labels.", "${annotations.", "${alert.", "${incident."};
        tables_agree(scopes, BIND_SCOPES);
        _cleanup_error_ struct error error = {0};

        if (field->flags & CONFIG_PATH)
                return true;

        if (config_binds(field)) {
                if (bind_check(node->text, config_escape(field), &error) == 0)
                        return true;
                config_complain(node, NULL, "'%s': %s", field->name, error_text(&error));
                return false;
        }
        for (size_t i = 0; i < N_ELEMENTS(scopes); i++) {
                if (!strstr(node->text, scopes[i]))
                        continue;
                config_complain(node, NULL, "'%s' is taken as it stands: '%s…}' has no meaning in it",
                                field->name, scopes[i]);
                return false;
        }
        if (!strstr(node->text, SECRET_CREDENTIAL))
                return true;
        config_complain(node, NULL,
                        "'%s' is taken as it stands: a credential is for what takes the path of a file",
                        field->name);
        return false;
}

/* The path of a file, which a credential may stand for; NULL after a complaint. */
static char *read_path(struct config_node *node, const char *name)
{
        _cleanup_error_ struct error error = {0};
        char *path = NULL;
        int r = secret_locate(node->text, &path, &error);
        if (r == -ENOMEM)
                oom(node);
        else if (r < 0)
                config_complain(node, NULL, "'%s' %s", name, error_text(&error));
        return path;
}

static bool complain_about_kind(struct config_node *node, const struct config_field *field)
{
        if (config_is_null(node))
                config_complain(node, NULL, "'%s' has no value; it takes %s, or leave the key out",
                                field->name, config_type_takes(field->type));
        else if (node->kind == NODE_SCALAR)
                config_complain(node, NULL, "'%s' takes %s, not '%s'", field->name,
                                config_type_takes(field->type), config_shown(node->text).text);
        else
                config_complain(node, NULL, "'%s' takes %s, not %s", field->name,
                                config_type_takes(field->type), kind_of(node));
        return false;
}

static bool read_scalar(struct config_node *node, const struct config_field *field, void *at)
{
        _cleanup_error_ struct error error = {0};
        if (node->kind != NODE_SCALAR || config_is_null(node))
                return complain_about_kind(node, field);
        if (config_scalar_parse(field, node->text, node->plain, at, &error) < 0) {
                config_complain(node, NULL, "'%s' %s", field->name, error_text(&error));
                return false;
        }
        if (field->flags & CONFIG_PATH) {
                char *path = read_path(node, field->name);
                if (!path)
                        return false;
                free(*(char **)at);
                *(char **)at = path;
        }
        return field->type != CONFIG_STRING || check_binding(node, field);
}

/* One string of a list or a mapping; `what` says of which. */
static bool read_item(struct config_node *node, const struct config_field *field, const char *what,
                      char **ret)
{
        if (node->kind != NODE_SCALAR || config_is_null(node)) {
                config_complain(node, NULL, "%s '%s' must be a string, not %s", what, field->name,
                                node->kind == NODE_SCALAR ? "nothing" : kind_of(node));
                return false;
        }
        *ret = strdup(node->text);
        return *ret ? check_binding(node, field) : oom(node);
}

static bool complain_when_empty(struct config_node *node, const struct config_field *field)
{
        if (!(field->flags & CONFIG_NOT_EMPTY) || node->count > 0)
                return true;
        config_complain(node, NULL, "'%s' must not be empty", field->name);
        return false;
}

static bool read_strings(struct config_node *node, const struct config_field *field, void *at)
{
        struct config_strings *strings = at;
        bool one = node->kind == NODE_SCALAR, fine = true;
        size_t count = one ? 1 : node->count;
        if (node->kind == NODE_MAPPING || config_is_null(node))
                return complain_about_kind(node, field);
        if (!one && !complain_when_empty(node, field))
                return false;
        strings->items = calloc(count + 1, sizeof(*strings->items));
        if (!strings->items)
                return oom(node);
        for (size_t i = 0; i < count; i++) {
                struct config_node *item = one ? node : node->pairs[i].value;
                char *string = NULL;
                fine &= read_item(item, field, "an item of", &string);
                if (string && (field->flags & CONFIG_NOT_EMPTY) && !*string) {
                        config_complain(item, NULL, "an item of '%s' must not be empty", field->name);
                        fine = false;
                }
                if (string)
                        strings->items[strings->count++] = string;
        }
        return fine;
}

static bool read_map(struct config_node *node, const struct config_field *field, void *at)
{
        struct config_map *map = at;
        bool fine = true;
        if (node->kind != NODE_MAPPING)
                return complain_about_kind(node, field);
        if (!complain_when_empty(node, field))
                return false;
        map->keys = calloc(node->count + 1, sizeof(*map->keys));
        map->values = calloc(node->count + 1, sizeof(*map->values));
        if (!map->keys || !map->values)
                return oom(node);
        for (size_t i = 0; i < node->count; i++) {
                char *value = NULL;
                fine &= read_item(node->pairs[i].value, field, "a value of", &value);
                char *key = strdup(node->pairs[i].key->text);
                if (!key || !value) {
                        free(key);
                        free(value);
                        continue;
                }
                map->keys[map->count] = key;
                map->values[map->count++] = value;
        }
        return fine;
}

static bool read_object(struct config_node *node, const struct config_field *field, void *at)
{
        if (config_is_null(node)) {
                config_complain(node, NULL,
                                "'%s' has no value; write {} to take every default, or leave it out",
                                field->name);
                return false;
        }
        if (node->kind == NODE_MAPPING && !complain_when_empty(node, field))
                return false;
        return read_table(node, field->fields, at, NULL, field->name);
}

static bool read_list(struct config_node *node, const struct config_field *field, void *at)
{
        struct config_list *list = at;
        bool fine = true;
        if (node->kind == NODE_MAPPING) {
                config_complain(node, NULL, "'%s' takes a list of mappings; begin each with '- '",
                                field->name);
                return false;
        }
        if (node->kind != NODE_LIST)
                return complain_about_kind(node, field);
        if (!complain_when_empty(node, field))
                return false;
        list->items = calloc(node->count + 1, field->size);
        if (!list->items)
                return oom(node);
        for (size_t i = 0; i < node->count; i++) {
                void *item = (char *)list->items + i * field->size;
                list->count = i + 1;
                fine &= read_table(node->pairs[i].value, field->fields, item, NULL, field->name);
        }
        return fine;
}

static bool read_node(struct config_node *node, const struct config_field *field, void *at)
{
        *(struct config_node **)at = node;
        return node->kind == NODE_SCALAR || complain_when_empty(node, field);
}

static bool (*const readers[])(struct config_node *node, const struct config_field *field, void *at) = {
        [CONFIG_STRING] = read_scalar, [CONFIG_BOOL] = read_scalar,     [CONFIG_INT] = read_scalar,
        [CONFIG_NUMBER] = read_scalar, [CONFIG_DURATION] = read_scalar, [CONFIG_SIZE] = read_scalar,
        [CONFIG_ENUM] = read_scalar,   [CONFIG_STRINGS] = read_strings, [CONFIG_MAP] = read_map,
        [CONFIG_OBJECT] = read_object, [CONFIG_LIST] = read_list,       [CONFIG_NODE] = read_node,
};
tables_agree(readers, CONFIG_TYPES);

/* "${NAME}" to "NAME", or NULL when it is anything else. */
static char *variable_name(const char *text)
{
        size_t length = strlen(text);
        if (length < 4 || !string_starts(text, "${") || text[length - 1] != '}')
                return NULL;
        if (!isalpha((unsigned char)text[2]) && text[2] != '_')
                return NULL;
        for (size_t i = 2; i < length - 1; i++)
                if (!isalnum((unsigned char)text[i]) && text[i] != '_')
                        return NULL;
        return strndup(text + 2, length - 3);
}

/* A secret is never read from the file itself, nor shown in the complaint about it. */
static bool read_secret(struct config_node *node, const struct config_field *field, void *at)
{
        struct secret *secret = at;
        _cleanup_free_ char *file_key = text_format("%s_file", field->name);
        if (!file_key)
                return oom(node);
        struct config_node *file = config_member(node, file_key);
        struct config_node *value = config_member(node, field->name);

        if (file && value) {
                config_complain(value, NULL, "give '%s' or '%s', not both", file_key, field->name);
                return false;
        }
        if (!file && !value) {
                if (field->flags & CONFIG_REQUIRED)
                        config_complain(node, NULL,
                                        "'%s' is missing; give it the path of a file, or '%s: ${VARIABLE}'",
                                        file_key, field->name);
                return !(field->flags & CONFIG_REQUIRED);
        }
        if (file) {
                if (file->kind != NODE_SCALAR || !*file->text || config_is_null(file)) {
                        config_complain(file, NULL, "'%s' takes the path of a file", file_key);
                        return false;
                }
                secret->file = read_path(file, file_key);
                return secret->file;
        }
        if (value->kind == NODE_SCALAR && string_starts(value->text, SECRET_CREDENTIAL)) {
                secret->file = read_path(value, field->name);
                return secret->file;
        }
        secret->variable = value->kind == NODE_SCALAR ? variable_name(value->text) : NULL;
        if (secret->variable)
                return true;
        config_complain(value, NULL,
                        "a secret does not belong into this file; "
                        "write '%s: <path>', '%s: ${VARIABLE}' to take it from the environment, or "
                        "'%s: ${credential:NAME}' for one that systemd hands over",
                        file_key, field->name, field->name);
        return false;
}

static bool has_required(const struct config_field *fields)
{
        for (const struct config_field *field = fields; field->name; field++)
                if (field->flags & CONFIG_REQUIRED)
                        return true;
        return false;
}

/* The defaults of a table are written like YAML, and read like it. */
static bool read_fallback(struct config_node *node, const struct config_field *field, void *at)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_config_ struct config *config = NULL;
        if (config_type_is_scalar(field->type)) {
                if (config_scalar_parse(field, field->fallback, true, at, &error) == 0)
                        return true;
                config_complain(node, NULL, "the default of '%s' %s", field->name, error_text(&error));
                return false;
        }
        if (config_parse("default", field->fallback, &config, &error) < 0)
                return oom(node);
        if (config->root && readers[field->type] && field->type != CONFIG_NODE &&
            readers[field->type](config->root, field, at))
                return true;
        config_complain(node, NULL, "the default of '%s' is wrong: %s", field->name,
                        config_complaints_text(config));
        return false;
}

/*
 * Defaults of what was not given in `node` (NULL: of everything). An object takes its own, unless something
 * in it would have to be given. `place` is where a wrong default is complained about.
 */
static bool read_absent(struct config_node *node, const struct config_field *fields, void *target,
                        struct config_node *place)
{
        bool fine = true;
        for (const struct config_field *field = fields; field->name; field++) {
                void *at = at_offset(target, field);
                if (field->type == CONFIG_SECRET || config_member(node, field->name))
                        continue;
                if (field->fallback)
                        fine &= read_fallback(place, field, at);
                else if (field->type == CONFIG_OBJECT && !has_required(field->fields))
                        fine &= read_absent(NULL, field->fields, at, place);
        }
        return fine;
}

static bool complain_about_missing(struct config_node *node, const struct config_field *fields)
{
        bool fine = true;
        for (const struct config_field *field = fields; field->name; field++) {
                if (!(field->flags & CONFIG_REQUIRED) || field->type == CONFIG_SECRET ||
                    config_member(node, field->name))
                        continue;
                config_complain(node, NULL, "'%s' is missing: %s", field->name,
                                field->help ? field->help : config_type_takes(field->type));
                fine = false;
        }
        return fine;
}

static bool read_table(struct config_node *node, const struct config_field *fields, void *target,
                       const char *const *known, const char *name)
{
        _cleanup_(release_keys) struct keys keys = {0};
        if (!add_keys(&keys, fields, known))
                return oom(node);
        bool fine = read_absent(node, fields, target, node);
        if (!node)
                return false;
        if (node->kind != NODE_MAPPING) {
                _cleanup_text_ struct text words = {0};
                words_put(&words, keys.words, keys.count, ", ");
                config_complain(node, NULL, "%s%s%s must be a mapping with the keys %s", name ? "'" : "this",
                                name ? name : "", name ? "'" : "", text_string(&words));
                return false;
        }
        fine &= !node->repeated;
        fine &= complain_about_unknown_keys(node, &keys, name);
        fine &= complain_about_missing(node, fields);
        for (const struct config_field *field = fields; field->name; field++) {
                void *at = at_offset(target, field);
                struct config_node *value = config_member(node, field->name);
                if (field->type == CONFIG_SECRET)
                        fine &= read_secret(node, field, at);
                else if (value)
                        fine &= readers[field->type](value, field, at);
        }
        return fine;
}

bool config_read(struct config_node *node, const struct config_field *fields, void *target)
{
        return config_read_some(node, fields, target, NULL);
}

bool config_read_some(struct config_node *node, const struct config_field *fields, void *target,
                      const char *const *known)
{
        config_zero(fields, target);
        return read_table(node, fields, target, known, NULL);
}

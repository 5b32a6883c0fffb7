/* SPDX-License-Identifier: Apache-2.0 */
/* Structures that were read by a table, written as JSON and read back: what they hold, not where it stood. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/config/tree.h"

/* Beyond this a JSON number is no longer the number that was meant: then it is written as a string. */
#define EXACT (INT64_C(1) << 53)

static cJSON *write_int(int64_t value)
{
        char text[24];
        if (value >= -EXACT && value <= EXACT)
                return cJSON_CreateNumber((double)value);
        snprintf(text, sizeof(text), "%" PRId64, value);
        return cJSON_CreateString(text);
}

/* As a person would have it, where that is exact. */
static cJSON *write_duration(nsec duration)
{
        char text[DURATION_TEXT_MAX];
        nsec read = 0;
        duration_format(duration, text);
        if (duration_parse(text, &read, NULL) < 0 || read != duration)
                snprintf(text, sizeof(text), "%" PRId64 "ms", duration / NSEC_PER_MSEC);
        return cJSON_CreateString(text);
}

static cJSON *write_strings(const struct config_strings *strings)
{
        cJSON *array = cJSON_CreateArray();
        for (size_t i = 0; array && i < strings->count; i++)
                if (json_append(array, cJSON_CreateString(strings->items[i])) < 0) {
                        cJSON_Delete(array);
                        return NULL;
                }
        return array;
}

static cJSON *write_map(const struct config_map *map)
{
        cJSON *object = cJSON_CreateObject();
        for (size_t i = 0; object && i < map->count; i++)
                if (json_put(object, map->keys[i], cJSON_CreateString(map->values[i])) < 0) {
                        cJSON_Delete(object);
                        return NULL;
                }
        return object;
}

/* Where it is kept. */
static cJSON *write_secret(const struct secret *secret)
{
        cJSON *object = cJSON_CreateObject();
        if (object && (json_put(object, "file", json_text(secret->file)) < 0 ||
                       json_put(object, "variable", json_text(secret->variable)) < 0)) {
                cJSON_Delete(object);
                return NULL;
        }
        return object;
}

static cJSON *write_list(const struct config_field *field, const struct config_list *list)
{
        cJSON *array = cJSON_CreateArray();
        for (size_t i = 0; array && i < list->count; i++)
                if (json_append(array, config_to_json(field->fields,
                                                      (const char *)list->items + i * field->size)) < 0) {
                        cJSON_Delete(array);
                        return NULL;
                }
        return array;
}

static cJSON *write_field(const struct config_field *field, const void *at)
{
        switch (field->type) {
        case CONFIG_STRING: return json_text(*(char *const *)at);
        case CONFIG_BOOL: return cJSON_CreateBool(*(const bool *)at);
        case CONFIG_INT:
        case CONFIG_SIZE: return write_int(*(const int64_t *)at);
        case CONFIG_NUMBER: return cJSON_CreateNumber(*(const double *)at);
        case CONFIG_DURATION: return write_duration(*(const nsec *)at);
        case CONFIG_ENUM: return cJSON_CreateString(field->choices[*(const int *)at]);
        case CONFIG_SECRET: return write_secret(at);
        case CONFIG_STRINGS: return write_strings(at);
        case CONFIG_MAP: return write_map(at);
        case CONFIG_OBJECT: return config_to_json(field->fields, at);
        case CONFIG_LIST: return write_list(field, at);
        default: return cJSON_CreateNull(); /* a node is its document's */
        }
}

cJSON *config_to_json(const struct config_field *fields, const void *source)
{
        cJSON *object = cJSON_CreateObject();
        for (const struct config_field *field = fields; object && field->name; field++)
                if (json_put(object, field->name, write_field(field, (const char *)source + field->offset)) <
                    0) {
                        cJSON_Delete(object);
                        return NULL;
                }
        return object;
}

static int refuse(const struct config_field *field, struct error *error)
{
        return error_set(error, EBADMSG, "'%s' is not %s", field->name, config_type_takes(field->type));
}

static int copy_text(const cJSON *json, char **ret, struct error *error)
{
        if (!cJSON_IsString(json))
                return 0;
        *ret = strdup(json->valuestring);
        return *ret ? 0 : error_oom(error);
}

static int load_int(const struct config_field *field, const cJSON *json, int64_t *ret, struct error *error)
{
        if (cJSON_IsNumber(json) && json->valuedouble >= (double)-EXACT &&
            json->valuedouble <= (double)EXACT) {
                *ret = (int64_t)json->valuedouble;
                return 0;
        }
        const struct config_field whole = {.name = field->name, .type = CONFIG_INT};
        return cJSON_IsString(json) ? config_scalar_parse(&whole, json->valuestring, true, ret, error)
                                    : refuse(field, error);
}

/* Words, as they stand in a file; none of what a file may not hold is asked of them. */
static int load_word(const struct config_field *field, const cJSON *json, void *at, struct error *error)
{
        const struct config_field word = {
                .name = field->name, .type = field->type, .choices = field->choices};
        return cJSON_IsString(json) ? config_scalar_parse(&word, json->valuestring, true, at, error)
                                    : refuse(field, error);
}

static int load_strings(const struct config_field *field, const cJSON *json, struct config_strings *ret,
                        struct error *error)
{
        if (!cJSON_IsArray(json))
                return refuse(field, error);
        ret->items = calloc((size_t)cJSON_GetArraySize(json) + 1, sizeof(*ret->items));
        if (!ret->items)
                return error_oom(error);
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, json)
        {
                if (!cJSON_IsString(item))
                        return refuse(field, error);
                int r = copy_text(item, &ret->items[ret->count], error);
                if (r < 0)
                        return r;
                ret->count++;
        }
        return 0;
}

static int load_map(const struct config_field *field, const cJSON *json, struct config_map *ret,
                    struct error *error)
{
        if (!cJSON_IsObject(json))
                return refuse(field, error);
        size_t count = (size_t)cJSON_GetArraySize(json);
        ret->keys = calloc(count + 1, sizeof(*ret->keys));
        ret->values = calloc(count + 1, sizeof(*ret->values));
        if (!ret->keys || !ret->values)
                return error_oom(error);
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, json)
        {
                char *key = strdup(item->string), *value = NULL;
                int r = key ? copy_text(item, &value, error) : error_oom(error);
                if (r < 0 || !value) {
                        free(key);
                        return r < 0 ? r : refuse(field, error);
                }
                ret->keys[ret->count] = key;
                ret->values[ret->count++] = value;
        }
        return 0;
}

static int load_list(const struct config_field *field, const cJSON *json, struct config_list *ret,
                     struct error *error)
{
        if (!cJSON_IsArray(json))
                return refuse(field, error);
        ret->items = calloc((size_t)cJSON_GetArraySize(json) + 1, field->size);
        if (!ret->items)
                return error_oom(error);
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, json)
        {
                int r = config_from_json(field->fields, item, (char *)ret->items + ret->count * field->size,
                                         error);
                if (r < 0)
                        return r;
                ret->count++;
        }
        return 0;
}

static int load_field(const struct config_field *field, const cJSON *json, void *at, struct error *error)
{
        struct secret *secret = at;
        int r;
        switch (field->type) {
        case CONFIG_STRING:
                if (!cJSON_IsString(json) && !cJSON_IsNull(json))
                        return refuse(field, error);
                return copy_text(json, at, error);
        case CONFIG_BOOL:
                if (!cJSON_IsBool(json))
                        return refuse(field, error);
                *(bool *)at = cJSON_IsTrue(json);
                return 0;
        case CONFIG_INT:
        case CONFIG_SIZE: return load_int(field, json, at, error);
        case CONFIG_NUMBER:
                if (!cJSON_IsNumber(json))
                        return refuse(field, error);
                *(double *)at = json->valuedouble;
                return 0;
        case CONFIG_DURATION:
        case CONFIG_ENUM: return load_word(field, json, at, error);
        case CONFIG_SECRET:
                r = copy_text(json_get(json, "file", NULL), &secret->file, error);
                return r < 0 ? r : copy_text(json_get(json, "variable", NULL), &secret->variable, error);
        case CONFIG_STRINGS: return load_strings(field, json, at, error);
        case CONFIG_MAP: return load_map(field, json, at, error);
        case CONFIG_OBJECT: return config_from_json(field->fields, json, at, error);
        case CONFIG_LIST: return load_list(field, json, at, error);
        default: return 0;
        }
}

int config_from_json(const struct config_field *fields, const cJSON *json, void *target, struct error *error)
{
        int r = cJSON_IsObject(json) ? 0 : error_set(error, EBADMSG, "it is no object");
        config_zero(fields, target);
        for (const struct config_field *field = fields; r >= 0 && field->name; field++) {
                void *at = (char *)target + field->offset;
                const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, field->name);
                if (member)
                        r = load_field(field, member, at, error);
                else if (field->fallback && config_type_is_scalar(field->type))
                        r = config_scalar_parse(field, field->fallback, true, at, error);
        }
        if (r < 0)
                config_release(fields, target);
        return r;
}

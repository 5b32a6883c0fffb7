/* SPDX-License-Identifier: Apache-2.0 */
/* cJSON with look-ups that never fail half-way. */
#include "runbook/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "runbook/mask.h"

/* Digits of the number of an item; a name with more of them is none. */
#define INDEX_DIGITS 6

const cJSON *json_get(const cJSON *json, ...)
{
        va_list args;
        va_start(args, json);
        for (const char *key; json && (key = va_arg(args, const char *));)
                json = cJSON_IsObject(json) ? cJSON_GetObjectItemCaseSensitive(json, key) : NULL;
        va_end(args);
        return json;
}

/* Of an array only by a number: "status" is not its first item. */
static const cJSON *item_of(const cJSON *array, const char *name)
{
        size_t digits = strspn(name, "0123456789");
        return digits > 0 && digits <= INDEX_DIGITS && !name[digits] ? cJSON_GetArrayItem(array, atoi(name))
                                                                     : NULL;
}

size_t json_name_length(const char *path)
{
        size_t length = 0;
        while (path[length] && path[length] != '.')
                length += path[length] == '\\' && path[length + 1] ? 2 : 1;
        return length;
}

/* Cuts the first name off a path, whose escapes are undone in place. NULL behind the last one. */
static const char *next_name(char **rest)
{
        char *name = *rest, *to = name;
        if (!name)
                return NULL;
        char *end = name + json_name_length(name);
        *rest = *end ? end + 1 : NULL;
        for (const char *at = name; at < end; at++) {
                at += *at == '\\' && at + 1 < end;
                *to++ = *at;
        }
        *to = '\0';
        return name;
}

const cJSON *json_find(const cJSON *json, const char *path)
{
        if (!*path || strcmp(path, ".") == 0)
                return json;
        _cleanup_free_ char *copy = strdup(path);
        char *rest = copy;
        for (const char *name; json && (name = next_name(&rest));)
                json = cJSON_IsArray(json) ? item_of(json, name)
                                           : cJSON_GetObjectItemCaseSensitive(json, name);
        return copy ? json : NULL;
}

void json_put_scalar(struct text *text, const cJSON *value)
{
        if (cJSON_IsString(value))
                text_puts(text, value->valuestring);
        else if (cJSON_IsNumber(value))
                text_put_double(text, value->valuedouble);
        else
                text_puts(text, cJSON_IsTrue(value)    ? "true"
                                : cJSON_IsFalse(value) ? "false"
                                : cJSON_IsNull(value)  ? "null"
                                                       : "a structure");
}

const char *json_string(const cJSON *json, const char *key)
{
        const cJSON *item = json_get(json, key, NULL);
        return cJSON_IsString(item) ? item->valuestring : NULL;
}

double json_number(const cJSON *json, const char *key, double fallback)
{
        const cJSON *item = json_get(json, key, NULL);
        return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool json_bool(const cJSON *json, const char *key, bool fallback)
{
        const cJSON *item = json_get(json, key, NULL);
        return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

char *json_print(const cJSON *json)
{
        return cJSON_PrintUnformatted(json);
}

void json_mask(cJSON *json)
{
        if (cJSON_IsString(json))
                mask_string(json->valuestring, MASK_LABEL);
        for (cJSON *item = json ? json->child : NULL; item; item = item->next)
                json_mask(item);
}

int json_put(cJSON *object, const char *key, cJSON *item)
{
        if (!object || !item) {
                cJSON_Delete(item);
                return -ENOMEM;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(object, key);
        if (!cJSON_AddItemToObject(object, key, item)) {
                cJSON_Delete(item);
                return -ENOMEM;
        }
        return 0;
}

cJSON *json_text(const char *string)
{
        return string ? cJSON_CreateString(string) : cJSON_CreateNull();
}

cJSON *json_copy(const cJSON *item)
{
        return item ? cJSON_Duplicate(item, true) : cJSON_CreateNull();
}

int json_append(cJSON *array, cJSON *item)
{
        if (array && item && cJSON_AddItemToArray(array, item))
                return 0;
        cJSON_Delete(item);
        return -ENOMEM;
}

int json_digest(const cJSON *json, char ret[static DIGEST_TEXT_MAX], struct error *error)
{
        unsigned char sum[DIGEST_SIZE];
        _cleanup_free_ char *text = json ? json_print(json) : NULL;
        if (!text)
                return error_oom(error);
        if (digest_of(text, strlen(text), sum) < 0)
                return error_set(error, EIO, "cannot compute a digest");
        digest_text(sum, ret);
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cJSON with errors that have a position, and look-ups that never fail half-way. */
#include "runbook/json.h"

#include <errno.h>
#include <stdarg.h>

#include "runbook/text.h"

int json_parse(const char *data, size_t length, cJSON **ret, struct error *error)
{
        const char *end = NULL;
        cJSON *json = cJSON_ParseWithLengthOpts(data, length, &end, false);
        /* What follows the document may only be white space (and the NUL that a C string ends with). */
        if (json && end) {
                const char *rest = end;
                while (rest < data + length && strchr(" \t\r\n", *rest) && *rest)
                        rest++;
                if (rest < data + length && *rest) {
                        cJSON_Delete(json);
                        json = NULL;
                        end = rest;
                }
        }
        if (!json) {
                size_t line = 1, column = 1;
                for (const char *c = data; end && c < end && c < data + length; c++) {
                        line += *c == '\n';
                        column = *c == '\n' ? 1 : column + 1;
                }
                return error_set(error, EBADMSG, "not valid JSON at line %zu, column %zu", line, column);
        }
        *ret = json;
        return 0;
}

const cJSON *json_get(const cJSON *json, ...)
{
        va_list args;
        va_start(args, json);
        for (const char *key; json && (key = va_arg(args, const char *));)
                json = cJSON_IsObject(json) ? cJSON_GetObjectItemCaseSensitive(json, key) : NULL;
        va_end(args);
        return json;
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what INFO answered, as it lies there. */
#include <math.h>
#include <string.h>

#include "runbook/redis.h"

const char *redis_info_value(const char *info, const char *field)
{
        size_t length = strlen(field);
        if (!info || length == 0)
                return NULL;
        for (const char *line = info; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
                if (strncmp(line, field, length) == 0 && line[length] == ':')
                        return line + length + 1;
        return NULL;
}

bool redis_value_number(const char *value, double *ret)
{
        size_t width = strcspn(value, ",\r\n");
        /* strtod() would also take white space, "inf", "nan" and hexadecimal. */
        if (width == 0 || strspn(value, "+-.0123456789eE") != width)
                return false;
        char *end = NULL;
        double number = strtod(value, &end);
        if (end != value + width || !isfinite(number))
                return false;
        *ret = number;
        return true;
}

bool redis_value_is(const char *value, const char *word)
{
        size_t width = strcspn(value, ",\r\n");
        return strlen(word) == width && memcmp(value, word, width) == 0;
}

bool redis_info_number(const char *info, const char *field, double *ret)
{
        const char *value = redis_info_value(info, field);
        return value && redis_value_number(value, ret);
}

const char *redis_value_part(const char *value, const char *name)
{
        size_t length = strlen(name);
        for (;;) {
                if (strncmp(value, name, length) == 0 && value[length] == '=')
                        return value + length + 1;
                value += strcspn(value, ",\r\n");
                if (*value != ',')
                        return NULL;
                value++;
        }
}

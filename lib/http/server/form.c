/* SPDX-License-Identifier: Apache-2.0 */
/* A form that a browser has sent: application/x-www-form-urlencoded. */
#include "lib/http/server/internal.h"

char *http_form_value(const struct http_exchange *exchange, const char *name)
{
        const struct text *body = &exchange->body;
        if (body->length == 0 || memchr(body->data, '\0', body->length))
                return NULL;
        const char *at = body->data, *end = at + body->length;
        while (at < end) {
                const char *next = memchr(at, '&', (size_t)(end - at));
                const char *stop = next ? next : end, *equals = memchr(at, '=', (size_t)(stop - at));
                char *pair = malloc((size_t)(stop - at) + 2), *value;
                if (!pair)
                        return NULL;
                value = http_percent_decode(pair, at, equals ? equals : stop, true);
                http_percent_decode(value, equals ? equals + 1 : stop, stop, true);
                if (strcmp(pair, name) == 0) {
                        memmove(pair, value, strlen(value) + 1);
                        return pair;
                }
                free(pair);
                at = stop + (next != NULL);
        }
        return NULL;
}

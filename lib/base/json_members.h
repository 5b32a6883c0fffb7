/* SPDX-License-Identifier: Apache-2.0 */
/* A document cut down to what is wanted of it, before it takes memory. For json_strict.c alone. */
#ifndef LIB_BASE_JSON_MEMBERS_H
#define LIB_BASE_JSON_MEMBERS_H

#include <stddef.h>

#include "runbook/text.h"

#define JSON_EACH_BYTE(x) (UINT64_C(0x0101010101010101) * (x))

/*
 * Over characters of a string that stand for themselves, eight at once: stops no later than at a control
 * character, a quote, a backslash, a byte beyond ASCII, or eight bytes before `end`. Byte by byte this was a
 * twentieth of all instructions of a scrape.
 */
static inline const char *json_skip_plain(const char *at, const char *end)
{
        for (uint64_t bytes; end - at >= (ptrdiff_t)sizeof(bytes); at += sizeof(bytes)) {
                memcpy(&bytes, at, sizeof(bytes));
                /* What borrows from the byte above it is found itself. */
                const uint64_t quotes = bytes ^ JSON_EACH_BYTE('"'), escapes = bytes ^ JSON_EACH_BYTE('\\');
                if (((bytes - JSON_EACH_BYTE(0x20)) | (quotes - JSON_EACH_BYTE(1)) |
                     (escapes - JSON_EACH_BYTE(1)) | bytes) &
                    JSON_EACH_BYTE(0x80))
                        break;
        }
        return at;
}

/* Of `data`, which is JSON to the letter, the members at `paths` (see json_parse_members()) into `kept`, as
 * a document of their own. What is no object goes there as it is. Failure is sticky in `kept`. */
void json_keep_members(const char *data, size_t length, const char *const paths[], struct text *kept);

#endif

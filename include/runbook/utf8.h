/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes are well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates. */
#ifndef RUNBOOK_UTF8_H
#define RUNBOOK_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* The length of the character at the front of a NUL-terminated string, 1 to 4; 0 when it is not well-formed.
 */
size_t utf8_length(const char *string);

/* Whether all of it is. */
bool utf8_valid(const char *string);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a sticky error: append without looking, ask once at the end.
 *
 * `data` is always NUL-terminated once anything was appended. After an allocation fails every later append
 * does nothing and text_error() says -ENOMEM. Not thread-safe; start with `struct text t = {0};`.
 */
#ifndef RUNBOOK_TEXT_H
#define RUNBOOK_TEXT_H

#include <stdarg.h>
#include <string.h>

#include "runbook/common.h"

struct text {
        char *data;
        size_t length, capacity;
        int error; /* 0, or the negative errno of the first failure */
};

#define _cleanup_text_ _cleanup_(text_free)
#define _cleanup_secret_ _cleanup_(text_wipe)

/* Makes room for `extra` more bytes; true when they are there. */
bool text_reserve(struct text *text, size_t extra);

void text_append(struct text *text, const void *data, size_t length);
void text_puts(struct text *text, const char *string);
void text_putc(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) _printf_(2, 3);
void text_vprintf(struct text *text, const char *format, va_list args) _printf_(2, 0);
void text_put_u64(struct text *text, uint64_t value);

/* The shortest decimal that reads back as the same double; integers without a point; NaN, +Inf, -Inf. */
void text_put_double(struct text *text, double value);

/* `string` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD, and what text_put_line() keeps
 * from a terminal is escaped. NULL becomes null. */
void text_put_json(struct text *text, const char *string);

/* `string` percent-encoded, as for the query of a URL. */
void text_put_escaped(struct text *text, const char *string);

/* `string` as part of a line that is shown on a terminal, whoever said it: with blanks for control
 * characters and marks of direction, so that nobody else moves the cursor or turns the line around, U+FFFD
 * for what is no UTF-8, and "…" for all beyond `limit` bytes. */
void text_put_line(struct text *text, const char *string, size_t limit);

/* The same for all that a command has to say: ends of lines and tabs stay. */
void text_put_lines(struct text *text, const char *string);

/* The content as a C string, "" when empty. Valid until the next append. */
const char *text_string(const struct text *text);

int text_error(const struct text *text);

/* Hands the buffer to the caller (free() it), or NULL after a failure; the text is empty afterwards. */
char *text_take(struct text *text);

/* Empties it and keeps the memory. */
void text_clear(struct text *text);
void text_free(struct text *text);

/* Overwrites and frees: what held a secret. */
void text_wipe(struct text *text);

/* Formats into a fresh string the caller frees; NULL when out of memory. */
char *text_format(const char *format, ...) _printf_(1, 2);

static inline bool string_equal(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool string_starts(const char *string, const char *prefix)
{
        return strncmp(string, prefix, strlen(prefix)) == 0;
}

static inline bool string_ends(const char *string, const char *end)
{
        size_t length = strlen(string), end_length = strlen(end);
        return length >= end_length && strcmp(string + length - end_length, end) == 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The growing byte buffer with a sticky error. */
#include "runbook/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "runbook/shortest.h"
#include "runbook/utf8.h"

enum { SMALLEST_CAPACITY = 64 };

bool text_reserve(struct text *text, size_t extra)
{
        if (text->error < 0)
                return false;
        if (text->data && extra < text->capacity - text->length)
                return true;

        size_t wanted, capacity = text->capacity ? text->capacity : SMALLEST_CAPACITY;
        if (__builtin_add_overflow(text->length, extra, &wanted) || wanted >= SIZE_MAX / 2)
                goto fail;
        while (capacity <= wanted)
                capacity *= 2;

        char *data = realloc(text->data, capacity);
        if (!data)
                goto fail;
        text->data = data;
        text->capacity = capacity;
        return true;
fail:
        text->error = -ENOMEM;
        return false;
}

void text_append(struct text *text, const void *data, size_t length)
{
        if (!text_reserve(text, length))
                return;
        if (length > 0)
                memcpy(text->data + text->length, data, length);
        text->length += length;
        text->data[text->length] = '\0';
}

void text_puts(struct text *text, const char *string)
{
        text_append(text, string, strlen(string));
}

void text_putc(struct text *text, char c)
{
        text_append(text, &c, 1);
}

void text_vprintf(struct text *text, const char *format, va_list args)
{
        va_list again;
        va_copy(again, args);
        int length = vsnprintf(NULL, 0, format, args);
        if (length < 0)
                text->error = -EINVAL;
        else if (text_reserve(text, (size_t)length)) {
                vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
                text->length += (size_t)length;
        }
        va_end(again);
}

void text_printf(struct text *text, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        text_vprintf(text, format, args);
        va_end(args);
}

void text_put_u64(struct text *text, uint64_t value)
{
        char digits[20];
        size_t at = sizeof(digits);
        do {
                digits[--at] = (char)('0' + value % 10);
                value /= 10;
        } while (value > 0);
        text_append(text, digits + at, sizeof(digits) - at);
}

void text_put_double(struct text *text, double value)
{
        if (isnan(value))
                text_append(text, "NaN", 3);
        else if (isinf(value))
                text_append(text, value > 0 ? "+Inf" : "-Inf", 4);
        else if (text_reserve(text, SHORTEST_SIZE)) {
                text->length += shortest_write(value, text->data + text->length);
                text->data[text->length] = '\0';
        }
}

/* The one place that says what a terminal is not given from strangers. */
static const struct {
        uint32_t first, last;
} unshown[] = {
        {0x01, 0x1f},     /* C0, which terminals take for commands */
        {0x7f, 0x9f},     /* DEL and C1, which they do as well */
        {0x061c, 0x061c}, /* the mark of an Arabic letter; like those below it turns others' text around */
        {0x200e, 0x200f}, /* left-to-right, right-to-left mark */
        {0x2028, 0x202e}, /* ends of lines and paragraphs; embeddings and overrides */
        {0x2066, 0x2069}, /* isolates */
};

/* Of one well-formed character of `length` bytes. */
static uint32_t code_point(const char *character, size_t length)
{
        static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        uint32_t code = (unsigned char)character[0] & first_bits[length];
        for (size_t i = 1; i < length; i++)
                code = code << 6 | ((unsigned char)character[i] & 0x3f);
        return code;
}

static bool is_unshown(uint32_t code)
{
        for (size_t i = 0; i < N_ELEMENTS(unshown); i++)
                if (code >= unshown[i].first && code <= unshown[i].last)
                        return true;
        return false;
}

void text_put_json(struct text *text, const char *string)
{
        if (!string) {
                text_puts(text, "null");
                return;
        }
        text_putc(text, '"');
        while (*string) {
                unsigned char c = (unsigned char)*string;
                size_t length = utf8_length(string);
                if (length == 0) {
                        text_puts(text, UTF8_REPLACEMENT);
                        string++;
                        continue;
                }
                switch (c) {
                case '"': text_puts(text, "\\\""); break;
                case '\\': text_puts(text, "\\\\"); break;
                case '\n': text_puts(text, "\\n"); break;
                case '\r': text_puts(text, "\\r"); break;
                case '\t': text_puts(text, "\\t"); break;
                default:
                        if ((c < 0x20 || c >= 0x7f) && is_unshown(code_point(string, length)))
                                text_printf(text, "\\u%04" PRIx32, code_point(string, length));
                        else
                                text_append(text, string, length);
                }
                string += length;
        }
        text_putc(text, '"');
}

/* As RFC 3986 calls it. */
static bool is_unreserved(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '.' || c == '_' || c == '~';
}

/* UTF-8 is encoded byte by byte. */
void text_put_escaped(struct text *text, const char *value)
{
        static const char digits[] = "0123456789ABCDEF";
        for (const char *at = value; *at; at++) {
                const unsigned char c = (unsigned char)*at;
                if (is_unreserved(*at))
                        text_putc(text, *at);
                else
                        text_append(text, (const char[]){'%', digits[c >> 4], digits[c & 0xf]}, 3);
        }
}

static void put_shown(struct text *text, const char *string, size_t limit, const char *kept)
{
        size_t put = 0;
        for (const char *at = string; *at;) {
                size_t length = utf8_length(at);
                if (length > limit - put) {
                        text_puts(text, "…");
                        return;
                }
                if (length == 0)
                        text_puts(text, UTF8_REPLACEMENT);
                else if (is_unshown(code_point(at, length)) && !strchr(kept, *at))
                        text_putc(text, ' ');
                else
                        text_append(text, at, length);
                put += length > 0 ? length : 1;
                at += length > 0 ? length : 1;
        }
}

void text_put_line(struct text *text, const char *string, size_t limit)
{
        put_shown(text, string, limit, "");
}

void text_put_lines(struct text *text, const char *string)
{
        put_shown(text, string, SIZE_MAX, "\n\t");
}

const char *text_string(const struct text *text)
{
        return text->length > 0 ? text->data : "";
}

int text_error(const struct text *text)
{
        return text->error;
}

char *text_take(struct text *text)
{
        if (text->error == 0 && !text->data)
                text_append(text, "", 0);
        char *data = text->error == 0 ? TAKE_PTR(text->data) : NULL;
        text_free(text);
        return data;
}

void text_clear(struct text *text)
{
        text->length = 0;
        text->error = 0;
        if (text->data)
                text->data[0] = '\0';
}

void text_free(struct text *text)
{
        free(text->data);
        *text = (struct text){0};
}

void text_wipe(struct text *text)
{
        if (text->data)
                explicit_bzero(text->data, text->capacity);
        text_free(text);
}

char *text_format(const char *format, ...)
{
        struct text text = {0};
        va_list args;
        va_start(args, format);
        text_vprintf(&text, format, args);
        va_end(args);
        return text_take(&text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus' text format, read line by line. */
#include "runbook/exposition.h"

#include <errno.h>

#define LABEL_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

size_t label_name_length(const char *at)
{
        return strspn(at, LABEL_CHARACTERS);
}

size_t metric_name_length(const char *at)
{
        return strspn(at, LABEL_CHARACTERS ":");
}

const char *quoted_read(const char *at, const char *end, enum quoted_escape other, struct text *value)
{
        if (at >= end || *at++ != '"')
                return NULL;
        for (; at < end && *at; at++) {
                if (*at == '"')
                        return at + 1;
                if (*at != '\\') {
                        text_putc(value, *at);
                        continue;
                }
                if (++at >= end || !*at)
                        return NULL;
                bool known = *at == 'n' || *at == '"' || *at == '\\';
                if (!known && other == ESCAPE_REFUSED)
                        return NULL;
                if (!known && other == ESCAPE_KEPT)
                        text_putc(value, '\\');
                text_putc(value, *at == 'n' ? '\n' : *at);
        }
        return NULL;
}

void exposition_init(struct exposition *page, const char *data, size_t length)
{
        *page = (struct exposition){.at = data, .end = data + length};
}

void exposition_release(struct exposition *page)
{
        text_free(&page->text);
}

static const char *skip_blanks(const char *at)
{
        return at + strspn(at, " \t");
}

/* Appends a name with its NUL; NULL when none comes. */
static const char *read_name(const char *at, size_t length, struct text *text)
{
        text_append(text, at, length);
        text_putc(text, '\0');
        return length > 0 ? at + length : NULL;
}

/* What stands between { and }, with its offsets in the text; the place behind it, NULL when it is malformed.
 */
static const char *read_labels(struct exposition *page, const char *at, const char *end, size_t *ret_count)
{
        size_t count = 0;

        for (at = skip_blanks(at); *at != '}'; at = skip_blanks(at)) {
                if (count == EXPOSITION_LABELS_MAX)
                        return NULL;
                page->offsets[2 * count] = page->text.length;
                at = read_name(at, label_name_length(at), &page->text);
                if (!at || *(at = skip_blanks(at)) != '=')
                        return NULL;
                page->offsets[2 * count + 1] = page->text.length;
                at = quoted_read(skip_blanks(at + 1), end, ESCAPE_REFUSED, &page->text);
                if (!at)
                        return NULL;
                text_putc(&page->text, '\0');
                count++;
                at = skip_blanks(at);
                if (*at == ',')
                        at++;
                else if (*at != '}')
                        return NULL;
        }
        *ret_count = count;
        return at + 1;
}

/* The value and perhaps a timestamp; nothing else. */
static bool read_value(const char *at, const char *end, double *ret)
{
        char *stop;

        *ret = strtod(at = skip_blanks(at), &stop);
        if (stop == at || stop > end)
                return false;
        at = skip_blanks(stop);
        at += at > stop && *at == '-';
        at += strspn(at, "0123456789");
        at += strspn(at, " \t\r");
        return at == end;
}

/* The text has been written, and does not move any more. */
static bool take_labels(struct exposition *page, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                page->labels[i] = (struct label){page->text.data + page->offsets[2 * i],
                                                 page->text.data + page->offsets[2 * i + 1]};
                if (!label_name_valid(page->labels[i].name))
                        return false;
                for (size_t k = 0; k < i; k++)
                        if (strcmp(page->labels[i].name, page->labels[k].name) == 0)
                                return false;
        }
        return true;
}

static int read_line(struct exposition *page, const char *at, const char *end, struct exposition_sample *ret)
{
        size_t count = 0;
        double value = 0;

        if (end - at > EXPOSITION_LINE_MAX)
                return -EPROTO;
        text_clear(&page->text);
        at = read_name(at, metric_name_length(at), &page->text);
        if (at && *(at = skip_blanks(at)) == '{')
                at = read_labels(page, at + 1, end, &count);
        if (text_error(&page->text) < 0)
                return -ENOMEM;
        if (!at || at > end || !read_value(at, end, &value) || !metric_name_valid(page->text.data) ||
            !take_labels(page, count))
                return -EPROTO;
        *ret = (struct exposition_sample){page->text.data, page->labels, count, value};
        return 1;
}

int exposition_next(struct exposition *page, struct exposition_sample *ret)
{
        while (page->at < page->end) {
                const char *at = page->at + strspn(page->at, " \t\r");
                const char *end = memchr(page->at, '\n', (size_t)(page->end - page->at));

                if (!end)
                        end = page->end;
                page->line++;
                page->at = end < page->end ? end + 1 : end;
                if (at < end && *at != '#')
                        return read_line(page, at, end, ret);
        }
        return 0;
}

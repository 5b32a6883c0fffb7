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

/* What stands between the quotes, closed by NUL; the place behind them, NULL when they do not close. */
static const char *read_quoted(struct exposition *page, const char *at, const char *end)
{
        at = quoted_read(at, end, ESCAPE_KEPT, &page->text);
        text_putc(&page->text, '\0');
        return at;
}

/* A label, or the metric's name, which may stand first, in quotes and alone. */
static int read_item(struct exposition *page, const char **at, const char *end, size_t *count)
{
        size_t offset = page->text.length;
        bool may_be_name = **at == '"' && *count == 0 && !page->named;
        const char *next = **at == '"' ? read_quoted(page, *at, end)
                                       : read_name(*at, label_name_length(*at), &page->text);
        if (!next)
                return -EPROTO;
        *at = next = skip_blanks(next);
        if (may_be_name && (*next == ',' || *next == '}')) {
                page->named = true;
                page->name_offset = offset;
                return 0;
        }
        if (*next != '=')
                return -EPROTO;
        if (*count == EXPOSITION_LABELS_MAX)
                return -E2BIG;
        page->offsets[2 * *count] = offset;
        page->offsets[2 * *count + 1] = page->text.length;
        next = read_quoted(page, skip_blanks(next + 1), end);
        if (!next)
                return -EPROTO;
        (*count)++;
        *at = skip_blanks(next);
        return 0;
}

/* What stands behind {, with its offsets in the text; `*at` is then behind the }. */
static int read_labels(struct exposition *page, const char **at, const char *end, size_t *count)
{
        for (*at = skip_blanks(*at); **at != '}'; *at = skip_blanks(*at)) {
                int r = read_item(page, at, end, count);
                if (r < 0)
                        return r;
                if (**at == ',')
                        ++*at;
                else if (**at != '}')
                        return -EPROTO;
        }
        ++*at;
        return page->named ? 0 : -EPROTO;
}

/* The value and perhaps a timestamp, which OpenMetrics writes with a fraction; then an exemplar, which is
 * passed over. */
static bool read_value(const char *at, const char *end, double *ret)
{
        char *stop;
        *ret = strtod(at = skip_blanks(at), &stop);
        /* strtod() would also take 0x10 and nan(text), which Prometheus does not. */
        if (stop == at || stop > end || strcspn(at, "xX(") < (size_t)(stop - at))
                return false;
        at = skip_blanks(stop);
        if (at > stop && strspn(at, "+-.0123456789") > 0) {
                (void)strtod(at, &stop);
                if (stop == at)
                        return false;
                at = skip_blanks(stop);
        }
        if (at > stop && at < end && *at == '#' && *skip_blanks(at + 1) == '{')
                return !memchr(at, '\0', (size_t)(end - at));
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

/* Whether what stands behind a name, or in place of one, can belong to a series. */
static bool begins_series(const char *at)
{
        static const char *const words[] = {"NaN", "Inf", "inf", "nan"};
        at = skip_blanks(at);
        for (size_t i = 0; i < N_ELEMENTS(words); i++)
                if (string_starts(at, words[i]))
                        return true;
        return *at == '{' || strspn(at, "+-.0123456789") > 0;
}

static int read_line(struct exposition *page, const char *at, const char *end, struct exposition_sample *ret)
{
        size_t count = 0, length = metric_name_length(at);
        double value = 0;
        int r = 0;
        *ret = (struct exposition_sample){0};
        page->name_offset = 0;
        page->named = length > 0;
        text_clear(&page->text);
        text_append(&page->text, at, length);
        text_putc(&page->text, '\0');
        bool series = (length > 0 || *at == '{') && begins_series(at + length);
        at = skip_blanks(at + length);
        const bool braces = at < end && *at == '{';
        if (end - at > EXPOSITION_LINE_MAX)
                r = -E2BIG;
        else if (braces) {
                at++;
                r = read_labels(page, &at, end, &count);
        } else if (!page->named)
                r = -EPROTO;
        if (text_error(&page->text) < 0)
                return -ENOMEM;
        if (r == 0 && (at > end || !read_value(at, end, &value) || !*(page->text.data + page->name_offset) ||
                       (length > 0 && !metric_name_valid(page->text.data)) || !take_labels(page, count)))
                r = -EPROTO;
        const char *name = page->text.data + page->name_offset;
        *ret = (struct exposition_sample){.name = series || r == 0 ? name : NULL,
                                          .labels = page->labels,
                                          .label_count = r < 0 ? 0 : count,
                                          .value = value,
                                          .in_braces = braces};
        return r < 0 ? r : 1;
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

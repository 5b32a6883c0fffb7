/* SPDX-License-Identifier: Apache-2.0 */
/* The text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include <math.h>

#include "lib/metrics/writer.h"
#include "runbook/shortest.h"

/* The format has no type for infos. */
static const char *const type_words[] = {
        [METRIC_GAUGE] = "gauge",
        [METRIC_COUNTER] = "counter",
        [METRIC_HISTOGRAM] = "histogram",
        [METRIC_INFO] = "gauge",
};
tables_agree(type_words, METRIC_TYPES);

static void put_help(struct text *text, const char *help)
{
        for (const char *c = help; *c; c++)
                if (*c == '\\')
                        text_puts(text, "\\\\");
                else if (*c == '\n')
                        text_puts(text, "\\n");
                else
                        text_putc(text, *c);
}

static char *put_bytes(char *to, const char *from, size_t length)
{
        memcpy(to, from, length);
        return to + length;
}

/* Nearly all of a page is written here: room is made once for the whole line. */
void metrics_put_row(struct metrics_output *out, const struct metrics_row *row)
{
        const struct sample *sample = row->sample;
        const char *suffix = metrics_suffix(sample->suffix);
        size_t suffix_length = sample->suffix == SAMPLE_PLAIN ? 0 : strlen(suffix);
        struct text *text = out->text;
        if (!text_reserve(text, out->name_length + suffix_length + sample->labels_length + SHORTEST_SIZE + 4))
                return;

        char *start = text->data + text->length, *to = start;
        to = put_bytes(to, out->group->family->name, out->name_length);
        to = put_bytes(to, suffix, suffix_length);
        if (sample->labels_length > 0) {
                *to++ = '{';
                to = put_bytes(to, row->labels, sample->labels_length);
                *to++ = '}';
        }
        *to++ = ' ';
        if (isfinite(sample->value))
                to += shortest_write(sample->value, to);
        else if (isnan(sample->value))
                to = put_bytes(to, "NaN", 3);
        else
                to = put_bytes(to, sample->value > 0 ? "+Inf" : "-Inf", 4);
        *to++ = '\n';
        *to = '\0';
        text->length += (size_t)(to - start);
}

void metrics_put_rows(struct metrics_output *out, const struct metrics_row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (rows[i].sample->suffix != SAMPLE_NATIVE)
                        metrics_put_row(out, &rows[i]);
}

static void begin_family(struct metrics_output *out)
{
        const struct metric_family *family = out->group->family;
        struct text *text = out->text;
        text_puts(text, "# HELP ");
        text_append(text, family->name, out->name_length);
        text_putc(text, ' ');
        put_help(text, family->help);
        text_puts(text, "\n# TYPE ");
        text_append(text, family->name, out->name_length);
        text_putc(text, ' ');
        text_puts(text, type_words[family->type]);
        text_putc(text, '\n');
}

const struct metrics_writer metrics_writer_text = {
        .begin_family = begin_family,
        .number = metrics_put_row,
        .histogram = metrics_put_rows,
};

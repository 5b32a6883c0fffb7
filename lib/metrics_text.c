/* SPDX-License-Identifier: Apache-2.0 */
/* The text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include "lib/metrics_page.h"

/* The format has no type for infos. */
static const char *const type_words[] = {
        [METRIC_GAUGE] = "gauge",
        [METRIC_COUNTER] = "counter",
        [METRIC_HISTOGRAM] = "histogram",
        [METRIC_INFO] = "gauge",
};

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

static void put_row(struct text *text, const char *name, size_t name_length, const struct metrics_row *row)
{
        const struct sample *sample = row->sample;

        text_append(text, name, name_length);
        if (sample->suffix != SAMPLE_PLAIN)
                text_puts(text, metrics_suffix(sample->suffix));
        if (sample->labels_length > 0) {
                text_putc(text, '{');
                text_append(text, row->labels, sample->labels_length);
                text_append(text, "} ", 2);
        } else {
                text_putc(text, ' ');
        }
        text_put_double(text, sample->value);
        text_putc(text, '\n');
}

int metrics_encode_text(const struct sample_set *const *sets, size_t count, struct text *text,
                        uint64_t *ret_duplicates)
{
        _cleanup_metrics_page_ struct metrics_page page = {0};
        int r;

        r = metrics_page_build(sets, count, &page);
        if (r < 0)
                return r;
        for (size_t i = 0; i < page.group_count; i++) {
                const struct metrics_group *group = &page.groups[i];
                const char *name = group->family->name;
                size_t length = strlen(name);

                text_puts(text, "# HELP ");
                text_append(text, name, length);
                text_putc(text, ' ');
                put_help(text, group->family->help);
                text_puts(text, "\n# TYPE ");
                text_append(text, name, length);
                text_putc(text, ' ');
                text_puts(text, type_words[group->family->type]);
                text_putc(text, '\n');
                for (size_t k = 0; k < group->count; k++)
                        put_row(text, name, length, &group->rows[k]);
        }
        r = text_error(text);
        if (r < 0)
                return r;
        if (ret_duplicates)
                *ret_duplicates = page.duplicates;
        return 0;
}

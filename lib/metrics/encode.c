/* SPDX-License-Identifier: Apache-2.0 */
/* The formats there are, and the one walk over a page that each of them spells. */
#include "lib/metrics/writer.h"

static const struct {
        const char *content_type;
        const struct metrics_writer *writer;
} formats[] = {
        [METRICS_TEXT] = {METRICS_TEXT_TYPE, &metrics_writer_text},
        [METRICS_OPENMETRICS_0] = {"application/openmetrics-text; version=0.0.1; charset=utf-8",
                                   &metrics_writer_openmetrics_1},
        [METRICS_OPENMETRICS_1] = {"application/openmetrics-text; version=1.0.0; charset=utf-8",
                                   &metrics_writer_openmetrics_1},
        [METRICS_OPENMETRICS_2] = {"application/openmetrics-text; version=2.0.0; charset=utf-8",
                                   &metrics_writer_openmetrics_2},
        [METRICS_PROTOBUF] = {"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                              "encoding=delimited",
                              &metrics_writer_protobuf},
};
tables_agree(formats, METRICS_FORMATS);

const char *metrics_content_type(enum metrics_format format)
{
        return formats[format].content_type;
}

/* How many rows from `first` on are of the same histogram. */
static size_t histogram_length(const struct metrics_group *group, size_t first)
{
        size_t end = first;
        while (end < group->count && group->rows[end].sample->suffix < SAMPLE_COUNT)
                end++;
        if (end < group->count && group->rows[end].sample->suffix == SAMPLE_COUNT)
                end++;
        if (end < group->count && group->rows[end].sample->suffix == SAMPLE_NATIVE)
                end++;
        return end - first;
}

static void write_family(const struct metrics_writer *writer, struct metrics_output *out)
{
        const struct metrics_group *group = out->group;
        if (writer->begin_family)
                writer->begin_family(out);
        for (size_t i = 0; i < group->count;) {
                if (group->rows[i].sample->suffix == SAMPLE_PLAIN) {
                        writer->number(out, &group->rows[i++]);
                        continue;
                }
                size_t length = histogram_length(group, i);
                writer->histogram(out, &group->rows[i], length);
                i += length;
        }
        if (writer->end_family)
                writer->end_family(out);
}

static int write_page(const struct metrics_writer *writer, const struct metrics_page *page, struct text *text)
{
        struct metrics_output out = {.text = text, .page = page};
        int r;
        if (writer->begin_page) {
                r = writer->begin_page(&out);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < page->group_count; i++) {
                out.group = &page->groups[i];
                out.name_length = strlen(out.group->family->name);
                write_family(writer, &out);
        }
        if (writer->end_page)
                writer->end_page(&out);
        return text_error(text);
}

int metrics_encode(enum metrics_format format, const struct sample_set *const *sets, size_t count,
                   const char *const *names, struct text *text, uint64_t *ret_duplicates)
{
        _cleanup_metrics_page_ struct metrics_page page = {0};
        int r;
        r = metrics_page_build(sets, count, names, &page);
        if (r < 0)
                return r;
        r = write_page(formats[format].writer, &page, text);
        if (r < 0)
                return r;
        if (ret_duplicates)
                *ret_duplicates = page.duplicates;
        return 0;
}

int metrics_encode_text(const struct sample_set *const *sets, size_t count, struct text *text,
                        uint64_t *ret_duplicates)
{
        return metrics_encode(METRICS_TEXT, sets, count, NULL, text, ret_duplicates);
}

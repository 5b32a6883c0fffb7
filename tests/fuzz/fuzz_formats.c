/* SPDX-License-Identifier: Apache-2.0 */
/* Any Accept header finds a format, and any label value and help can be written in each of them. */
#include "runbook/negotiate.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 10000;
const char *const fuzz_words[] = {"application/openmetrics-text",
                                  "text/plain",
                                  "*/*",
                                  "application/vnd.google.protobuf",
                                  "gzip",
                                  "identity",
                                  ";q=0.5",
                                  ";q=0",
                                  ";version=2.0.0",
                                  ";version=1.0.0",
                                  "; proto=io.prometheus.client.MetricFamily",
                                  ";encoding=delimited",
                                  ",",
                                  ";",
                                  "=",
                                  "\"",
                                  "\\",
                                  "\n",
                                  "\xFF",
                                  NULL};

static void check_accept(const char *accept)
{
        enum metrics_format format = negotiate_format(accept);
        FUZZ_ASSERT(format < METRICS_FORMATS);
        FUZZ_ASSERT(format != METRICS_OPENMETRICS_2 || strstr(accept, "2.0.0"));
        FUZZ_ASSERT(format != METRICS_PROTOBUF || strcasestr(accept, "delimited"));
        FUZZ_ASSERT(!negotiate_gzip(accept) || strcasestr(accept, "gzip") || strchr(accept, '*'));
}

/* One label, one line: whatever the value holds, it must not end its line or its quotes. */
static void check_text(const struct text *page, size_t lines)
{
        size_t found = 0, quotes = 0;
        for (size_t i = 0; i < page->length; i++) {
                if (page->data[i] == '\\')
                        i++;
                else if (page->data[i] == '\n')
                        found++;
                else if (page->data[i] == '"')
                        quotes++;
        }
        FUZZ_ASSERT(found == lines && quotes % 2 == 0);
}

static void check_formats(const char *string)
{
        const struct metric_family plain = {"t_plain", METRIC_GAUGE, NULL, "Help."};
        const struct metric_family free_text = {"t_help_total", METRIC_COUNTER, NULL, string};
        struct sample_set set = {0};
        const struct sample_set *sets[] = {&set};
        SAMPLE(&(struct sample_sink){&set}, &plain, 1, {"a", string}, {"b", string});
        for (enum metrics_format format = METRICS_TEXT; format < METRICS_FORMATS; format++) {
                _cleanup_text_ struct text page = {0};
                FUZZ_ASSERT(metrics_encode(format, sets, 1, NULL, &page, NULL) == 0);
                if (format != METRICS_PROTOBUF)
                        check_text(&page, format == METRICS_TEXT ? 3 : 4);
        }
        SAMPLE_BARE(&(struct sample_sink){&set}, &free_text, 1);
        for (enum metrics_format format = METRICS_TEXT; format < METRICS_FORMATS; format++) {
                _cleanup_text_ struct text page = {0};
                FUZZ_ASSERT(metrics_encode(format, sets, 1, NULL, &page, NULL) == 0);
        }
        sample_set_release(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *string = fuzz_string(data, size);
        check_accept(string);
        check_formats(string);
        return 0;
}

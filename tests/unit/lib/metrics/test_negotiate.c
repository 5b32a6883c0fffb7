/* SPDX-License-Identifier: Apache-2.0 */
/* Accept and Accept-Encoding as clients send them. */
#include "tests/harness/unit.h"

#include "runbook/negotiate.h"

#define PROTOBUF "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

static void formats_are_found_as_client_golang_finds_them(void **state _unused_)
{
        static const struct {
                const char *accept;
                enum metrics_format format;
        } cases[] = {
                {NULL, METRICS_TEXT},
                {"", METRICS_TEXT},
                {"*/*", METRICS_TEXT},
                {"text/plain", METRICS_TEXT},
                {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", METRICS_TEXT},
                {"application/json", METRICS_TEXT},
                /* Prometheus 2.42, as it comes, and with native histograms. */
                {"application/openmetrics-text;version=1.0.0,application/"
                 "openmetrics-text;version=0.0.1;q=0.75,"
                 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                 METRICS_OPENMETRICS_1},
                {PROTOBUF
                 ",application/openmetrics-text;version=1.0.0;q=0.8,"
                 "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                 METRICS_PROTOBUF},
                /* Prometheus 2.5 */
                {"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                 METRICS_OPENMETRICS_0},
                /* Prometheus 3 */
                {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                 "application/openmetrics-text;version=0.0.1;q=0.5,text/"
                 "plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                 "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                 METRICS_OPENMETRICS_1},
                {"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/"
                 "*;q=0.4",
                 METRICS_TEXT},
                {"application/openmetrics-text", METRICS_OPENMETRICS_1},
                {"application/openmetrics-text;version=2.0.0", METRICS_OPENMETRICS_2},
                {"application/openmetrics-text;version=3.0.0", METRICS_TEXT},
                {"application/openmetrics-text;version=3.0.0,application/openmetrics-text;q=0.1",
                 METRICS_OPENMETRICS_1},
                {"application/openmetrics-text;version=\"1.0.0\" ; charset=utf-8", METRICS_OPENMETRICS_1},
                {"APPLICATION/OpenMetrics-Text;VERSION=1.0.0", METRICS_OPENMETRICS_1},
                {"text/plain;q=0.5,application/openmetrics-text;q=0.50",
                 METRICS_TEXT},                                              /* the first of equals */
                {"*/*,application/openmetrics-text", METRICS_OPENMETRICS_1}, /* the narrower */
                {"application/openmetrics-text;q=0,text/plain;q=0.1", METRICS_TEXT},
                {"application/openmetrics-text;q=0", METRICS_TEXT},
                {"text/plain;q=0.001,application/openmetrics-text;q=0.002", METRICS_OPENMETRICS_1},
                {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
                 METRICS_TEXT},
                {"application/vnd.google.protobuf;encoding=delimited", METRICS_TEXT},
                /* Nonsense is passed over. */
                {",,;,=;q=,  ,;;application/openmetrics-text", METRICS_TEXT},
                {"\"a,b\";x=\"\\\"\",application/openmetrics-text", METRICS_OPENMETRICS_1},
                {"application/openmetrics-text;q=x", METRICS_OPENMETRICS_1},
                {"application/openmetrics-text;q=-1;version", METRICS_OPENMETRICS_1},
                {"\"", METRICS_TEXT},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                if (negotiate_format(cases[i].accept) != cases[i].format)
                        fail_msg("%s: %d, not %d", cases[i].accept, (int)negotiate_format(cases[i].accept),
                                 (int)cases[i].format);
}

static void gzip_is_only_for_those_who_take_it(void **state _unused_)
{
        static const struct {
                const char *accept;
                bool gzip;
        } cases[] = {
                {NULL, false},
                {"", false},
                {"gzip", true},
                {"deflate, gzip;q=1.0, *;q=0.5", true},
                {"br, zstd", false},
                {"*", true},
                {"*;q=0", false},
                {"gzip;q=0", false},
                {"gzip;q=0,*", false},
                {"identity;q=1, gzip;q=0.5", false},
                {"identity;q=0.5, gzip;q=0.5", true},
                {"identity", false},
                {"x-gzip", true},
                {"gzipped", false},
                {"GZIP", true},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                if (negotiate_gzip(cases[i].accept) != cases[i].gzip)
                        fail_msg("%s", cases[i].accept);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(formats_are_found_as_client_golang_finds_them),
                cmocka_unit_test(gzip_is_only_for_those_who_take_it),
        };
        return cmocka_run_group_tests_name("negotiate", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: read or refused with a sentence; what is read judges any samples, and reads the same when
 * written again. */
#include <errno.h>

#include "exporter/check/internal.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {
        "m_bytes", "t_timestamp_seconds",
        "time()",  "sum(",
        "max(",    ")",
        "{",       "}",
        "a=\"b\"", "\\\"",
        " - ",     " / ",
        " > ",     "<=",
        "==",      "!=",
        "7d",      "80%",
        "5GiB",    NULL,
};

static void see(const struct judgement *judgement, void *context)
{
        struct text *text = context;
        judgement_put_value(text, judgement);
        judgement_put_series(text, judgement);
}

/* Samples whose labels are taken from the input, too. */
static void judge(struct threshold *threshold, const char *value)
{
        static const struct metric_family bytes = {"m_bytes", METRIC_GAUGE, "bytes", "M."},
                                          moment = {"t_timestamp_seconds", METRIC_GAUGE, "seconds", "T."};
        static const struct metric_family *const families[] = {&bytes, &moment, NULL};
        struct config *config = NULL;
        struct thresholds one = {threshold, 1};
        struct sample_set set = {0};
        struct sample_sink sink = {&set};
        _cleanup_text_ struct text seen = {0};
        FUZZ_ASSERT(config_parse("x", "{}", &config, NULL) == 0);
        thresholds_bind(&one, families, NULL, config_root(config));
        if (config_complaints(config) == 0) {
                SAMPLE(&sink, &bytes, 5, {"check", "c"}, {"a", value});
                SAMPLE(&sink, &bytes, -1, {"check", "c"}, {"a", "b"});
                SAMPLE(&sink, &moment, 1e9, {"check", "c"}, {"a", value});
                FUZZ_ASSERT(threshold_judge(threshold, &set, NSEC_PER_SEC, see, &seen) <= 2);
        }
        sample_set_release(&set);
        config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *all = fuzz_string(data, size);
        _cleanup_error_ struct error error = {0};
        struct threshold threshold, again;
        int result = threshold_parse(all, THRESHOLD_WARN, &threshold, &error);
        FUZZ_ASSERT(result == 0 || (result == -EINVAL && error.message));
        if (result == 0) {
                FUZZ_ASSERT(threshold_parse(threshold.written, THRESHOLD_WARN, &again, &error) == 0);
                FUZZ_ASSERT(strcmp(threshold.written, again.written) == 0);
                FUZZ_ASSERT(threshold.limit == again.limit && threshold.unit == again.unit);
                threshold_release(&again);
                judge(&threshold, strlen(all) < size ? all + strlen(all) + 1 : all);
        }
        threshold_release(&threshold);
        return 0;
}

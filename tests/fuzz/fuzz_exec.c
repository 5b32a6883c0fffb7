/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs say: the first byte chooses a Nagios plugin's line or Prometheus' text. Whatever it is, the
 * page of it can be written, and every skipped item is counted with words that a log line can hold.
 */
#include <errno.h>

#include "exporter/check/skipped.h"
#include "exporter/kinds/exec/nagios.h"
#include "exporter/kinds/exec/samples.h"
#include "runbook/utf8.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {
        "x_a",       "x_a{",  "other{",  "check=\"a\"", "l=\"v\"", "} 1\n",  "{\"my.metric\"}",
        " 1 1.5",    " # {a", "{count:", "\nx_a 1\n",   "| a=1",   "'a b'=", "furlong",
        "=1,5",      ";@1:2", ";~:",     "U",           "°C",      "kB",     "\xff",
        "Traceback", "NaN",   NULL,
};

static const struct metric_family family = {"x_a", METRIC_GAUGE, NULL, "h"};
static const struct metric_family *const families[] = {&family, NULL};

static void check_skipped(const struct skipped_items *skipped)
{
        for (enum skip_reason reason = 0; reason < SKIP_REASONS; reason++) {
                const char *items = skipped_items_text(skipped, reason);
                FUZZ_ASSERT((skipped->of[reason].count > 0) == (*items != '\0'));
                for (size_t length; *items; items += length)
                        FUZZ_ASSERT((length = utf8_length(items)) > 0 && *items != '\n');
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        _cleanup_free_ char *output = fuzz_string(data + 1, size - 1);
        struct skipped_items skipped = {0};
        struct sample_set set = {.skipped = &skipped};
        const struct sample_set *const sets[] = {&set};
        struct sample_sink sink = {.set = &set};
        _cleanup_text_ struct text page = {0};
        uint64_t repeated;
        size_t ignored;

        if (*data % 2) {
                int r = samples_add(output, size - 1, families, &sink, &ignored, NULL);
                FUZZ_ASSERT(r == 0 || r == -EPROTO);
        } else {
                nagios_add(output, size - 1, &sink);
        }
        check_skip_repeated(&sink);
        check_skipped(&skipped);
        FUZZ_ASSERT(set.error == 0);
        FUZZ_ASSERT(metrics_encode(METRICS_TEXT, sets, 1, NULL, &page, &repeated) == 0);
        FUZZ_ASSERT(repeated == skipped.of[SKIP_DUPLICATE].count);
        sample_set_release(&set);
        skipped_items_release(&skipped);
        return 0;
}

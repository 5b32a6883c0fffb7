/* SPDX-License-Identifier: Apache-2.0 */
/* Times of crontab(5), rules of time zones, and their files. The first byte chooses. */
#include <errno.h>

#include "exporter/kinds/heartbeat/cron.h"
#include "lib/base/zone_rule.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {
        "15 2 * * *", "*/5",     "1-5", "0,30", "jan",     "sun", "@daily", "29 2", " ",        "TZif2",
        "CET-1CEST",  ",M3.5.0", "/3",  "J60",  "<+03>-3", "\n",  ",0/0",   "-2",   "\xff\xff", NULL,
};

static void check_period(struct zone_period period, int64_t at)
{
        FUZZ_ASSERT(period.from <= at && at < period.until);
}

static void try_cron(const char *string, size_t length _unused_)
{
        struct cron cron;
        _cleanup_error_ struct error error = {0};
        _cleanup_(zone_free_p) struct zone *zone = NULL;
        int result = cron_parse(string, &cron, &error);
        FUZZ_ASSERT(result == 0 || (result == -EINVAL && error.message));
        FUZZ_ASSERT(zone_load("UTC", &zone, NULL) == 0);
        if (result < 0)
                return;
        int64_t at = 1700000000;
        for (int i = 0; i < 3 && at != CRON_NEVER; i++) {
                int64_t next = cron_next(&cron, zone, at);
                FUZZ_ASSERT(next > at && (next == CRON_NEVER || next % 60 == 0));
                at = next;
        }
}

static void try_rule(const char *string, size_t length _unused_)
{
        struct zone_rule rule;
        if (!zone_rule_parse(string, &rule))
                return;
        for (int64_t at = 0; at < 4000000000; at += 399999999)
                check_period(zone_rule_period_at(&rule, at), at);
}

static void try_file(const char *data, size_t length)
{
        _cleanup_(zone_free_p) struct zone *zone = NULL;
        _cleanup_error_ struct error error = {0};
        int result = zone_parse("file", data, length, &zone, &error);
        FUZZ_ASSERT(result == 0 || (result == -EINVAL && error.message));
        if (result < 0)
                return;
        for (int64_t at = -4000000000; at < 4000000000; at += 99999999)
                check_period(zone_period_at(zone, at), at);
        struct cron daily;
        FUZZ_ASSERT(cron_parse("15 2 * * *", &daily, NULL) == 0);
        for (int64_t at = 1000000000; at < 2000000000; at += 99999999)
                FUZZ_ASSERT(cron_next(&daily, zone, at) > at);
}

static void (*const readers[])(const char *string, size_t length) = {try_cron, try_rule, try_file};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        _cleanup_free_ char *string = fuzz_string(data + 1, size - 1);
        readers[data[0] % N_ELEMENTS(readers)](string, size - 1);
        return 0;
}

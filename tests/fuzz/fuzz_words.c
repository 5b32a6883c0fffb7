/* SPDX-License-Identifier: Apache-2.0 */
/* The small readers of one word each: durations, times, Redis' addresses and INFO. The first byte chooses. */
#include <errno.h>
#include <limits.h>
#include <math.h>

#include "exporter/kinds/redis/group.h"
#include "lib/redis/address.h"
#include "runbook/clock.h"
#include "runbook/redis.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 100000;
const char *const fuzz_words[] = {
        "1h30m",
        "5s",
        "250ms",
        "1y",
        "9223372036854775807",
        "2026-01-31T12:00:00.123456789+02:00",
        "Z",
        "0001-01-01T00:00:00Z",
        "localhost:6379",
        "[::1]:6379",
        "unix:/run/redis.sock",
        "used_memory:123\r\n",
        "aof_enabled:1\r\n",
        "aof_last_write_status:ok\r\n",
        "db0:keys=1,expires=2\r\n",
        "slave0:ip=::1,port=1,state=online,offset=3,lag=0\r\n",
        ",",
        "=",
        ":",
        "/",
        "-",
        NULL,
};

static void try_duration(const char *string)
{
        nsec duration = -1, again;
        char buffer[DURATION_TEXT_MAX];
        int result = duration_parse(string, &duration, NULL);
        FUZZ_ASSERT(result == 0 || result == -EINVAL || result == -ERANGE);
        if (result < 0)
                return;
        FUZZ_ASSERT(duration >= 0);
        FUZZ_ASSERT(duration_parse(duration_format(duration, buffer), &again, NULL) == 0);
        FUZZ_ASSERT(again <= duration || duration < NSEC_PER_MSEC);
}

static void try_time(const char *string)
{
        nsec wall, again;
        char buffer[TIME_TEXT_MAX];
        if (time_parse(string, &wall, NULL) < 0)
                return;
        FUZZ_ASSERT(time_parse(time_format(wall, buffer), &again, NULL) == 0);
        FUZZ_ASSERT(wall / NSEC_PER_SEC == again / NSEC_PER_SEC || wall < 0);
}

static void try_address(const char *string)
{
        _cleanup_error_ struct error error = {0};
        struct redis_address address = {0};
        int result = redis_address_parse(string, &address, &error);
        FUZZ_ASSERT(result == 0 || (result == -EINVAL && error.message));
        if (result == 0)
                FUZZ_ASSERT(address.path ? !address.host && !address.port : address.host && address.port);
        redis_address_release(&address);
}

static void try_info(const char *string)
{
        struct sample_set set = {.limit = 1000};
        struct sample_sink sink = {.set = &set};
        int64_t database = -1, next;
        double value;
        (void)redis_info_number(string, "used_memory", &value);
        struct redis_databases databases = {0};
        redis_info_add(string, UINT_MAX, &databases, &sink);
        FUZZ_ASSERT(set.error == 0);
        for (size_t i = 0; i < set.count; i++)
                FUZZ_ASSERT(isfinite(set.samples[i].value));
        sample_set_release(&set);
        for (; (next = redis_info_next_database(string, database)) >= 0; database = next)
                FUZZ_ASSERT(next > database);
}

static void (*const readers[])(const char *string) = {try_duration, try_time, try_address, try_info};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        _cleanup_free_ char *string = fuzz_string(data + 1, size - 1);
        readers[data[0] % N_ELEMENTS(readers)](string);
        return 0;
}

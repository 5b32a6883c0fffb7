/* SPDX-License-Identifier: Apache-2.0 */
/* The small readers of one word each: durations, times, Redis' addresses and INFO. The first byte chooses. */
#include <errno.h>

#include "lib/redis_address.h"
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
        double value;
        (void)redis_info_number(string, "used_memory", &value);
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

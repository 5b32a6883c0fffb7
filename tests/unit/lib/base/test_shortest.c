/* SPDX-License-Identifier: Apache-2.0 */
/* Shortest decimals against libc: each reads back, none shorter does, none as short is nearer. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runbook/common.h"
#include "runbook/shortest.h"

/* Patterns tried of each sort; $RUNBOOK_TEST_DOUBLES tries more of them. */
static uint64_t patterns = 1000000;

static double from_bits(uint64_t bits)
{
        double value;
        memcpy(&value, &bits, sizeof(value));
        return value;
}

/* splitmix64, so that every run tries the same numbers. */
static uint64_t next_random(uint64_t *seed)
{
        uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        return z ^ z >> 31;
}

static void write_string(double value, char to[static SHORTEST_SIZE])
{
        size_t length = shortest_write(value, to);
        if (length >= SHORTEST_SIZE)
                fail_msg("%zu bytes for %a", length, value);
        to[length] = '\0';
}

/* The significant digits of a spelling, without zeros around them. */
static int significant_digits(const char *string)
{
        char digits[SHORTEST_SIZE];
        int count = 0, last = 0;
        for (; *string && *string != 'e'; string++)
                if (*string >= '0' && *string <= '9' && (count > 0 || *string != '0'))
                        digits[count++] = *string;
        for (int i = 0; i < count; i++)
                if (digits[i] != '0')
                        last = i + 1;
        return last;
}

/* Whether a decimal of `count` digits beside the double reads back as it. */
static bool reads_back_with(double value, int count)
{
        char text[64];
        snprintf(text, sizeof(text), "%.*e", count - 1, fabs(value));
        char *e = strchr(text, 'e');
        int exponent = atoi(e + 1) - (count - 1);
        uint64_t digits = 0;
        for (const char *c = text; c < e; c++)
                if (*c != '.')
                        digits = digits * 10 + (uint64_t)(*c - '0');
        for (uint64_t candidate = digits - 1; candidate <= digits + 1; candidate++) {
                snprintf(text, sizeof(text), "%" PRIu64 "e%d", candidate, exponent);
                if (strtod(text, NULL) == fabs(value))
                        return true;
        }
        return false;
}

static void check(double value)
{
        char text[SHORTEST_SIZE], nearest[64];
        write_string(value, text);
        double back = strtod(text, NULL);
        if (memcmp(&back, &value, sizeof(back)) != 0)
                fail_msg("%s is not %a", text, value);
        int count = significant_digits(text);
        if (value == 0)
                return;
        if (count > 1 && reads_back_with(value, count - 1))
                fail_msg("%s is not the shortest for %a", text, value);
        snprintf(nearest, sizeof(nearest), "%.*e", count - 1, value);
        /* A tie may be broken either way. */
        if (strtod(nearest, NULL) == value && strtold(nearest, NULL) != strtold(text, NULL) &&
            fabsl(strtold(nearest, NULL) - (long double)value) <
                    fabsl(strtold(text, NULL) - (long double)value))
                fail_msg("%s is not as near to %a as %s", text, value, nearest);
}

static void every_bit_pattern_reads_back_from_the_shortest(void **state _unused_)
{
        uint64_t seed = 1;
        for (uint64_t i = 0; i < patterns; i++) {
                double value = from_bits(next_random(&seed));
                if (isfinite(value))
                        check(value);
        }
}

static void numbers_as_people_write_them(void **state _unused_)
{
        uint64_t seed = 2;
        for (uint64_t i = 0; i < patterns / 4; i++) {
                uint64_t random = next_random(&seed);
                char text[64];
                snprintf(text, sizeof(text), "%" PRIu64 "e-%u", (random >> 8) % 1000000000000,
                         (unsigned)(random % 16));
                check(strtod(text, NULL));
        }
}

/* Where the gap to the neighbours changes, and what lies beside. */
static void around_every_power_of_two_and_ten(void **state _unused_)
{
        for (int e = -1074; e < 1024; e++) {
                double power = ldexp(1, e);
                check(power);
                check(nextafter(power, INFINITY));
                check(nextafter(power, 0));
        }
        for (int e = -324; e <= 308; e++) {
                char text[32];
                snprintf(text, sizeof(text), "1e%d", e);
                double power = strtod(text, NULL);
                check(power);
                check(nextafter(power, INFINITY));
                check(nextafter(power, 0));
        }
        check(from_bits(UINT64_C(0x7fefffffffffffff)));
}

static void the_layout_is_that_of_printf(void **state _unused_)
{
        static const struct {
                double value;
                const char *expected;
        } cases[] = {
                {0, "0"},
                {-0.0, "-0"},
                {7, "7"},
                {-1234567890, "-1234567890"},
                {0.5, "0.5"},
                {-0.001, "-0.001"},
                {0.0001, "0.0001"},
                {0.00001, "1e-05"},
                {0.000012, "1.2e-05"},
                {12.345, "12.345"},
                {999999999999.999, "999999999999.999"},
                {1700000000.123456, "1700000000.123456"},
                {9007199254740991, "9007199254740991"},
                {9007199254740994, "9007199254740994"},
                {1234567890123456.8, "1234567890123456.8"},
                {9999999999999998, "9999999999999998"},
                {1e15, "1000000000000000"},
                {1e16, "1e+16"},
                {12345678901234568, "1.2345678901234568e+16"},
                {1e23, "1e+23"},
                {9.5367431640625e-07, "9.5367431640625e-07"},
                {5e-324, "5e-324"},
                {2.2250738585072014e-308, "2.2250738585072014e-308"},
                {1.7976931348623157e308, "1.7976931348623157e+308"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                char text[SHORTEST_SIZE];
                write_string(cases[i].value, text);
                assert_string_equal(text, cases[i].expected);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_bit_pattern_reads_back_from_the_shortest),
                cmocka_unit_test(numbers_as_people_write_them),
                cmocka_unit_test(around_every_power_of_two_and_ten),
                cmocka_unit_test(the_layout_is_that_of_printf),
        };
        const char *given = getenv("RUNBOOK_TEST_DOUBLES");
        if (given)
                patterns = strtoull(given, NULL, 10);
        return cmocka_run_group_tests_name("shortest", tests, NULL, NULL);
}

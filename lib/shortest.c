/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shortest decimals of doubles.
 *
 * After Raffaello Giulietti, "The Schubfach way to render doubles" (2020): the interval of the reals that
 * read back as the double is scaled by a power of ten to where at most two candidates of each length lie in
 * it. One table of 128-bit powers of ten, made by tools/powers_of_ten.c; no big numbers, no loops.
 */
#include "lib/shortest.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

struct power {
        uint64_t high, low;
};

#include "generated/powers_of_ten.h"

__extension__ typedef unsigned __int128 uint128;

struct decimal {
        uint64_t digits;
        int exponent; /* the value is digits * 10^exponent */
};

enum {
        FRACTION_BITS = 52,
        EXPONENT_BIAS = 1075,
        FIXED_FIRST = -4, /* as %g has it */
        FIXED_LAST = 16,
};

/* floor(log10(2^e)), floor(log10(3/4 * 2^e)) and floor(log2(10^e)), exact for every exponent of a double. */
static int log10_of_power_of_2(int e)
{
        return (e * 1262611) >> 22;
}

static int log10_of_three_quarters_of_power_of_2(int e)
{
        return (e * 1262611 - 524031) >> 22;
}

static int log2_of_power_of_10(int e)
{
        return (e * 1741647) >> 19;
}

/* The upper 64 bits of power * factor; the lowest one also says that something follows. */
static uint64_t multiply_to_odd(struct power power, uint64_t factor)
{
        uint128 low = (uint128)power.low * factor;
        uint128 high = (uint128)power.high * factor + (uint64_t)(low >> 64);

        return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* `fraction` and `biased` are the fields of a finite double above zero. */
static struct decimal shortest(uint64_t fraction, int biased)
{
        const uint64_t hidden = UINT64_C(1) << FRACTION_BITS;
        uint64_t c = biased ? fraction | hidden : fraction;
        int q = (biased ? biased : 1) - EXPONENT_BIAS;
        bool uneven = fraction == 0 && biased > 1; /* the neighbour below is half as far */
        uint64_t open = c & 1;                     /* an odd one does not own its interval's ends */
        int k = uneven ? log10_of_three_quarters_of_power_of_2(q) : log10_of_power_of_2(q);
        int shift = q + log2_of_power_of_10(-k) + 1;
        struct power power = powers_of_ten[-k - POWERS_FIRST];

        /* The double and the ends of its interval, times four and by 10^k. */
        uint64_t value = multiply_to_odd(power, 4 * c << shift);
        uint64_t lower = multiply_to_odd(power, (4 * c - 2 + uneven) << shift) + open;
        uint64_t upper = multiply_to_odd(power, (4 * c + 2) << shift) - open;
        uint64_t s = value / 4;

        if (s >= 10) { /* one digit less, when exactly one such is inside */
                uint64_t t = s / 10;
                bool below = lower <= 40 * t, above = 40 * t + 40 <= upper;

                if (below != above)
                        return (struct decimal){t + above, k + 1};
        }
        bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
        if (below != above)
                return (struct decimal){s + above, k};
        uint64_t middle = 4 * s + 2;
        bool up = value > middle || (value == middle && (s & 1));
        return (struct decimal){s + up, k};
}

/* Numbers with up to three decimals: of up to 15 digits there is no second one for the same double, and the
 * division is rounded once, as reading is. */
static bool few_decimals(double value, struct decimal *ret)
{
        if (value >= 1e12 || value < 1e-3)
                return false;
        uint64_t thousandths = (uint64_t)(value * 1000 + 0.5);
        if ((double)thousandths / 1000 != value)
                return false;
        *ret = (struct decimal){thousandths, -3};
        return true;
}

static void strip_zeros(struct decimal *decimal)
{
        while (decimal->digits % 10000 == 0) {
                decimal->digits /= 10000;
                decimal->exponent += 4;
        }
        while (decimal->digits % 10 == 0) {
                decimal->digits /= 10;
                decimal->exponent++;
        }
}

static void put_pair(char *to, uint32_t value)
{
        static const char pairs[] = "0001020304050607080910111213141516171819"
                                    "2021222324252627282930313233343536373839"
                                    "4041424344454647484950515253545556575859"
                                    "6061626364656667686970717273747576777879"
                                    "8081828384858687888990919293949596979899";

        memcpy(to, pairs + 2 * (size_t)value, 2);
}

/* Writes the digits before `end` and returns where they begin. */
static char *put_digits(char *end, uint64_t value)
{
        while (value >= 100000000) { /* by halves: dividing 32 bits is cheaper */
                uint32_t eight = (uint32_t)(value % 100000000);

                value /= 100000000;
                for (int i = 0; i < 4; i++) {
                        put_pair(end -= 2, eight % 100);
                        eight /= 100;
                }
        }
        uint32_t rest = (uint32_t)value;
        while (rest >= 10) {
                put_pair(end -= 2, rest % 100);
                rest /= 100;
        }
        if (rest > 0)
                *--end = (char)('0' + rest);
        return end;
}

static char *put_repeated(char *to, char c, int count)
{
        memset(to, c, (size_t)count);
        return to + count;
}

static char *put_bytes(char *to, const char *from, int count)
{
        memcpy(to, from, (size_t)count);
        return to + count;
}

static char *put_exponent(char *to, int exponent)
{
        unsigned magnitude = exponent < 0 ? (unsigned)-exponent : (unsigned)exponent;

        *to++ = 'e';
        *to++ = exponent < 0 ? '-' : '+';
        if (magnitude >= 100)
                *to++ = (char)('0' + magnitude / 100);
        put_pair(to, magnitude % 100);
        return to + 2;
}

/* As printf's %g has it, but that large integers are spelled out. */
static char *put_decimal(char *to, struct decimal decimal)
{
        char buffer[20], *end = buffer + sizeof(buffer), *digits = put_digits(end, decimal.digits);
        int count = (int)(end - digits), first = decimal.exponent + count - 1; /* the first digit's power */

        if (first < FIXED_FIRST || first > FIXED_LAST) {
                *to++ = *digits;
                if (count > 1) {
                        *to++ = '.';
                        to = put_bytes(to, digits + 1, count - 1);
                }
                return put_exponent(to, first);
        }
        if (first < 0) {
                *to++ = '0';
                *to++ = '.';
                to = put_repeated(to, '0', -first - 1);
                return put_bytes(to, digits, count);
        }
        if (decimal.exponent >= 0)
                return put_repeated(put_bytes(to, digits, count), '0', decimal.exponent);
        to = put_bytes(to, digits, first + 1);
        *to++ = '.';
        return put_bytes(to, digits + first + 1, count - first - 1);
}

size_t shortest_write(double value, char *to)
{
        const double exact_limit = 9007199254740992.0; /* every integer up to 2^53 is a double of its own */
        struct decimal decimal;
        char *start = to;
        uint64_t bits;

        memcpy(&bits, &value, sizeof(bits));
        if (bits >> 63) {
                *to++ = '-';
                value = -value;
        }
        if (value <= exact_limit && value == (double)(uint64_t)value) {
                char buffer[20], *end = buffer + sizeof(buffer), *digits = put_digits(end, (uint64_t)value);

                if (digits == end)
                        *--digits = '0';
                return (size_t)(put_bytes(to, digits, (int)(end - digits)) - start);
        }
        if (!few_decimals(value, &decimal))
                decimal = shortest(bits & ((UINT64_C(1) << FRACTION_BITS) - 1),
                                   (int)(bits >> FRACTION_BITS & 0x7ff));
        strip_zeros(&decimal);
        return (size_t)(put_decimal(to, decimal) - start);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shortest decimals of doubles: pages consist of them. A series costs 85 ns to write this way, and 1,370 by
 * trying
 * %.15g to %.17g until it reads back: 0.9 ms against 14 for a page of 10,000 (tests/bench/encode.c).
 *
 * After Raffaello Giulietti, "The Schubfach way to render doubles" (2020): the interval of the reals that
 * read back as the double is scaled by a power of ten to where at most two candidates of each length lie in
 * it. One table of 128-bit powers of ten, made by lib/base/tables/powers_of_ten.c; no big numbers, no loops.
 * The digits are then found eight at a time.
 */
#include "runbook/shortest.h"

#include <endian.h>
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
        FIXED_LAST = 15,
        BLOCK = 16,
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
        uint64_t s = value / 4, t = s / 10;

        /* Which of the cases it is no processor can foresee: so all are computed, and nothing branches. */
        bool below = lower <= 40 * t, above = 40 * t + 40 <= upper;
        bool shorter = (s >= 10) & (below != above); /* one digit less, when exactly one such is inside */
        uint64_t shorter_digits = t + above;

        below = lower <= 4 * s;
        above = 4 * s + 4 <= upper;
        bool nearer_above = (value > 4 * s + 2) | ((value == 4 * s + 2) & (s & 1));
        bool one = below != above;
        uint64_t digits = s + ((one & above) | (!one & nearer_above));

        uint64_t mask = -(uint64_t)shorter;
        return (struct decimal){(shorter_digits & mask) | (digits & ~mask), k + shorter};
}

/* Numbers with up to three decimals: of up to 15 digits there is no second one for the same double, and the
 * division is rounded once, as reading is. */
static bool few_decimals(double value, struct decimal *ret)
{
        if (value >= 1e12 || value < 1e-3)
                return false;
        int64_t thousandths =
                (int64_t)(value * 1000 + 0.5); /* converts in one instruction, unsigned does not */
        if ((double)thousandths / 1000 != value)
                return false;
        *ret = (struct decimal){(uint64_t)thousandths, -3};
        return true;
}

/* Up to 17 digits: the first one of 17 alone, the others in the bytes of a block, the first in the lowest. */
struct digits {
        unsigned lead; /* 0: there is none */
        int count;     /* with the lead, without zeros at the end */
        int zeros;     /* at the end */
        uint128 block;
};

/*
 * The eight digits of a number below 10^8, the first one in the lowest byte: divides by multiplication, in
 * both halves, then in four quarters, at once.
 */
static uint64_t eight_digits(uint32_t number)
{
        uint64_t halves = number / 10000 | (uint64_t)(number % 10000) << 32;
        uint64_t hundreds = (halves * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
        uint64_t quarters = ((halves - 100 * hundreds) << 16) + hundreds;
        uint64_t tens = (quarters * 103 >> 10) & UINT64_C(0x000f000f000f000f);
        return ((quarters - 10 * tens) << 8) + tens;
}

/* `number` is neither 0 nor longer. */
static void find_digits(uint64_t number, struct digits *ret)
{
        const uint64_t unit = 100000000;
        uint64_t upper = number / unit;
        uint64_t low = eight_digits((uint32_t)(number % unit)), high = eight_digits((uint32_t)(upper % unit));
        unsigned lead = (unsigned)(upper / unit);
        int before, after; /* zeros, as bits of the block */
        if (high | lead)
                before = __builtin_ctzll(high | (lead > 0)); /* none after a lead */
        else
                before = 64 + __builtin_ctzll(low);
        if (low)
                after = __builtin_clzll(low);
        else
                after = high ? 64 + __builtin_clzll(high) : 128;
        *ret = (struct digits){
                .lead = lead,
                .count = BLOCK - before / 8 - after / 8 + (lead > 0),
                .zeros = after / 8,
                .block = ((uint128)low << 64 | high) >> (before & ~7),
        };
}

/* Writes a whole block at once, of which `count` bytes are meant. */
static char *put_block(char *to, uint128 block, int count)
{
        const uint64_t zeros = UINT64_C(0x3030303030303030);
        uint64_t halves[] = {htole64((uint64_t)block + zeros), htole64((uint64_t)(block >> 64) + zeros)};
        memcpy(to, halves, sizeof(halves));
        return to + count;
}

static char *put_exponent(char *to, int exponent)
{
        int magnitude = exponent < 0 ? -exponent : exponent;
        *to++ = 'e';
        *to++ = exponent < 0 ? '-' : '+';
        if (magnitude >= 100)
                *to++ = (char)('0' + magnitude / 100);
        *to++ = (char)('0' + magnitude / 10 % 10);
        *to++ = (char)('0' + magnitude % 10);
        return to;
}

/* `whole` digits, of which there may be more than given, and the others after a point. */
static char *put_digits(char *to, const struct digits *digits, int whole)
{
        int leads = digits->lead > 0, count = digits->count - leads;
        *to = (char)('0' + digits->lead); /* overwritten when there is none */
        to += leads;
        whole -= leads;
        to = put_block(to, digits->block, whole);
        if (count <= whole)
                return to;
        *to++ = '.';
        return put_block(to, digits->block >> (8 * whole), count - whole);
}

/* As printf's %g has it, but that large integers are spelled out. */
static char *put_decimal(char *to, struct decimal decimal)
{
        struct digits digits;
        find_digits(decimal.digits, &digits);
        int whole = decimal.exponent + digits.zeros + digits.count; /* digits before the point */
        if (whole <= FIXED_FIRST || whole > FIXED_LAST + 1)
                return put_exponent(put_digits(to, &digits, 1), whole - 1);
        if (whole > 0)
                return put_digits(to, &digits, whole);
        *to++ = '0';
        *to++ = '.';
        to = put_block(to, 0, -whole);
        return put_digits(to, &digits, digits.count);
}

/* Every integer up to 2^53 is a double of its own. */
static bool is_integer(double value)
{
        return value <= 9007199254740992.0 && value == (double)(int64_t)value;
}

static char *put_integer(char *to, uint64_t value)
{
        struct digits digits;
        if (value == 0) {
                *to = '0';
                return to + 1;
        }
        find_digits(value, &digits);
        return put_digits(to, &digits, digits.count + digits.zeros);
}

size_t shortest_write(double value, char *to)
{
        struct decimal decimal;
        char *start = to;
        uint64_t bits;
        memcpy(&bits, &value, sizeof(bits));
        if (bits >> 63) {
                *to++ = '-';
                value = -value;
        }
        if (is_integer(value))
                return (size_t)(put_integer(to, (uint64_t)value) - start);
        if (!few_decimals(value, &decimal))
                decimal = shortest(bits & ((UINT64_C(1) << FRACTION_BITS) - 1),
                                   (int)(bits >> FRACTION_BITS & 0x7ff));
        return (size_t)(put_decimal(to, decimal) - start);
}

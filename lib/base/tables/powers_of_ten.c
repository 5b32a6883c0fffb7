/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the table that lib/base/shortest.c multiplies by: the first 128 bits of every power of ten it needs,
 * rounded up, as C initialisers. Run by the build; exact, by long multiplication and long division.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The powers that bring any double's exponent down to about nothing (Giulietti, table bounds of binary64). */
enum { FIRST = -292, LAST = 324, LIMBS = 26 };

/* Little-endian; 832 bits hold 5^324 (753 bits) and a doubling. */
struct number {
        uint32_t limbs[LIMBS];
};

struct power {
        uint64_t high, low;
};

static void multiply(struct number *n, uint32_t factor)
{
        uint64_t carry = 0;
        for (int i = 0; i < LIMBS; i++) {
                carry += (uint64_t)n->limbs[i] * factor;
                n->limbs[i] = (uint32_t)carry;
                carry >>= 32;
        }
}

static bool bit(const struct number *n, int at)
{
        return at >= 0 && n->limbs[at / 32] >> at % 32 & 1;
}

static int bit_length(const struct number *n)
{
        int length = LIMBS * 32;
        while (length > 0 && !bit(n, length - 1))
                length--;
        return length;
}

static int compare(const struct number *a, const struct number *b)
{
        for (int i = LIMBS - 1; i >= 0; i--)
                if (a->limbs[i] != b->limbs[i])
                        return a->limbs[i] < b->limbs[i] ? -1 : 1;
        return 0;
}

static void subtract(struct number *a, const struct number *b)
{
        int64_t borrow = 0;
        for (int i = 0; i < LIMBS; i++) {
                borrow += (int64_t)a->limbs[i] - b->limbs[i];
                a->limbs[i] = (uint32_t)borrow;
                borrow >>= 32;
        }
}

static void push_bit(struct power *power, bool one)
{
        power->high = power->high << 1 | power->low >> 63;
        power->low = power->low << 1 | one;
}

static void round_up(struct power *power)
{
        if (++power->low == 0)
                power->high++;
}

/* 10^k and 5^k differ by a power of two alone, so that their first bits are the same. */
static struct number power_of_five(int exponent)
{
        struct number n = {.limbs = {1}};
        while (exponent-- > 0)
                multiply(&n, 5);
        return n;
}

static struct power upward(int exponent)
{
        const struct number n = power_of_five(exponent);
        struct power power = {0};
        int at = bit_length(&n);
        bool inexact = false;
        for (int i = 0; i < 128; i++)
                push_bit(&power, bit(&n, --at));
        while (at > 0)
                inexact |= bit(&n, --at);
        if (inexact)
                round_up(&power);
        return power;
}

/* 2^x / 5^-exponent bit by bit, for the x that gives 128 of them. */
static struct power downward(int exponent)
{
        const struct number divisor = power_of_five(-exponent);
        struct number rest = {0};
        struct power power = {0};
        int length = bit_length(&divisor) - 1;
        rest.limbs[length / 32] = UINT32_C(1) << length % 32;
        for (int i = 0; i < 128; i++) {
                multiply(&rest, 2);
                bool fits = compare(&rest, &divisor) >= 0;
                if (fits)
                        subtract(&rest, &divisor);
                push_bit(&power, fits);
        }
        round_up(&power); /* a power of five never divides a power of two */
        return power;
}

int main(void)
{
        printf("/* Made by lib/base/tables/powers_of_ten.c. */\n");
        printf("enum { POWERS_FIRST = %d };\n", FIRST);
        printf("static const struct power powers_of_ten[] = {\n");
        for (int k = FIRST; k <= LAST; k++) {
                struct power power = k < 0 ? downward(k) : upward(k);
                printf("        {UINT64_C(0x%016" PRIx64 "), UINT64_C(0x%016" PRIx64 ")}, /* %d */\n",
                       power.high, power.low, k);
        }
        printf("};\n");
        return fflush(stdout) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Chance from a seed: the same seed, the same run, on every machine. */
#ifndef TESTS_SIM_RNG_H
#define TESTS_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
        uint64_t state;
};

/* SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
static inline uint64_t rng_next(struct rng *rng)
{
        uint64_t z = rng->state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
}

/* From 0 to limit - 1. */
static inline uint64_t rng_below(struct rng *rng, uint64_t limit)
{
        return limit > 0 ? rng_next(rng) % limit : 0;
}

/* True in so many of a thousand. */
static inline bool rng_chance(struct rng *rng, unsigned per_mille)
{
        return rng_below(rng, 1000) < per_mille;
}

/* From low to high, mostly near low: what waits, waits long now and then. */
static inline int64_t rng_between(struct rng *rng, int64_t low, int64_t high)
{
        int64_t reach = (high - low) >> (2 * rng_below(rng, 3));
        return low + (int64_t)rng_below(rng, (uint64_t)reach + 1);
}

#endif

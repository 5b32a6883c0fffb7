/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms: classic buckets with given bounds, and native ones whose bounds are powers of one base. */
#include <errno.h>
#include <float.h>
#include <math.h>

#include "runbook/metrics.h"

/* Bounds that are 2^(1/8) apart, about 9 %, as client_golang's advice for a factor of 1.1 gives. */
#define FINEST_SCHEMA 3

/* Prometheus' own default: a power of two, so that it is a bound at every schema. */
#define ZERO_THRESHOLD 0x1p-128

int histogram_init(struct histogram *histogram, const double *bounds, size_t count)
{
        uint64_t *counts = calloc(count + 1, sizeof(*counts));
        if (!counts)
                return -ENOMEM;
        *histogram = (struct histogram){.bounds = bounds, .bound_count = count, .counts = counts};
        return 0;
}

int histogram_init_native(struct histogram *histogram, const double *bounds, size_t count)
{
        int r = histogram_init(histogram, bounds, count);
        if (r < 0)
                return r;
        histogram->native = calloc(1, sizeof(*histogram->native));
        if (!histogram->native) {
                histogram_release(histogram);
                return -ENOMEM;
        }
        histogram->native->schema = FINEST_SCHEMA;
        histogram->native->zero_threshold = ZERO_THRESHOLD;
        return 0;
}

/* The smallest index whose bound 2^(index / 2^schema) is not below the value; the bounds within one power of
 * two are exact where they have to be, at the power itself. */
static int64_t bucket_index(int schema, double value)
{
        int exponent;
        double fraction = frexp(value, &exponent); /* value = fraction * 2^exponent, fraction in [0.5, 1) */
        if (schema <= 0) {
                int64_t power = fraction == 0.5 ? exponent - 1 : exponent; /* the smallest 2^power >= value */
                int64_t width = INT64_C(1) << -schema;
                return power > 0 ? (power + width - 1) / width : -(-power / width);
        }
        int64_t steps = INT64_C(1) << schema, index = 0;
        while (index < steps && fraction > exp2((double)(index - steps) / (double)steps))
                index++;
        return index + (exponent - 1) * steps;
}

/* Squares the base: buckets 2i-1 and 2i become bucket i. */
static void join_neighbours(struct native_buckets *native)
{
        uint32_t count = 0;
        for (uint32_t i = 0; i < native->count; i++) {
                struct native_bucket bucket = native->buckets[i];
                bucket.index = (bucket.index + 1) >> 1;
                if (count > 0 && native->buckets[count - 1].index == bucket.index)
                        native->buckets[count - 1].count += bucket.count;
                else
                        native->buckets[count++] = bucket;
        }
        native->count = count;
        native->schema--;
}

/* The place of the bucket or where it belongs; true when it is there. */
static bool find_bucket(const struct native_buckets *native, int64_t index, uint32_t *ret)
{
        uint32_t at = 0;
        while (at < native->count && native->buckets[at].index < index)
                at++;
        *ret = at;
        return at < native->count && native->buckets[at].index == index;
}

static void observe_native(struct native_buckets *native, double value)
{
        uint32_t at;
        if (value <= native->zero_threshold) {
                native->zero_count++;
                return;
        }
        value = fmin(value, DBL_MAX);
        while (!find_bucket(native, bucket_index(native->schema, value), &at)) {
                if (native->count == NATIVE_BUCKETS_MAX) {
                        join_neighbours(native);
                        continue;
                }
                memmove(&native->buckets[at + 1], &native->buckets[at],
                        (native->count - at) * sizeof(*native->buckets));
                native->buckets[at] = (struct native_bucket){bucket_index(native->schema, value), 0};
                native->count++;
        }
        native->buckets[at].count++;
}

void histogram_observe(struct histogram *histogram, double value)
{
        size_t i = 0;
        if (isnan(value))
                return;
        while (i < histogram->bound_count && value > histogram->bounds[i])
                i++;
        histogram->counts[i]++;
        histogram->sum += value;
        if (histogram->native)
                observe_native(histogram->native, value);
}

void histogram_release(struct histogram *histogram)
{
        free(histogram->counts);
        free(histogram->native);
        *histogram = (struct histogram){0};
}

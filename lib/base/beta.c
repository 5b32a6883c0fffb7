/* SPDX-License-Identifier: Apache-2.0 */
#include "runbook/beta.h"

#include <math.h>

/* Of a continued fraction's terms, and of the bisection: each halves what is left. */
enum { TERMS_MOST = 20000, HALVES = 200 };
#define NEARLY 1e-15
#define TINY 1e-300

/* The n-th coefficient of the fraction (dlmf.nist.gov/8.17.E23). */
static double coefficient(double a, double b, double x, int n)
{
        const int half = n / 2;
        const double m = half;
        return n % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                          : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
}

static double away_from_zero(double value)
{
        return fabs(value) < TINY ? TINY : value;
}

/* 1 + d1/(1 + d2/(1 + …)), by Lentz's method from the front (dlmf.nist.gov/3.10#iii). */
static double fraction(double a, double b, double x)
{
        double value = 1, above = 1, below = 0;
        for (int n = 1; n < TERMS_MOST; n++) {
                double d = coefficient(a, b, x, n);
                above = away_from_zero(1 + d / above);
                below = 1 / away_from_zero(1 + d * below);
                value *= above * below;
                if (fabs(above * below - 1) < NEARLY)
                        break;
        }
        return value;
}

double beta_at_most(double a, double b, double x)
{
        if (x <= 0)
                return 0;
        if (x >= 1)
                return 1;
        /* Where it converges fast; the rest is the other side. */
        if (x > (a + 1) / (a + b + 2))
                return 1 - beta_at_most(b, a, 1 - x);
        double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
        return front / a / fraction(a, b, x);
}

double beta_quantile(double a, double b, double likelihood)
{
        double low = 0, high = 1;
        for (int i = 0; i < HALVES && low < high; i++) {
                double middle = low + (high - low) / 2;
                if (beta_at_most(a, b, middle) < likelihood)
                        low = middle;
                else
                        high = middle;
        }
        return high;
}

double beta_share_at_least(size_t succeeded, size_t failed, double likelihood)
{
        if (succeeded + failed == 0)
                return 0;
        return beta_quantile((double)succeeded + 0.5, (double)failed + 0.5, 1 - likelihood);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The beta distribution, by which it is said how sure a share is that was seen so and so often. */
#ifndef RUNBOOK_BETA_H
#define RUNBOOK_BETA_H

#include "runbook/common.h"

/* How likely a value of Beta(a, b) is at most x: the regularized incomplete beta function. a and b are
 * positive; right to some twelve digits up to a and b of a million. */
double beta_at_most(double a, double b, double x);

/* The value that a value of Beta(a, b) is at most with a likelihood from 0 to 1. */
double beta_quantile(double a, double b, double likelihood);

/*
 * The lower bound of Jeffreys' interval: of what succeeded so often and failed so often the true share is
 * above it with this likelihood (0.95), after a prior of Beta(1/2, 1/2). (Brown, Cai and DasGupta, "Interval
 * Estimation for a Binomial Proportion", 2001.) 0 of nothing.
 */
double beta_share_at_least(size_t succeeded, size_t failed, double likelihood);

#endif

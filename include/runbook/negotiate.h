/* SPDX-License-Identifier: Apache-2.0 */
/* Which spelling of the page a client wants, from its request's headers. */
#ifndef RUNBOOK_NEGOTIATE_H
#define RUNBOOK_NEGOTIATE_H

#include "runbook/metrics.h"

/*
 * The format that an Accept header (NULL: none) prefers, as client_golang finds it: by q, then what is
 * narrower, then what stands first. What nobody knows is passed over; the text format is what remains, and
 * never an error. OpenMetrics 2.0 only when its version is named.
 */
enum metrics_format negotiate_format(const char *accept);

/* Whether an Accept-Encoding header (NULL: none) prefers gzip to bytes as they are. */
bool negotiate_gzip(const char *accept_encoding);

#endif

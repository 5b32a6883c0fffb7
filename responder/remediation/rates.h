/* SPDX-License-Identifier: Apache-2.0 */
/* How many runs in which time: "3 per 1d", of `limit:`, `limit_all:`, `breaker:` and `storm:`. */
#ifndef RESPONDER_REMEDIATION_RATES_H
#define RESPONDER_REMEDIATION_RATES_H

#include "responder/remediation/approval.h"

/* "3 per 1d"; -EINVAL says how it is written. `ret` is untouched on failure. */
int rate_parse(const char *text, struct rate *ret, struct error *error);

/* The rate of a key of a mapping, whose `text` was read of it: {0} for "off" and for none. Mistakes are
 * complaints. */
void rate_read(struct config_node *node, const char *key, const char *text, struct rate *ret);

#endif

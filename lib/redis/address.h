/* SPDX-License-Identifier: Apache-2.0 */
/* Where a Redis is: "host:port", "rediss://[::1]:6379", "/path" or "unix:/path", taken apart. */
#ifndef LIB_REDIS_ADDRESS_H
#define LIB_REDIS_ADDRESS_H

#include "runbook/error.h"

struct redis_address {
        char *host, *port; /* both set, or */
        char *path;        /* this one */
        bool tls;          /* it said rediss:// */
};

/* A missing port is 6379. -EINVAL with a sentence that says what would be right. */
int redis_address_parse(const char *string, struct redis_address *ret, struct error *error);
void redis_address_release(struct redis_address *address);

#endif

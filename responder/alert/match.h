/* SPDX-License-Identifier: Apache-2.0 */
/* Alertmanager's matchers: `name="value"`, `!=`, `=~`, `!~`. A label that is absent has the value "". */
#ifndef RESPONDER_ALERT_MATCH_H
#define RESPONDER_ALERT_MATCH_H

#include "runbook/config.h"
#include "runbook/error.h"

struct matcher;
struct matchers {
        struct matcher *items;
        size_t count;
};

/* Parses one matcher and appends it; regular expressions are anchored at both ends. -EINVAL with a sentence.
 */
int matchers_add(struct matchers *matchers, const char *text, struct error *error);

/* True when every one matches; false for an empty set, which never means "all". */
bool matchers_match(const struct matchers *matchers, const struct config_map *labels);
void matchers_release(struct matchers *matchers);

#endif

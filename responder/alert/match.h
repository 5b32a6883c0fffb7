/* SPDX-License-Identifier: Apache-2.0 */
/* Alertmanager's matchers: `name="value"`, `!=`, `=~`, `!~`. A label that is absent has the value "". */
#ifndef RESPONDER_ALERT_MATCH_H
#define RESPONDER_ALERT_MATCH_H

#include "runbook/config.h"
#include "runbook/error.h"
#include "runbook/text.h"

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

/* Whether they may match an alert of which these labels are known, and any other may have any value. */
bool matchers_may_match(const struct matchers *matchers, const struct config_map *known);

/* How many of them the labels do not match; `why` (may be NULL) is given the first `most` of these in words,
 * with
 * "; " between them: `service is "rest-api", not "mcp-server"`. */
size_t matchers_missed(const struct matchers *matchers, const struct config_map *labels, size_t most,
                       struct text *why);

/* Calls `each` for every label that can have one value alone: that of a matcher `name="value"`. */
void matchers_each_value(const struct matchers *matchers,
                         void (*each)(void *context, const char *name, const char *value), void *context);

/* Whether every alert that matches has the label: some matcher refuses alerts without it. */
bool matchers_ensure(const struct matchers *matchers, const char *name);

/* The names of the labels that are asked about, for a sentence that says which is near; `ret` has room for
 * one of each matcher. */
size_t matchers_names(const struct matchers *matchers, const char **ret);

/*
 * Whether some alert matches both: then `example` says which, as {alertname="a", service="b"}. What a pattern
 * takes is tried out by words made of it, so that two patterns may have one in common that is not found; what
 * is found is so. 1: yes; 0: none was found; -ENOMEM.
 */
int matchers_overlap(const struct matchers *a, const struct matchers *b, struct text *example);

/* A label of which one matcher demands a value that another one refuses, so that no alert matches both; NULL:
 * none is known; borrowed. Two patterns are not held against each other. */
const char *matchers_contradiction(const struct matchers *matchers);

/* As Alertmanager's API has them: an array of {name, value, isRegex, isEqual}; NULL: out of memory. */
cJSON *matchers_to_json(const struct matchers *matchers);

/* The matchers as they could be written, one a line: the same text for the same matchers. */
void matchers_print(const struct matchers *matchers, struct text *text);
void matchers_release(struct matchers *matchers);

#endif

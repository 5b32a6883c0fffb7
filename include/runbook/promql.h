/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PromQL read without a Prometheus: whether one would take an expression, and what it gives.
 *
 * Names, numbers, strings, durations, selectors and their matchers, ranges, subqueries, offset and @,
 * operators and how they match, aggregations, functions with the number and the types of their arguments:
 * what Prometheus refuses before it has looked at any series is refused here, with a sentence and a place.
 * Whether there are such series, only a Prometheus can say.
 *
 * The language is that of Prometheus 2.42 and all that came to it up to 3.x, what is experimental there
 * included: an older server may still refuse what is newer than itself. Two things are left to Prometheus:
 * what lib/pattern cannot read of a regular expression, such as \pL, and arithmetic that leaves no range.
 *
 * All of it is thread-safe and keeps nothing; time and memory grow with the text.
 *
 * lib/promql is here because both daemons, their generated rules and our own tests read PromQL. It uses
 * lib/base, lib/pattern, and lib/config for telling where in a file a mistake stands.
 */
#ifndef RUNBOOK_PROMQL_H
#define RUNBOOK_PROMQL_H

#include "runbook/config.h"

enum promql_type {
        PROMQL_SCALAR, /* one number, always there */
        PROMQL_VECTOR, /* an instant vector: a number for each series */
        PROMQL_RANGE,  /* a range vector: x[5m] */
        PROMQL_STRING,
        PROMQL_TYPES,
};

/* "a scalar", "an instant vector", … */
const char *promql_type_name(enum promql_type type);

/*
 * What `text` gives. -EINVAL with a sentence, and in `fault`, which may be NULL, the byte at which the
 * mistake stands, at most the length of the text; `fault` is left alone when there is none.
 */
int promql_check(const char *text, enum promql_type *ret_type, size_t *fault, struct error *error);

/*
 * The same for what stands under `key` of a mapping as `query`, which must give one of the types of `wanted`
 * (1 << PROMQL_VECTOR | …). A mistake is a complaint at its own place in the file; false then. With `bound`
 * the query is of a field with CONFIG_BIND_PROMQL: a word is taken for each "${labels.x}" in it.
 */
bool promql_check_member(struct config_node *node, const char *key, const char *query, unsigned wanted,
                         bool bound);

#endif

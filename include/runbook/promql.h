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

/* Calls `each` for every metric that the expression names, as often as it does; one that is named by a
 * matcher of
 * __name__ alone is none. -EINVAL as promql_check(). */
int promql_each_metric(const char *text, void (*each)(void *context, const char *metric), void *context,
                       struct error *error);

/*
 * The number that a condition compares with: 2 of `x < 2`, `2 > x` and `(x < 2) and y`. 1, or 0 when it
 * compares with no number, or not in one place alone (`or`). -EINVAL as promql_check().
 */
int promql_limit(const char *text, double *ret, struct error *error);

/* What it compares with that number: `x` of these; free() it. 1, or 0 as above, and then there is nothing. */
int promql_measured(const char *text, char **ret, struct error *error);

/* What a Prometheus finds for an expression at one moment. */
struct promql_found {
        size_t series;  /* how many; a scalar is one */
        size_t numbers; /* of these: with a value that is a number, be it infinite */
        size_t zeros;   /* of these: with the value 0 */
        double value;   /* the first that is a number; NaN: there is none */
        double at;      /* the moment, in seconds since the epoch; 0: not told */
};

/* Asks a Prometheus; -errno when there is no answer. */
typedef int promql_ask(void *context, const char *expression, struct promql_found *ret, struct error *error);

/*
 * Whether a condition holds, with as many questions as that takes: 1 or 0; or -ENODATA when nobody can know,
 * with a sentence that names what has no data. Anything else that is negative is what `ask` had to say.
 *
 * An empty answer alone says nothing: of `x < 2` it comes when x is 3, when it is NaN and when there is no x.
 * So the two sides of a comparison are asked for as well. It holds when it does for every series of its left
 * side; it does not hold when it does not for one; a side that has no series, or NaN, is no data. What is
 * infinite is a number. With `bool` it holds where it says 1. `a or b` holds when either does, `a and b` when
 * a does for all and something of both is left, `a unless b` likewise. absent(x) holds when there is no x.
 * Any other expression holds when it has a series, and none is NaN.
 *
 * No sample that goes into it may be older than `age` seconds when it is asked for; INFINITY: as old as
 * Prometheus takes them. `ret_value`: what the left side of the comparison is; NaN when that is not known.
 */
int promql_holds(const char *text, double age, promql_ask *ask, void *context, double *ret_value,
                 struct error *error);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions as Alertmanager reads them (RE2), for whole values or any piece of them, in time that
 * is linear in the value.
 *
 * libc's would not do: it reads some of RE2's patterns differently, knows bytes where RE2 knows characters,
 * and `.*a.{20}b` holds it up for two minutes over one label of 64 KiB. Here a set of places in the pattern
 * is carried over the value, one character after the other (Thompson, CACM 11(6), 1968).
 *
 * Known: characters, `.` (all but a line break), [classes] with ranges, \d \w \s \D \W \S and [:alpha:] and
 * its like, groups, also named ones, |, * + ? {n,m} also followed by `?`, ^ and $, \n \t \r \f \v, and a
 * backslash before punctuation. Anything else of RE2 (flags such as (?i), \b, \pL, \x41, back references in
 * any case) is refused with a sentence, never read differently.
 *
 * lib/pattern is here because no C library has RE2's syntax and its time; it serves matchers of alerts and
 * patterns of logs alike. It uses lib/base.
 */
#ifndef RUNBOOK_PATTERN_H
#define RUNBOOK_PATTERN_H

#include "runbook/common.h"
#include "runbook/error.h"

struct pattern;

/*
 * -EINVAL with a sentence that says what is wrong in `text`; -ENOTSUP for what RE2 knows and is not known
 * here, -E2BIG for a pattern that is too large here.
 */
int pattern_compile(const char *text, struct pattern **ret, struct error *error);

/* Whether the whole of `value` matches. Thread-safe. */
bool pattern_matches(const struct pattern *pattern, const char *value);

/* Whether it matches anywhere in `value`; stops at the first place. Thread-safe. */
bool pattern_found(const struct pattern *pattern, const char *value);

/* The groups that have a name, (?P<name>…) or (?<name>…), from the left. */
enum { PATTERN_GROUPS_MAX = 16 };
size_t pattern_groups(const struct pattern *pattern);
const char *pattern_group_name(const struct pattern *pattern, size_t i);

/* What a group holds: a piece of the value; start NULL when the group took no part. */
struct pattern_span {
        const char *start;
        size_t length;
};

/*
 * As pattern_found(), and tells what the named groups hold, `ret_groups` having room for all of them. Of all
 * ways to match it is the one that RE2 and Perl take: the leftmost, the first alternative, as many as there
 * can be, or as few before `?`. 1 when found, 0 when not, -ENOMEM. Thread-safe; linear in the value, too, but
 * slower than pattern_found(), so ask that first.
 */
int pattern_capture(const struct pattern *pattern, const char *value, struct pattern_span *ret_groups);

struct pattern *pattern_free(struct pattern *pattern);

#endif

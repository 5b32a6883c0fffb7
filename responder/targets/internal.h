/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of targets share: messages built and answers read, apart from any connection; for tests too.
 */
#ifndef RESPONDER_TARGETS_INTERNAL_H
#define RESPONDER_TARGETS_INTERNAL_H

#include "responder/targets/targets.h"

struct prometheus_answer;

/* The table of a receiver's keys, and what it cannot say (double names, keys that a format does not have). */
extern const struct config_field receiver_fields[];
void receivers_check(const struct config_list *list, struct config_node *node);

/* Whether a key is part of what a receiver is, by its format: not by which password it is entered. */
bool receiver_is_defined_by(const struct receiver *receiver, const char *key);

/* Of the header Retry-After: 0 for what is no number of seconds within a day; a date is not waited for. */
nsec retry_after_parse(const char *value);

/* -ENOTSUP where the configuration does not say, under this key, who is to be asked. */
int targets_check_url(const char *url, const char *key, struct error *error);

/* How a check stands by a page of metrics, which ends with NUL; `since`: when it must have run, by the wall
 * clock. -ENOENT when it is not there; -ENODATA when that is not known; -EBADMSG when the page is none, or
 * the value is no verdict. */
int check_answer_parse(const char *page, size_t length, const char *check, nsec since, bool *ret_holds,
                       struct error *error);

#endif

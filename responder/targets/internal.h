/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of targets share: messages built and answers read, apart from any connection; for tests too.
 */
#ifndef RESPONDER_TARGETS_INTERNAL_H
#define RESPONDER_TARGETS_INTERNAL_H

#include "responder/targets/targets.h"

/* The bodies of a notification. NULL when out of memory. */
cJSON *message_to_slack(const struct message *message);
cJSON *message_to_json(const struct message *message, nsec wall);

/* The value of runbook_check_success{check="<check>"} on a page of metrics, which ends with NUL. -ENOENT when
 * it is not there; -EBADMSG when the page is none as far as it was read, or the value is no verdict. */
int check_answer_parse(const char *page, size_t length, const char *check, bool *ret_holds,
                       struct error *error);

#endif

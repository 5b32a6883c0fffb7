/* SPDX-License-Identifier: Apache-2.0 */
/* `approval:` of a remediation: when a person must agree, how many, and what follows when nobody does. */
#ifndef RESPONDER_REMEDIATION_APPROVAL_H
#define RESPONDER_REMEDIATION_APPROVAL_H

#include "runbook/config.h"
#include "runbook/hours.h"

/* So many in a time; a count of 0: any number. */
struct rate {
        int64_t count;
        nsec period;
};
enum { RATE_MOST = 1000 };

/* How far a remediation is trusted: to act, to be planned alone, to ask first, or as far as it has earned. */
enum trust { TRUST_ACT, TRUST_OBSERVE, TRUST_ASK, TRUST_EARNED, TRUST_COUNT };
extern const char *const trust_words[]; /* closed by NULL */

enum on_timeout { ON_TIMEOUT_ESCALATE, ON_TIMEOUT_DENY, ON_TIMEOUT_RUN, ON_TIMEOUT_COUNT };
enum { PEOPLE_MOST = 2 };

struct approval {
        bool wanted; /* a person must agree: always, or when one of the following is so */
        bool conditions;
        int64_t more_than; /* targets that are changed; 0: not asked for */
        bool outside_hours;
        struct rate after; /* once it has run so often within the time */

        nsec deadline; /* 0: `expire` is it */
        int on_timeout;
        int64_t people; /* that have to agree, to whatever is asked about this remediation */
};

/* Of the mapping, and of its `when`; for the reference page. */
extern const struct config_field approval_fields[], approval_when_fields[];

/*
 * Reads `approval:` of a remediation, which may be absent. `hours`: the file says when people are there;
 * `expire` is the remediation's. Mistakes are complaints.
 */
void approval_read(struct config_node *node, bool hours, nsec expire, struct approval *ret);

/* All of it as text, for a digest. */
void approval_print(const struct approval *approval, struct text *text);

#endif

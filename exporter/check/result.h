/* SPDX-License-Identifier: Apache-2.0 */
/* What one finished run measured, and how a check stands. */
#ifndef EXPORTER_CHECK_RESULT_H
#define EXPORTER_CHECK_RESULT_H

#include "exporter/check/check.h"
#include "exporter/check/skipped.h"
#include "exporter/check/verdict.h"

#define CHECK_OVERDUE "still running after its timeout"

/* What one finished run measured. Immutable, reference-counted. */
struct check_result {
        struct sample_set samples;
        struct sample_set durations;  /* of all runs so far, as a histogram */
        struct skipped_items skipped; /* what it could not measure beside them */
        nsec started_wall;
        nsec duration;
        int code;                   /* 0, or the negative errno that run() answered */
        char *reason;               /* why it failed, for people; NULL after a success */
        enum error_meaning meaning; /* of a failure: what it says of the check */
        bool not_set_up;            /* of a failure: what is missing was perhaps never there */
        struct verdict verdict;     /* over its samples */
        struct trace *trace;        /* its steps; NULL, as a rule: nobody asked for them */
        unsigned references;
};

struct check_result *check_result_ref(struct check_result *result);
struct check_result *check_result_unref(struct check_result *result); /* takes NULL, returns NULL */

/* What is known of a check. */
struct check_state {
        const struct check *check;
        struct check_result *result; /* of the last finished run, a reference; NULL: none has finished yet */
        nsec last_success_wall;      /* when the last successful run began; 0: never */
        bool running;
        bool overdue; /* the present run has outlasted its timeout */
        bool success; /* the last run succeeded, and the present one is not overdue */
        bool known;   /* a run of the check as it is has succeeded once, be it before a restart */
};

/*
 * How a check stands, from good to bad. What is not set up was never there, and does not worry. A warning is
 * measured, and is known to be no more than that; behind what is unknown anything may be, so it is worse.
 */
enum standing {
        STANDING_NOT_SET_UP,
        STANDING_PASS,
        STANDING_WARN,
        STANDING_UNKNOWN,
        STANDING_FAIL,
        STANDINGS,
};

/* How a standing is told: never by a colour alone. */
struct standing_style {
        const char *word;   /* for programs: "pass" */
        const char *phrase; /* for people: "passes" */
        const char *label;  /* "PASS" */
        const char *sign;   /* "✓" */
        const char *tone;   /* its colour on a page: good, wait, bad, dim */
        const char *escape; /* its colour on a terminal */
};
extern const struct standing_style standing_styles[STANDINGS];

/* The one place where it is decided: pages, metrics, commands and their exit codes all ask here. */
enum standing check_state_standing(const struct check_state *state);

/* Whether its advice is to be shown: something was measured that it may be meant for. */
bool check_state_needs_advice(const struct check_state *state);

/* What is beyond a condition, and what nothing is known of; nothing before a run has finished. */
void check_state_tell(const struct check_state *state, verdict_teller tell, void *context);

/* What its last run skipped, a line for each reason: "2 items were skipped: …", and which reason it is. Not
 * what the failure tells already. */
void check_state_tell_skipped(const struct check_state *state, verdict_teller tell, void *context);

/* The reason of a failure in words, "" when there is none; borrowed from the state. */
const char *check_state_reason(const struct check_state *state);

/* How many series of its last run are on no page. */
uint64_t check_state_cut(const struct check_state *state);

void check_state_release(struct check_state *state);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What one finished run measured, and how a check stands. */
#ifndef EXPORTER_CHECK_RESULT_H
#define EXPORTER_CHECK_RESULT_H

#include "exporter/check/check.h"
#include "exporter/check/skipped.h"

#define CHECK_OVERDUE "still running after its timeout"

/* What one finished run measured. Immutable, reference-counted. */
struct check_result {
        struct sample_set samples;
        struct sample_set durations;  /* of all runs so far, as a histogram */
        struct skipped_items skipped; /* what it could not measure beside them */
        nsec started_wall;
        nsec duration;
        int code;                        /* 0, or the negative errno that run() answered */
        char *reason;                    /* why it failed, for people; NULL after a success */
        size_t beyond[THRESHOLD_LEVELS]; /* how many series are beyond a threshold of each level */
        struct trace *trace;             /* its steps; NULL, as a rule: nobody asked for them */
        unsigned references;
};

struct check_result *check_result_ref(struct check_result *result);
struct check_result *check_result_unref(struct check_result *result); /* takes NULL, returns NULL */

/* How a check stands. */
struct check_state {
        const struct check *check;
        struct check_result *result; /* of the last finished run, a reference; NULL: none has finished yet */
        nsec last_success_wall;      /* when the last successful run began; 0: never */
        bool running;
        bool overdue; /* the present run has outlasted its timeout */
        bool success; /* the last run succeeded, and the present one is not overdue */
};

/* How a check stands, from bad to worse. */
enum standing {
        STANDING_PASS,
        STANDING_WARN,
        STANDING_FAIL,
        STANDING_UNKNOWN /* has not run yet */,
        STANDINGS
};

/* How a standing is told: never by a colour alone. */
struct standing_style {
        const char *word;   /* for programs: "pass" */
        const char *phrase; /* for people: "passes" */
        const char *label;  /* "PASS" */
        const char *sign;   /* "✓" */
        const char *tone;   /* its colour on a page: good, wait, bad */
        const char *escape; /* its colour on a terminal */
};
extern const struct standing_style standing_styles[STANDINGS];

enum standing check_state_standing(const struct check_state *state);

/* The reason of a failure in words, "" when there is none; borrowed from the state. */
const char *check_state_reason(const struct check_state *state);

void check_state_release(struct check_state *state);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What jobs have said of themselves: POST /ping/NAME, kept for the check of that name.
 *
 * It is a room of its own since three meet here that do not know each other: who takes pings (exporter/web),
 * the kind that judges them (exporter/kinds/heartbeat), and who reads checks.yml again, over which they stay.
 * It uses exporter/check and lib/base. All of it may be called by any thread, but pings_free().
 */
#ifndef EXPORTER_PINGS_PINGS_H
#define EXPORTER_PINGS_PINGS_H

#include "exporter/check/check.h"

enum ping_event { PING_START, PING_SUCCESS, PING_FAILURE, PING_EVENTS };

/* How they are called in a path ("" is a success) and in the label `event`. */
extern const char *const ping_event_names[PING_EVENTS];

/* One ping. */
struct ping {
        enum ping_event event;
        int exit_code;     /* -1: it said none */
        nsec wall, steady; /* when it came: by the wall clock, and by CLOCK_MONOTONIC */
};

/* What is known of a job; PING_UNKNOWN where nothing is. */
#define PING_UNKNOWN ((int64_t)-1)
enum ping_fact {
        PING_FIRST, /* times by the wall clock */
        PING_LAST,
        PING_STARTED,   /* the last start that was told */
        PING_SUCCEEDED, /* the last success */
        PING_FAILED,
        PING_DURATION,    /* of the last run whose start and end were told */
        PING_EXIT_CODE,   /* of the last end, when it told it */
        PING_RUNNING,     /* 0 or 1: a start was told, and no end behind it */
        PING_ENDED_BADLY, /* 0 or 1: the last end was a failure */
        PING_STARTS,      /* how many there were, since the first of all */
        PING_SUCCESSES,
        PING_FAILURES,
        PING_FACTS
};

struct ping_record {
        int64_t facts[PING_FACTS];
        nsec steady[PING_FACTS]; /* of those that are times: when it was, by CLOCK_MONOTONIC. Of what was
                                    before this process the wall clock has said how long ago, but never that
                                    it is to come */
};

struct pings;
struct ping_box; /* of one check; lives as long as its store */

/*
 * Pings are kept in files in `directory` (borrowed), or over reloads only when it is NULL. A `reader` never
 * writes: for commands that run beside the exporter whose files they are. NULL when out of memory.
 */
struct pings *pings_new(const char *directory, bool reader);
struct pings *pings_free(struct pings *pings); /* takes NULL, returns NULL */
DEFINE_CLEANUP(struct pings *, pings_free);

/* Gives each check of a kind that takes pings its box, which one of the same name has had before. -ENOMEM. */
int pings_attach(struct pings *pings, struct check_set *set, struct error *error);

/* Notes a ping. The number to wait for until pings_saved() is as large. */
uint64_t ping_box_note(struct ping_box *box, const struct ping *ping);

/*
 * Writes what is not written yet: waits for the disk, and for another thread that does the same. 0 when there
 * is nothing (more) to write. `*ret_news` (may be NULL): it could be written the last time, and cannot now,
 * or the other way round.
 */
int ping_box_save(struct ping_box *box, bool *ret_news, struct error *error);
uint64_t ping_box_saved(struct ping_box *box);

/*
 * What is known. -EINVAL or another errno with a sentence when the file of before could not be read, until
 * the next ping: then nothing is.
 */
int ping_box_read(struct ping_box *box, struct ping_record *ret, struct error *error);

const char *ping_box_name(const struct ping_box *box);

#endif

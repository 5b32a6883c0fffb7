/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How each check stood on each of the last ninety days, and why it failed last.
 *
 * A day is one of the calendar where this machine stands, and is as bad as the worst that was found on it. A
 * day on which nothing was measured, be it that the exporter was away, is *not measured*: never taken for a
 * good one. All of it lies in one file of the state directory, HISTORY_FILE_MAX at most, which is written
 * beside and moved over; it is known by the check's name, whatever else of the check is changed.
 *
 * A room of its own, as who notes (exporter/schedule) and who shows (exporter/web) do not know each other. It
 * uses exporter/check and lib/base. Any thread may call all of it, but history_free().
 */
#ifndef EXPORTER_HISTORY_HISTORY_H
#define EXPORTER_HISTORY_HISTORY_H

#include "exporter/check/result.h"

enum {
        HISTORY_DAYS = 90,
        HISTORY_REASON_MAX = 240, /* bytes of why a check failed */
        HISTORY_FILE_MAX = 64 * 1024,
        HISTORY_CHECKS_MAX = 2000,
};

/* Of a day without a measurement, where an enum standing is asked for. */
#define HISTORY_NOT_MEASURED STANDINGS

/* What is known of one check. */
struct history_view {
        unsigned char days[HISTORY_DAYS]; /* enum standing, or HISTORY_NOT_MEASURED; the last one is today */
        enum standing trouble; /* what it was when it stood badly the last time: fails, or unknown */
        nsec since, last;      /* from when until when that was found; wall times, 0: it never was */
        bool goes_on;          /* it stands so still */
        char reason[HISTORY_REASON_MAX + 8];
};

struct history;
struct history_box; /* of one check; lives as long as its history */

/*
 * Reads what is in `directory` (borrowed; NULL: it is kept over reloads only). 1 when that could not be read:
 * it was set aside under another name, and `error` tells of it. -ENOMEM.
 */
int history_new(const char *directory, struct history **ret, struct error *error);
struct history *history_free(struct history *history); /* takes NULL, returns NULL */
DEFINE_CLEANUP(struct history *, history_free);

/* Gives each check of the set its box. What is known of checks that are not in it stays while there is room.
 * -ENOMEM. */
int history_attach(struct history *history, struct check_set *set, struct error *error);

/* Notes how a check stands, as it was found at `wall`. A box may be NULL, as of checks of other targets. */
void history_note(struct history_box *box, const struct check_state *state, nsec wall);

/*
 * Writes the file, when there is news in it: at once for what is worse than before, else once in a while, or
 * `now`. Who comes while another thread writes does not wait. `ret_news`: whether it is the first time that
 * this fails, or succeeds again. What file_replace() answers; -E2BIG when not all checks have room, which are
 * left out.
 */
int history_save(struct history *history, bool now, bool *ret_news, struct error *error);

/* The same by a box; 0 for NULL. */
int history_box_save(struct history_box *box, bool *ret_news, struct error *error);

/* What is known; `now` is a wall time, today. Everything is not measured for NULL. */
void history_box_view(struct history_box *box, nsec now, struct history_view *ret);

/* Whether it outlives a restart. */
bool history_is_kept(const struct history *history);

#endif

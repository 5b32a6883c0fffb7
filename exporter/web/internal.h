/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages share, and what the room's tests look into. */
#ifndef EXPORTER_WEB_INTERNAL_H
#define EXPORTER_WEB_INTERNAL_H

#include "exporter/check/result.h"
#include "exporter/history/history.h"
#include "exporter/web/landing.h"

/*
 * How long a scrape may take, from Prometheus' X-Prometheus-Scrape-Timeout-Seconds: half a second less, so
 * that the page arrives in time; half of it when it is shorter than a second. NULL and nonsense: 10 s.
 */
nsec scrape_allowance(const char *timeout_header);

/* The pages' head up to the heading, which is `title` behind whose checks they are. */
void page_open(const struct landing *landing, const char *path, const char *title, struct text *text);

/* The form of the filter, and whether it lets a check through. */
void filter_put(const struct landing_filter *filter, struct text *text);
bool filter_is_set(const struct landing_filter *filter);
bool filter_shows(const struct landing_filter *filter, const struct check_state *state);

/* How a check stands, in a cell; what it is called; what stands against it, the values beside their limits,
 * and what to do. `root`: what it is an effect of, or NULL. */
void put_standing(struct text *text, const struct check_state *state);
void put_title(struct text *text, const struct check_state *state, const struct check *root);
void put_found(struct text *text, const struct check_state *state, const struct check *root);

/* A teller that puts one thing that is not as it should be, and what it is about. */
void put_told(const char *what, const char *about, void *text);

/* Ninety days as small bars, which differ by more than their colour, and in words; and the last failure. */
void days_put(struct text *text, const struct history_view *view, nsec now);
void trouble_put(struct text *text, const struct history_view *view, nsec now);

#endif

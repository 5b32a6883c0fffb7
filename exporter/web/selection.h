/* SPDX-License-Identifier: Apache-2.0 */
/* What a scrape asks for: ?collect[]=check for some checks, ?name[]=metric for some families, or both. */
#ifndef EXPORTER_WEB_SELECTION_H
#define EXPORTER_WEB_SELECTION_H

#include "exporter/schedule/schedule.h"
#include "runbook/http_server.h"

struct selection {
        bool *checks; /* which run and are shown; NULL: all but those of other targets */
        char **names; /* of the families that are shown, closed by NULL; NULL: all */
        bool own;     /* the exporter's own families are shown as well, as far as they are named */
        bool debug;   /* instead, a run of one check is shown step by step */
        bool at_will; /* who asks is known, and may have it run however old the last run is */
        size_t debugged;
};

/*
 * Reads the query. With names, only checks that can emit one of them are selected. -EINVAL with a sentence
 * for the client when a name is nobody's; -ENOMEM.
 */
int selection_read(const struct http_exchange *exchange, const struct check_set *set,
                   const struct schedule *schedule, struct selection *ret, struct error *error);
void selection_release(struct selection *selection);

/* Narrows a selection by ?name[]=; the same errors. */
int selection_read_names(const struct http_exchange *exchange, const struct check_set *set,
                         const struct schedule *schedule, struct selection *selection, struct error *error);

/* -EINVAL with a sentence for the client when the query has a parameter that is none of `known` (closed by
 * NULL), or one of them twice that is no list. */
int selection_check_query(const struct http_exchange *exchange, const char *const *known,
                          struct error *error);

/* The check of this name: its index; -EINVAL with a sentence for the client. */
int selection_find_check(const struct check_set *set, const char *name, size_t *ret, struct error *error);

static inline bool selection_is_all(const struct selection *selection)
{
        return !selection->checks && !selection->names && !selection->debug;
}

static inline const char *const *selection_names(const struct selection *selection)
{
        return (const char *const *)selection->names;
}

#endif

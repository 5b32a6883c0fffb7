/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks that are in force: read at the start, and read again by SIGHUP or POST /-/reload, whole or not
 * at all. Requests that came before a reload are answered by the checks that they came for.
 */
#ifndef EXPORTER_LIVE_H
#define EXPORTER_LIVE_H

#include "exporter/confinement.h"
#include "exporter/web/scrape.h"

struct current;

struct current_options {
        const char *config_file;
        const char *state_directory; /* or NULL */
        const char
                *web_config_file; /* only looked at by a reload, as the server reads it by itself; or NULL */
        struct confinement *confinement; /* entered before the first thread is started; or NULL */
        unsigned workers;                /* most threads that run checks; 0: one for each */
};

/* Reads the file and starts to schedule. */
int current_start(const struct current_options *options, struct current **ret, struct error *error);

/* The scrape to give requests to, until current_release(); from the event thread, and for moments only. */
struct scrape *current_hold(struct current *current);
void current_release(struct current *current);

/* Leaves the request open until current_reload(), for which SIGHUP is sent to this process. */
void current_ask_reload(struct current *current, struct http_exchange *exchange);

/* Reads the file again, answers whoever asked for it, and logs how it went. By main's thread alone. */
void current_reload(struct current *current);

/* Answers what waits; before the server stops. Takes NULL. */
void current_close(struct current *current);

/* Waits `patience` for runs and frees; false when some still hang, whose memory is left. Takes NULL. */
bool current_stop(struct current *current, nsec patience);

#endif

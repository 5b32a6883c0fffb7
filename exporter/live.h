/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks that are in force: read at the start, and read again by SIGHUP or POST /-/reload, whole or not
 * at all. Requests that came before a reload are answered by the checks that they came for.
 */
#ifndef EXPORTER_LIVE_H
#define EXPORTER_LIVE_H

#include "exporter/confinement.h"
#include "exporter/web/scrape.h"

struct live;

struct live_options {
        const char *config_file;
        const char *state_directory; /* or NULL */
        const char
                *web_config_file; /* only looked at by a reload, as the server reads it by itself; or NULL */
        struct confinement *confinement; /* entered before the first thread is started; or NULL */
        bool run_at_start;               /* checks run once when they are new, before somebody asks */
        unsigned workers;                /* most threads that run checks; 0: one for each */
};

/* Reads the file and starts to schedule. */
int live_start(const struct live_options *options, struct live **ret, struct error *error);

/* Whether how checks stood outlives a restart. */
bool live_keeps_history(const struct live *live);

/* The scrape to give requests to, until live_release(); from the event thread, and for moments only. */
struct scrape *live_hold(struct live *live);
void live_release(struct live *live);

/* Leaves the request open until live_reload(), for which SIGHUP is sent to this process. */
void live_ask_reload(struct live *live, struct http_exchange *exchange);

/* Reads the file again, answers whoever asked for it, and logs how it went. By main's thread alone. */
void live_reload(struct live *live);

/* Answers what waits; before the server stops. Takes NULL. */
void live_close(struct live *live);

/* Waits `patience` for runs and frees; false when some still hang, whose memory is left. Takes NULL. */
bool live_stop(struct live *live, nsec patience);

#endif

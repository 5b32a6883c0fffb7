/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Prometheus, an Alertmanager or an exporter, as far as its HTTP API goes: says what it is told to say, and
 * writes down what it was asked.
 */
#ifndef TESTS_HARNESS_NEIGHBOUR_H
#define TESTS_HARNESS_NEIGHBOUR_H

#include <pthread.h>

#include "runbook/http_server.h"

struct neighbour {
        struct http_server *server;
        char url[64]; /* with a path, and without a slash at its end */
        pthread_mutex_t lock;
        unsigned status;
        const char *answer;
        const char *silences, *uptime; /* for Alertmanager's /silences and /status; NULL: as everywhere */
        struct text asked;             /* "METHOD path <name=value>… body", one line each */
};

void neighbour_start(struct neighbour *neighbour);
void neighbour_stop(struct neighbour *neighbour);

/* From now on; forgets what was asked. */
void neighbour_says(struct neighbour *neighbour, unsigned status, const char *answer);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of containers from one run to the next: how many processes the kernel killed for want of
 * memory, and since when a health check fails, of which the Engine itself keeps only the last five results.
 */
#ifndef EXPORTER_KINDS_DOCKER_WATCH_H
#define EXPORTER_KINDS_DOCKER_WATCH_H

#include "runbook/docker.h"

struct docker_watched {
        char *id; /* owned */
        uint64_t oom_kills;
        int failing_streak; /* as of the last look; so are the next two, wall times */
        nsec failing_since, probed;
        bool seen;
};

struct docker_watch {
        struct docker_watched *containers;
        size_t count, capacity;
        nsec until;    /* the Engine's time up to which events are counted; 0: not begun */
        bool counting; /* whether the Engine lets us see its events */
};

/* The entry of a container, a new one when there is none; NULL when out of memory. Valid until the next call.
 */
struct docker_watched *docker_watch_of(struct docker_watch *watch, const char *id);

/* Counts what happened since the last call, by the Engine's clock; begins with the first one. Takes a quarter
 * of the time at most. Not to be let see the events is no failure: `counting` is false then. */
int docker_watch_count(struct docker_watch *watch, struct docker *docker, const char *project,
                       struct deadline deadline, struct error *error);

/*
 * Since when the container's health check fails, a wall time: the start of the first of the failures on end.
 * Reckoned back by the pace of the results there are when that one is no longer among them, and then kept
 * while it fails. 0 while it does not.
 */
nsec docker_watch_failing(struct docker_watched *watched, const cJSON *inspected);

/* Forgets the containers that were not asked for since the last sweep. */
void docker_watch_sweep(struct docker_watch *watch);
void docker_watch_release(struct docker_watch *watch);

#endif

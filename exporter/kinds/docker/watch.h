/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of containers and services from one run to the next: what happened to them, and since
 * when a health check fails, of which the Engine itself keeps only the last five results.
 *
 * What happened is counted from the Engine's events, of which it remembers the last 256. Each run asks for
 * those since the last one that was seen, so that an illness that came and went between two scrapes is
 * counted, without a standing connection and a thread that reads it. The price is that limit: a health check
 * makes three events each time that it runs, and ten containers that are looked after every 30 s fill the
 * Engine's memory in four minutes. But it cannot be passed unseen: the event that was seen last is asked for
 * again, and when the Engine has forgotten it, or was restarted and has forgotten all, others may be lost
 * with it, which is counted.
 */
#ifndef EXPORTER_KINDS_DOCKER_WATCH_H
#define EXPORTER_KINDS_DOCKER_WATCH_H

#include "exporter/kinds/docker/series.h"
#include "runbook/docker.h"

#define DOCKER_WATCH_FAMILIES(X)                                                                            \
        X(docker_service_events, COUNTER, "runbook_docker_service_events_total", NULL,                      \
          "What happened to containers of the service since the exporter looks, by the Engine's events: "   \
          "start, "                                                                                         \
          "die, oom (a kill for want of memory), restart (which somebody asked for), healthy, unhealthy; "  \
          "none "                                                                                           \
          "without access to those.")                                                                       \
        X(docker_event_gaps, COUNTER, "runbook_docker_event_gaps_total", NULL,                              \
          "How often the Engine had forgotten the event that was seen last, and perhaps others behind it: " \
          "it remembers "                                                                                   \
          "the last 256, and none from before its own start.")

DOCKER_WATCH_FAMILIES(DECLARE_FAMILY)

enum docker_event {
        DOCKER_EVENT_START,
        DOCKER_EVENT_DIE,
        DOCKER_EVENT_OOM,
        DOCKER_EVENT_RESTART,
        DOCKER_EVENT_HEALTHY,
        DOCKER_EVENT_UNHEALTHY,
        DOCKER_EVENTS,
};

struct docker_watched {
        char *id; /* owned */
        uint64_t happened[DOCKER_EVENTS];
        int failing_streak; /* as of the last look; so are the next two, wall times */
        nsec failing_since, probed;
        bool seen;
};

struct docker_watched_service {
        char *project, *service; /* owned; the project is "" where the check is about one alone */
        uint64_t happened[DOCKER_EVENTS];
        bool seen;
};

struct docker_watch {
        struct docker_watched *containers;
        size_t count, capacity;
        struct docker_watched_service *services;
        size_t service_count, service_capacity;
        uint64_t gaps; /* how often the Engine had forgotten the last event that was seen */
        double last;   /* the time of that one in nanoseconds, as JSON has it; 0: none was seen */
        nsec until;    /* the Engine's time up to which events are counted; 0: not begun */
        bool counting; /* whether the Engine lets us see its events */
};

/* The entry of a container, a new one when there is none; NULL when out of memory. Valid until the next call.
 */
struct docker_watched *docker_watch_of(struct docker_watch *watch, const char *id);

/* The same of a service; the project is NULL where the check is about one alone. */
struct docker_watched_service *docker_watch_of_service(struct docker_watch *watch, const char *project,
                                                       const char *service);

/*
 * Counts what happened since the last call, by the Engine's clock, to the containers of the project, or of
 * all when it is NULL; begins with the first one. Takes a quarter of the time at most. Not to be let see the
 * events is no failure: `counting` is false then.
 */
int docker_watch_count(struct docker_watch *watch, struct docker *docker, const char *project,
                       struct deadline deadline, struct error *error);

/*
 * What that does with the answer: counts the events that are new, which begin before the one that was seen
 * last, up to `now`. The first time, all are of before; what says that it is to come never counts. -ENOMEM.
 */
int docker_watch_take(struct docker_watch *watch, const cJSON *events, nsec now, const char *project,
                      struct error *error);

/* What happened to the service, into the samples of it; -ENOMEM. */
int docker_watch_tell(struct docker_watch *watch, const char *project, const char *service,
                      const struct docker_series *series, struct error *error);

/*
 * Since when the container's health check fails, a wall time: the start of the first of the failures on end.
 * Reckoned back by the pace of the results there are when that one is no longer among them, and then kept
 * while it fails. 0 while it does not.
 */
nsec docker_watch_failing(struct docker_watched *watched, const cJSON *inspected);

/* Forgets the containers and services that were not asked for since the last sweep. */
void docker_watch_sweep(struct docker_watch *watch);
void docker_watch_release(struct docker_watch *watch);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which calls of the Engine's API are needed for what, and the configuration of a proxy that lets no others
 * through. Whoever has the Engine's socket has the machine; whoever has this one, has these calls.
 *
 * The table in lib/docker/access.c names every call that lib/docker and what stands on it make: the tests of
 * steps run through a proxy that knows no others.
 */
#ifndef RUNBOOK_DOCKER_ACCESS_H
#define RUNBOOK_DOCKER_ACCESS_H

#include "runbook/error.h"
#include "runbook/text.h"

/* Groups of calls; what an action or a kind of check needs is an or of them. */
enum docker_access {
        DOCKER_ACCESS_LOOK = 1 << 0,     /* which containers there are, and how they are */
        DOCKER_ACCESS_LOGS = 1 << 1,     /* what they log */
        DOCKER_ACCESS_MEASURE = 1 << 2,  /* what they use, and what happened to them */
        DOCKER_ACCESS_RESTART = 1 << 3,  /* start and restart what is there */
        DOCKER_ACCESS_RECREATE = 1 << 4, /* remove a container and make another: as good as root */
        DOCKER_ACCESS_PRUNE = 1 << 5,    /* remove what is unused, and nothing by force */
};

/* Who needs what: a line of the configuration's comments. */
struct docker_need {
        unsigned access;
        const char *who; /* "docker.restart" */
};

/*
 * Appends a configuration for HAProxy (2.4 and later): it listens at `listen` (":2375", "/run/docker.sock")
 * and lets through to the Engine's socket `engine` what the needs name. -EINVAL for an address with signs
 * that no address has.
 */
int docker_access_put(const char *listen, const char *engine, const struct docker_need *needs, size_t count,
                      struct text *text, struct error *error);

/* The flags of `docker-access`, for a program's arguments that have both as strings. */
#define DOCKER_ACCESS_FLAGS(to)                                                                 \
        {"listen",                                                                              \
         FLAG_STRING,                                                                           \
         &(to)->docker_listen,                                                                  \
         ":2375",                                                                               \
         "ADDRESS",                                                                             \
         "docker-access: where the proxy listens, as HAProxy has it: host:port, or /path"},     \
        {                                                                                       \
                "engine", FLAG_STRING, &(to)->docker_engine, "/var/run/docker.sock", "ADDRESS", \
                        "docker-access: where the proxy finds the Engine: /path, or host:port"  \
        }

#endif

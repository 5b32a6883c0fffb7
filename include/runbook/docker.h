/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Docker Engine API over its unix socket, TCP or TLS: version negotiated by /_ping, answers as cJSON.
 *
 * One thread at a time. Each call has one deadline; after -ETIMEDOUT the Engine may still carry out what it
 * was asked (a restart goes on when its client is gone), so a caller looks (docker_inspect) before it asks
 * again. An answer of 4xx or 5xx is -EREMOTEIO (-ENOENT for 404, -EEXIST for 409, -EALREADY for 304) with
 * the Engine's message.
 *
 * lib/docker is the one place that knows the Engine's API, so that checks and actions speak to it, and read
 * what it says (docker_container.h), in the same way. It changes nothing that it was not asked to; changing a
 * container whole is docker_recreate.h. It uses lib/base, lib/config and lib/http/client.
 */
#ifndef RUNBOOK_DOCKER_H
#define RUNBOOK_DOCKER_H

#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/error.h"
#include "runbook/json.h"
#include "runbook/text.h"

struct docker_options {
        char *host;                           /* "unix:///var/run/docker.sock" or "tcp://127.0.0.1:2375" */
        char *ca_file, *cert_file, *key_file; /* any of them: TLS, as with DOCKER_TLS_VERIFY; may be NULL */
        char *project;                        /* the Compose project; no matter of docker_new() */
};

/* Where the Engine is and how it is spoken to; and the same with the project that all is about. */
#define DOCKER_ENGINE_FIELDS(holder, member)                                                          \
        {"host",                                                                                      \
         CONFIG_STRING,                                                                               \
         offsetof(holder, member.host),                                                               \
         .fallback = "unix:///var/run/docker.sock",                                                   \
         .flags = CONFIG_NOT_EMPTY,                                                                   \
         .help = "where the Engine listens: unix:///path or tcp://host:port"},                        \
                {"ca_file", CONFIG_STRING, offsetof(holder, member.ca_file),                          \
                 .flags = CONFIG_NOT_EMPTY | CONFIG_PATH,                                             \
                 .help = "the authority of the Engine's certificate, for TLS over TCP"},              \
                {"cert_file", CONFIG_STRING, offsetof(holder, member.cert_file),                      \
                 .flags = CONFIG_NOT_EMPTY | CONFIG_PATH,                                             \
                 .help = "our certificate, for an Engine that demands one"},                          \
        {                                                                                             \
                "key_file", CONFIG_STRING, offsetof(holder, member.key_file),                         \
                        .flags = CONFIG_NOT_EMPTY | CONFIG_PATH, .help = "the key of our certificate" \
        }

#define DOCKER_CONFIG_FIELDS(holder, member)                                                       \
        DOCKER_ENGINE_FIELDS(holder, member),                                                      \
        {                                                                                          \
                "project", CONFIG_STRING, offsetof(holder, member.project),                        \
                        .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "the Compose project" \
        }

struct docker;

/* Complains about what a table cannot say, in the mapping `node` that the options were read from. */
bool docker_check_options(const struct docker_options *options, struct config_node *node);

int docker_new(const struct docker_options *options, struct docker **ret,
               struct error *error); /* does not connect yet; the options are copied */
struct docker *docker_free(struct docker *docker);
DEFINE_CLEANUP(struct docker *, docker_free);
#define _cleanup_docker_ _cleanup_(docker_free_p)

/*
 * One call. `path` starts with '/' and has no version; `body` and `ret` may be NULL. `ret` is NULL when the
 * answer had no body.
 */
int docker_call(struct docker *docker, const char *method, const char *path, const cJSON *body,
                struct deadline deadline, cJSON **ret, struct error *error);

/* Whether a call that failed so did not get as far as an Engine, or lost it before the answer: it may be
 * restarting. What was asked may have been carried out all the same. */
bool docker_is_away(int result);

/* One of several GETs that are under way at once. */
struct docker_get {
        char *path;                 /* owned, as for docker_call() */
        const char *const *members; /* what of the answer is wanted, see json_parse_members(); NULL: all */
        int result;                 /* what docker_call() would have answered */
        cJSON *answer;              /* never NULL when the result is 0 */
        struct error error;
};

/* All of them at once, over connections that are kept. 0 when each has its result, else -errno. */
int docker_get_all(struct docker *docker, struct docker_get *gets, size_t count, struct deadline deadline,
                   struct error *error);
void docker_get_release(struct docker_get *get);

/* The Engine's clock as its last answer told it, in whole seconds; 0 before the first one. */
nsec docker_time(const struct docker *docker);

/*
 * All events from `since` to `until`, both included, by the Engine's clock; it answers when that has reached
 * `until`. An array, the oldest first, of containers and of all else: the Engine remembers its last 256
 * events of all kinds together. -ENOTSUP for Podman (seen with 4.3), which answers with some of them or with
 * none.
 */
int docker_events(struct docker *docker, nsec since, nsec until, struct deadline deadline, cJSON **ret,
                  struct error *error);

/* All containers of a project, or of one service of it (service not NULL), running or not, as the Engine
 * lists them; one-off containers and those of docker_is_kept() that do not run left out. An array, sorted by
 * service and number. Never NULL on success. -EINVAL for an empty name, which is never read as "all". */
int docker_list(struct docker *docker, const char *project, const char *service, struct deadline deadline,
                cJSON **ret, struct error *error);

/* The same of all containers of the Engine, whoever made them, sorted by project first; one-off ones are
 * among them. */
int docker_list_everything(struct docker *docker, struct deadline deadline, cJSON **ret, struct error *error);

/* -ESRCH, or -ENOMEM, for a project of which docker_list() found nothing: with the name that was probably
 * meant, or with those there are, when the Engine tells. */
int docker_project_unknown(struct docker *docker, const char *project, struct deadline deadline,
                           struct error *error);

/* GET /containers/{id}/json. */
int docker_inspect(struct docker *docker, const char *id, struct deadline deadline, cJSON **ret,
                   struct error *error);

/*
 * 1 when this process runs in the container of that id, or in its network alone; 0 when it does not. An errno
 * when that cannot be found out, which is no leave to change the container. Any thread.
 */
int docker_is_self(const char *id, struct error *error);

/*
 * Waits until the container runs and is healthy; where it has no health check, until it has been running for
 * `settle` without being started anew. Unhealthy, restarting or paused may still become healthy and is waited
 * for, and so is an Engine that is away. -ETIMEDOUT with its last state; -ECHILD when it exited, with its
 * status; -ENOENT when it is gone. Looks every 250 ms.
 */
int docker_wait_healthy(struct docker *docker, const char *id, nsec settle, struct deadline deadline,
                        struct error *error);

/* One decoded piece of a log: stream 1 is stdout, 2 stderr. A negative errno ends the transfer. */
typedef int (*docker_log_sink)(void *context, int stream, const char *data, size_t length);

/* Logs with timestamps, the last `tail` lines (0: all), since a wall time (0: ever). Frames are decoded. An
 * errno of the sink comes back as it is. */
int docker_logs(struct docker *docker, const char *id, int64_t tail, nsec since_wall,
                struct deadline deadline, docker_log_sink sink, void *context, struct error *error);

/* Which part of a log: its last `tail` lines (0: all), of these what is not older than a wall time (0: all;
 * exact to the nanosecond). */
struct docker_logs_range {
        int64_t tail;
        nsec since_wall;
};

/* One line of a log and its time. Without its line break; bytes of zero are blanks; NUL-terminated. */
typedef int (*docker_line_sink)(void *context, nsec wall, const char *line, size_t length);

/*
 * The same by lines, in the order in which they ended. What the Engine keeps in pieces, as all lines over 16
 * KiB, comes as one line, of which `limit` bytes are given. The last line of a container that still runs is
 * only given once it has ended.
 */
int docker_log_lines(struct docker *docker, const char *id, const struct docker_logs_range *range,
                     size_t limit, struct deadline deadline, docker_line_sink sink, void *context,
                     struct error *error);

#endif

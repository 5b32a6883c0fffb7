/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis: hiredis' formatter and reader over a connection of lib/stream, so that a deadline holds for connect,
 * TLS, write and answer alike, and TLS needs no hiredis that was built with it.
 *
 * One thread at a time. After any error but -EREMOTEIO the connection is gone and redis_close() is all
 * that is left to do. hiredis 0.14 and 1.x both compile.
 *
 * lib/redis is here so that a check and an action reach a server in the same way, by the same options. It
 * uses lib/base, lib/config and lib/stream.
 */
#ifndef RUNBOOK_REDIS_H
#define RUNBOOK_REDIS_H

#include <hiredis/hiredis.h>

#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/error.h"
#include "runbook/secret.h"
#include "runbook/stream.h"

/* TLS is spoken where the address says rediss://, and where any of `tls` is given. */
struct redis_options {
        char *address; /* "host:port", "rediss://[::1]:6379", or "/path" / "unix:/path" of a unix socket */
        char *user;    /* NULL or "": the default user */
        struct secret password;
        struct tls_options tls;
        int64_t database;
};

/* The fields of a redis_options at `offset` in another structure, for its config table. */
/* clang-format off */
#define REDIS_CONFIG_FIELDS(holder, member) \
        {.name = "address", .type = CONFIG_STRING, .offset = offsetof(holder, member.address), \
         .fallback = "localhost:6379", .flags = CONFIG_NOT_EMPTY, \
         .help = "host:port, rediss://host:port for TLS, or the path of a unix socket"}, \
        {.name = "user", .type = CONFIG_STRING, .offset = offsetof(holder, member.user), .help = "ACL user"}, \
        {.name = "password", .type = CONFIG_SECRET, .offset = offsetof(holder, member.password), \
         .help = "read anew at each connect"}, \
        {.name = "tls_config", .type = CONFIG_OBJECT, .offset = offsetof(holder, member.tls), \
         .fields = tls_option_fields, .help = "As in Prometheus; any of it has TLS spoken"}
/* clang-format on */

/* Complains about what cannot be right in options that were read from `node`; false then. */
bool redis_options_check(const struct redis_options *options, struct config_node *node);

/*
 * The address of another server that is reached by the same options, at a host and port that a server has
 * told: TLS as the options have it, and never a path. NULL when that is no host or no port, or out of memory.
 */
char *redis_address_beside(const struct redis_options *options, const char *host, const char *port);

struct redis;

int redis_connect(const struct redis_options *options, struct deadline deadline, struct redis **ret,
                  struct error *error);
struct redis *redis_close(struct redis *redis);
DEFINE_CLEANUP(struct redis *, redis_close);
#define _cleanup_redis_ _cleanup_(redis_close_p)

static inline void redis_reply_free_p(redisReply **reply)
{
        if (*reply)
                freeReplyObject(*reply);
}
#define _cleanup_reply_ _cleanup_(redis_reply_free_p)

/*
 * Sends one command, as words, and waits for its reply (freeReplyObject() it). An error reply is
 * -EREMOTEIO with Redis' sentence (never the command's arguments); -ETIMEDOUT, -ECONNRESET, … otherwise.
 */
int redis_command(struct redis *redis, struct deadline deadline, redisReply **ret, struct error *error,
                  size_t count, const char *const words[], const size_t lengths[]);

/* The same for C strings, closed by NULL: redis_call(r, d, &reply, e, "INFO", "memory", NULL). */
int redis_call(struct redis *redis, struct deadline deadline, redisReply **ret, struct error *error,
               ...) _sentinel_;

/*
 * The same for many commands in one go: redis_queue() each of them, then redis_receive() as many replies, in
 * that order. The first redis_receive() sends what was queued; all of them must be taken before a
 * redis_command(). Not for secrets: what is queued stays in memory.
 */
int redis_queue(struct redis *redis, struct error *error, size_t count, const char *const words[],
                const size_t lengths[]);
int redis_receive(struct redis *redis, struct deadline deadline, redisReply **ret, struct error *error);

/*
 * Reading an INFO reply: lines of `field:value`, where a value may be parts, `name=value,name=value`. What is
 * found is where the value begins in `info`; it ends with its line, a part also with a comma.
 */
const char *redis_info_value(const char *info, const char *field);        /* NULL when absent */
const char *redis_value_part(const char *value, const char *name);        /* NULL when absent */
bool redis_value_number(const char *value, double *ret);                  /* false when it is not a number */
bool redis_value_is(const char *value, const char *word);                 /* as a whole */
bool redis_info_number(const char *info, const char *field, double *ret); /* false when absent or not one */

#endif

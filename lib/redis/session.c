/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis: a connection of our own around hiredis' formatter and reader, so that one deadline holds.
 *
 * hiredis' redisContext is not used: its connect leaves the descriptor inheritable and tries one address
 * only, its write raises SIGPIPE, and TLS came with 1.0 alone. Its formatter and its reply reader are the
 * same in 0.14 and 1.x.
 */
#include "runbook/redis.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "lib/redis/address.h"
#include "lib/redis/gauge.h"
#include "runbook/trace.h"

#define CALL_WORDS_MAX 64

struct redis {
        struct stream *stream;
        struct reply_gauge gauge;
        redisReader *reader;
        size_t replies;    /* that the reader has given */
        struct text queue; /* commands that have not been sent yet */
        size_t awaited;    /* replies of queued commands that nobody has taken yet */
        bool broken;       /* nothing but redis_close() is left */
};

static int break_off(struct redis *redis, int result)
{
        redis->broken = true;
        return result;
}

struct redis *redis_close(struct redis *redis)
{
        if (!redis)
                return NULL;
        stream_close(redis->stream);
        if (redis->reader)
                redisReaderFree(redis->reader);
        text_free(&redis->queue);
        free(redis);
        return NULL;
}

bool redis_options_check(const struct redis_options *options, struct config_node *node)
{
        _cleanup_(redis_address_release) struct redis_address address = {0};
        _cleanup_error_ struct error error = {0};
        bool fine = redis_address_parse(options->address, &address, &error) >= 0;
        if (!fine)
                config_complain(node, "address", "%s", error_text(&error));
        bool tls = address.tls || tls_options_given(&options->tls);
        if (address.path && tls) {
                config_complain(node, "tls_config", "TLS is not spoken over a unix socket");
                fine = false;
        } else if (fine && !tls && config_member(node, "tls_config")) {
                config_complain(node, "tls_config",
                                "it is empty: for TLS with the system's authorities, write rediss://%s",
                                options->address);
                fine = false;
        }
        fine &= tls_options_check(&options->tls, node);
        if (options->user && *options->user && !secret_is_set(&options->password)) {
                config_complain(node, "user", "a user is of no use without password_file");
                fine = false;
        }
        return fine;
}

/* AUTH and SELECT, when they were asked for. */
static int open_session(struct redis *redis, const struct redis_options *options, struct deadline deadline,
                        struct error *error)
{
        bool has_user = options->user && *options->user;
        if (secret_is_set(&options->password)) {
                _cleanup_secret_ struct text password = {0};
                int r = secret_read(&options->password, &password, error);
                if (r < 0)
                        return r;

                const char *words[] = {"AUTH", has_user ? options->user : text_string(&password),
                                       text_string(&password)};
                _cleanup_reply_ redisReply *reply = NULL;
                r = redis_command(redis, deadline, &reply, error, has_user ? 3 : 2, words, NULL);
                if (r == -EREMOTEIO)
                        return error_prefix(error, -EACCES, "Redis refused the login");
                if (r < 0)
                        return r;
        } else if (has_user)
                return error_set(error, EINVAL, "a Redis user was given without its password");

        if (options->database != 0) {
                _cleanup_free_ char *database = text_format("%lld", (long long)options->database);
                if (!database)
                        return error_oom(error);
                _cleanup_reply_ redisReply *reply = NULL;
                int r = redis_call(redis, deadline, &reply, error, "SELECT", database, NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int reach_server(const struct redis_options *options, struct deadline deadline, struct stream **ret,
                        struct error *error)
{
        _cleanup_(redis_address_release) struct redis_address address = {0};
        _cleanup_stream_ struct stream *stream = NULL;
        int r = redis_address_parse(options->address, &address, error);
        if (r < 0)
                return r;
        const struct stream_target target = {"Redis", address.host, address.port, address.path};
        trace_step(deadline, "connecting to Redis at %s", options->address);
        r = stream_connect(&target, deadline, &stream, error);
        if (r < 0)
                return error_prefix(error, r, "%s", options->address);
        trace_step(deadline, "connected");
        if (address.host && (address.tls || tls_options_given(&options->tls)))
                r = stream_secure(stream, &options->tls, address.host, deadline, error);
        if (r < 0)
                return error_prefix(error, r, "%s", options->address);
        *ret = TAKE_PTR(stream);
        return 0;
}

int redis_connect(const struct redis_options *options, struct deadline deadline, struct redis **ret,
                  struct error *error)
{
        _cleanup_redis_ struct redis *redis = calloc(1, sizeof(*redis));
        if (!redis)
                return error_oom(error);
        redis->reader = redisReaderCreate();
        if (!redis->reader)
                return error_oom(error);
        int r = reach_server(options, deadline, &redis->stream, error);
        if (r < 0)
                return r;
        r = open_session(redis, options, deadline, error);
        if (r < 0)
                return error_prefix(error, r, "%s", options->address);
        *ret = TAKE_PTR(redis);
        return 0;
}

/* The command, and how much there is of arguments and answers: what they hold may be a secret. */
static void trace_command(struct deadline deadline, size_t count, const char *name, size_t length)
{
        if (count == 1)
                trace_step(deadline, "%.*s", (int)length, name);
        else
                trace_step(deadline, "%.*s, with %zu %s", (int)length, name, count - 1,
                           count == 2 ? "argument" : "arguments");
}

/* What is queued is as it was formatted here: "*<words>", and each word with its length before it. */
static void trace_queue(struct deadline deadline, const struct text *queue)
{
        for (const char *at = text_string(queue); deadline.trace && *at == '*';) {
                char *end;
                size_t count = strtoul(at + 1, &end, 10);
                for (size_t i = 0; i < count; i++) {
                        size_t length = strtoul(end + strlen("\r\n$"), &end, 10);
                        end += strlen("\r\n");
                        if (i == 0)
                                trace_command(deadline, count, end, length);
                        end += length;
                }
                at = end + strlen("\r\n");
        }
}

static void trace_reply(struct deadline deadline, const redisReply *reply)
{
        if (reply->type == REDIS_REPLY_STATUS)
                trace_step(deadline, "answered %.64s", reply->str);
        else if (reply->type == REDIS_REPLY_STRING)
                trace_step(deadline, "answered %zu bytes", reply->len);
        else if (reply->type == REDIS_REPLY_ARRAY)
                trace_step(deadline, "answered %zu elements", reply->elements);
        else
                trace_step(deadline, "answered %s",
                           reply->type == REDIS_REPLY_ERROR ? "an error" : "one value");
}

static int receive_reply(struct redis *redis, struct deadline deadline, redisReply **ret, struct error *error)
{
        char buffer[16384];
        for (;;) {
                void *reply = NULL;
                size_t length = 0;
                /* Only when the gauge knows of a whole one: the reader goes over a line that has no end from
                 * its beginning each time. */
                if (redis->gauge.replies > redis->replies &&
                    redisReaderGetReply(redis->reader, &reply) != REDIS_OK)
                        return error_set(error, EPROTO, "what answered does not speak Redis' protocol");
                if (reply) {
                        redis->replies++;
                        *ret = reply;
                        trace_reply(deadline, reply);
                        return 0;
                }
                int r = stream_receive(redis->stream, buffer, sizeof(buffer), deadline, &length, error);
                if (r >= 0)
                        r = reply_gauge_take(&redis->gauge, buffer, length, error);
                if (r < 0)
                        return r;
                if (redisReaderFeed(redis->reader, buffer, length) != REDIS_OK)
                        return error_oom(error);
        }
}

/* By its first word: a server that starts, runs a script, waits for its primary, or has no place left.
 * Nothing was done. */
static bool reply_may_pass(const char *reply)
{
        static const char *const words[] = {"LOADING ",     "BUSY ",     "MASTERDOWN ",
                                            "CLUSTERDOWN ", "TRYAGAIN ", "ERR max number of clients"};
        for (size_t i = 0; i < N_ELEMENTS(words); i++)
                if (string_starts(reply, words[i]))
                        return true;
        return false;
}

/* An error reply, without the arguments that Redis repeats for a command it does not know. */
static int error_reply(const redisReply *reply, struct error *error)
{
        const char *arguments = strstr(reply->str, ", with args beginning with");
        int length = (int)(arguments ? (size_t)(arguments - reply->str) : strcspn(reply->str, "\r\n"));
        int r = error_set(error, EREMOTEIO, "Redis: %.*s", length, reply->str);
        return reply_may_pass(reply->str) ? error_may_pass(error, r) : r;
}

static int format_command(const struct redis *redis, char **ret, size_t *ret_length, struct error *error,
                          size_t count, const char *const words[], const size_t lengths[])
{
        if (redis->broken)
                return error_set(error, ENOTCONN, "the connection to Redis is gone");
        if (count == 0 || count > INT_MAX)
                return error_set(error, EINVAL, "a Redis command of %zu words", count);
        long long length = redisFormatCommandArgv(ret, (int)count, (const char **)words, lengths);
        if (length < 0)
                return error_oom(error);
        *ret_length = (size_t)length;
        return 0;
}

/* Takes one reply, of whatever was sent first. */
static int take_reply(struct redis *redis, struct deadline deadline, redisReply **ret, struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = receive_reply(redis, deadline, &reply, error);
        if (r < 0 || !reply)
                return break_off(redis, r);
        if (reply->type == REDIS_REPLY_ERROR)
                return error_reply(reply, error);
        if (ret)
                *ret = TAKE_PTR(reply);
        return 0;
}

int redis_command(struct redis *redis, struct deadline deadline, redisReply **ret, struct error *error,
                  size_t count, const char *const words[], const size_t lengths[])
{
        char *command = NULL;
        size_t length = 0;
        if (redis->awaited > 0)
                return error_set(error, EBUSY, "%zu replies of Redis have not been taken", redis->awaited);
        int r = format_command(redis, &command, &length, error, count, words, lengths);
        if (r < 0 || !command)
                return r;
        if (deadline.trace)
                trace_command(deadline, count, words[0], lengths ? lengths[0] : strlen(words[0]));
        r = stream_send(redis->stream, command, length, deadline, error);
        explicit_bzero(command, length); /* it may have been AUTH */
        redisFreeCommand(command);
        return r < 0 ? break_off(redis, r) : take_reply(redis, deadline, ret, error);
}

int redis_queue(struct redis *redis, struct error *error, size_t count, const char *const words[],
                const size_t lengths[])
{
        char *command = NULL;
        size_t length = 0;
        int r = format_command(redis, &command, &length, error, count, words, lengths);
        if (r < 0 || !command)
                return r;
        text_append(&redis->queue, command, length);
        redisFreeCommand(command);
        if (text_error(&redis->queue) < 0)
                return break_off(redis, error_oom(error));
        redis->awaited++;
        return 0;
}

int redis_receive(struct redis *redis, struct deadline deadline, redisReply **ret, struct error *error)
{
        if (redis->broken)
                return error_set(error, ENOTCONN, "the connection to Redis is gone");
        if (redis->awaited == 0)
                return error_set(error, EINVAL, "no reply of Redis is awaited");
        if (redis->queue.length > 0) {
                trace_queue(deadline, &redis->queue);
                int r = stream_send(redis->stream, redis->queue.data, redis->queue.length, deadline, error);
                if (r < 0)
                        return break_off(redis, r);
                text_clear(&redis->queue);
        }
        redis->awaited--;
        return take_reply(redis, deadline, ret, error);
}

int redis_call(struct redis *redis, struct deadline deadline, redisReply **ret, struct error *error, ...)
{
        const char *words[CALL_WORDS_MAX];
        size_t count = 0;
        va_list args;
        va_start(args, error);
        for (const char *word; (word = va_arg(args, const char *));)
                if (count < CALL_WORDS_MAX)
                        words[count++] = word;
        va_end(args);
        return redis_command(redis, deadline, ret, error, count, words, NULL);
}

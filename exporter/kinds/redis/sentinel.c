/* SPDX-License-Identifier: Apache-2.0 */
/* What a Sentinel says. */
#include "exporter/kinds/redis/sentinel.h"

#include <errno.h>
#include <string.h>

#include "exporter/check/skipped.h"
#include "runbook/trace.h"

#define MASTERS_MAX 100 /* that are asked about, each by a command */

const struct config_field redis_sentinel_fields[] = {
        {"master", CONFIG_STRING, offsetof(struct redis_sentinel_options, master),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "The master's name there"},
        {"user", CONFIG_STRING, offsetof(struct redis_sentinel_options, user),
         .help = "ACL user at the Sentinel"},
        {"password", CONFIG_SECRET, offsetof(struct redis_sentinel_options, password),
         .help = "read anew at each connect"},
        {0},
};

static void add_part(const char *value, const char *part, const struct metric_family *family,
                     const char *master, struct sample_sink *sink)
{
        double count;
        if (redis_info_part_number(value, part, &count))
                SAMPLE(sink, family, count, {"master", master});
        else
                check_skip(sink, SKIP_MALFORMED, "INFO's %s of a master: not a number", part);
}

/* "master0:name=mymaster,status=ok,address=127.0.0.1:6379,slaves=1,sentinels=3"; its name, to be freed. */
static char *add_master(const char *value, struct sample_sink *sink)
{
        _cleanup_free_ char *name = redis_info_copy(redis_value_part(value, "name"));
        _cleanup_free_ char *status = redis_info_copy(redis_value_part(value, "status"));
        _cleanup_free_ char *address = redis_info_copy(redis_value_part(value, "address"));
        if (!name || !status) {
                check_skip(sink, SKIP_MALFORMED, "INFO's line of a master: no name or no status");
                return NULL;
        }
        SAMPLE(sink, &redis_family_sentinel_master_info, 1, {"master", name}, {"address", address},
               {"status", status});
        SAMPLE(sink, &redis_family_sentinel_master_up, strcmp(status, "ok") == 0, {"master", name});
        add_part(value, "slaves", &redis_family_sentinel_replicas, name, sink);
        add_part(value, "sentinels", &redis_family_sentinel_sentinels, name, sink);
        return TAKE_PTR(name);
}

/* Whether a failover would come about: the answer to "no" is an error. */
static int take_quorum(struct redis_session *session, const char *master, struct error *refused,
                       struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_take(session, &reply, error);
        if (r < 0)
                return r;
        bool no = session->refusal.message && strstr(error_text(&session->refusal), "NOQUORUM");
        if (reply || no)
                SAMPLE(session->sink, &redis_family_sentinel_quorum, !no, {"master", master});
        else
                redis_skip(session, refused, "SENTINEL CKQUORUM");
        return 0;
}

static int add_quorums(char *const masters[], size_t count, struct redis_session *session,
                       struct error *error)
{
        _cleanup_error_ struct error refused = {0};
        int r = 0;
        for (size_t i = 0; r >= 0 && i < count; i++)
                r = redis_ask(session, error, "SENTINEL", "CKQUORUM", masters[i], NULL);
        for (size_t i = 0; r >= 0 && i < count; i++)
                r = take_quorum(session, masters[i], &refused, error);
        return r < 0 ? r : redis_group_result(&refused, error);
}

int redis_sentinel_run(const char *info, struct redis_session *session, struct error *error)
{
        char *masters[MASTERS_MAX];
        size_t count = 0;
        double number;
        const char *value;
        if (!info || !redis_info_number(info, "sentinel_masters", &number))
                return error_set(error, EBADMSG, "this server is no Sentinel, or does not say so");
        SAMPLE_BARE(session->sink, &redis_family_sentinel_masters, number);
        if (redis_info_number(info, "sentinel_tilt", &number))
                SAMPLE_BARE(session->sink, &redis_family_sentinel_tilt, number);
        for (const char *line = info; line; line = redis_info_next_line(line)) {
                if (redis_info_numbered(line, "master", &value) < 0)
                        continue;
                if (count == MASTERS_MAX) {
                        check_skip(session->sink, SKIP_BEYOND_LIMIT, "a master beyond %d", MASTERS_MAX);
                        continue;
                }
                masters[count] = add_master(value, session->sink);
                if (masters[count])
                        count++;
        }
        int r = add_quorums(masters, count, session, error);
        while (count > 0)
                free(masters[--count]);
        return r;
}

static int ask_address(struct redis *redis, const struct redis_options *to, const char *master,
                       struct deadline deadline, char **ret_address, struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(redis, deadline, &reply, error, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", master,
                           NULL);
        if (r < 0)
                return r;
        if (reply->type == REDIS_REPLY_NIL)
                return error_set(error, ESRCH, "it knows no master \"%s\"", master);
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !reply->element[0]->str ||
            !reply->element[1]->str)
                return error_set(error, EPROTO, "it answered something else than an address");
        char *address = redis_address_beside(to, reply->element[0]->str, reply->element[1]->str);
        if (!address)
                return error_set(error, EPROTO, "the address that it has of \"%s\" is none", master);
        trace_step(deadline, "the master %s is at %s", master, address);
        *ret_address = address;
        return 0;
}

int redis_sentinel_find(const struct redis_options *redis, const struct redis_sentinel_options *sentinel,
                        struct deadline deadline, char **ret_address, struct error *error)
{
        _cleanup_redis_ struct redis *connection = NULL;
        struct redis_options there = *redis;
        there.user = sentinel->user;
        there.password = sentinel->password;
        there.database = 0;
        int r = redis_connect(&there, deadline, &connection, error);
        if (r < 0)
                return error_prefix(error, r, "the Sentinel");
        r = ask_address(connection, redis, sentinel->master, deadline, ret_address, error);
        return r < 0 ? error_prefix(error, r, "the Sentinel %s", redis->address) : 0;
}

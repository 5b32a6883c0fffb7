/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of Redis that an operator has chosen, whatever their types are at the moment. */
#include "exporter/kinds/redis/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exporter/check/skipped.h"
#include "exporter/kinds/redis/cluster.h"

const struct config_field redis_key_fields[] = {
        {"key", CONFIG_STRING, offsetof(struct redis_key, key), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "The name of the key, as it is"},
        {"db", CONFIG_INT, offsetof(struct redis_key, database), .fallback = "0",
         .help = "The database that it is in"},
        {0},
};

/* What tells how long a key of a type is. A type of a module has no length. */
static const struct {
        const char *type, *command;
} lengths[] = {
        {"list", "LLEN"}, {"stream", "XLEN"}, {"hash", "HLEN"},
        {"set", "SCARD"}, {"zset", "ZCARD"},  {"string", "STRLEN"},
};
enum { STREAM = 1 }; /* its index */
enum { OTHER_TYPE = -1, NO_KEY = -2, NOT_TOLD = -3 };

/* One run. */
struct look {
        const struct redis_key *keys;
        size_t count;
        int *types;   /* of each key, an index above or one of the words */
        char **nodes; /* of each key, the "host:port" of the cluster's node that it leads to; NULL: here */
        const char *node; /* where we are, of these */
        struct redis_session *session;
        struct sample_sink *sink;
        struct error refused;
};

void redis_keys_check(const struct redis_key *keys, size_t count, struct config_node *node)
{
        for (size_t i = 0; i < count; i++) {
                if (i == REDIS_KEYS_MAX)
                        config_complain(config_item(node, i), NULL, "%d keys at most", REDIS_KEYS_MAX);
                if (keys[i].database < 0 || keys[i].database > REDIS_DATABASES_MAX)
                        config_complain(config_item(node, i), "db", "'db' must be from 0 to %d",
                                        REDIS_DATABASES_MAX);
                for (size_t k = 0; k < i; k++)
                        if (string_equal(keys[k].key, keys[i].key) && keys[k].database == keys[i].database) {
                                config_complain(config_item(node, i), "key", "\"%s\" is listed twice",
                                                keys[i].key);
                                break;
                        }
        }
}

static void add_sample(const struct look *look, size_t i, const struct metric_family *family, double value,
                       const char *group)
{
        char database[24];
        (void)snprintf(database, sizeof(database), "%lld", (long long)look->keys[i].database);
        SAMPLE(look->sink, family, value, {"db", database}, {"key", look->keys[i].key}, {"group", group});
}

/* Whether the key is to be looked at now. */
static bool is_here(const struct look *look, size_t i, int64_t database)
{
        return look->keys[i].database == database &&
               (look->node ? string_equal(look->nodes[i], look->node) : !look->nodes[i]);
}

static int take(struct look *look, size_t i, const char *command, redisReply **ret, struct error *error)
{
        int r = redis_take(look->session, ret, error);
        if (r >= 0)
                redis_skip(look->session, &look->refused, "key \"%s\" of database %lld, %s",
                           look->keys[i].key, (long long)look->keys[i].database, command);
        return r;
}

static void add_integer(const struct look *look, size_t i, const struct metric_family *family,
                        const redisReply *reply, const char *group)
{
        if (reply && reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0)
                add_sample(look, i, family, (double)reply->integer, group);
}

static int type_of(const redisReply *reply)
{
        if (!reply || !reply->str)
                return NOT_TOLD;
        for (size_t i = 0; i < N_ELEMENTS(lengths); i++)
                if (strcmp(reply->str, lengths[i].type) == 0)
                        return (int)i;
        return strcmp(reply->str, "none") == 0 ? NO_KEY : OTHER_TYPE;
}

/* One key; what has moved to another node is looked at there, once. */
static int take_type(struct look *look, size_t i, struct error *error)
{
        _cleanup_reply_ redisReply *type = NULL, *memory = NULL;
        int r = redis_take(look->session, &type, error);
        char *moved = r >= 0 && !look->node ? redis_moved_to(&look->session->refusal) : NULL;
        if (moved) {
                look->nodes[i] = moved;
                return redis_take(look->session, &memory, error);
        }
        if (r < 0)
                return r;
        redis_skip(look->session, &look->refused, "key \"%s\" of database %lld, TYPE", look->keys[i].key,
                   (long long)look->keys[i].database);
        look->types[i] = type_of(type);
        if (look->types[i] == NOT_TOLD)
                return redis_take(look->session, &memory, error); /* refused alike, and told */
        r = take(look, i, "MEMORY USAGE", &memory, error);
        if (r < 0)
                return r;
        add_sample(look, i, &redis_family_key_exists, look->types[i] != NO_KEY, NULL);
        if (look->types[i] == NO_KEY) { /* to Redis, an empty list is no list */
                add_sample(look, i, &redis_family_key_length, 0, NULL);
                add_sample(look, i, &redis_family_key_memory, 0, NULL);
        } else
                add_integer(look, i, &redis_family_key_memory, memory, NULL);
        return 0;
}

/* What there is, and how much memory it takes. */
static int look_at_types(struct look *look, int64_t database, struct error *error)
{
        int r = 0;
        for (size_t i = 0; r >= 0 && i < look->count; i++) {
                if (!is_here(look, i, database))
                        continue;
                r = redis_ask(look->session, error, "TYPE", look->keys[i].key, NULL);
                if (r >= 0)
                        r = redis_ask(look->session, error, "MEMORY", "USAGE", look->keys[i].key, NULL);
        }
        for (size_t i = 0; r >= 0 && i < look->count; i++)
                if (is_here(look, i, database))
                        r = take_type(look, i, error);
        return r;
}

/* One consumer group: its names and values by turns, which names there are depends on the version. */
static void add_stream_group(const struct look *look, size_t i, const redisReply *group)
{
        static const struct {
                const char *name;
                const struct metric_family *family;
        } wanted[] = {
                {"lag", &redis_family_stream_lag},
                {"pending", &redis_family_stream_pending},
                {"consumers", &redis_family_stream_consumers},
        };
        const char *name = NULL;
        if (group->type != REDIS_REPLY_ARRAY)
                return;
        for (size_t k = 0; k + 1 < group->elements; k += 2)
                if (group->element[k]->str && strcmp(group->element[k]->str, "name") == 0)
                        name = group->element[k + 1]->str;
        for (size_t k = 0; name && k + 1 < group->elements; k += 2)
                for (size_t w = 0; w < N_ELEMENTS(wanted); w++)
                        if (group->element[k]->str && strcmp(group->element[k]->str, wanted[w].name) == 0)
                                add_integer(look, i, wanted[w].family, group->element[k + 1], name);
}

static int look_at_lengths(struct look *look, int64_t database, struct error *error)
{
        int r = 0;
        for (size_t i = 0; r >= 0 && i < look->count; i++) {
                if (!is_here(look, i, database) || look->types[i] < 0)
                        continue;
                r = redis_ask(look->session, error, lengths[look->types[i]].command, look->keys[i].key, NULL);
                if (r >= 0 && look->types[i] == STREAM)
                        r = redis_ask(look->session, error, "XINFO", "GROUPS", look->keys[i].key, NULL);
        }
        for (size_t i = 0; r >= 0 && i < look->count; i++) {
                _cleanup_reply_ redisReply *length = NULL, *groups = NULL;
                if (!is_here(look, i, database) || look->types[i] < 0)
                        continue;
                r = take(look, i, lengths[look->types[i]].command, &length, error);
                if (r >= 0 && look->types[i] == STREAM)
                        r = take(look, i, "XINFO GROUPS", &groups, error);
                add_integer(look, i, &redis_family_key_length, length, NULL);
                for (size_t k = 0; groups && groups->type == REDIS_REPLY_ARRAY && k < groups->elements; k++)
                        add_stream_group(look, i, groups->element[k]);
        }
        return r;
}

/* Whether a key before this one is of the same database, and so of those that were looked at with it. */
static bool seen_before(const struct look *look, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (is_here(look, k, look->keys[i].database))
                        return true;
        return false;
}

/* All keys that are here, database by database. */
static int look_around(struct look *look, struct error *error)
{
        int r = 0;
        for (size_t i = 0; r >= 0 && i < look->count; i++) {
                int64_t database = look->keys[i].database;
                bool selected = false;
                if (!is_here(look, i, database) || seen_before(look, i))
                        continue;
                r = redis_select(look->session, database, &selected, error);
                for (size_t k = i; r >= 0 && !selected && k < look->count; k++)
                        if (is_here(look, k, database))
                                redis_skip(look->session, &look->refused,
                                           "key \"%s\" of database %lld, SELECT", look->keys[k].key,
                                           (long long)database);
                if (r >= 0 && selected)
                        r = look_at_types(look, database, error);
                if (r >= 0 && selected)
                        r = look_at_lengths(look, database, error);
        }
        return r;
}

/* The keys of one node were not measured, for the reason in `error`, which is kept if it is the first. */
static void give_up_node(struct look *look, const char *node, struct error *error)
{
        for (size_t i = 0; i < look->count; i++)
                if (string_equal(look->nodes[i], node))
                        check_skip(look->sink, SKIP_UNREADABLE, "key \"%s\", at another node: %s",
                                   look->keys[i].key, error_text(error));
        if (!look->refused.message)
                error_move(&look->refused, error);
}

/* Goes to another node with the keys that lead there. Its failure costs them, and nothing else. */
static void look_at_node(struct look *look, const char *node, const redisReply *slots,
                         const struct redis_options *options, struct deadline deadline)
{
        _cleanup_free_ char *address = redis_cluster_address(slots, node, options);
        _cleanup_(redis_session_release) struct redis_session there = {.deadline = deadline,
                                                                       .sink = look->sink};
        _cleanup_redis_ struct redis *redis = NULL;
        _cleanup_error_ struct error failure = {0};
        struct redis_session *here = look->session;
        struct redis_options other = *options;
        if (!address) {
                (void)error_set(&failure, EREMOTEIO, "MOVED leads to what is no primary of the cluster");
                give_up_node(look, node, &failure);
                return;
        }
        other.address = address;
        int r = redis_connect(&other, deadline, &redis, &failure);
        there.redis = redis;
        look->session = &there;
        look->node = node;
        if (r >= 0)
                r = look_around(look, &failure);
        look->session = here;
        look->node = NULL;
        if (r < 0)
                give_up_node(look, node, &failure);
}

static bool is_first_of_node(const struct look *look, size_t i)
{
        for (size_t k = 0; look->nodes[i] && k < i; k++)
                if (string_equal(look->nodes[k], look->nodes[i]))
                        return false;
        return look->nodes[i];
}

/* One hop, to each node that keys lead to; each has its share of the time. */
static int follow_keys(struct look *look, const struct redis_options *options, struct error *error)
{
        _cleanup_reply_ redisReply *slots = NULL;
        size_t left = 0;
        for (size_t i = 0; i < look->count; i++)
                left += is_first_of_node(look, i);
        int r = left > 0 ? redis_cluster_slots(look->session, &slots, error) : 0;
        for (size_t i = 0; r >= 0 && !slots && i < look->count; i++)
                if (look->nodes[i])
                        redis_skip(look->session, &look->refused,
                                   "key \"%s\", at another node, CLUSTER SLOTS", look->keys[i].key);
        for (size_t i = 0; r >= 0 && slots && left > 0 && i < look->count; i++) {
                if (!is_first_of_node(look, i))
                        continue;
                struct deadline share = deadline_in(deadline_left(look->session->deadline) / (nsec)left--);
                look_at_node(look, look->nodes[i], slots, options,
                             deadline_earlier(look->session->deadline, share));
        }
        return r;
}

int redis_keys_run(const struct redis_key *keys, size_t count, const struct redis_options *options,
                   struct redis_session *session, struct error *error)
{
        _cleanup_free_ int *types = calloc(count + 1, sizeof(*types));
        _cleanup_free_ char **nodes = calloc(count + 1, sizeof(*nodes));
        struct look look = {keys, count, types, nodes, NULL, session, session->sink, {0}};
        if (!types || !nodes)
                return error_oom(error);
        for (size_t i = 0; i < count; i++)
                types[i] = NOT_TOLD;
        int r = look_around(&look, error);
        if (r >= 0)
                r = follow_keys(&look, options, error);
        if (r >= 0)
                r = redis_group_result(&look.refused, error);
        for (size_t i = 0; i < count; i++)
                free(nodes[i]);
        error_clear(&look.refused);
        return r;
}

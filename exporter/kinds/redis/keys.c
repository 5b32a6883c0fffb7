/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of Redis that an operator has chosen, whatever their types are at the moment. */
#include "exporter/kinds/redis/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
        int *types; /* of each key, an index above or one of the words */
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

/* What there is, and how much memory it takes. */
static int look_at_types(struct look *look, int64_t database, struct error *error)
{
        int r = 0;
        for (size_t i = 0; r >= 0 && i < look->count; i++) {
                if (look->keys[i].database != database)
                        continue;
                r = redis_ask(look->session, error, "TYPE", look->keys[i].key, NULL);
                if (r >= 0)
                        r = redis_ask(look->session, error, "MEMORY", "USAGE", look->keys[i].key, NULL);
        }
        for (size_t i = 0; r >= 0 && i < look->count; i++) {
                _cleanup_reply_ redisReply *type = NULL, *memory = NULL;
                if (look->keys[i].database != database)
                        continue;
                r = redis_take(look->session, &type, &look->refused, error);
                if (r >= 0)
                        r = redis_take(look->session, &memory, &look->refused, error);
                if (r < 0)
                        break;
                look->types[i] = type_of(type);
                if (look->types[i] == NOT_TOLD)
                        continue;
                add_sample(look, i, &redis_family_key_exists, look->types[i] != NO_KEY, NULL);
                if (look->types[i] == NO_KEY) /* to Redis, an empty list is no list */
                        add_sample(look, i, &redis_family_key_length, 0, NULL);
                else
                        add_integer(look, i, &redis_family_key_memory, memory, NULL);
        }
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
                if (look->keys[i].database != database || look->types[i] < 0)
                        continue;
                r = redis_ask(look->session, error, lengths[look->types[i]].command, look->keys[i].key, NULL);
                if (r >= 0 && look->types[i] == STREAM)
                        r = redis_ask(look->session, error, "XINFO", "GROUPS", look->keys[i].key, NULL);
        }
        for (size_t i = 0; r >= 0 && i < look->count; i++) {
                _cleanup_reply_ redisReply *length = NULL, *groups = NULL;
                if (look->keys[i].database != database || look->types[i] < 0)
                        continue;
                r = redis_take(look->session, &length, &look->refused, error);
                if (r >= 0 && look->types[i] == STREAM)
                        r = redis_take(look->session, &groups, &look->refused, error);
                add_integer(look, i, &redis_family_key_length, length, NULL);
                for (size_t k = 0; groups && groups->type == REDIS_REPLY_ARRAY && k < groups->elements; k++)
                        add_stream_group(look, i, groups->element[k]);
        }
        return r;
}

static bool seen_before(const struct redis_key *keys, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (keys[k].database == keys[i].database)
                        return true;
        return false;
}

int redis_keys_run(const struct redis_key *keys, size_t count, struct redis_session *session,
                   struct sample_sink *sink, struct error *error)
{
        _cleanup_free_ int *types = calloc(count + 1, sizeof(*types));
        struct look look = {keys, count, types, session, sink, {0}};
        int r = 0;
        if (!types)
                return error_oom(error);
        for (size_t i = 0; r >= 0 && i < count; i++) {
                bool selected;
                if (seen_before(keys, i))
                        continue;
                r = redis_select(session, keys[i].database, &selected, &look.refused, error);
                if (r >= 0 && selected)
                        r = look_at_types(&look, keys[i].database, error);
                if (r >= 0 && selected)
                        r = look_at_lengths(&look, keys[i].database, error);
        }
        if (r >= 0)
                r = redis_group_result(&look.refused, error);
        error_clear(&look.refused);
        return r;
}

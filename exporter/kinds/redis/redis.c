/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind redis: does it answer PING, what does INFO say, and how long are the chosen keys. Connects anew each
 * time, as a client would; to a Sentinel or a node of a cluster as well, which say what they are.
 *
 * The check is successful when PING is answered with PONG and all the rest was answered, too, if only with a
 * refusal: what an ACL keeps from this user is left out, and told as the group's success.
 */
#include "runbook/redis.h"

#include <errno.h>

#include "exporter/check/check.h"
#include "exporter/check/skipped.h"
#include "exporter/kinds/redis/big_keys.h"
#include "exporter/kinds/redis/cluster.h"
#include "exporter/kinds/redis/keys.h"
#include "exporter/kinds/redis/sentinel.h"
#include "exporter/kinds/shared/group_names.h"
#include "runbook/log.h"

struct redis_config {
        struct redis_options redis;
        struct config_strings groups;
        struct config_list keys; /* of struct redis_key */
        struct redis_big_keys_options big_keys;
        struct redis_sentinel_options sentinel;
};

static const struct config_field fields[] = {
        REDIS_CONFIG_FIELDS(struct redis_config, redis),
        {"groups", CONFIG_STRINGS, offsetof(struct redis_config, groups),
         .help = "What to measure of what is built in: `server`, `clients`, `memory`, `stats`, "
                 "`persistence`, `replication`, `keyspace`, `latency`, `slowlog`, `sentinel`, `cluster`; "
                 "when "
                 "not given, all that the server is for, none for `[]`"},
        {"keys", CONFIG_LIST, offsetof(struct redis_config, keys), .fields = redis_key_fields,
         .size = sizeof(struct redis_key),
         .help = "Keys whose length and memory are measured, such as queues; 100 at most"},
        {"big_keys", CONFIG_OBJECT, offsetof(struct redis_config, big_keys), .fields = redis_big_keys_fields,
         .help = "Looks for the biggest keys; only when it is given, `{}` takes the defaults"},
        {"sentinel", CONFIG_OBJECT, offsetof(struct redis_config, sentinel), .fields = redis_sentinel_fields,
         .help = "The address is a Sentinel's: ask it for a master, and measure that one"},
        {0},
};

static const struct metric_family *const families[] = {REDIS_FAMILIES(FAMILY_ADDRESS) NULL};

#define INFO_GROUPS ((1U << REDIS_INFO_GROUPS) - 1)
#define SENTINEL_GROUPS                                                                   \
        (1U << REDIS_GROUP_SERVER | 1U << REDIS_GROUP_CLIENTS | 1U << REDIS_GROUP_STATS | \
         1U << REDIS_GROUP_SENTINEL)
#define FROM_INFO (INFO_GROUPS | 1U << REDIS_GROUP_BIG_KEYS | 1U << REDIS_GROUP_SENTINEL)

/* What a server of each `redis_mode` is for, of the groups that nobody has asked for by name. */
static const struct {
        const char *mode;
        unsigned groups;
} modes[] = {
        {"sentinel", SENTINEL_GROUPS},
        {"cluster", ~(1U << REDIS_GROUP_SENTINEL)},
        {"", ~(1U << REDIS_GROUP_SENTINEL | 1U << REDIS_GROUP_CLUSTER)}, /* standalone, or not told */
};

struct redis_state {
        const struct check *check;
        const struct redis_config *config;
        unsigned groups, told; /* bits: what to measure; which of them were refused and have been logged */
        unsigned named;        /* those of them that the operator has named */
        struct redis_big_keys *big;
        struct redis_databases databases;
};

/* What Redis' words mean for whoever reads the reason. */
static const struct {
        const char *word, *meaning;
} refusals[] = {
        {"LOADING", "the server is still loading its data"},
        {"NOAUTH", "the server wants a login: give password_file"},
        {"NOPERM", "the ACL user may not do this: docs/redis.md has what it needs"},
        {"BUSY", "the server is busy with a script"},
        {"MASTERDOWN", "this replica has lost its primary, and is not to answer without it"},
};

static void *redis_close_state(void *opened)
{
        struct redis_state *state = opened;
        if (!state)
                return NULL;
        redis_big_keys_free(state->big);
        free(state);
        return NULL;
}
DEFINE_CLEANUP(void *, redis_close_state);

static int redis_open(const struct check *check, struct config_node *node, void **ret_state,
                      struct error *error)
{
        const struct redis_config *config = check->config;
        struct redis_state *state = calloc(1, sizeof(*state));
        _cleanup_(redis_close_state_p) void *owned = state;
        struct config_node *big_keys = config_member(node, "big_keys");
        int r = 0;
        if (!state)
                return error_oom(error);
        state->check = check;
        state->config = config;
        (void)redis_options_check(&config->redis, node); /* a complaint is enough */
        (void)group_names_read(&config->groups, node, redis_group_names, REDIS_CHOSEN_GROUPS, &state->groups);
        state->named = state->groups;
        if (!config_member(node, "groups"))
                state->groups = (1U << REDIS_CHOSEN_GROUPS) - 1;
        redis_keys_check(config->keys.items, config->keys.count, config_member(node, "keys"));
        if (config->keys.count > 0)
                state->groups |= 1U << REDIS_GROUP_KEYS;
        if (config->sentinel.user && *config->sentinel.user && !secret_is_set(&config->sentinel.password))
                config_complain(config_member(node, "sentinel"), "user",
                                "a user is of no use without password_file");
        if (big_keys) {
                state->groups |= 1U << REDIS_GROUP_BIG_KEYS;
                r = redis_big_keys_new(&config->big_keys, big_keys, &state->big, error);
        }
        if (r < 0)
                return r;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

static int explain_failure(int result, struct error *error)
{
        for (size_t i = 0; result == -EREMOTEIO && i < N_ELEMENTS(refusals); i++)
                if (strstr(error_text(error), refusals[i].word))
                        return error_prefix(error, result, "%s", refusals[i].meaning);
        return result;
}

/*
 * Tells whether groups (bits) were measured; why not is logged when it begins. Returns what ends the run:
 * nothing that Redis refused, which is forgotten.
 */
static int end_groups(struct redis_state *state, unsigned groups, const char *name, int result,
                      struct sample_sink *sink, struct error *error)
{
        if (result < 0 && !redis_refused(result))
                return error_prefix(error, result, "%s", name);
        for (size_t group = 0; group < REDIS_GROUPS; group++)
                if (groups & 1U << group)
                        SAMPLE(sink, &redis_family_group_success, result >= 0,
                               {"group", redis_group_names[group]});
        if (result == -EBADMSG)
                check_skip(sink, SKIP_MALFORMED, "%s: %s", name, error_text(error));
        if (result < 0 && groups & ~state->told) {
                explain_failure(result, error);
                log_event(LOG_WARN, "Redis refused a part of a check", "check", state->check->name, "part",
                          name, "reason", error_text(error), NULL);
        }
        state->told = result < 0 ? state->told | groups : state->told & ~groups;
        error_clear(error);
        return 0;
}

/* A group that is one command was refused as a whole; others tell by the item. */
static int skip_refused(struct redis_session *session, const char *command, int result, struct error *error)
{
        char word[REDIS_WORD_MAX];
        if (result == -EREMOTEIO)
                check_skip(session->sink, SKIP_UNREADABLE, "%s: %s", command, redis_word(error, word));
        return result;
}

static int ping_server(struct redis_session *session, struct error *error)
{
        _cleanup_reply_ redisReply *pong = NULL;
        nsec asked = clock_monotonic();
        int r = redis_call(session->redis, session->deadline, &pong, error, "PING", NULL);
        if (r < 0)
                return error_prefix(error, explain_failure(r, error), "PING");
        if (!pong->str || strcmp(pong->str, "PONG") != 0)
                return error_set(error, EPROTO, "PING was not answered with PONG");
        SAMPLE_BARE(session->sink, &redis_family_ping, nsec_to_seconds(clock_monotonic() - asked));
        return 0;
}

/* The text of INFO in `ret`, and the samples of the groups that are in it, which are `ret_found`. */
static int run_info(struct redis_state *state, struct redis_session *session, redisReply **ret,
                    unsigned *ret_found, struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(session->redis, session->deadline, &reply, error, "INFO", NULL);
        if (r < 0)
                return skip_refused(session, "INFO", r, error);
        if (reply->type != REDIS_REPLY_STRING)
                return error_set(error, EBADMSG, "INFO was not answered with text");
        *ret_found = redis_info_add(reply->str, state->groups, &state->databases, session->sink);
        *ret = TAKE_PTR(reply);
        return 0;
}

static bool is_integer(const redisReply *reply)
{
        return reply->type == REDIS_REPLY_INTEGER;
}

/* [[event, unix time, last in milliseconds, maximum], …] */
static int run_latency(struct redis_session *session, struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(session->redis, session->deadline, &reply, error, "LATENCY", "LATEST", NULL);
        if (r < 0)
                return skip_refused(session, "LATENCY LATEST", r, error);
        for (size_t i = 0; i < reply->elements; i++) {
                redisReply **parts = reply->element[i]->element;
                if (reply->element[i]->type != REDIS_REPLY_ARRAY || reply->element[i]->elements < 4 ||
                    !parts[0]->str || !is_integer(parts[1]) || !is_integer(parts[2]) || !is_integer(parts[3]))
                        return error_set(error, EBADMSG, "LATENCY LATEST was answered with something else");
                SAMPLE(session->sink, &redis_family_latency_when, (double)parts[1]->integer,
                       {"event", parts[0]->str});
                SAMPLE(session->sink, &redis_family_latency_last, (double)parts[2]->integer / 1e3,
                       {"event", parts[0]->str});
                SAMPLE(session->sink, &redis_family_latency_max, (double)parts[3]->integer / 1e3,
                       {"event", parts[0]->str});
        }
        return 0;
}

/* [[number, unix time, microseconds, [words], …]]. Numbers start at 0 and go on over SLOWLOG RESET. */
static int run_slowlog(struct redis_session *session, struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        const redisReply *entry;
        int r = redis_call(session->redis, session->deadline, &reply, error, "SLOWLOG", "GET", "1", NULL);
        if (r < 0)
                return skip_refused(session, "SLOWLOG GET", r, error);
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 0)
                return 0;
        entry = reply->type == REDIS_REPLY_ARRAY ? reply->element[0] : reply;
        if (entry->type != REDIS_REPLY_ARRAY || entry->elements < 3 || !is_integer(entry->element[0]) ||
            !is_integer(entry->element[2]))
                return error_set(error, EBADMSG, "SLOWLOG GET was answered with something else");
        SAMPLE_BARE(session->sink, &redis_family_slow_commands, (double)entry->element[0]->integer + 1);
        SAMPLE_BARE(session->sink, &redis_family_slow_last, (double)entry->element[2]->integer / 1e6);
        return 0;
}

static int run_group(struct redis_state *state, enum redis_group group, const char *info,
                     const struct redis_options *options, struct redis_session *session, struct error *error)
{
        const struct config_list *keys = &state->config->keys;
        switch (group) {
        case REDIS_GROUP_LATENCY: return run_latency(session, error);
        case REDIS_GROUP_SLOWLOG: return run_slowlog(session, error);
        case REDIS_GROUP_SENTINEL: return redis_sentinel_run(info, session, error);
        case REDIS_GROUP_CLUSTER: return redis_cluster_run(session, error);
        case REDIS_GROUP_KEYS: return redis_keys_run(keys->items, keys->count, options, session, error);
        case REDIS_GROUP_BIG_KEYS: return redis_big_keys_run(state->big, info, session, error);
        default: return 0;
        }
}

/* The groups that this server is for, and those that were named or have options, which it is to answer for.
 */
static unsigned groups_of(const struct redis_state *state, const char *info)
{
        const char *mode = redis_info_value(info, "redis_mode");
        unsigned asked = state->named | (state->groups & ~((1U << REDIS_CHOSEN_GROUPS) - 1));
        size_t i = 0;
        while (*modes[i].mode && !(mode && redis_value_is(mode, modes[i].mode)))
                i++;
        return state->groups & (modes[i].groups | asked);
}

/* The groups that are read from INFO, which may have been refused, or have nothing of one of them. */
static int end_info(struct redis_state *state, unsigned groups, unsigned found, int result,
                    struct sample_sink *sink, struct error *error)
{
        unsigned missing = result < 0 ? 0 : groups & ~found;
        int r = end_groups(state, groups & ~missing, "info", result, sink, error);
        if (r < 0 || missing == 0)
                return r;
        r = error_set(error, EBADMSG, "INFO says nothing of a group that was asked for");
        return end_groups(state, missing, "info", r, sink, error);
}

static int measure(struct redis_state *state, const struct redis_options *options,
                   struct redis_session *session, struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        struct sample_sink *sink = session->sink;
        unsigned found = 0;
        int r = ping_server(session, error);
        if (r < 0) {
                _cleanup_error_ struct error ignored = {0};
                /* A server that is loading refuses PING, and answers INFO: how it is doing is in there. */
                if (r == -EREMOTEIO)
                        (void)run_info(state, session, &reply, &found, &ignored);
                return r;
        }
        int told = state->groups & FROM_INFO ? run_info(state, session, &reply, &found, error) : 0;
        const char *info = reply ? reply->str : NULL;
        unsigned groups = groups_of(state, info);
        if (state->groups & FROM_INFO)
                r = end_info(state, groups & INFO_GROUPS, found, told, sink, error);
        for (size_t group = REDIS_INFO_GROUPS; r >= 0 && group < REDIS_GROUPS; group++)
                if (groups & 1U << group)
                        r = end_groups(state, 1U << group, redis_group_names[group],
                                       run_group(state, group, info, options, session, error), sink, error);
        return r;
}

/* Where to go: to the address, or to the master that the Sentinel there names. */
static int find_server(const struct redis_config *config, struct deadline deadline, struct sample_sink *sink,
                       char **ret_address, struct error *error)
{
        const char *master = config->sentinel.master;
        if (!master || !*master)
                return 0;
        int r = redis_sentinel_find(&config->redis, &config->sentinel, deadline, ret_address, error);
        if (r >= 0)
                SAMPLE(sink, &redis_family_sentinel_master_info, 1, {"master", master},
                       {"address", *ret_address});
        return r;
}

static int redis_run(void *opened, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct redis_state *state = opened;
        struct redis_options options = state->config->redis;
        _cleanup_free_ char *address = NULL;
        _cleanup_redis_ struct redis *redis = NULL;
        _cleanup_(redis_session_release) struct redis_session session = {.deadline = deadline, .sink = sink};
        int r = find_server(state->config, deadline, sink, &address, error);
        if (r >= 0 && address)
                options.address = address;
        if (r >= 0)
                r = redis_connect(&options, deadline, &redis, error);
        if (r < 0)
                return r;
        session.redis = redis;
        return measure(state, &options, &session, error);
}

/* The labels of its families. */
static const char *const labels[] = {
        "db",     "key",    "group",   "event", "replica", "role", "version", "mode", "maxmemory_policy",
        "master", "status", "address", "id",    "node",    NULL};

const struct check_kind check_kind_redis = {
        .name = "redis",
        .help = "A Redis server, Sentinel or node of a cluster: PING, INFO, latency, chosen keys such as "
                "queues, and "
                "the biggest keys.",
        .fields = fields,
        .config_size = sizeof(struct redis_config),
        .target_key = "address",
        .families = families,
        .labels = labels,
        .open = redis_open,
        .run = redis_run,
        .close = redis_close_state,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.flush: forgets a whole server, one database, or the keys of a pattern.
 *
 * Which of them must be said: there is no default that would mean "all". A server or database is emptied by
 * ASYNC, and keys are unlinked in batches, so that Redis goes on answering meanwhile.
 */
#include <errno.h>
#include <inttypes.h>

#include "responder/actions/shared/plan.h"
#include "runbook/redis.h"

enum scope { SCOPE_SERVER, SCOPE_DATABASE, SCOPE_PATTERN, SCOPE_COUNT };
static const char *const scope_words[] = {"server", "database", "pattern", NULL};
tables_agree(scope_words, SCOPE_COUNT + 1);

/* A plan looks at so many keys at most; beyond that it reckons. */
#define PLAN_KEYS_MAX 100000
#define PLAN_TIME (5 * NSEC_PER_SEC)
#define DATABASES_MAX 10000
#define BATCH_MAX 10000

struct flush_config {
        struct redis_options redis;
        int scope, when_empty;
        int64_t database, batch;
        char *pattern;
};

static const struct config_field flush_fields[] = {
        REDIS_CONFIG_FIELDS(struct flush_config, redis),
        {"scope", CONFIG_ENUM, offsetof(struct flush_config, scope), .flags = CONFIG_REQUIRED,
         .choices = scope_words,
         .help = "server: every key of every database; database: every key of one; pattern: keys that match"},
        {"database", CONFIG_INT, offsetof(struct flush_config, database), .fallback = "0",
         .help = "the database of scope database or pattern"},
        {"pattern", CONFIG_STRING, offsetof(struct flush_config, pattern),
         .flags = CONFIG_NOT_EMPTY | CONFIG_BIND_GLOB,
         .help = "Redis' own pattern: *, ?, [abc]; the value of a label stands in it for itself alone"},
        {"batch", CONFIG_INT, offsetof(struct flush_config, batch), .fallback = "500",
         .flags = CONFIG_POSITIVE, .help = "how many keys are looked at and unlinked at a time"},
        {"when_empty", CONFIG_ENUM, offsetof(struct flush_config, when_empty), .fallback = "fail",
         .choices = when_empty_words,
         .help = "what it means that no key matches the pattern; an empty server or database is always fine"},
        {0},
};

static void flush_check(const void *configured, const struct target_set *targets, struct config_node *node)
{
        (void)targets;
        const struct flush_config *config = configured;
        bool has_pattern = config->pattern && *config->pattern;
        (void)redis_options_check(&config->redis, node); /* a complaint is enough */
        if (config->scope == SCOPE_PATTERN && !has_pattern)
                config_complain(node, "scope", "pattern needs a `pattern:`");
        if (config->scope != SCOPE_PATTERN && has_pattern)
                config_complain(node, "pattern", "'pattern' belongs to `scope: pattern`");
        if (config->scope == SCOPE_SERVER && config_member(node, "database"))
                config_complain(node, "database",
                                "'database' does not belong to `scope: server`, which empties all");
        if (has_pattern && strspn(config->pattern, "*") == strlen(config->pattern))
                config_complain(node, "pattern", "'pattern' means every key: say `scope: database`");
        if (config->database < 0 || config->database > DATABASES_MAX)
                config_complain(node, "database", "'database' must be from 0 to %d", DATABASES_MAX);
        if (config->batch > BATCH_MAX)
                config_complain(node, "batch", "'batch' must be %d at most", BATCH_MAX);
}

/* What Redis' words mean for whoever reads the incident. */
static const struct {
        const char *word, *meaning;
} refusals[] = {
        {"READONLY", "this Redis is a read-only replica: give the address of its primary"},
        {"LOADING", "Redis is still loading its data from disk"},
        {"MASTERDOWN", "this Redis is a replica that has lost its primary"},
        {"NOPERM",
         "the ACL user may not do this: it needs +flushall, +flushdb, +scan, +unlink, +dbsize, +info"},
        {"NOAUTH", "Redis wants a login: give password_file"},
        {"WRONGPASS", "Redis refused the user or the password"},
        {"MISCONF", "Redis refuses writes because it cannot save to disk"},
        {"CLUSTERDOWN", "the Redis cluster is down"},
        {"CROSSSLOT", "this Redis is a cluster, where keys of a pattern cannot be unlinked together"},
        {"MOVED", "this Redis is one node of a cluster"},
        {"BUSY", "Redis is busy with a script"},
        {"unknown command", "this Redis does not have the command, or it was renamed"},
};

static int explain_refusal(int result, const struct flush_config *config, struct error *error)
{
        const char *said = error_text(error);
        bool refused = result == -EREMOTEIO || result == -EROFS || result == -EACCES;
        for (size_t i = 0; refused && i < N_ELEMENTS(refusals); i++)
                if (strstr(said, refusals[i].word)) {
                        error_prefix(error, result, "%s", refusals[i].meaning);
                        break;
                }
        return result < 0 ? error_prefix(error, result, "Redis %s", config->redis.address) : result;
}

static int open_redis(struct step_run *run, struct redis **ret, struct error *error)
{
        const struct flush_config *config = run->config;
        struct redis_options options = config->redis;
        options.database = config->scope == SCOPE_SERVER ? 0 : config->database;
        return redis_connect(&options, run->deadline, ret, error);
}

static int get_integer(struct redis *redis, struct deadline deadline, const char *command, int64_t *ret,
                       struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(redis, deadline, &reply, error, command, NULL);
        if (r < 0)
                return r;
        if (reply->type != REDIS_REPLY_INTEGER)
                return error_set(error, EPROTO, "%s gave no number", command);
        *ret = reply->integer;
        return 0;
}

/* Keys of every database, from INFO keyspace: {"0": 5}. Databases without keys are not listed there. */
static int count_databases(struct redis *redis, struct deadline deadline, cJSON *databases, int64_t *ret_keys,
                           struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(redis, deadline, &reply, error, "INFO", "keyspace", NULL);
        if (r < 0)
                return r;
        if (!reply->str)
                return error_set(error, EPROTO, "INFO gave no text");
        int64_t keys = 0;
        for (const char *line = reply->str; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                char *end = NULL;
                if (strncmp(line, "db", 2) != 0)
                        continue;
                long database = strtol(line + 2, &end, 10);
                if (end == line + 2 || strncmp(end, ":keys=", 6) != 0)
                        continue;
                int64_t count = strtoll(end + 6, NULL, 10);
                _cleanup_free_ char *name = text_format("%ld", database);
                if (!name || json_put(databases, name, cJSON_CreateNumber((double)count)) < 0)
                        return error_oom(error);
                keys += count;
        }
        *ret_keys = keys;
        return 0;
}

/* A replica would refuse the flush only when it is asked for: a plan says so before. */
static int check_role(struct redis *redis, struct deadline deadline, struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(redis, deadline, &reply, error, "INFO", "replication", NULL);
        if (r < 0)
                return r;
        if (reply->str && strstr(reply->str, "role:slave") && !strstr(reply->str, "slave_read_only:0"))
                return error_set(error, EROFS, "READONLY");
        return 0;
}

/* What is looked for, and where. */
struct scan {
        struct redis *redis;
        struct deadline deadline;
        const char *pattern;
        int64_t batch;
};

/* One SCAN call: the next cursor and the keys. */
static int scan_keys(const struct scan *scan, const char *cursor, redisReply **ret,
                     const redisReply **ret_keys, struct error *error)
{
        _cleanup_free_ char *count = text_format("%" PRId64, scan->batch);
        if (!count)
                return error_oom(error);
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(scan->redis, scan->deadline, &reply, error, "SCAN", cursor, "MATCH", scan->pattern,
                           "COUNT", count, NULL);
        if (r < 0)
                return r;
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !reply->element[0]->str ||
            reply->element[1]->type != REDIS_REPLY_ARRAY)
                return error_set(error, EPROTO, "SCAN gave something else than a cursor and keys");
        *ret_keys = reply->element[1];
        *ret = TAKE_PTR(reply);
        return 0;
}

struct estimate {
        int64_t keys, matched; /* in the database; of those that were looked at */
        bool complete;
};

/* Counts what matches, but does not look at more than it may: then the rest is reckoned. */
static int estimate_keys(const struct scan *scan, struct estimate *ret, struct error *error)
{
        struct deadline patience = deadline_in(PLAN_TIME);
        struct estimate result = {0};
        int r = get_integer(scan->redis, scan->deadline, "DBSIZE", &result.keys, error);
        if (r < 0)
                return r;
        _cleanup_free_ char *cursor = strdup("0");
        int64_t looked = 0;
        while (cursor && looked < PLAN_KEYS_MAX && !deadline_passed(patience)) {
                _cleanup_reply_ redisReply *reply = NULL;
                const redisReply *keys = NULL;
                r = scan_keys(scan, cursor, &reply, &keys, error);
                if (r < 0 || !keys)
                        return r;
                result.matched += (int64_t)keys->elements;
                looked += scan->batch; /* COUNT is about how many it looks at */
                free(cursor);
                cursor = strdup(reply->element[0]->str);
                result.complete = cursor && strcmp(cursor, "0") == 0;
                if (result.complete)
                        break;
        }
        if (!cursor)
                return error_oom(error);
        if (!result.complete && looked > 0 && looked < result.keys)
                result.matched = (int64_t)((double)result.matched / (double)looked * (double)result.keys);
        *ret = result;
        return 0;
}

static int unlink_keys(struct redis *redis, struct deadline deadline, const redisReply *keys,
                       int64_t *removed, struct error *error)
{
        if (keys->elements == 0)
                return 0;
        _cleanup_free_ const char **words = calloc(keys->elements + 1, sizeof(*words));
        _cleanup_free_ size_t *lengths = calloc(keys->elements + 1, sizeof(*lengths));
        if (!words || !lengths)
                return error_oom(error);
        words[0] = "UNLINK";
        lengths[0] = strlen(words[0]);
        for (size_t i = 0; i < keys->elements; i++) {
                words[i + 1] = keys->element[i]->str;
                lengths[i + 1] = (size_t)keys->element[i]->len;
        }
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_command(redis, deadline, &reply, error, keys->elements + 1, words, lengths);
        if (r >= 0 && reply->type == REDIS_REPLY_INTEGER)
                *removed += reply->integer;
        return r;
}

static int unlink_pattern(const struct scan *scan, int64_t *ret_removed, struct error *error)
{
        _cleanup_free_ char *cursor = strdup("0");
        if (!cursor)
                return error_oom(error);
        do {
                _cleanup_reply_ redisReply *reply = NULL;
                const redisReply *keys = NULL;
                int r = scan_keys(scan, cursor, &reply, &keys, error);
                if (r < 0 || !keys)
                        return r;
                r = unlink_keys(scan->redis, scan->deadline, keys, ret_removed, error);
                if (r < 0)
                        return r;
                free(cursor);
                cursor = strdup(reply->element[0]->str);
        } while (cursor && strcmp(cursor, "0") != 0);
        return cursor ? 0 : error_oom(error);
}

static int plan_pattern(struct step_run *run, struct redis *redis, cJSON **ret, struct error *error)
{
        const struct flush_config *config = run->config;
        const char *pattern = config->pattern;
        struct estimate found = {0};
        const struct scan scan = {redis, run->deadline, pattern, config->batch};
        int r = estimate_keys(&scan, &found, error);
        if (r < 0)
                return r;
        if (found.matched == 0 && found.complete && config->when_empty == WHEN_EMPTY_FAIL)
                return error_set(error, ESRCH, "no key of database %" PRId64 " matches \"%s\"",
                                 config->database, pattern);

        _cleanup_json_ cJSON *plan = NULL;
        r = plan_new(&plan, found.matched, error,
                     "unlink %s%" PRId64 " of %" PRId64 " keys of database %" PRId64 " that match \"%s\"",
                     found.complete ? "" : "about ", found.matched, found.keys, config->database, pattern);
        if (r < 0)
                return r;
        if (json_put(plan, "pattern", json_text(pattern)) < 0 ||
            json_put(plan, "keys", cJSON_CreateNumber((double)found.keys)) < 0 ||
            json_put(plan, "exact", cJSON_CreateBool(found.complete)) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(plan);
        return 0;
}

static int plan_all(struct step_run *run, struct redis *redis, cJSON **ret, struct error *error)
{
        const struct flush_config *config = run->config;
        _cleanup_json_ cJSON *databases = cJSON_CreateObject(), *plan = NULL;
        int64_t keys = 0;
        int r;
        if (config->scope == SCOPE_SERVER) {
                r = count_databases(redis, run->deadline, databases, &keys, error);
                if (r >= 0)
                        r = plan_new(&plan, keys, error, "flush all %" PRId64 " keys of %d database(s)", keys,
                                     cJSON_GetArraySize(databases));
        } else {
                _cleanup_free_ char *name = text_format("%" PRId64, config->database);
                r = get_integer(redis, run->deadline, "DBSIZE", &keys, error);
                if (r >= 0 && (!name || json_put(databases, name, cJSON_CreateNumber((double)keys)) < 0))
                        return error_oom(error);
                if (r >= 0)
                        r = plan_new(&plan, keys, error, "flush all %" PRId64 " keys of database %" PRId64,
                                     keys, config->database);
        }
        if (r < 0)
                return r;
        if (json_put(plan, "databases", TAKE_PTR(databases)) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(plan);
        return 0;
}

static int flush_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct flush_config *config = run->config;
        _cleanup_redis_ struct redis *redis = NULL;
        _cleanup_json_ cJSON *plan = NULL;
        int r = open_redis(run, &redis, error);
        if (r >= 0)
                r = check_role(redis, run->deadline, error);
        if (r >= 0)
                r = config->scope == SCOPE_PATTERN ? plan_pattern(run, redis, &plan, error)
                                                   : plan_all(run, redis, &plan, error);
        if (r < 0)
                return explain_refusal(r, config, error);
        if (json_put(plan, "address", json_text(config->redis.address)) < 0 ||
            json_put(plan, "scope", json_text(scope_words[config->scope])) < 0)
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

static int flush_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct flush_config *config = run->config;
        _cleanup_redis_ struct redis *redis = NULL;
        _cleanup_json_ cJSON *outcome = NULL;
        int64_t removed = 0, left = 0;
        int r = open_redis(run, &redis, error);
        if (r >= 0 && config->scope == SCOPE_PATTERN) {
                /* The pattern as it was planned and, perhaps, approved. */
                const char *pattern = json_string(run->plan, "pattern");
                const struct scan scan = {redis, run->deadline, pattern, config->batch};
                r = pattern && *pattern ? unlink_pattern(&scan, &removed, error)
                                        : error_set(error, EINVAL, "the plan has no pattern");
        } else if (r >= 0) {
                bool all = config->scope == SCOPE_SERVER;
                _cleanup_json_ cJSON *databases = cJSON_CreateObject();
                _cleanup_reply_ redisReply *reply = NULL;
                r = all ? count_databases(redis, run->deadline, databases, &removed, error)
                        : get_integer(redis, run->deadline, "DBSIZE", &removed, error);
                if (r >= 0)
                        r = redis_call(redis, run->deadline, &reply, error, all ? "FLUSHALL" : "FLUSHDB",
                                       "ASYNC", NULL);
        }
        if (r >= 0 && config->scope == SCOPE_SERVER) {
                _cleanup_json_ cJSON *databases = cJSON_CreateObject();
                r = count_databases(redis, run->deadline, databases, &left, error);
        } else if (r >= 0)
                r = get_integer(redis, run->deadline, "DBSIZE", &left, error);
        if (r < 0)
                return explain_refusal(r, config, error);

        r = outcome_new(&outcome, error, "%" PRId64 " keys removed from Redis %s", removed,
                        config->redis.address);
        if (r < 0)
                return r;
        if (json_put(outcome, "removed", cJSON_CreateNumber((double)removed)) < 0 ||
            json_put(outcome, "left", cJSON_CreateNumber((double)left)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

/*
 * Repeatable: whoever calls something a cache that may be flushed means that it may be flushed twice. There
 * is no undo; how much there was stands in the plan.
 */
const struct action action_redis_flush = {
        .name = "redis.flush",
        .help = "Removes the keys of a Redis server, of one database, or those that match a pattern.",
        .fields = flush_fields,
        .config_size = sizeof(struct flush_config),
        .effect = EFFECT_IRREVERSIBLE,
        .repeatable = true,
        .timeout = 60 * NSEC_PER_SEC,
        .check = flush_check,
        .plan = flush_plan,
        .run = flush_run,
};

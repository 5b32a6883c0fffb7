/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.flush: forgets the cache that a server, one database, or the keys of a pattern hold.
 *
 * Which of them must be said: there is no default that would mean "all". What nobody would write again stays
 * (keys.h), unless `may_remove:` names it. Keys are unlinked in batches, and what may go as a whole is
 * emptied by ASYNC, so that Redis goes on answering meanwhile.
 */
#include <errno.h>
#include <inttypes.h>

#include "responder/actions/redis/keys.h"
#include "responder/actions/redis/people.h"
#include "responder/actions/shared/plan.h"
#include "runbook/text.h"

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
        struct config_strings may_remove;
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
        {"may_remove", CONFIG_STRINGS, offsetof(struct flush_config, may_remove),
         .help = "what else may go: lists, streams, persistent (keys without an expiry; a pattern names them "
                 "already), everything. The rest of these is kept, and told"},
        {"batch", CONFIG_INT, offsetof(struct flush_config, batch), .fallback = "500",
         .flags = CONFIG_POSITIVE, .help = "how many keys are looked at and unlinked at a time"},
        {"when_empty", CONFIG_ENUM, offsetof(struct flush_config, when_empty), .fallback = "fail",
         .choices = when_empty_words,
         .help = "what it means that no key matches the pattern; an empty server or database is always fine"},
        {0},
};

/* The index among kept_words; KEPT_COUNT for everything, negative for no such word. */
static int may_remove_parse(const char *word)
{
        for (int i = 0; i < KEPT_COUNT; i++)
                if (string_equal(word, kept_words[i]))
                        return i;
        return string_equal(word, "everything") ? KEPT_COUNT : -EINVAL;
}

static void check_may_remove(const struct flush_config *config, struct config_node *node)
{
        for (size_t i = 0; i < config->may_remove.count; i++)
                if (may_remove_parse(config->may_remove.items[i]) < 0)
                        config_complain(config_item(config_member(node, "may_remove"), i), NULL,
                                        "\"%s\" is none of lists, streams, persistent, everything",
                                        config->may_remove.items[i]);
}

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
        check_may_remove(config, node);
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
         "the ACL user may not do this: it needs +flushall, +flushdb, +scan, +type, +pttl, +unlink, +dbsize, "
         "+info, +select"},
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
        /* Who could not be reached has been named. */
        bool named = string_starts(error_text(error), config->redis.address);
        return result >= 0 ? result
               : named     ? error_prefix(error, result, "Redis")
                           : error_prefix(error, result, "Redis %s", config->redis.address);
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

static struct keys_walk walk_of(const struct flush_config *config, struct redis *redis,
                                struct deadline deadline, const char *pattern)
{
        struct keys_walk walk = {
                .redis = redis, .deadline = deadline, .pattern = pattern, .batch = config->batch};
        walk.may[KEPT_PERSISTENT] = config->scope == SCOPE_PATTERN;
        for (size_t i = 0; i < config->may_remove.count; i++) {
                int kept = may_remove_parse(config->may_remove.items[i]);
                for (int k = 0; k < KEPT_COUNT; k++)
                        walk.may[k] |= kept == k || kept == KEPT_COUNT;
        }
        return walk;
}

/* Every database that has keys, as {"0": 5}; or the one that is meant. */
static int find_databases(const struct flush_config *config, const struct keys_walk *walk, cJSON *databases,
                          int64_t *ret_keys, struct error *error)
{
        if (config->scope == SCOPE_SERVER)
                return count_databases(walk->redis, walk->deadline, databases, ret_keys, error);
        _cleanup_free_ char *name = text_format("%" PRId64, config->database);
        int r = get_integer(walk->redis, walk->deadline, "DBSIZE", ret_keys, error);
        if (r >= 0 && (!name || json_put(databases, name, cJSON_CreateNumber((double)*ret_keys)) < 0))
                return error_oom(error);
        return r;
}

/* Counts, or removes, in each of the databases. */
static int walk_databases(const struct flush_config *config, const struct keys_walk *walk,
                          const cJSON *databases, bool removes, struct keys_found *found, struct error *error)
{
        struct deadline patience = deadline_in(PLAN_TIME);
        bool complete = true;
        const cJSON *database;
        cJSON_ArrayForEach(database, databases)
        {
                _cleanup_reply_ redisReply *reply = NULL;
                int r = 0;
                if (config->scope == SCOPE_SERVER)
                        r = redis_call(walk->redis, walk->deadline, &reply, error, "SELECT", database->string,
                                       NULL);
                if (r >= 0)
                        r = removes ? keys_remove(walk, found, error)
                                    : keys_count(walk, PLAN_KEYS_MAX, patience, found, error);
                if (r < 0)
                        return r;
                complete &= found->complete;
        }
        found->complete = complete;
        return 0;
}

/* Where not all keys were looked at, the others are reckoned by those that were. */
static void reckon(struct keys_found *found, int64_t keys)
{
        int64_t looked = found->removable + keys_kept(found);
        if (found->complete || looked == 0 || looked >= keys)
                return;
        double factor = (double)keys / (double)looked;
        found->removable = (int64_t)((double)found->removable * factor);
        for (size_t i = 0; i < KEPT_COUNT; i++)
                found->kept[i] = (int64_t)((double)found->kept[i] * factor);
}

static int nothing_to_remove(const struct flush_config *config, const struct keys_found *found,
                             const char *where, struct error *error)
{
        _cleanup_free_ char *kept = keys_put_kept(found);
        if (keys_kept(found) > 0)
                return error_set(error, EPERM,
                                 "all that is there is kept: %s of %s; `may_remove:` has to name what "
                                 "may go",
                                 kept ? kept : "", where);
        if (config->scope == SCOPE_PATTERN && config->when_empty == WHEN_EMPTY_FAIL)
                return error_set(error, ESRCH, "no key of %s", where);
        return 0;
}

static int put_found(cJSON *plan, const struct flush_config *config, const struct keys_found *found,
                     int64_t keys, cJSON *take_databases, struct error *error)
{
        bool pattern = config->scope == SCOPE_PATTERN;
        int r = json_put(plan, "databases", take_databases);
        if (r >= 0)
                r = json_put(plan, "keys", cJSON_CreateNumber((double)keys));
        if (r >= 0)
                r = json_put(plan, "kept", keys_kept_json(found));
        if (r >= 0)
                r = json_put(plan, "exact", cJSON_CreateBool(found->complete));
        if (r >= 0 && pattern)
                r = json_put(plan, "pattern", json_text(config->pattern));
        return r < 0 ? error_oom(error) : 0;
}

static char *where_of(const struct flush_config *config)
{
        return config->scope == SCOPE_SERVER     ? strdup("the server")
               : config->scope == SCOPE_DATABASE ? text_format("database %" PRId64, config->database)
                                                 : text_format("database %" PRId64 " matches \"%s\"",
                                                               config->database, config->pattern);
}

static int plan_keys(struct step_run *run, struct redis *redis, cJSON **ret, struct error *error)
{
        const struct flush_config *config = run->config;
        _cleanup_json_ cJSON *databases = cJSON_CreateObject(), *plan = NULL;
        _cleanup_free_ char *where = where_of(config), *kept = NULL;
        const struct keys_walk walk = walk_of(config, redis, run->deadline,
                                              config->scope == SCOPE_PATTERN ? config->pattern : NULL);
        struct keys_found found = {.complete = true};
        int64_t keys = 0;
        if (!databases || !where)
                return error_oom(error);
        int r = find_databases(config, &walk, databases, &keys, error);
        if (r >= 0 && !walk.pattern && keys_may_all(&walk))
                found.removable = keys;
        else if (r >= 0)
                r = walk_databases(config, &walk, databases, false, &found, error);
        if (r < 0)
                return r;
        if (!walk.pattern)
                reckon(&found, keys);
        if (found.removable == 0 && found.complete) {
                r = nothing_to_remove(config, &found, where, error);
                if (r < 0)
                        return r;
        }
        kept = keys_put_kept(&found);
        r = plan_new(&plan, found.removable, error, "unlink %s%" PRId64 " of %" PRId64 " keys of %s%s%s",
                     found.complete ? "" : "about ", found.removable, keys, where,
                     keys_kept(&found) > 0 ? "; kept: " : "", kept && *kept ? kept : "");
        if (r >= 0)
                r = put_found(plan, config, &found, keys, TAKE_PTR(databases), error);
        if (r >= 0)
                *ret = TAKE_PTR(plan);
        return r;
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
                r = plan_keys(run, redis, &plan, error);
        if (r < 0)
                return explain_refusal(r, config, error);
        if (json_put(plan, "address", json_text(config->redis.address)) < 0 ||
            json_put(plan, "scope", json_text(scope_words[config->scope])) < 0)
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

/* All of it at once, where all of it may go; what is kept is not looked at. */
static int flush_whole(const struct flush_config *config, const struct keys_walk *walk, struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        return redis_call(walk->redis, walk->deadline, &reply, error,
                          config->scope == SCOPE_SERVER ? "FLUSHALL" : "FLUSHDB", "ASYNC", NULL);
}

static int remove_keys(const struct flush_config *config, const struct keys_walk *walk,
                       struct keys_found *found, int64_t *ret_left, struct error *error)
{
        _cleanup_json_ cJSON *databases = cJSON_CreateObject(), *after = cJSON_CreateObject();
        int64_t keys = 0;
        if (!databases || !after)
                return error_oom(error);
        bool whole = !walk->pattern && keys_may_all(walk);
        int r = find_databases(config, walk, databases, &keys, error);
        if (r >= 0)
                r = whole ? flush_whole(config, walk, error)
                          : walk_databases(config, walk, databases, true, found, error);
        if (r >= 0 && whole)
                found->removable = keys;
        return r < 0 ? r : find_databases(config, walk, after, ret_left, error);
}

static int flush_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct flush_config *config = run->config;
        _cleanup_redis_ struct redis *redis = NULL;
        _cleanup_json_ cJSON *outcome = NULL;
        struct keys_found found = {.complete = true};
        int64_t left = 0;
        /* The pattern as it was planned and, perhaps, approved. */
        bool has_pattern = config->scope == SCOPE_PATTERN;
        const char *pattern = has_pattern ? json_string(run->plan, "pattern") : NULL;
        if (has_pattern && (!pattern || !*pattern))
                return error_set(error, EINVAL, "the plan has no pattern");
        int r = open_redis(run, &redis, error);
        if (r >= 0) {
                const struct keys_walk walk = walk_of(config, redis, run->deadline, pattern);
                r = remove_keys(config, &walk, &found, &left, error);
        }
        if (r < 0)
                return explain_refusal(r, config, error);

        _cleanup_free_ char *kept = keys_put_kept(&found);
        r = outcome_new(&outcome, error, "%" PRId64 " keys removed from Redis %s%s%s", found.removable,
                        config->redis.address, keys_kept(&found) > 0 ? "; kept: " : "", kept ? kept : "");
        if (r < 0)
                return r;
        if (json_put(outcome, "removed", cJSON_CreateNumber((double)found.removable)) < 0 ||
            json_put(outcome, "kept", keys_kept_json(&found)) < 0 ||
            json_put(outcome, "left", cJSON_CreateNumber((double)left)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

static const char *flush_probed(const void *configured)
{
        return ((const struct flush_config *)configured)->redis.address;
}

/* "Redis 7.0.15: ", where it is told. */
static void put_version(struct redis *redis, struct deadline deadline, struct text *said)
{
        enum { VERSION_MOST = 60 };
        static const char key[] = "redis_version:";
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(redis, deadline, &reply, NULL, "INFO", "server", NULL);
        const char *found = r >= 0 && reply->str ? strstr(reply->str, key) : NULL;
        if (found) {
                found += strlen(key);
                _cleanup_free_ char *version = strndup(found, strcspn(found, "\r\n"));
                text_puts(said, "Redis ");
                text_put_line(said, version ? version : "", VERSION_MOST);
                text_puts(said, ": ");
        }
}

/* As far as a flush goes before it looks at keys. */
static int flush_probe(const void *configured, struct deadline deadline, struct text *said,
                       struct error *error)
{
        const struct flush_config *config = configured;
        _cleanup_redis_ struct redis *redis = NULL;
        int r = redis_connect(&config->redis, deadline, &redis, error);
        if (r >= 0)
                r = check_role(redis, deadline, error);
        if (r < 0)
                return explain_refusal(r, config, error);
        put_version(redis, deadline, said);
        text_puts(said, "it answers, and may be written to");
        return 0;
}

/* How many keys there are changes all the time. */
static const char *const flush_counts[] = {"address", "scope", "pattern", NULL};

static int flush_people(struct step_run *run, const struct people_asked *asked, struct sighting *ret,
                        struct error *error)
{
        const struct flush_config *config = run->config;
        return redis_people(&config->redis, asked, run->deadline, ret, error);
}

/*
 * Repeatable: whoever calls something a cache that may be flushed means that it may be flushed twice. There
 * is no undo; how much there was stands in the plan.
 */
const struct action action_redis_flush = {
        .name = "redis.flush",
        .help = "Removes what is a cache of a Redis server, of one database, or of the keys that match a "
                "pattern: "
                "lists, streams and keys without an expiry are kept unless they are named.",
        .fields = flush_fields,
        .config_size = sizeof(struct flush_config),
        .effect = EFFECT_IRREVERSIBLE,
        .repeatable = true,
        .timeout = 60 * NSEC_PER_SEC,
        .check = flush_check,
        .counts = flush_counts,
        .plan = flush_plan,
        .people = flush_people,
        .run = flush_run,
        .probed = flush_probed,
        .probe = flush_probe,
};

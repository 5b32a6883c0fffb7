/* SPDX-License-Identifier: Apache-2.0 */
#include "responder/actions/redis/keys.h"

#include <errno.h>
#include <inttypes.h>

#include "runbook/text.h"

const char *const kept_words[] = {"lists", "streams", "persistent", NULL};
tables_agree(kept_words, KEPT_COUNT + 1);

bool keys_may_all(const struct keys_walk *walk)
{
        bool all = true;
        for (size_t i = 0; i < KEPT_COUNT; i++)
                all &= walk->may[i];
        return all;
}

/* One SCAN call: the next cursor and the keys. */
static int scan_keys(const struct keys_walk *walk, const char *cursor, redisReply **ret,
                     const redisReply **ret_keys, struct error *error)
{
        _cleanup_free_ char *count = text_format("%" PRId64, walk->batch);
        if (!count)
                return error_oom(error);
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(walk->redis, walk->deadline, &reply, error, "SCAN", cursor, "MATCH",
                           walk->pattern ? walk->pattern : "*", "COUNT", count, NULL);
        if (r < 0)
                return r;
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !reply->element[0]->str ||
            reply->element[1]->type != REDIS_REPLY_ARRAY)
                return error_set(error, EPROTO, "SCAN gave something else than a cursor and keys");
        *ret_keys = reply->element[1];
        *ret = TAKE_PTR(reply);
        return 0;
}

static int ask_each(const struct keys_walk *walk, const redisReply *keys, struct error *error)
{
        static const char *const questions[] = {"TYPE", "PTTL"};
        int r = 0;
        for (size_t i = 0; i < keys->elements && r >= 0; i++)
                for (size_t k = 0; k < N_ELEMENTS(questions) && r >= 0; k++) {
                        const char *words[] = {questions[k], keys->element[i]->str};
                        const size_t lengths[] = {strlen(words[0]), (size_t)keys->element[i]->len};
                        r = redis_queue(walk->redis, error, N_ELEMENTS(words), words, lengths);
                }
        return r;
}

/* What it is kept as; KEPT_COUNT: it need not be. `*ret_gone`: it is there no more. */
static int judge_next(const struct keys_walk *walk, enum kept *ret, bool *ret_gone, struct error *error)
{
        _cleanup_reply_ redisReply *type = NULL, *ttl = NULL;
        int r = redis_receive(walk->redis, walk->deadline, &type, error);
        if (r >= 0)
                r = redis_receive(walk->redis, walk->deadline, &ttl, error);
        if (r < 0)
                return r;
        if (type->type != REDIS_REPLY_STATUS || !type->str || ttl->type != REDIS_REPLY_INTEGER)
                return error_set(error, EPROTO, "TYPE and PTTL gave something else than a type and a time");
        *ret_gone = string_equal(type->str, "none") || ttl->integer == -2;
        *ret = string_equal(type->str, "list")     ? KEPT_LISTS
               : string_equal(type->str, "stream") ? KEPT_STREAMS
               : ttl->integer == -1                ? KEPT_PERSISTENT
                                                   : KEPT_COUNT;
        return 0;
}

/* Leaves those in `chosen` that may go, and counts the others. */
static int choose_keys(const struct keys_walk *walk, const redisReply *keys, const redisReply **chosen,
                       size_t *ret_count, struct keys_found *found, struct error *error)
{
        bool all = keys_may_all(walk);
        size_t count = 0;
        int r = all ? 0 : ask_each(walk, keys, error);
        for (size_t i = 0; i < keys->elements && r >= 0; i++) {
                enum kept kept = KEPT_COUNT;
                bool gone = false;
                if (!all)
                        r = judge_next(walk, &kept, &gone, error);
                if (r < 0 || gone)
                        continue;
                if (kept == KEPT_COUNT || walk->may[kept])
                        chosen[count++] = keys->element[i];
                else
                        found->kept[kept]++;
        }
        *ret_count = count;
        return r;
}

static int unlink_keys(const struct keys_walk *walk, const redisReply *const *keys, size_t count,
                       struct keys_found *found, struct error *error)
{
        _cleanup_free_ const char **words = calloc(count + 1, sizeof(*words));
        _cleanup_free_ size_t *lengths = calloc(count + 1, sizeof(*lengths));
        if (!words || !lengths)
                return error_oom(error);
        words[0] = "UNLINK";
        lengths[0] = strlen(words[0]);
        for (size_t i = 0; i < count; i++) {
                words[i + 1] = keys[i]->str;
                lengths[i + 1] = (size_t)keys[i]->len;
        }
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_command(walk->redis, walk->deadline, &reply, error, count + 1, words, lengths);
        if (r >= 0 && reply->type == REDIS_REPLY_INTEGER)
                found->removable += reply->integer;
        return r;
}

static int walk_batch(const struct keys_walk *walk, const redisReply *keys, bool removes,
                      struct keys_found *found, struct error *error)
{
        if (keys->elements == 0)
                return 0;
        _cleanup_free_ const redisReply **chosen = calloc(keys->elements, sizeof(redisReply *));
        if (!chosen)
                return error_oom(error);
        size_t count = 0;
        int r = choose_keys(walk, keys, chosen, &count, found, error);
        if (r >= 0 && removes && count > 0)
                return unlink_keys(walk, chosen, count, found, error);
        if (r >= 0 && !removes)
                found->removable += (int64_t)count;
        return r;
}

static int walk_keys(const struct keys_walk *walk, bool removes, int64_t most, struct deadline patience,
                     struct keys_found *found, struct error *error)
{
        _cleanup_free_ char *cursor = strdup("0");
        found->complete = false;
        for (int64_t looked = 0; cursor && (most == 0 || looked < most) && !deadline_passed(patience);
             looked += walk->batch) { /* COUNT is about how many it looks at */
                _cleanup_reply_ redisReply *reply = NULL;
                const redisReply *keys = NULL;
                int r = scan_keys(walk, cursor, &reply, &keys, error);
                if (r >= 0 && keys)
                        r = walk_batch(walk, keys, removes, found, error);
                if (r < 0 || !reply)
                        return r;
                free(cursor);
                cursor = strdup(reply->element[0]->str);
                found->complete = cursor && strcmp(cursor, "0") == 0;
                if (found->complete)
                        return 0;
        }
        return cursor ? 0 : error_oom(error);
}

int keys_count(const struct keys_walk *walk, int64_t most, struct deadline patience, struct keys_found *found,
               struct error *error)
{
        return walk_keys(walk, false, most, patience, found, error);
}

int keys_remove(const struct keys_walk *walk, struct keys_found *found, struct error *error)
{
        int r = walk_keys(walk, true, 0, walk->deadline, found, error);
        if (r >= 0 && !found->complete)
                return error_set(error, ETIMEDOUT, "its time was over with %" PRId64 " keys removed",
                                 found->removable);
        return r;
}

int64_t keys_kept(const struct keys_found *found)
{
        int64_t sum = 0;
        for (size_t i = 0; i < KEPT_COUNT; i++)
                sum += found->kept[i];
        return sum;
}

char *keys_put_kept(const struct keys_found *found)
{
        struct text text = {0};
        for (size_t i = 0; i < KEPT_COUNT; i++)
                if (found->kept[i] > 0)
                        text_printf(&text, "%s%s (%" PRId64 ")", text.length > 0 ? ", " : "", kept_words[i],
                                    found->kept[i]);
        return text_take(&text);
}

cJSON *keys_kept_json(const struct keys_found *found)
{
        cJSON *json = cJSON_CreateObject();
        for (size_t i = 0; json && i < KEPT_COUNT; i++)
                if (json_put(json, kept_words[i], cJSON_CreateNumber((double)found->kept[i])) < 0) {
                        cJSON_Delete(json);
                        return NULL;
                }
        return json;
}

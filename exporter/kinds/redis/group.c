/* SPDX-License-Identifier: Apache-2.0 */
/* What the groups of a check of Redis share: names, families, asking and taking. */
#include "exporter/kinds/redis/group.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exporter/check/skipped.h"

#define WORDS_MAX 8

const char *const redis_group_names[] = {
        [REDIS_GROUP_SERVER] = "server",           [REDIS_GROUP_CLIENTS] = "clients",
        [REDIS_GROUP_MEMORY] = "memory",           [REDIS_GROUP_STATS] = "stats",
        [REDIS_GROUP_PERSISTENCE] = "persistence", [REDIS_GROUP_REPLICATION] = "replication",
        [REDIS_GROUP_KEYSPACE] = "keyspace",       [REDIS_GROUP_LATENCY] = "latency",
        [REDIS_GROUP_SLOWLOG] = "slowlog",         [REDIS_GROUP_SENTINEL] = "sentinel",
        [REDIS_GROUP_CLUSTER] = "cluster",         [REDIS_GROUP_KEYS] = "keys",
        [REDIS_GROUP_BIG_KEYS] = "big_keys",
};
tables_agree(redis_group_names, REDIS_GROUPS);

REDIS_FAMILIES(DEFINE_SHARED_FAMILY)

bool redis_refused(int result)
{
        return result == -EREMOTEIO || result == -EBADMSG;
}

int redis_ask(struct redis_session *session, struct error *error, ...)
{
        const char *words[WORDS_MAX];
        size_t count = 0;
        va_list args;
        va_start(args, error);
        for (const char *word; count < WORDS_MAX && (word = va_arg(args, const char *));)
                words[count++] = word;
        va_end(args);
        return redis_queue(session->redis, error, count, words, NULL);
}

static bool overtaken(const char *sentence)
{
        return strstr(sentence, "WRONGTYPE") || strstr(sentence, "no such key");
}

int redis_take(struct redis_session *session, redisReply **ret, struct error *error)
{
        error_clear(&session->refusal);
        int r = redis_receive(session->redis, session->deadline, ret, &session->refusal);
        if (r < 0 && r != -EREMOTEIO) {
                error_move(error, &session->refusal);
                return r;
        }
        if (r < 0 && overtaken(error_text(&session->refusal)))
                error_clear(&session->refusal);
        return 0;
}

const char *redis_word(const struct error *error, char word[static REDIS_WORD_MAX])
{
        const char *said = error_text(error), *colon = strstr(said, ": ");
        said = colon ? colon + 2 : said;
        if (strstr(said, "unknown command"))
                said = "unknown command";
        size_t length = strspn(said, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (length == 0)
                length = strcspn(said, "'`,");
        (void)snprintf(word, REDIS_WORD_MAX, "%.*s", (int)length, said);
        return word;
}

void redis_skip(struct redis_session *session, struct error *refused, const char *format, ...)
{
        char word[REDIS_WORD_MAX];
        _cleanup_text_ struct text item = {0};
        va_list args;
        if (!session->refusal.message)
                return;
        va_start(args, format);
        text_vprintf(&item, format, args);
        va_end(args);
        check_skip(session->sink, SKIP_UNREADABLE, "%s: %s", text_string(&item),
                   redis_word(&session->refusal, word));
        if (!refused->message)
                (void)error_set(refused, EREMOTEIO, "%s", error_text(&session->refusal));
}

void redis_session_release(struct redis_session *session)
{
        error_clear(&session->refusal);
}

int redis_select(struct redis_session *session, int64_t database, bool *ret_selected, struct error *error)
{
        _cleanup_free_ char *number = text_format("%lld", (long long)database);
        _cleanup_reply_ redisReply *reply = NULL;
        *ret_selected = session->database == database;
        if (*ret_selected)
                return 0;
        if (!number)
                return error_oom(error);
        int r = redis_ask(session, error, "SELECT", number, NULL);
        if (r >= 0)
                r = redis_take(session, &reply, error);
        if (r < 0)
                return r;
        *ret_selected = reply;
        if (reply)
                session->database = database;
        return 0;
}

int redis_group_result(struct error *refused, struct error *error)
{
        if (!refused->message)
                return 0;
        error_move(error, refused);
        return -EREMOTEIO;
}

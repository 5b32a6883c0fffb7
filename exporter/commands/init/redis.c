/* SPDX-License-Identifier: Apache-2.0 */
/* Redis, which is told by its answer to PING. */
#include "runbook/redis.h"

#include <errno.h>
#include <string.h>

#include "exporter/commands/init/internal.h"

#define TOPIC "Redis"
#define USUALLY "localhost:6379"
#define PATIENCE (2 * NSEC_PER_SEC)
#define CONDITIONS                                                                                      \
        "warn:\n"                                                                                       \
        "  - runbook_redis_memory_pressure_ratio > 80%  # of maxmemory; without one, of the machine's " \
        "memory\n"                                                                                      \
        "  - runbook_redis_rdb_last_bgsave_success == 0\n"                                              \
        "  - runbook_redis_aof_last_write_success == 0\n"                                               \
        "  - runbook_redis_cut_off == 1\n"                                                              \
        "fail: runbook_redis_loading == 1\n"

static const struct check_row open_rows[] = {
        {TOPIC, "redis", "Redis connection",
         "advice: Check Redis status\n"
         "redis:\n"
         "  address: \"$(address)\"\n" CONDITIONS,
         NEEDS_ANSWER},
        {TOPIC, "redis_big_keys", "Big keys of Redis",
         "cache: 5m\n"
         "redis:\n"
         "  address: \"$(address)\"\n"
         "  groups: []\n"
         "  big_keys: {sample: 1000, top: 10}\n",
         NEEDS_ANSWER},
};
static const struct check_row locked_rows[] = {
        {TOPIC, "redis", "Redis connection",
         "advice: Check Redis status\n"
         "redis:\n"
         "  address: \"$(address)\"\n"
         "  password_file: /etc/runbook/secrets/redis  # put it there, readable by root alone; or\n"
         "                                             # \"${credential:redis}\", handed over by "
         "systemd\n" CONDITIONS,
         NEEDS_NOTHING},
};

/* 1 when it answers as Redis does, 2 when it wants a password first, 0 when it is none or not there. */
static int knock(const char *address)
{
        const struct redis_options options = {.address = (char *)address};
        const struct deadline deadline = deadline_in(PATIENCE);
        _cleanup_redis_ struct redis *redis = NULL;
        _cleanup_reply_ redisReply *reply = NULL;
        _cleanup_error_ struct error error = {0};
        int r = redis_connect(&options, deadline, &redis, &error);
        if (r >= 0)
                r = redis_call(redis, deadline, &reply, &error, "PING", NULL);
        if (r >= 0)
                return reply->type == REDIS_REPLY_STATUS && string_equal(reply->str, "PONG");
        return r == -EREMOTEIO &&
                               (strstr(error_text(&error), "NOAUTH") || strstr(error_text(&error), "NOPERM"))
                       ? 2
                       : 0;
}

static bool find_at(struct search *search, const char *address, const char *from)
{
        int answer = knock(address);
        const struct check_row *rows = answer == 1 ? open_rows : locked_rows;
        size_t count = answer == 1 ? N_ELEMENTS(open_rows) : answer == 2 ? N_ELEMENTS(locked_rows) : 0;
        for (size_t i = 0; i < count; i++)
                init_propose(search, &rows[i], VALUES({"address", address}), "Redis answers at %s (%s)%s",
                             address, from, answer == 2 ? "; it wants a password first" : "");
        return answer != 0;
}

/* redis://user:password@host:6379/0 without what is secret and without the database. */
static char *plain_address(const char *url)
{
        const char *host = strstr(url, "://") + strlen("://");
        size_t length = strcspn(host, "/?#");
        const char *at = memrchr(host, '@', length);
        if (at) {
                length -= (size_t)(at + 1 - host);
                host = at + 1;
        }
        bool has_port = memchr(host, ':', length) && host[length - 1] != ']';
        return text_format("%s%.*s%s", string_starts(url, "rediss://") ? "rediss://" : "", (int)length, host,
                           has_port ? "" : ":6379");
}

void find_redis(struct search *search)
{
        bool found = false;
        for (size_t i = 0; i < search->place_count; i++) {
                const struct place place = search->places[i];
                if (place.kind != PLACE_REDIS && place.kind != PLACE_ADDRESS)
                        continue;
                _cleanup_free_ char *address =
                        place.kind == PLACE_REDIS ? plain_address(place.where) : strdup(place.where);
                _cleanup_free_ char *url = text_format("http://%s", place.where);
                if (!address || !url)
                        search->result = -ENOMEM;
                else if (find_at(search, address, place.from))
                        found = true;
                else if (place.kind == PLACE_ADDRESS) /* which the next finder tries */
                        look_also(search, PLACE_URL, url, place.from);
                else
                        init_tell(search, "Redis: nothing at %s answers as it does", address);
        }
        if (!found && !find_at(search, USUALLY, "its usual port"))
                init_tell(search, "Redis: nothing at " USUALLY
                                  " answers as it does; --look=HOST:PORT looks elsewhere");
}

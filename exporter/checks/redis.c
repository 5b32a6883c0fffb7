/* SPDX-License-Identifier: Apache-2.0 */
/* Kind redis: does it answer PING, and what does INFO say. Connects anew each time, as a client would. */
#include "runbook/redis.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "exporter/check.h"

struct redis_config {
        struct redis_options redis;
};

static const struct config_field fields[] = {REDIS_CONFIG_FIELDS(struct redis_config, redis), {0}};

static const struct metric_family ping_seconds = {"runbook_redis_ping_seconds", METRIC_GAUGE, "seconds",
                                                  "How long the server took to answer PING."};
static const struct metric_family keys = {"runbook_redis_keys", METRIC_GAUGE, NULL, "Keys in the database."};
static const struct metric_family memory_used = {"runbook_redis_memory_used_bytes", METRIC_GAUGE, "bytes",
                                                 "Memory that the server has allocated."};
static const struct metric_family memory_max = {"runbook_redis_memory_max_bytes", METRIC_GAUGE, "bytes",
                                                "The configured limit of memory; 0: none."};
static const struct metric_family clients = {"runbook_redis_connected_clients", METRIC_GAUGE, NULL,
                                             "Client connections, this check's among them."};
static const struct metric_family commands = {"runbook_redis_commands_processed_total", METRIC_COUNTER, NULL,
                                              "Commands that the server has processed."};
static const struct metric_family hits = {"runbook_redis_keyspace_hits_total", METRIC_COUNTER, NULL,
                                          "Look-ups of keys that were there."};
static const struct metric_family misses = {"runbook_redis_keyspace_misses_total", METRIC_COUNTER, NULL,
                                            "Look-ups of keys that were not there."};
static const struct metric_family expired = {"runbook_redis_expired_keys_total", METRIC_COUNTER, NULL,
                                             "Keys that expired."};
static const struct metric_family evicted = {"runbook_redis_evicted_keys_total", METRIC_COUNTER, NULL,
                                             "Keys that were evicted because of the limit of memory."};
static const struct metric_family uptime = {"runbook_redis_uptime_seconds", METRIC_GAUGE, "seconds",
                                            "How long the server has been running."};

/* What is taken from INFO as it stands. */
static const struct {
        const char *field;
        const struct metric_family *family;
} numbers[] = {
        {"used_memory", &memory_used},   {"maxmemory", &memory_max},
        {"connected_clients", &clients}, {"total_commands_processed", &commands},
        {"keyspace_hits", &hits},        {"keyspace_misses", &misses},
        {"expired_keys", &expired},      {"evicted_keys", &evicted},
        {"uptime_in_seconds", &uptime},
};

static const struct metric_family *const families[] = {&ping_seconds, &keys,     &memory_used, &memory_max,
                                                       &clients,      &commands, &hits,        &misses,
                                                       &expired,      &evicted,  &uptime,      NULL};

/* The state is the configuration itself: nothing is kept between runs. */
static int redis_open(const struct check *check, struct config_node *node _unused_, void **ret_state,
                      struct error *error _unused_)
{
        *ret_state = check->config;
        return 0;
}

static void *redis_close_state(void *state _unused_)
{
        return NULL;
}

/* Lines of the section Keyspace: "db0:keys=12,expires=0,avg_ttl=0". */
static void add_keys(const char *info, struct sample_sink *sink)
{
        for (const char *line = info; line; line = strchr(line, '\n')) {
                char database[16];
                uint64_t count;

                line += *line == '\n';
                if (sscanf(line, "db%15[0-9]:keys=%" SCNu64, database, &count) == 2)
                        SAMPLE(sink, &keys, (double)count, {"db", database});
        }
}

static int redis_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        const struct redis_config *config = state;
        _cleanup_redis_ struct redis *redis = NULL;
        _cleanup_reply_ redisReply *pong = NULL, *info = NULL;
        nsec asked;
        int r;

        r = redis_connect(&config->redis, deadline, &redis, error);
        if (r < 0)
                return r;
        asked = clock_monotonic();
        r = redis_call(redis, deadline, &pong, error, "PING", NULL);
        if (r < 0)
                return error_prefix(error, r, "PING");
        SAMPLE_BARE(sink, &ping_seconds, nsec_to_seconds(clock_monotonic() - asked));

        r = redis_call(redis, deadline, &info, error, "INFO", NULL);
        if (r < 0)
                return error_prefix(error, r, "INFO");
        if (!info->str)
                return error_set(error, EPROTO, "INFO was not answered with text");
        for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
                double value;

                if (redis_info_number(info->str, numbers[i].field, &value))
                        SAMPLE_BARE(sink, numbers[i].family, value);
        }
        add_keys(info->str, sink);
        return 0;
}

const struct check_kind check_kind_redis = {
        .name = "redis",
        .help = "PING and INFO of a Redis server.",
        .fields = fields,
        .config_size = sizeof(struct redis_config),
        .families = families,
        .open = redis_open,
        .run = redis_run,
        .close = redis_close_state,
};

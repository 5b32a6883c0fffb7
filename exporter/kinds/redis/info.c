/* SPDX-License-Identifier: Apache-2.0 */
/* What a check of Redis takes from INFO: one table, and the lines that hold parts. */
#include <stdio.h>
#include <string.h>

#include "exporter/kinds/redis/group.h"

enum reading {
        AS_IT_IS,
        KNOWN, /* below zero it is Redis' word for "unknown" */
        WORD,  /* 1 when it is `word`, else 0 */
};

/* `when`: another field of the table that must be above zero, or else this one means nothing. */
static const struct row {
        enum redis_group group;
        const struct metric_family *family;
        const char *field;
        enum reading reading;
        const char *word, *when;
} rows[] = {
        {REDIS_GROUP_SERVER, &redis_family_uptime, "uptime_in_seconds", AS_IT_IS, NULL, NULL},

        {REDIS_GROUP_CLIENTS, &redis_family_clients, "connected_clients", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_CLIENTS, &redis_family_clients_max, "maxclients", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_CLIENTS, &redis_family_clients_blocked, "blocked_clients", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_CLIENTS, &redis_family_connections, "total_connections_received", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_CLIENTS, &redis_family_rejected, "rejected_connections", AS_IT_IS, NULL, NULL},

        {REDIS_GROUP_MEMORY, &redis_family_memory_used, "used_memory", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_MEMORY, &redis_family_memory_rss, "used_memory_rss", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_MEMORY, &redis_family_memory_peak, "used_memory_peak", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_MEMORY, &redis_family_memory_max, "maxmemory", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_MEMORY, &redis_family_fragmentation, "mem_fragmentation_ratio", AS_IT_IS, NULL, NULL},

        {REDIS_GROUP_STATS, &redis_family_commands, "total_commands_processed", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_STATS, &redis_family_errors, "total_error_replies", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_STATS, &redis_family_hits, "keyspace_hits", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_STATS, &redis_family_misses, "keyspace_misses", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_STATS, &redis_family_expired, "expired_keys", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_STATS, &redis_family_evicted, "evicted_keys", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_STATS, &redis_family_network_in, "total_net_input_bytes", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_STATS, &redis_family_network_out, "total_net_output_bytes", AS_IT_IS, NULL, NULL},

        {REDIS_GROUP_PERSISTENCE, &redis_family_loading, "loading", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_PERSISTENCE, &redis_family_rdb_changes, "rdb_changes_since_last_save", AS_IT_IS, NULL,
         NULL},
        {REDIS_GROUP_PERSISTENCE, &redis_family_rdb_saved, "rdb_last_save_time", KNOWN, NULL, NULL},
        {REDIS_GROUP_PERSISTENCE, &redis_family_rdb_success, "rdb_last_bgsave_status", WORD, "ok", NULL},
        {REDIS_GROUP_PERSISTENCE, &redis_family_rdb_duration, "rdb_last_bgsave_time_sec", KNOWN, NULL, NULL},
        {REDIS_GROUP_PERSISTENCE, &redis_family_rdb_running, "rdb_bgsave_in_progress", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_PERSISTENCE, &redis_family_aof_enabled, "aof_enabled", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_PERSISTENCE, &redis_family_aof_running, "aof_rewrite_in_progress", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_PERSISTENCE, &redis_family_aof_rewrite_success, "aof_last_bgrewrite_status", WORD, "ok",
         "aof_enabled"},
        {REDIS_GROUP_PERSISTENCE, &redis_family_aof_rewrite_duration, "aof_last_rewrite_time_sec", KNOWN,
         NULL, "aof_enabled"},
        {REDIS_GROUP_PERSISTENCE, &redis_family_aof_write_success, "aof_last_write_status", WORD, "ok",
         "aof_enabled"},
        {REDIS_GROUP_PERSISTENCE, &redis_family_aof_size, "aof_current_size", AS_IT_IS, NULL, "aof_enabled"},

        {REDIS_GROUP_REPLICATION, &redis_family_replicas, "connected_slaves", AS_IT_IS, NULL, NULL},
        {REDIS_GROUP_REPLICATION, &redis_family_master_up, "master_link_status", WORD, "up", NULL},
        {REDIS_GROUP_REPLICATION, &redis_family_master_down_seconds, "master_link_down_since_seconds", KNOWN,
         NULL, NULL},
        {REDIS_GROUP_REPLICATION, &redis_family_master_heard_seconds, "master_last_io_seconds_ago", KNOWN,
         NULL, NULL},
        {REDIS_GROUP_REPLICATION, &redis_family_master_sync, "master_sync_in_progress", AS_IT_IS, NULL, NULL},
};

/* Where the value of each row begins; NULL when INFO does not have it. */
struct values {
        const char *of[N_ELEMENTS(rows)];
};

/* INFO is gone through once, however many rows there are. */
static struct values find_values(const char *info)
{
        struct values values = {0};
        for (const char *line = info; *line; line += *line == '\n') {
                size_t width = strcspn(line, ":\n");
                for (size_t i = 0; line[width] == ':' && i < N_ELEMENTS(rows); i++)
                        if (!values.of[i] && strncmp(rows[i].field, line, width) == 0 &&
                            rows[i].field[width] == '\0')
                                values.of[i] = line + width + 1;
                line = strchrnul(line, '\n');
        }
        return values;
}

static bool number_of(const struct values *values, const char *field, double *ret)
{
        for (size_t i = 0; i < N_ELEMENTS(rows); i++)
                if (strcmp(rows[i].field, field) == 0)
                        return values->of[i] && redis_value_number(values->of[i], ret);
        return false;
}

static void add_row(const struct values *values, size_t i, struct sample_sink *sink)
{
        const struct row *row = &rows[i];
        double value, condition;
        if (row->when && (!number_of(values, row->when, &condition) || condition <= 0))
                return;
        if (row->reading == WORD)
                value = redis_value_is(values->of[i], row->word);
        else if (!redis_value_number(values->of[i], &value) || (row->reading == KNOWN && value < 0))
                return;
        SAMPLE_BARE(sink, row->family, value);
}

static void add_ratios(const struct values *values, unsigned groups, struct sample_sink *sink)
{
        double part, other;
        if (groups & 1U << REDIS_GROUP_MEMORY && number_of(values, "used_memory", &part) &&
            number_of(values, "maxmemory", &other) && other > 0)
                SAMPLE_BARE(sink, &redis_family_memory_ratio, part / other);
        if (groups & 1U << REDIS_GROUP_STATS && number_of(values, "keyspace_hits", &part) &&
            number_of(values, "keyspace_misses", &other) && part + other > 0)
                SAMPLE_BARE(sink, &redis_family_hit_ratio, part / (part + other));
}

/* A value as a string of its own; NULL when it is absent. */
static char *copy_value(const char *value)
{
        return value ? strndup(value, strcspn(value, ",\r\n")) : NULL;
}

static void add_server(const char *info, struct sample_sink *sink)
{
        _cleanup_free_ char *version = copy_value(redis_info_value(info, "redis_version"));
        _cleanup_free_ char *mode = copy_value(redis_info_value(info, "redis_mode"));
        _cleanup_free_ char *policy = copy_value(redis_info_value(info, "maxmemory_policy"));
        if (version)
                SAMPLE(sink, &redis_family_server_info, 1, {"version", version}, {"mode", mode},
                       {"maxmemory_policy", policy});
}

/* A line's number behind `prefix`: 0 for "db0:". -1 when it is another line. */
static int64_t numbered(const char *line, const char *prefix, const char **ret_value)
{
        size_t length = strlen(prefix), digits;
        if (strncmp(line, prefix, length) != 0)
                return -1;
        digits = strspn(line + length, "0123456789");
        if (digits == 0 || digits > 9 || line[length + digits] != ':')
                return -1;
        *ret_value = line + length + digits + 1;
        return strtol(line + length, NULL, 10);
}

static bool part_number(const char *value, const char *name, double *ret)
{
        const char *part = redis_value_part(value, name);
        return part && redis_value_number(part, ret);
}

/* "db0:keys=12,expires=3,avg_ttl=0" */
static void add_database(int64_t number, const char *value, struct sample_sink *sink)
{
        char database[24];
        double count;
        (void)snprintf(database, sizeof(database), "%lld", (long long)number);
        if (part_number(value, "keys", &count))
                SAMPLE(sink, &redis_family_keys, count, {"db", database});
        if (part_number(value, "expires", &count))
                SAMPLE(sink, &redis_family_keys_expiring, count, {"db", database});
}

/* "slave0:ip=127.0.0.1,port=6380,state=online,offset=1234,lag=0" */
static void add_replica(const char *value, const char *info, struct sample_sink *sink)
{
        _cleanup_free_ char *ip = copy_value(redis_value_part(value, "ip"));
        _cleanup_free_ char *port = copy_value(redis_value_part(value, "port"));
        _cleanup_free_ char *replica = ip && port ? text_format("%s:%s", ip, port) : NULL;
        const char *state = redis_value_part(value, "state");
        double offset, sent, lag;
        if (!replica || !state)
                return;
        SAMPLE(sink, &redis_family_replica_online, redis_value_is(state, "online"), {"replica", replica});
        if (part_number(value, "lag", &lag) && lag >= 0)
                SAMPLE(sink, &redis_family_replica_lag_seconds, lag, {"replica", replica});
        if (part_number(value, "offset", &offset) && redis_info_number(info, "master_repl_offset", &sent))
                SAMPLE(sink, &redis_family_replica_lag_bytes, sent > offset ? sent - offset : 0,
                       {"replica", replica});
}

static void add_role(const char *info, struct sample_sink *sink)
{
        _cleanup_free_ char *role = copy_value(redis_info_value(info, "role"));
        if (role)
                SAMPLE(sink, &redis_family_role_info, 1, {"role", role});
}

static const char *next_line(const char *line)
{
        line = strchr(line, '\n');
        return line ? line + 1 : NULL;
}

void redis_info_add(const char *info, unsigned groups, struct sample_sink *sink)
{
        struct values values = find_values(info);
        const char *value;
        if (groups & 1U << REDIS_GROUP_SERVER)
                add_server(info, sink);
        for (size_t i = 0; i < N_ELEMENTS(rows); i++)
                if (groups & 1U << rows[i].group && values.of[i])
                        add_row(&values, i, sink);
        add_ratios(&values, groups, sink);
        if (groups & 1U << REDIS_GROUP_REPLICATION)
                add_role(info, sink);
        for (const char *line = info; line; line = next_line(line)) {
                int64_t database = -1;
                if (groups & 1U << REDIS_GROUP_KEYSPACE)
                        database = numbered(line, "db", &value);
                if (database >= 0)
                        add_database(database, value, sink);
                if (groups & 1U << REDIS_GROUP_REPLICATION && numbered(line, "slave", &value) >= 0)
                        add_replica(value, info, sink);
        }
}

int64_t redis_info_next_database(const char *info, int64_t after)
{
        int64_t next = -1;
        for (const char *line = info; line; line = next_line(line)) {
                const char *value;
                int64_t database = numbered(line, "db", &value);
                if (database > after && (next < 0 || database < next))
                        next = database;
        }
        return next;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a check of Redis takes from INFO: one table, and the lines that hold parts. */
#include <stdio.h>
#include <string.h>

#include "exporter/check/skipped.h"
#include "exporter/kinds/redis/group.h"

enum reading {
        AS_IT_IS,
        KNOWN, /* below zero it is Redis' word for "unknown" */
        WORD,  /* 1 when it is `word`, else 0 */
};

/* `when`: another field of the table; where it is zero, this one means nothing: a word is as it should be,
 * and a number absent. */
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
                        if (rows[i].field[0] == *line && !values.of[i] &&
                            strncmp(rows[i].field, line, width) == 0 && rows[i].field[width] == '\0')
                                values.of[i] = line + width + 1;
                line = strchrnul(line, '\n');
        }
        return values;
}

static void skip_field(const char *field, struct sample_sink *sink)
{
        check_skip(sink, SKIP_MALFORMED, "INFO's %s: not a number", field);
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
        bool means_nothing = row->when && number_of(values, row->when, &condition) && condition <= 0;
        if (row->reading == WORD)
                value = means_nothing || redis_value_is(values->of[i], row->word);
        else if (!redis_value_number(values->of[i], &value)) {
                skip_field(row->field, sink);
                return;
        } else if (means_nothing || (row->reading == KNOWN && value < 0))
                return;
        SAMPLE_BARE(sink, row->family, value);
}

/* Without a limit of its own the server grows into the machine's. */
static void add_memory_ratios(const struct values *values, const char *info, struct sample_sink *sink)
{
        double used, limit, machine;
        if (!number_of(values, "used_memory", &used) || !number_of(values, "maxmemory", &limit))
                return;
        if (limit > 0)
                SAMPLE_BARE(sink, &redis_family_memory_ratio, used / limit);
        else if (redis_info_number(info, "total_system_memory", &machine))
                limit = machine;
        if (limit > 0)
                SAMPLE_BARE(sink, &redis_family_memory_pressure, used / limit);
}

static void add_ratios(const struct values *values, const char *info, unsigned groups,
                       struct sample_sink *sink)
{
        double part, other;
        if (groups & 1U << REDIS_GROUP_MEMORY)
                add_memory_ratios(values, info, sink);
        if (groups & 1U << REDIS_GROUP_STATS && number_of(values, "keyspace_hits", &part) &&
            number_of(values, "keyspace_misses", &other) && part + other > 0)
                SAMPLE_BARE(sink, &redis_family_hit_ratio, part / (part + other));
}

char *redis_info_copy(const char *value)
{
        return value ? strndup(value, strcspn(value, ",\r\n")) : NULL;
}

static bool add_server(const char *info, struct sample_sink *sink)
{
        _cleanup_free_ char *version = redis_info_copy(redis_info_value(info, "redis_version"));
        _cleanup_free_ char *mode = redis_info_copy(redis_info_value(info, "redis_mode"));
        _cleanup_free_ char *policy = redis_info_copy(redis_info_value(info, "maxmemory_policy"));
        if (version)
                SAMPLE(sink, &redis_family_server_info, 1, {"version", version}, {"mode", mode},
                       {"maxmemory_policy", policy});
        return version;
}

int64_t redis_info_numbered(const char *line, const char *prefix, const char **ret_value)
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

bool redis_info_part_number(const char *value, const char *name, double *ret)
{
        const char *part = redis_value_part(value, name);
        return part && redis_value_number(part, ret);
}

static void add_count(const struct metric_family *family, int64_t database, double count,
                      struct sample_sink *sink)
{
        char number[24];
        (void)snprintf(number, sizeof(number), "%lld", (long long)database);
        SAMPLE(sink, family, count, {"db", number});
}

/* "db0:keys=12,expires=3,avg_ttl=0" */
static void add_database(int64_t number, const char *value, struct sample_sink *sink)
{
        double keys, expiring;
        if (redis_info_part_number(value, "keys", &keys))
                add_count(&redis_family_keys, number, keys, sink);
        else
                check_skip(sink, SKIP_MALFORMED, "INFO's db%lld: no number of keys", (long long)number);
        if (redis_info_part_number(value, "expires", &expiring))
                add_count(&redis_family_keys_expiring, number, expiring, sink);
}

/* INFO lists databases with keys alone: what was there before, and database 0, has none. False: it has no
 * list. */
static bool add_databases(const char *info, struct redis_databases *databases, struct sample_sink *sink)
{
        uint64_t listed[N_ELEMENTS(databases->seen)] = {0};
        bool whole = strstr(info, "# Keyspace"), some = false;
        const char *value;
        databases->seen[0] |= 1;
        for (const char *line = info; line; line = redis_info_next_line(line)) {
                int64_t number = redis_info_numbered(line, "db", &value);
                if (number < 0)
                        continue;
                some = true;
                add_database(number, value, sink);
                if (number < REDIS_DATABASES_KNOWN)
                        listed[number / 64] |= UINT64_C(1) << number % 64;
        }
        for (size_t i = 0; whole && i < N_ELEMENTS(listed); i++) {
                uint64_t empty = databases->seen[i] & ~listed[i];
                for (int64_t number = (int64_t)i * 64; empty; empty >>= 1, number++)
                        if (empty & 1) {
                                add_count(&redis_family_keys, number, 0, sink);
                                add_count(&redis_family_keys_expiring, number, 0, sink);
                        }
                databases->seen[i] |= listed[i];
        }
        return whole || some;
}

/* "slave0:ip=127.0.0.1,port=6380,state=online,offset=1234,lag=0" */
static void add_replica(const char *value, const char *info, struct sample_sink *sink)
{
        _cleanup_free_ char *ip = redis_info_copy(redis_value_part(value, "ip"));
        _cleanup_free_ char *port = redis_info_copy(redis_value_part(value, "port"));
        _cleanup_free_ char *replica = ip && port ? text_format("%s:%s", ip, port) : NULL;
        const char *state = redis_value_part(value, "state");
        double offset, sent, lag;
        if (!replica || !state) {
                check_skip(sink, SKIP_MALFORMED, "INFO's line of a replica: no address or no state");
                return;
        }
        SAMPLE(sink, &redis_family_replica_online, redis_value_is(state, "online"), {"replica", replica});
        if (redis_info_part_number(value, "lag", &lag) && lag >= 0)
                SAMPLE(sink, &redis_family_replica_lag_seconds, lag, {"replica", replica});
        if (redis_info_part_number(value, "offset", &offset) &&
            redis_info_number(info, "master_repl_offset", &sent))
                SAMPLE(sink, &redis_family_replica_lag_bytes, sent > offset ? sent - offset : 0,
                       {"replica", replica});
}

/*
 * How a replica is connected. Redis forgets when it heard from its primary as soon as the link is down: since
 * then, at least, it has not.
 */
static void add_master_link(const char *info, const char *status, struct sample_sink *sink)
{
        bool up = redis_value_is(status, "up");
        double seconds;
        bool known = redis_info_number(info, "master_link_down_since_seconds", &seconds) && seconds >= 0;
        if (up || known)
                SAMPLE_BARE(sink, &redis_family_master_down_seconds, up ? 0 : seconds);
        if (up)
                known = redis_info_number(info, "master_last_io_seconds_ago", &seconds) && seconds >= 0;
        if (known)
                SAMPLE_BARE(sink, &redis_family_master_heard_seconds, seconds);
}

static void add_role(const char *info, struct sample_sink *sink)
{
        _cleanup_free_ char *role = redis_info_copy(redis_info_value(info, "role"));
        const char *status = redis_info_value(info, "master_link_status");
        if (!role)
                return;
        SAMPLE(sink, &redis_family_role_info, 1, {"role", role});
        if (status)
                add_master_link(info, status, sink);
        if (status || strcmp(role, "master") == 0)
                SAMPLE_BARE(sink, &redis_family_cut_off, status && !redis_value_is(status, "up"));
}

const char *redis_info_next_line(const char *line)
{
        line = strchr(line, '\n');
        return line ? line + 1 : NULL;
}

unsigned redis_info_add(const char *info, unsigned groups, struct redis_databases *databases,
                        struct sample_sink *sink)
{
        struct values values = find_values(info);
        unsigned found = 0;
        double loading;
        const char *value;
        if (groups & 1U << REDIS_GROUP_SERVER && add_server(info, sink))
                found |= 1U << REDIS_GROUP_SERVER;
        for (size_t i = 0; i < N_ELEMENTS(rows); i++)
                if (groups & 1U << rows[i].group && values.of[i]) {
                        add_row(&values, i, sink);
                        found |= 1U << rows[i].group;
                }
        add_ratios(&values, info, groups, sink);
        /* While it loads, the keys are those that have been read so far. */
        if (groups & 1U << REDIS_GROUP_KEYSPACE &&
            !(number_of(&values, "loading", &loading) && loading > 0) && add_databases(info, databases, sink))
                found |= 1U << REDIS_GROUP_KEYSPACE;
        if (!(groups & 1U << REDIS_GROUP_REPLICATION))
                return found;
        add_role(info, sink);
        for (const char *line = info; line; line = redis_info_next_line(line))
                if (redis_info_numbered(line, "slave", &value) >= 0)
                        add_replica(value, info, sink);
        return found;
}

int64_t redis_info_next_database(const char *info, int64_t after)
{
        int64_t next = -1;
        for (const char *line = info; line; line = redis_info_next_line(line)) {
                const char *value;
                int64_t database = redis_info_numbered(line, "db", &value);
                if (database > after && (next < 0 || database < next))
                        next = database;
        }
        return next;
}

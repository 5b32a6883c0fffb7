/* SPDX-License-Identifier: Apache-2.0 */
/* Every metric of the kind redis: its name in the code, its type, its name behind "runbook_redis_", its unit.
 */
#ifndef EXPORTER_REDIS_FAMILIES_H
#define EXPORTER_REDIS_FAMILIES_H

#include "runbook/metrics.h"

/* clang-format off */
#define REDIS_FAMILIES(X) \
        X(PING, GAUGE, "ping_seconds", "seconds", "How long the server took to answer PING.") \
        X(GROUP_SUCCESS, GAUGE, "group_success", NULL, \
          "Whether the server gave all that the group asks for; 0: something was refused or not understood.") \
        \
        X(SERVER_INFO, INFO, "server_info", NULL, "Version, mode and maxmemory policy of the server.") \
        X(UPTIME, GAUGE, "uptime_seconds", "seconds", "How long the server has been running.") \
        \
        X(CLIENTS, GAUGE, "connected_clients", NULL, "Client connections, this check's among them.") \
        X(CLIENTS_MAX, GAUGE, "max_clients", NULL, "How many client connections the server takes.") \
        X(CLIENTS_BLOCKED, GAUGE, "blocked_clients", NULL, \
          "Clients that wait in a blocking call, such as workers for their queue.") \
        X(CONNECTIONS, COUNTER, "connections_received_total", NULL, "Connections that the server has accepted.") \
        X(REJECTED, COUNTER, "rejected_connections_total", NULL, \
          "Connections that were turned away because of maxclients.") \
        \
        X(MEMORY_USED, GAUGE, "memory_used_bytes", "bytes", "Memory that the server has allocated.") \
        X(MEMORY_RSS, GAUGE, "memory_rss_bytes", "bytes", "Resident memory of the server's process.") \
        X(MEMORY_PEAK, GAUGE, "memory_peak_bytes", "bytes", "The most memory that the server had allocated.") \
        X(MEMORY_MAX, GAUGE, "memory_max_bytes", "bytes", "The configured limit of memory; 0: none.") \
        X(MEMORY_RATIO, GAUGE, "memory_used_ratio", "ratio", \
          "Memory used of the configured limit; absent when there is no limit.") \
        X(FRAGMENTATION, GAUGE, "memory_fragmentation_ratio", "ratio", "Resident memory for each allocated byte.") \
        \
        X(COMMANDS, COUNTER, "commands_processed_total", NULL, "Commands that the server has processed.") \
        X(ERRORS, COUNTER, "error_replies_total", NULL, "Commands that were answered with an error.") \
        X(HITS, COUNTER, "keyspace_hits_total", NULL, "Look-ups of keys that were there.") \
        X(MISSES, COUNTER, "keyspace_misses_total", NULL, "Look-ups of keys that were not there.") \
        X(HIT_RATIO, GAUGE, "keyspace_hit_ratio", "ratio", \
          "Hits of all look-ups since the server started; absent when there were none.") \
        X(EXPIRED, COUNTER, "expired_keys_total", NULL, "Keys that expired.") \
        X(EVICTED, COUNTER, "evicted_keys_total", NULL, "Keys that were evicted because of the limit of memory.") \
        X(NETWORK_IN, COUNTER, "network_input_bytes_total", "bytes", "Bytes that the server has read from clients.") \
        X(NETWORK_OUT, COUNTER, "network_output_bytes_total", "bytes", "Bytes that the server has sent to clients.") \
        \
        X(LOADING, GAUGE, "loading", NULL, "Whether the server is loading its data and refuses commands.") \
        X(RDB_CHANGES, GAUGE, "rdb_changes_since_last_save", NULL, "Changes that are not in the last RDB file.") \
        X(RDB_SAVED, GAUGE, "rdb_last_save_timestamp_seconds", "seconds", \
          "When the last RDB file was written; the server's start when it has written none since.") \
        X(RDB_SUCCESS, GAUGE, "rdb_last_bgsave_success", NULL, \
          "Whether the last BGSAVE went well; 1 also before the first.") \
        X(RDB_DURATION, GAUGE, "rdb_last_bgsave_duration_seconds", "seconds", \
          "How long the last BGSAVE took; absent before the first.") \
        X(RDB_RUNNING, GAUGE, "rdb_bgsave_in_progress", NULL, "Whether a BGSAVE is running.") \
        X(AOF_ENABLED, GAUGE, "aof_enabled", NULL, "Whether the server keeps an append-only file.") \
        X(AOF_RUNNING, GAUGE, "aof_rewrite_in_progress", NULL, "Whether a rewrite of the AOF is running.") \
        X(AOF_REWRITE_SUCCESS, GAUGE, "aof_last_rewrite_success", NULL, \
          "Whether the last rewrite of the AOF went well, 1 also before the first; absent without an AOF.") \
        X(AOF_REWRITE_DURATION, GAUGE, "aof_last_rewrite_duration_seconds", "seconds", \
          "How long the last rewrite of the AOF took; absent before the first, and without an AOF.") \
        X(AOF_WRITE_SUCCESS, GAUGE, "aof_last_write_success", NULL, \
          "Whether the last write to the AOF went well; absent without an AOF.") \
        X(AOF_SIZE, GAUGE, "aof_size_bytes", "bytes", "Size of the AOF; absent without one.") \
        \
        X(ROLE_INFO, INFO, "role_info", NULL, "Whether the server is a master or a slave, in Redis' words.") \
        X(REPLICAS, GAUGE, "connected_replicas", NULL, "Replicas that are connected to the server.") \
        X(REPLICA_ONLINE, GAUGE, "replica_online", NULL, \
          "Whether the connected replica follows, rather than being sent the data for a start.") \
        X(REPLICA_LAG_BYTES, GAUGE, "replica_lag_bytes", "bytes", \
          "How many bytes of the replication stream the connected replica has not acknowledged.") \
        X(REPLICA_LAG_SECONDS, GAUGE, "replica_lag_seconds", "seconds", \
          "How long ago the connected replica acknowledged last.") \
        X(MASTER_UP, GAUGE, "master_link_up", NULL, "Whether this replica is connected to its primary.") \
        X(MASTER_DOWN_SECONDS, GAUGE, "master_link_down_seconds", "seconds", \
          "For how long this replica has been without its primary; absent while it is connected.") \
        X(MASTER_HEARD_SECONDS, GAUGE, "master_last_io_seconds", "seconds", \
          "How long ago this replica heard from its primary last; absent while it is not connected.") \
        X(MASTER_SYNC, GAUGE, "master_sync_in_progress", NULL, \
          "Whether this replica is being sent the primary's data for a start.") \
        \
        X(KEYS, GAUGE, "keys", NULL, "Keys in the database.") \
        X(KEYS_EXPIRING, GAUGE, "keys_expiring", NULL, "Keys in the database that have a time to live.") \
        \
        X(LATENCY_LAST, GAUGE, "latency_event_last_seconds", "seconds", \
          "How long the last latency spike of the event took; absent without latency-monitor-threshold.") \
        X(LATENCY_MAX, GAUGE, "latency_event_max_seconds", "seconds", \
          "How long the longest latency spike of the event took since LATENCY RESET.") \
        X(LATENCY_WHEN, GAUGE, "latency_event_timestamp_seconds", "seconds", \
          "When the last latency spike of the event was.") \
        X(SLOW_COMMANDS, COUNTER, "slow_commands_total", NULL, \
          "Commands slower than slowlog-log-slower-than since the server started; absent while the log is empty.") \
        X(SLOW_LAST, GAUGE, "slow_command_last_seconds", "seconds", \
          "How long the last command in the slow log took; absent while the log is empty.") \
        \
        X(KEY_EXISTS, GAUGE, "key_exists", NULL, "Whether there is such a key.") \
        X(KEY_LENGTH, GAUGE, "key_length", NULL, \
          "Elements of a list, set, hash or sorted set, entries of a stream, bytes of a string; 0 without a key.") \
        X(KEY_MEMORY, GAUGE, "key_memory_bytes", "bytes", "Memory that the key takes, estimated from a sample.") \
        X(STREAM_LAG, GAUGE, "stream_group_lag", NULL, \
          "Entries that were not delivered to the consumer group yet; absent when Redis cannot tell (before 7.0).") \
        X(STREAM_PENDING, GAUGE, "stream_group_pending", NULL, \
          "Entries that were delivered to the consumer group and not acknowledged yet.") \
        X(STREAM_CONSUMERS, GAUGE, "stream_group_consumers", NULL, "Consumers of the consumer group.") \
        \
        X(BIG_KEY, GAUGE, "big_key_bytes", "bytes", \
          "Memory of the biggest keys among those that were looked at so far, estimated from a sample.") \
        X(BIG_SCANNED, COUNTER, "big_keys_scanned_total", NULL, "Keys that were looked at in search of big ones.") \
        X(BIG_ROUNDS, COUNTER, "big_keys_rounds_total", NULL, \
          "How often the search for big keys has been through all keys.")

#define REDIS_FAMILY_NAME(id, ...) REDIS_##id,
enum redis_family { REDIS_FAMILIES(REDIS_FAMILY_NAME) REDIS_FAMILY_COUNT };
#undef REDIS_FAMILY_NAME
/* clang-format on */

extern const struct metric_family redis_families[REDIS_FAMILY_COUNT];

#endif

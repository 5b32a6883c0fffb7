/* SPDX-License-Identifier: Apache-2.0 */
/* Every metric of the kind redis. */
#ifndef EXPORTER_KINDS_REDIS_FAMILIES_H
#define EXPORTER_KINDS_REDIS_FAMILIES_H

#include "runbook/metrics.h"

#define REDIS_FAMILIES(X)                                                                                    \
        X(redis_family_ping, GAUGE, "runbook_redis_ping_seconds", "seconds",                                 \
          "How long the server took to answer PING.")                                                        \
        X(redis_family_group_success, GAUGE, "runbook_redis_group_success", NULL,                            \
          "Whether the server gave all that the group asks for; 0: something was refused or not "            \
          "understood.")                                                                                     \
        X(redis_family_server_info, INFO, "runbook_redis_server_info", NULL,                                 \
          "Version, mode and maxmemory policy of the server.")                                               \
        X(redis_family_uptime, GAUGE, "runbook_redis_uptime_seconds", "seconds",                             \
          "How long the server has been running.")                                                           \
        X(redis_family_clients, GAUGE, "runbook_redis_connected_clients", NULL,                              \
          "Client connections, this check's among them.")                                                    \
        X(redis_family_clients_max, GAUGE, "runbook_redis_max_clients", NULL,                                \
          "How many client connections the server takes.")                                                   \
        X(redis_family_clients_blocked, GAUGE, "runbook_redis_blocked_clients", NULL,                        \
          "Clients that wait in a blocking call, such as workers for their queue.")                          \
        X(redis_family_connections, COUNTER, "runbook_redis_connections_received_total", NULL,               \
          "Connections that the server has accepted.")                                                       \
        X(redis_family_rejected, COUNTER, "runbook_redis_rejected_connections_total", NULL,                  \
          "Connections that were turned away because of maxclients.")                                        \
        X(redis_family_memory_used, GAUGE, "runbook_redis_memory_used_bytes", "bytes",                       \
          "Memory that the server has allocated.")                                                           \
        X(redis_family_memory_rss, GAUGE, "runbook_redis_memory_rss_bytes", "bytes",                         \
          "Resident memory of the server's process.")                                                        \
        X(redis_family_memory_peak, GAUGE, "runbook_redis_memory_peak_bytes", "bytes",                       \
          "The most memory that the server had allocated.")                                                  \
        X(redis_family_memory_max, GAUGE, "runbook_redis_memory_max_bytes", "bytes",                         \
          "The configured limit of memory; 0: none.")                                                        \
        X(redis_family_memory_ratio, GAUGE, "runbook_redis_memory_used_ratio", "ratio",                      \
          "Memory used of the configured limit; absent when there is no limit.")                             \
        X(redis_family_memory_pressure, GAUGE, "runbook_redis_memory_pressure_ratio", "ratio",               \
          "Memory used of what the server may use: of the configured limit, or of the machine's memory "     \
          "when there is none.")                                                                             \
        X(redis_family_fragmentation, GAUGE, "runbook_redis_memory_fragmentation_ratio", "ratio",            \
          "Resident memory for each allocated byte.")                                                        \
        X(redis_family_commands, COUNTER, "runbook_redis_commands_processed_total", NULL,                    \
          "Commands that the server has processed.")                                                         \
        X(redis_family_errors, COUNTER, "runbook_redis_error_replies_total", NULL,                           \
          "Commands that were answered with an error.")                                                      \
        X(redis_family_hits, COUNTER, "runbook_redis_keyspace_hits_total", NULL,                             \
          "Look-ups of keys that were there.")                                                               \
        X(redis_family_misses, COUNTER, "runbook_redis_keyspace_misses_total", NULL,                         \
          "Look-ups of keys that were not there.")                                                           \
        X(redis_family_hit_ratio, GAUGE, "runbook_redis_keyspace_hit_ratio", "ratio",                        \
          "Hits of all look-ups since the server started; absent when there were none.")                     \
        X(redis_family_expired, COUNTER, "runbook_redis_expired_keys_total", NULL, "Keys that expired.")     \
        X(redis_family_evicted, COUNTER, "runbook_redis_evicted_keys_total", NULL,                           \
          "Keys that were evicted because of the limit of memory.")                                          \
        X(redis_family_network_in, COUNTER, "runbook_redis_network_input_bytes_total", "bytes",              \
          "Bytes that the server has read from clients.")                                                    \
        X(redis_family_network_out, COUNTER, "runbook_redis_network_output_bytes_total", "bytes",            \
          "Bytes that the server has sent to clients.")                                                      \
        X(redis_family_loading, GAUGE, "runbook_redis_loading", NULL,                                        \
          "Whether the server is loading its data and refuses commands.")                                    \
        X(redis_family_rdb_changes, GAUGE, "runbook_redis_rdb_changes_since_last_save", NULL,                \
          "Changes that are not in the last RDB file.")                                                      \
        X(redis_family_rdb_saved, GAUGE, "runbook_redis_rdb_last_save_timestamp_seconds", "seconds",         \
          "When the last RDB file was written; the server's start when it has written none since.")          \
        X(redis_family_rdb_success, GAUGE, "runbook_redis_rdb_last_bgsave_success", NULL,                    \
          "Whether the last BGSAVE went well; 1 also before the first.")                                     \
        X(redis_family_rdb_duration, GAUGE, "runbook_redis_rdb_last_bgsave_duration_seconds", "seconds",     \
          "How long the last BGSAVE took; absent before the first.")                                         \
        X(redis_family_rdb_running, GAUGE, "runbook_redis_rdb_bgsave_in_progress", NULL,                     \
          "Whether a BGSAVE is running.")                                                                    \
        X(redis_family_aof_enabled, GAUGE, "runbook_redis_aof_enabled", NULL,                                \
          "Whether the server keeps an append-only file.")                                                   \
        X(redis_family_aof_running, GAUGE, "runbook_redis_aof_rewrite_in_progress", NULL,                    \
          "Whether a rewrite of the AOF is running.")                                                        \
        X(redis_family_aof_rewrite_success, GAUGE, "runbook_redis_aof_last_rewrite_success", NULL,           \
          "Whether the last rewrite of the AOF went well; 1 also before the first, and without an AOF.")     \
        X(redis_family_aof_rewrite_duration, GAUGE, "runbook_redis_aof_last_rewrite_duration_seconds",       \
          "seconds",                                                                                         \
          "How long the last rewrite of the AOF took; absent before the first, and without an AOF.")         \
        X(redis_family_aof_write_success, GAUGE, "runbook_redis_aof_last_write_success", NULL,               \
          "Whether the last write to the AOF went well; 1 also without an AOF.")                             \
        X(redis_family_aof_size, GAUGE, "runbook_redis_aof_size_bytes", "bytes",                             \
          "Size of the AOF; absent without one.")                                                            \
        X(redis_family_role_info, INFO, "runbook_redis_role_info", NULL,                                     \
          "Whether the server is a master or a slave, in Redis' words.")                                     \
        X(redis_family_cut_off, GAUGE, "runbook_redis_cut_off", NULL,                                        \
          "Whether the server is a replica that is not connected to its primary; 0 of a primary.")           \
        X(redis_family_replicas, GAUGE, "runbook_redis_connected_replicas", NULL,                            \
          "Replicas that are connected to the server.")                                                      \
        X(redis_family_replica_online, GAUGE, "runbook_redis_replica_online", NULL,                          \
          "Whether the connected replica follows, rather than being sent the data for a start.")             \
        X(redis_family_replica_lag_bytes, GAUGE, "runbook_redis_replica_lag_bytes", "bytes",                 \
          "How many bytes of the replication stream the connected replica has not acknowledged.")            \
        X(redis_family_replica_lag_seconds, GAUGE, "runbook_redis_replica_lag_seconds", "seconds",           \
          "How long ago the connected replica acknowledged last.")                                           \
        X(redis_family_master_up, GAUGE, "runbook_redis_master_link_up", NULL,                               \
          "Whether this replica is connected to its primary.")                                               \
        X(redis_family_master_down_seconds, GAUGE, "runbook_redis_master_link_down_seconds", "seconds",      \
          "For how long this replica has been without its primary, 0 while it is connected; absent when it " \
          "never was.")                                                                                      \
        X(redis_family_master_heard_seconds, GAUGE, "runbook_redis_master_last_io_seconds", "seconds",       \
          "How long ago this replica heard from its primary last; at least so long while it is not "         \
          "connected.")                                                                                      \
        X(redis_family_master_sync, GAUGE, "runbook_redis_master_sync_in_progress", NULL,                    \
          "Whether this replica is being sent the primary's data for a start.")                              \
        X(redis_family_keys, GAUGE, "runbook_redis_keys", NULL,                                              \
          "Keys in the database; 0 in database 0, and in those that had some before, when it has none.")     \
        X(redis_family_keys_expiring, GAUGE, "runbook_redis_keys_expiring", NULL,                            \
          "Keys in the database that have a time to live.")                                                  \
        X(redis_family_latency_last, GAUGE, "runbook_redis_latency_event_last_seconds", "seconds",           \
          "How long the last latency spike of the event took; absent without latency-monitor-threshold.")    \
        X(redis_family_latency_max, GAUGE, "runbook_redis_latency_event_max_seconds", "seconds",             \
          "How long the longest latency spike of the event took since LATENCY RESET.")                       \
        X(redis_family_latency_when, GAUGE, "runbook_redis_latency_event_timestamp_seconds", "seconds",      \
          "When the last latency spike of the event was.")                                                   \
        X(redis_family_slow_commands, COUNTER, "runbook_redis_slow_commands_total", NULL,                    \
          "Commands slower than slowlog-log-slower-than since the server started; absent while the log is "  \
          "empty.")                                                                                          \
        X(redis_family_slow_last, GAUGE, "runbook_redis_slow_command_last_seconds", "seconds",               \
          "How long the last command in the slow log took; absent while the log is empty.")                  \
        X(redis_family_sentinel_masters, GAUGE, "runbook_redis_sentinel_masters", NULL,                      \
          "Masters that the Sentinel watches.")                                                              \
        X(redis_family_sentinel_tilt, GAUGE, "runbook_redis_sentinel_tilt", NULL,                            \
          "Whether the Sentinel does not trust its clock and acts on nothing.")                              \
        X(redis_family_sentinel_master_info, INFO, "runbook_redis_sentinel_master_info", NULL,               \
          "Where the master is, and how the Sentinel finds it, in its words.")                               \
        X(redis_family_sentinel_master_up, GAUGE, "runbook_redis_sentinel_master_up", NULL,                  \
          "Whether the Sentinel finds the master to be fine.")                                               \
        X(redis_family_sentinel_replicas, GAUGE, "runbook_redis_sentinel_master_replicas", NULL,             \
          "Replicas of the master that the Sentinel knows, be they up or not.")                              \
        X(redis_family_sentinel_sentinels, GAUGE, "runbook_redis_sentinel_master_sentinels", NULL,           \
          "Sentinels of the master that the Sentinel knows, itself among them.")                             \
        X(redis_family_sentinel_quorum, GAUGE, "runbook_redis_sentinel_quorum_ok", NULL,                     \
          "Whether enough Sentinels can be reached for a failover of the master.")                           \
        X(redis_family_cluster_ok, GAUGE, "runbook_redis_cluster_ok", NULL,                                  \
          "Whether the node finds the cluster able to answer.")                                              \
        X(redis_family_cluster_assigned, GAUGE, "runbook_redis_cluster_slots_assigned", NULL,                \
          "Slots of the cluster that some node has; all would be 16384.")                                    \
        X(redis_family_cluster_slots_ok, GAUGE, "runbook_redis_cluster_slots_ok", NULL,                      \
          "Slots of the cluster whose node is not failing.")                                                 \
        X(redis_family_cluster_pfail, GAUGE, "runbook_redis_cluster_slots_pfail", NULL,                      \
          "Slots of the cluster whose node cannot be reached from this one.")                                \
        X(redis_family_cluster_fail, GAUGE, "runbook_redis_cluster_slots_fail", NULL,                        \
          "Slots of the cluster whose node has failed, as its nodes agree.")                                 \
        X(redis_family_cluster_nodes, GAUGE, "runbook_redis_cluster_known_nodes", NULL,                      \
          "Nodes of the cluster that the node knows, replicas and failed ones among them.")                  \
        X(redis_family_cluster_size, GAUGE, "runbook_redis_cluster_size", NULL,                              \
          "Primaries of the cluster that have slots.")                                                       \
        X(redis_family_cluster_node_up, GAUGE, "runbook_redis_cluster_node_up", NULL,                        \
          "Whether a node of the cluster is reached from the one that is asked, and is not agreed to have "  \
          "failed.")                                                                                         \
        X(redis_family_cluster_nodes_failing, GAUGE, "runbook_redis_cluster_nodes_failing", NULL,            \
          "Nodes of the cluster that are not reached from the one that is asked, or have failed.")           \
        X(redis_family_key_exists, GAUGE, "runbook_redis_key_exists", NULL, "Whether there is such a key.")  \
        X(redis_family_key_length, GAUGE, "runbook_redis_key_length", NULL,                                  \
          "Elements of a list, set, hash or sorted set, entries of a stream, bytes of a string; 0 without "  \
          "a key.")                                                                                          \
        X(redis_family_key_memory, GAUGE, "runbook_redis_key_memory_bytes", "bytes",                         \
          "Memory that the key takes, estimated from a sample; 0 without a key.")                            \
        X(redis_family_stream_lag, GAUGE, "runbook_redis_stream_group_lag", NULL,                            \
          "Entries that were not delivered to the consumer group yet; absent when Redis cannot tell "        \
          "(before 7.0).")                                                                                   \
        X(redis_family_stream_pending, GAUGE, "runbook_redis_stream_group_pending", NULL,                    \
          "Entries that were delivered to the consumer group and not acknowledged yet.")                     \
        X(redis_family_stream_consumers, GAUGE, "runbook_redis_stream_group_consumers", NULL,                \
          "Consumers of the consumer group.")                                                                \
        X(redis_family_big_key, GAUGE, "runbook_redis_big_key_bytes", "bytes",                               \
          "Memory of the biggest keys among those that were looked at so far, estimated from a sample.")     \
        X(redis_family_big_scanned, COUNTER, "runbook_redis_big_keys_scanned_total", NULL,                   \
          "Keys that were looked at in search of big ones.")                                                 \
        X(redis_family_big_rounds, COUNTER, "runbook_redis_big_keys_rounds_total", NULL,                     \
          "How often the search for big keys has been through all keys.")

REDIS_FAMILIES(DECLARE_FAMILY)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The groups: their queries, and what the columns mean. */
#include "exporter/kinds/postgres/groups.h"

#include "exporter/kinds/postgres/sql_database.h"
#include "exporter/kinds/postgres/sql_server.h"

POSTGRES_FAMILIES(DEFINE_SHARED_FAMILY)

#define FAMILIES(X)                                                                                          \
        X(info, INFO, "runbook_postgres_info", NULL, "The version of the server.")                           \
        X(start, GAUGE, "runbook_postgres_start_timestamp_seconds", "seconds",                               \
          "When the server was started.")                                                                    \
        X(connections, GAUGE, "runbook_postgres_connections", NULL,                                          \
          "Client connections by database and state; without pg_monitor the state of others is unknown.")    \
        X(max_connections, GAUGE, "runbook_postgres_max_connections", NULL,                                  \
          "How many connections the server takes.")                                                          \
        X(long_running, GAUGE, "runbook_postgres_long_running_queries", NULL,                                \
          "Queries that have been active for longer than the check's long_running.")                         \
        X(longest, GAUGE, "runbook_postgres_longest_query_seconds", "seconds",                               \
          "For how long the oldest active query has been running; 0: none is.")                              \
        X(longest_transaction, GAUGE, "runbook_postgres_longest_transaction_seconds", "seconds",             \
          "For how long the oldest transaction has been open, idle ones too; 0: none is.")                   \
        X(idle_transactions, GAUGE, "runbook_postgres_long_idle_in_transaction", NULL,                       \
          "Sessions that idle in a transaction and began their last query longer ago than long_running.")    \
        X(in_recovery, GAUGE, "runbook_postgres_in_recovery", NULL,                                          \
          "Whether the server is a standby: 1, or a primary: 0.")                                            \
        X(lag, GAUGE, "runbook_postgres_replication_lag_seconds", "seconds",                                 \
          "On a standby, how old what it replayed last is, a transaction or else, when it is cut off, a "    \
          "checkpoint; 0 when it streams and has replayed all it received, and on a primary.")               \
        X(lag_bytes, GAUGE, "runbook_postgres_replication_lag_bytes", "bytes",                               \
          "On a standby, the WAL that it has received and not yet replayed; 0 on a primary.")                \
        X(streaming, GAUGE, "runbook_postgres_wal_receiver_streaming", NULL,                                 \
          "On a standby, whether it streams WAL from its primary.")                                          \
        X(cut_off, GAUGE, "runbook_postgres_standby_cut_off", NULL,                                          \
          "Whether the server is a standby that streams no WAL from its primary; 0 on a primary.")           \
        X(last_message, GAUGE, "runbook_postgres_wal_receiver_last_message_timestamp_seconds", "seconds",    \
          "On a standby, when its primary was last heard of.")                                               \
        X(replicas, GAUGE, "runbook_postgres_replicas", NULL,                                                \
          "How many replicas stream WAL from the server, standbys and subscribers.")                         \
        X(largest_lag, GAUGE, "runbook_postgres_largest_replica_lag_seconds", "seconds",                     \
          "The largest of the replicas' lags; 0 when there are none.")                                       \
        X(replica_lag, GAUGE, "runbook_postgres_replica_lag_seconds", "seconds",                             \
          "How long the replica took lately to write, flush and replay WAL, or has been silent with some "   \
          "of it missing; 0 when it has all of it.")                                                         \
        X(replica_lag_bytes, GAUGE, "runbook_postgres_replica_lag_bytes", "bytes",                           \
          "The WAL that the replica has not yet written, flushed and replayed.")                             \
        X(slot_active, GAUGE, "runbook_postgres_replication_slot_active", NULL,                              \
          "Whether somebody reads from the replication slot.")                                               \
        X(slot_retained, GAUGE, "runbook_postgres_replication_slot_retained_bytes", "bytes",                 \
          "The WAL that the server keeps for the replication slot.")                                         \
        X(slots_unread, GAUGE, "runbook_postgres_unread_replication_slots", NULL,                            \
          "How many replication slots nobody reads from.")                                                   \
        X(slots_retained, GAUGE, "runbook_postgres_largest_replication_slot_retained_bytes", "bytes",        \
          "The most WAL that the server keeps for one replication slot; 0 when there are none.")             \
        X(wal_size, GAUGE, "runbook_postgres_wal_size_bytes", "bytes",                                       \
          "The size of all WAL files of the server.")                                                        \
        X(database_size, GAUGE, "runbook_postgres_database_size_bytes", "bytes",                             \
          "The size of the database.")                                                                       \
        X(database_xids, GAUGE, "runbook_postgres_database_xid_age", NULL,                                   \
          "How many transactions ago the oldest row of the database that is not frozen may have been "       \
          "written.")                                                                                        \
        X(database_xid_ratio, GAUGE, "runbook_postgres_database_xid_age_ratio", "ratio",                     \
          "The same as a part of autovacuum_freeze_max_age, from which on the server vacuums by force.")     \
        X(database_multixacts, GAUGE, "runbook_postgres_database_multixact_age", NULL,                       \
          "How many multixacts ago the oldest one that rows of the database may refer to was made.")         \
        X(database_multixact_ratio, GAUGE, "runbook_postgres_database_multixact_age_ratio", "ratio",         \
          "The same as a part of autovacuum_multixact_freeze_max_age.")                                      \
        X(xmin_age, GAUGE, "runbook_postgres_xmin_age", NULL,                                                \
          "How many transactions ago the oldest one was that a holder keeps vacuum from cleaning up after.") \
        X(deadlocks, COUNTER, "runbook_postgres_deadlocks_total", NULL, "Deadlocks in the database.")        \
        X(conflicts, COUNTER, "runbook_postgres_recovery_conflicts_total", NULL,                             \
          "Queries of the database that a standby cancelled because recovery was in their way.")             \
        X(temp_bytes, COUNTER, "runbook_postgres_temporary_bytes_total", "bytes",                            \
          "What queries of the database wrote to temporary files.")                                          \
        X(temp_files, COUNTER, "runbook_postgres_temporary_files_total", NULL,                               \
          "Temporary files of queries of the database.")                                                     \
        X(commits, COUNTER, "runbook_postgres_commits_total", NULL, "Transactions that were committed.")     \
        X(rollbacks, COUNTER, "runbook_postgres_rollbacks_total", NULL,                                      \
          "Transactions that were rolled back.")                                                             \
        X(checksum_failures, COUNTER, "runbook_postgres_checksum_failures_total", NULL,                      \
          "Pages of the database whose checksum was wrong; only with checksums.")                            \
        X(sessions, COUNTER, "runbook_postgres_sessions_total", NULL,                                        \
          "Sessions of the database; from PostgreSQL 14 on, as the three beside it.")                        \
        X(abandoned, COUNTER, "runbook_postgres_sessions_abandoned_total", NULL,                             \
          "Sessions that ended because the client was lost.")                                                \
        X(fatal, COUNTER, "runbook_postgres_sessions_fatal_total", NULL,                                     \
          "Sessions that a fatal error ended.")                                                              \
        X(killed, COUNTER, "runbook_postgres_sessions_killed_total", NULL,                                   \
          "Sessions that an operator ended.")                                                                \
        X(table_size, GAUGE, "runbook_postgres_table_size_bytes", "bytes",                                   \
          "The size of one of the largest tables, with its indexes and TOAST.")                              \
        X(table_indexes_size, GAUGE, "runbook_postgres_table_indexes_size_bytes", "bytes",                   \
          "The size of all indexes of one of the largest tables.")                                           \
        X(index_scans, COUNTER, "runbook_postgres_index_scans_total", NULL,                                  \
          "Scans of one of the least used indexes since the statistics were reset.")                         \
        X(index_size, GAUGE, "runbook_postgres_index_size_bytes", "bytes",                                   \
          "The size of one of the least used indexes.")                                                      \
        X(dead_rows, GAUGE, "runbook_postgres_table_dead_rows", NULL,                                        \
          "Dead rows, as estimated by the server, of one of the tables with the most of them.")              \
        X(live_rows, GAUGE, "runbook_postgres_table_live_rows", NULL,                                        \
          "Live rows, as estimated by the server, of one of the tables with the most dead ones.")            \
        X(last_vacuum, GAUGE, "runbook_postgres_table_last_vacuum_timestamp_seconds", "seconds",             \
          "When the table was last vacuumed by hand.")                                                       \
        X(last_autovacuum, GAUGE, "runbook_postgres_table_last_autovacuum_timestamp_seconds", "seconds",     \
          "When the table was last vacuumed by autovacuum.")                                                 \
        X(last_analyze, GAUGE, "runbook_postgres_table_last_analyze_timestamp_seconds", "seconds",           \
          "When the table was last analyzed by hand.")                                                       \
        X(last_autoanalyze, GAUGE, "runbook_postgres_table_last_autoanalyze_timestamp_seconds", "seconds",   \
          "When the table was last analyzed by autovacuum.")                                                 \
        X(table_xids, GAUGE, "runbook_postgres_table_xid_age", NULL,                                         \
          "How many transactions ago the oldest row of one of the oldest tables may have been written.")     \
        X(table_xid_ratio, GAUGE, "runbook_postgres_table_xid_age_ratio", "ratio",                           \
          "The same as a part of autovacuum_freeze_max_age, the table's own when it is smaller.")            \
        X(table_multixacts, GAUGE, "runbook_postgres_table_multixact_age", NULL,                             \
          "How many multixacts ago the oldest one was made that rows of the table may refer to.")            \
        X(bloat_bytes, GAUGE, "runbook_postgres_table_bloat_estimated_bytes", "bytes",                       \
          "What one of the largest tables has beyond what its rows would take, by estimate.")                \
        X(bloat_ratio, GAUGE, "runbook_postgres_table_bloat_estimated_ratio", "ratio",                       \
          "The same as a part of the table, without its indexes and TOAST.")                                 \
        X(statement_mean, GAUGE, "runbook_postgres_statement_mean_seconds", "seconds",                       \
          "How long the slow statement takes on average since the statistics were reset.")                   \
        X(statement_seconds, COUNTER, "runbook_postgres_statement_seconds_total", "seconds",                 \
          "How long the slow statement took all in all since the statistics were reset.")                    \
        X(statement_calls, COUNTER, "runbook_postgres_statement_calls_total", NULL,                          \
          "How often the slow statement was run since the statistics were reset.")                           \
        X(statement_info, INFO, "runbook_postgres_statement_info", NULL,                                     \
          "The text of the slow statement, as far as statement_text allows it.")                             \
        X(table_rows, GAUGE, "runbook_postgres_table_rows", NULL, "The rows of the table, counted.")         \
        X(estimated_rows, GAUGE, "runbook_postgres_table_estimated_rows", NULL,                              \
          "The rows of the table as the planner estimates them, as of its last vacuum or analyze.")          \
        X(pool_clients_active, GAUGE, "runbook_pgbouncer_pool_active_clients", NULL,                         \
          "Clients of the pool that have a server connection, or wait for nothing.")                         \
        X(pool_clients_waiting, GAUGE, "runbook_pgbouncer_pool_waiting_clients", NULL,                       \
          "Clients of the pool that wait for a server connection.")                                          \
        X(pool_servers_active, GAUGE, "runbook_pgbouncer_pool_active_servers", NULL,                         \
          "Server connections of the pool that a client has.")                                               \
        X(pool_servers_idle, GAUGE, "runbook_pgbouncer_pool_idle_servers", NULL,                             \
          "Server connections of the pool that are free.")                                                   \
        X(pool_servers_used, GAUGE, "runbook_pgbouncer_pool_used_servers", NULL,                             \
          "Server connections of the pool that were idle for so long that they are looked at before their "  \
          "next use.")                                                                                       \
        X(pool_servers_tested, GAUGE, "runbook_pgbouncer_pool_tested_servers", NULL,                         \
          "Server connections of the pool that are being reset or looked at.")                               \
        X(pool_servers_login, GAUGE, "runbook_pgbouncer_pool_login_servers", NULL,                           \
          "Server connections of the pool that are logging in.")                                             \
        X(pool_wait, GAUGE, "runbook_pgbouncer_pool_longest_wait_seconds", "seconds",                        \
          "For how long the first of the waiting clients has been waiting, in whole seconds.")               \
        X(pool_transactions, COUNTER, "runbook_pgbouncer_transactions_total", NULL,                          \
          "Transactions through the pool.")                                                                  \
        X(pool_queries, COUNTER, "runbook_pgbouncer_queries_total", NULL, "Queries through the pool.")       \
        X(pool_received, COUNTER, "runbook_pgbouncer_received_bytes_total", "bytes",                         \
          "What clients sent through the pool.")                                                             \
        X(pool_sent, COUNTER, "runbook_pgbouncer_sent_bytes_total", "bytes",                                 \
          "What was sent to clients through the pool.")                                                      \
        X(pool_transaction_seconds, COUNTER, "runbook_pgbouncer_transaction_seconds_total", "seconds",       \
          "For how long clients had a server in a transaction.")                                             \
        X(pool_query_seconds, COUNTER, "runbook_pgbouncer_query_seconds_total", "seconds",                   \
          "For how long servers worked on queries.")                                                         \
        X(pool_wait_seconds, COUNTER, "runbook_pgbouncer_wait_seconds_total", "seconds",                     \
          "For how long clients waited for a server.")                                                       \
        X(pool_size, GAUGE, "runbook_pgbouncer_database_pool_size", NULL,                                    \
          "How many server connections a pool of the database may have.")                                    \
        X(pool_max_connections, GAUGE, "runbook_pgbouncer_database_max_connections", NULL,                   \
          "How many server connections there may be to the database; 0: no limit.")                          \
        X(pool_connections, GAUGE, "runbook_pgbouncer_database_connections", NULL,                           \
          "Server connections to the database.")                                                             \
        X(pool_paused, GAUGE, "runbook_pgbouncer_database_paused", NULL, "Whether the database is paused.")  \
        X(pool_disabled, GAUGE, "runbook_pgbouncer_database_disabled", NULL,                                 \
          "Whether the database takes no more clients.")                                                     \
        X(pool_items, GAUGE, "runbook_pgbouncer_items", NULL,                                                \
          "How many there are of what PgBouncer keeps lists of: clients, servers, pools and others.")

FAMILIES(DEFINE_FAMILY)
const struct metric_family *const postgres_families[] = {POSTGRES_FAMILIES(FAMILY_ADDRESS)
                                                                 FAMILIES(FAMILY_ADDRESS) NULL};

#define METRICS(...)                              \
        .metrics = (const struct column_metric[]) \
        {                                         \
                __VA_ARGS__,                      \
                {                                 \
                        0                         \
                }                                 \
        }
#define BARE(family_, column)                           \
        {                                               \
                .family = &(family_), .value = (column) \
        }
#define LABELED(family_, column, ...)                                               \
        {                                                                           \
                .family = &(family_), .value = (column), COLUMN_LABELS(__VA_ARGS__) \
        }
#define MICROSECONDS(family_, column, ...)                                                         \
        {                                                                                          \
                .family = &(family_), .value = (column), COLUMN_LABELS(__VA_ARGS__), .scale = 1e-6 \
        }
/* The pool's name for a database, which SHOW DATABASES calls otherwise than the others do. */
#define OF_NAME(family_, column)                                                    \
        {                                                                           \
                .family = &(family_), .value = (column), COLUMN_LABELS("database"), \
                .label_columns = (const char *const[])                              \
                {                                                                   \
                        "name"                                                      \
                }                                                                   \
        }
#define SKIPPED LABELED(postgres_skipped, "skipped", "group")

#define SLOW_STATEMENTS_METRICS                                                       \
        METRICS(LABELED(statement_calls, "calls", "queryid", "database", "user"),     \
                LABELED(statement_seconds, "seconds", "queryid", "database", "user"), \
                LABELED(statement_mean, "mean", "queryid", "database", "user"),       \
                LABELED(statement_info, "info", "queryid", "database", "user", "query"))

const struct postgres_group postgres_groups[] = {
        {.name = "server",
         .by_default = true,
         .sql = SERVER,
         METRICS(LABELED(info, "info", "version"), BARE(start, "start"))},
        {.name = "connections",
         .by_default = true,
         .sql = CONNECTIONS,
         METRICS(LABELED(connections, "connections", "database", "state"),
                 BARE(max_connections, "max_connections"))},
        {.name = "long_running_queries",
         .by_default = true,
         .monitor = true,
         .sql = LONG_RUNNING,
         .parameters = {PARAMETER_LONG_RUNNING},
         METRICS(LABELED(long_running, "long_running", "database"), LABELED(longest, "longest", "database"),
                 LABELED(idle_transactions, "idle_transactions", "database"),
                 LABELED(longest_transaction, "longest_transaction", "database"))},
        {.name = "replication",
         .by_default = true,
         .monitor = true,
         .sql = REPLICATION,
         METRICS(BARE(in_recovery, "in_recovery"), BARE(lag, "lag"), BARE(lag_bytes, "lag_bytes"),
                 BARE(streaming, "streaming"), BARE(cut_off, "cut_off"), BARE(last_message, "last_message"),
                 BARE(replicas, "replicas"), BARE(largest_lag, "largest_lag"),
                 LABELED(replica_lag, "replica_lag", "replica", "address", "stage"),
                 LABELED(replica_lag_bytes, "replica_lag_bytes", "replica", "address", "stage"))},
        {.name = "replication_slots",
         .by_default = true,
         .sql = REPLICATION_SLOTS,
         METRICS(LABELED(slot_active, "active", "slot", "kind"),
                 LABELED(slot_retained, "retained", "slot", "kind"), BARE(slots_unread, "unread"),
                 BARE(slots_retained, "most"))},
        {.name = "wal_size", .monitor = true, .sql = WAL_SIZE, METRICS(BARE(wal_size, "bytes"))},
        {.name = "database_sizes",
         .sql = DATABASE_SIZES,
         METRICS(LABELED(database_size, "bytes", "database"))},
        {.name = "transaction_ids",
         .sql = TRANSACTION_IDS,
         METRICS(LABELED(database_xids, "xids", "database"),
                 LABELED(database_xid_ratio, "xid_ratio", "database"),
                 LABELED(database_multixacts, "multixacts", "database"),
                 LABELED(database_multixact_ratio, "multixact_ratio", "database"))},
        {.name = "xmin_holders",
         .monitor = true,
         .sql = XMIN_HOLDERS,
         METRICS(LABELED(xmin_age, "age", "holder"))},
        {.name = "database_statistics",
         .sql = DATABASE_STATISTICS,
         METRICS(LABELED(deadlocks, "deadlocks", "database"), LABELED(conflicts, "conflicts", "database"),
                 LABELED(temp_bytes, "temp_bytes", "database"), LABELED(temp_files, "temp_files", "database"),
                 LABELED(commits, "commits", "database"), LABELED(rollbacks, "rollbacks", "database"),
                 LABELED(checksum_failures, "checksum_failures", "database"),
                 LABELED(sessions, "sessions", "database"), LABELED(abandoned, "abandoned", "database"),
                 LABELED(fatal, "fatal", "database"), LABELED(killed, "killed", "database"))},
        {.name = "table_sizes",
         .by_database = true,
         .sql = TABLE_SIZES,
         .parameters = {PARAMETER_TOP},
         METRICS(LABELED(table_size, "bytes", "schema", "table"),
                 LABELED(table_indexes_size, "index_bytes", "schema", "table"), SKIPPED)},
        {.name = "index_usage",
         .by_database = true,
         .sql = INDEX_USAGE,
         .parameters = {PARAMETER_TOP},
         METRICS(LABELED(index_scans, "scans", "schema", "table", "index", "kind"),
                 LABELED(index_size, "bytes", "schema", "table", "index", "kind"), SKIPPED)},
        {.name = "vacuum",
         .by_database = true,
         .sql = VACUUM,
         .parameters = {PARAMETER_TOP},
         METRICS(LABELED(dead_rows, "dead", "schema", "table"), LABELED(live_rows, "live", "schema", "table"),
                 LABELED(last_vacuum, "last_vacuum", "schema", "table"),
                 LABELED(last_autovacuum, "last_autovacuum", "schema", "table"),
                 LABELED(last_analyze, "last_analyze", "schema", "table"),
                 LABELED(last_autoanalyze, "last_autoanalyze", "schema", "table"))},
        {.name = "table_ages",
         .by_database = true,
         .sql = TABLE_AGES,
         .parameters = {PARAMETER_TOP},
         METRICS(LABELED(table_xids, "xids", "schema", "table"),
                 LABELED(table_xid_ratio, "xid_ratio", "schema", "table"),
                 LABELED(table_multixacts, "multixacts", "schema", "table"))},
        {.name = "bloat",
         .by_database = true,
         .sql = BLOAT,
         .parameters = {PARAMETER_TOP},
         METRICS(LABELED(bloat_bytes, "bytes", "schema", "table"),
                 LABELED(bloat_ratio, "ratio", "schema", "table"))},
        {.name = "slow_statements",
         .monitor = true,
         .extension = "pg_stat_statements",
         .column = "total_exec_time",
         .sql = SLOW_STATEMENTS("total_exec_time"),
         .parameters = {PARAMETER_SLOW, PARAMETER_TOP, PARAMETER_STATEMENT_TEXT},
         SLOW_STATEMENTS_METRICS},
        {.name = "slow_statements",
         .monitor = true,
         .extension = "pg_stat_statements",
         .column = "total_time",
         .sql = SLOW_STATEMENTS("total_time"),
         .parameters = {PARAMETER_SLOW, PARAMETER_TOP, PARAMETER_STATEMENT_TEXT},
         SLOW_STATEMENTS_METRICS},
        {.name = "row_counts",
         .by_database = true,
         .sql = ROW_COUNTS,
         .parameters = {PARAMETER_TABLE},
         METRICS(LABELED(table_rows, "rows", "schema", "table"))},
        {.name = "row_estimates",
         .by_database = true,
         .sql = ROW_ESTIMATES,
         .parameters = {PARAMETER_TABLE},
         METRICS(LABELED(estimated_rows, "rows", "schema", "table"))},
        {.name = "pgbouncer_pools",
         .console = true,
         .sql = "SHOW POOLS",
         METRICS(LABELED(pool_clients_active, "cl_active", "database", "user"),
                 LABELED(pool_clients_waiting, "cl_waiting", "database", "user"),
                 LABELED(pool_servers_active, "sv_active", "database", "user"),
                 LABELED(pool_servers_idle, "sv_idle", "database", "user"),
                 LABELED(pool_servers_used, "sv_used", "database", "user"),
                 LABELED(pool_servers_tested, "sv_tested", "database", "user"),
                 LABELED(pool_servers_login, "sv_login", "database", "user"),
                 LABELED(pool_wait, "maxwait", "database", "user"))},
        {.name = "pgbouncer_stats",
         .console = true,
         .sql = "SHOW STATS",
         METRICS(LABELED(pool_transactions, "total_xact_count", "database"),
                 LABELED(pool_queries, "total_query_count", "database"),
                 LABELED(pool_received, "total_received", "database"),
                 LABELED(pool_sent, "total_sent", "database"),
                 MICROSECONDS(pool_transaction_seconds, "total_xact_time", "database"),
                 MICROSECONDS(pool_query_seconds, "total_query_time", "database"),
                 MICROSECONDS(pool_wait_seconds, "total_wait_time", "database"))},
        {.name = "pgbouncer_databases",
         .console = true,
         .sql = "SHOW DATABASES",
         METRICS(OF_NAME(pool_size, "pool_size"), OF_NAME(pool_max_connections, "max_connections"),
                 OF_NAME(pool_connections, "current_connections"), OF_NAME(pool_paused, "paused"),
                 OF_NAME(pool_disabled, "disabled"))},
        {.name = "pgbouncer_lists",
         .console = true,
         .sql = "SHOW LISTS",
         METRICS(LABELED(pool_items, "items", "list"))},
        {0},
};

bool postgres_group_is_by_table(const struct postgres_group *group)
{
        return group->parameters[0] == PARAMETER_TABLE;
}
